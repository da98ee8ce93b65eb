"""Real editors against the real server: the programs, a server that answers from a script, and an editor each."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

try:
    import pynvim  # noqa: F401
    from playwright.sync_api import sync_playwright
except ModuleNotFoundError as error:
    pytest.exit(
        f"the tests in real editors need `{error.name}`\n\nhint: run `pip install -e '.[dev,editors]'` and "
        "`tests/editors/install.sh`, or leave them out: "
        "`python -m pytest tests --ignore tests/editors --ignore tests/interop`",
        returncode=4,
    )

from editors.code_server import CHROMIUM_FLAGS, CodeServer
from editors.extension import build_vsix
from editors.home import Home
from editors.neovim import Neovim
from editors.script import SCRIPT
from editors.tools import ROOT, Tools, find_tools
from editors.window import Window
from fimble.models.install import pull
from fimble.models.store import ModelStore
from fimble.settings import Settings

ARTEFACTS = Path(os.environ.get("FIMBLE_ARTEFACTS") or ROOT / "artefacts" / "editors")
TEST_LIMIT_S = 480


def pytest_collection_modifyitems(items):
    ours = [n for n, item in enumerate(items) if Path(__file__).parent in item.path.parents]
    for n in ours:
        items[n].add_marker(pytest.mark.editors)
        # An editor that waits for a key answers nobody; the suite's own limit is far longer.
        items[n].add_marker(pytest.mark.timeout(TEST_LIMIT_S))
    # While the browser is driven no other event loop can run, and Neovim's driver is one.
    in_order = sorted((items[n] for n in ours), key=_drives_vscode)
    for n, item in zip(ours, in_order, strict=True):
        items[n] = item


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """Let fixtures see whether their test failed, to keep what the screen showed."""
    outcome = yield
    if outcome.get_result().failed:
        item.has_failed = True


@pytest.fixture(scope="session")
def tools() -> Tools:
    """Give the programs that `install.sh` installed; fails with a hint if one is missing."""
    return find_tools()


@pytest.fixture
def artefacts() -> Path:
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    return ARTEFACTS


@pytest.fixture(scope="session")
def real_models() -> Path:
    """Give the user's own store of models; the default model is fetched on first use."""
    return pull(ModelStore(), Settings().model).path.parent


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "home")
    yield home
    home.close()


@pytest.fixture
def start_neovim(tools, home, tmp_path, artefacts, request):
    """Start Neovims with the plugin; all are closed afterwards, and leave what their screens showed."""
    running: list[Neovim] = []

    def start(setup: str | None = "{}") -> Neovim:
        running.append(Neovim(tools, home.environment, tmp_path, setup))
        return running[-1]

    yield start
    for n, editor in enumerate(running):
        editor.unblock()
        screen = "\n".join([*editor.screen, "", editor.notices])
        (artefacts / f"neovim-{request.node.name}-{n}.txt").write_text(screen)
        editor.close()
    if getattr(request.node, "has_failed", False):
        (artefacts / f"neovim-{request.node.name}.log").write_text(home.log())


@pytest.fixture(scope="session")
def vsix(tools) -> Path:
    """Give the extension, packaged from the sources as they are."""
    return build_vsix(tools)


# While Playwright runs, no asynchronous test can: browser and windows end with the last VS Code test, not later.
_until_last_vscode_test = contextlib.ExitStack()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item, nextitem):
    try:
        return (yield)
    finally:
        if _drives_vscode(item) and (nextitem is None or not _drives_vscode(nextitem)):
            _until_last_vscode_test.close()


def _drives_vscode(item) -> bool:
    return "vscode" in item.path.name


@pytest.fixture(scope="session")
def browser(tools):
    """One headless Chromium."""
    playwright = _until_last_vscode_test.enter_context(sync_playwright())
    browser = playwright.chromium.launch(executable_path=str(tools.chromium), args=CHROMIUM_FLAGS)
    _until_last_vscode_test.callback(browser.close)
    return browser


@pytest.fixture(scope="session")
def vscode(tools, vsix, browser, tmp_path_factory):
    """One VS Code window with the extension, for every test: it takes long to start. Tests use files of their own."""
    folder = tmp_path_factory.mktemp("vscode")
    home = Home(folder / "home")
    _until_last_vscode_test.callback(home.close)
    home.answer(*(answer for answers in SCRIPT.values() for answer in answers))
    settings = {"fimble.path": str(home.command), "fimble.action_preview": False}
    server = CodeServer(tools, folder, home.environment_without_command, vsix, settings)
    _until_last_vscode_test.callback(server.close)
    window = Window(browser, server, home)
    window.until_status("ready")
    return window


@pytest.fixture
def window(vscode, artefacts, request):
    """The window with no dialog, notification or editor open, and its settings as at the start."""
    vscode.settle()
    yield vscode
    vscode.page.screenshot(path=artefacts / f"vscode-{request.node.name}.png")
    if getattr(request.node, "has_failed", False):
        (artefacts / f"vscode-{request.node.name}.log").write_text(vscode.home.log())
    vscode.server.configure({})
