"""Who may import what, beyond the layers: libraries that have one home, and what starting must not load."""

from __future__ import annotations

import ast
import json

import pytest

# Library → the modules (paths under fimble/, as prefixes) that may import it.
HOMES = {
    "pygls": ("lsp/", "daemon/"),
    "lsprotocol": ("lsp/", "daemon/"),
    "ctranslate2": ("engine/ct2_backend", "models/convert", "bench/"),
    "tokenizers": ("engine/", "models/convert"),
    "torch": ("models/convert_hf",),
    "transformers": ("models/convert_hf",),
    "gguf": ("models/",),
    "urllib.request": ("models/download", "models/source", "models/hub", "engine/remote"),
    "http.client": ("models/download", "models/source", "models/hub", "engine/remote"),
    "requests": (),
    "httpx": ("engine/remote",),
    "huggingface_hub": (),
    "pickle": (),
    "marshal": (),
    "shelve": (),
    "starlette": ("daemon/facade/",),
    "uvicorn": ("daemon/facade/",),
    "argparse": ("cli/",),
    "rich": ("cli/", "bench/", "eval/"),
}

OUTSIDE = (
    "os",
    "io",
    "pathlib",
    "shutil",
    "socket",
    "ssl",
    "subprocess",
    "tempfile",
    "urllib.request",
    "http",
    "sqlite3",
)


@pytest.mark.parametrize("library", HOMES)
def test_library_is_imported_only_at_home(package, library):
    strangers = []
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix()
        if name.startswith(HOMES[library]) if HOMES[library] else False:
            continue
        if any(_is_within(imported, library) for imported in _imports(path)):
            strangers.append(name)
    assert strangers == []


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("fimble.cli.main", ["pygls", "ctranslate2", "tokenizers", "numpy", "torch", "rich"]),
        ("fimble.daemon.shim", ["pygls", "lsprotocol", "ctranslate2", "tokenizers", "numpy", "asyncio", "logging"]),
        ("fimble.lsp.server", ["ctranslate2", "torch", "transformers", "gguf"]),
        ("fimble.completion.service", ["pygls", "lsprotocol", "ctranslate2", "torch"]),
        ("fimble.app", ["pygls", "lsprotocol", "ctranslate2", "torch", "gguf"]),
        ("fimble.engine.ct2_backend", ["torch", "transformers", "gguf", "pygls"]),
    ],
)
def test_importing_does_not_load(run_python, module, unwanted):
    program = f"import json, sys, {module}; print(json.dumps([n for n in {unwanted!r} if n in sys.modules]))"
    finished = run_python("-c", program)
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout) == []


@pytest.mark.parametrize("room", ["completion", "context", "fim", "postprocess", "text"])
def test_typing_path_does_no_input_or_output(package, room):
    """What these rooms could reach disk, network or processes with; `PurePath` only takes names apart."""
    reached = []
    for path in sorted((package / room).rglob("*.py")):
        imported = set(_imports(path)) - {"pathlib", "pathlib.PurePath", "pathlib.PurePosixPath"}
        reached += [f"{path.name}: {name}" for name in imported if _is_within_any(name, OUTSIDE)]
        reached += [f"{path.name}: {called}()" for called in _called(path) if called in ("open", "print", "input")]
    assert reached == []


def test_document_text_is_not_read_from_the_protocol_library(package):
    """pygls splits lines at U+2028 and others, so its copy of a document is wrong (ARCHITECTURE.md, traps)."""
    users = [
        path.name
        for path in sorted((package / "lsp").rglob("*.py"))
        if "text_document" in _attributes_of_workspace(path)
    ]
    assert users == []


def _imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_within(imported, library):
    return imported == library or imported.startswith(library + ".")


def _is_within_any(imported, libraries):
    return any(_is_within(imported, library) for library in libraries)


def _called(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id


def _attributes_of_workspace(path):
    """Names read from `….workspace`, such as `server.workspace.get_text_document`."""
    names = ""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "workspace":
            names += node.attr + " "
    return names
