"""A tiny model with its manifest, a hub on loopback and an index of wheels: everything `pull` needs, no network."""

from __future__ import annotations

import hashlib
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fimble import manifest as manifests
from fimble.models.store import ModelStore
from tiny_models import write_gguf

MODEL_ID = "tiny"
N_PARTS = 3


@pytest.fixture(scope="session")
def tiny_bytes(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_gguf(tmp_path_factory.mktemp("tiny") / "tiny.gguf").read_bytes()


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_bytes: bytes) -> Path:
    """A manifest folder that knows only the tiny model."""
    folder = tmp_path / "catalogue"
    folder.mkdir()
    names = ", ".join(f'"tiny-part{i}"' for i in range(1, N_PARTS + 1))
    (folder / f"{MODEL_ID}.toml").write_text(
        f"""
id = "{MODEL_ID}"
title = "Tiny"
publisher = "nobody"
licence = "Apache-2.0"
family = "qwen2"
format = "gguf"
n_file_bytes = {len(tiny_bytes)}
sha256 = "{hashlib.sha256(tiny_bytes).hexdigest()}"
context_tokens = 512
end_tokens = ["<|endoftext|>"]

[[sources]]
kind = "hub"
repository = "nobody/tiny"
revision = "r1"
path = "tiny.gguf"

[[sources]]
kind = "index"
distributions = [{names}]
version = "1.0"
member = "*/data/*"
"""
    )
    monkeypatch.setattr(manifests, "manifest_dir", lambda: folder)
    return folder


@pytest.fixture
def store(tmp_path: Path, catalogue: Path, monkeypatch: pytest.MonkeyPatch) -> ModelStore:
    """An empty store, with no source in reach."""
    monkeypatch.setenv("FIMBLE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("FIMBLE_HUB_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    (tmp_path / "wheels").mkdir()
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("FIMBLE_OFFLINE", raising=False)
    monkeypatch.delenv("FIMBLE_MODEL_SOURCES", raising=False)
    return ModelStore()


@dataclass
class Hub:
    """What the loopback hub serves and what it was asked."""

    content: bytes
    resumes: bool = True
    stop_after_bytes: int | None = None
    """The first answer ends here."""
    hold_after_bytes: int | None = None
    """The first answer waits here for `go_on`."""
    go_on: threading.Event = field(default_factory=threading.Event)
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Path and Range header of each request."""
    files: dict[str, bytes] = field(default_factory=dict)


@pytest.fixture
def hub(store: ModelStore, tiny_bytes: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    served = Hub(tiny_bytes)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked_range = self.headers.get("Range", "")
            served.asked.append((self.path, asked_range))
            name = self.path.rpartition("/")[2]
            content = served.content if name == "tiny.gguf" else served.files.get(name)
            if content is None:
                self.send_error(404)
                return
            start = int(asked_range.removeprefix("bytes=").rstrip("-")) if asked_range and served.resumes else 0
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            first = len(served.asked) == 1
            end = served.stop_after_bytes if first and served.stop_after_bytes else len(content)
            held = served.hold_after_bytes if first and served.hold_after_bytes else end
            try:
                self.wfile.write(content[start:held])
                self.wfile.flush()
                if held < end:
                    served.go_on.wait(60)
                    self.wfile.write(content[held:end])
            except OSError:
                pass

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    monkeypatch.setenv("FIMBLE_HUB_URL", f"http://127.0.0.1:{server.server_port}")
    yield served
    served.go_on.set()
    server.shutdown()
    thread.join()
    server.server_close()


def write_wheel(folder: Path, name: str, version: str, data: bytes) -> Path:
    module = name.replace("-", "_")
    path = folder / f"{module}-{version}-py3-none-any.whl"
    info = f"{module}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{module}/__init__.py", "raise SystemExit('a part must never be imported')\n")
        wheel.writestr(f"{module}/data/part.bin", data)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def wheels(store: ModelStore, tmp_path: Path, tiny_bytes: bytes) -> list[Path]:
    """The tiny model in parts of different sizes, where pip looks."""
    cuts = [0, 1_000_000, 1_000_007, len(tiny_bytes)]
    return [
        write_wheel(tmp_path / "wheels", f"tiny-part{i + 1}", "1.0", tiny_bytes[cuts[i] : cuts[i + 1]])
        for i in range(N_PARTS)
    ]
