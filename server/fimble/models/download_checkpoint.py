"""Read a checkpoint's files from a model hub: configuration, tokenizer, safetensors; nothing that could be run."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from fimble import __version__
from fimble.errors import DiskFullError, NoSourceError
from fimble.models.download import offline
from fimble.models.download_hub import NETWORK_CHUNK_BYTES, SILENCE_MAX_S, ask_hubs
from fimble.models.part_file import SourceError, check_disk_space, disk_error
from fimble.models.progress import Progress

NEEDED = ("config.json",)
WELCOME = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "generation_config.json",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
)
WEIGHTS, WEIGHTS_INDEX = "model.safetensors", "model.safetensors.index.json"


def fetch(repository: str, revision: str, folder: Path, progress: Progress) -> None:
    """Bring the files of `repository` at `revision` into `folder`; files that are there already stay.

    The hub is believed here, as nobody has written down these files' hashes; transport is HTTPS.
    Errors: NoSourceError naming each hub's reason; DiskFullError.
    """
    if offline():
        raise NoSourceError(f"`{repository}` is not on this machine and `FIMBLE_OFFLINE` forbids the network")
    try:
        ask_hubs(repository, revision, lambda address: _fetch_all(address, folder, progress))
    except SourceError as error:
        raise NoSourceError(
            f"no hub gave `{repository}`: {error}", "check the name, the network and the proxy settings"
        ) from error


def _fetch_all(address: str, folder: Path, progress: Progress) -> None:
    for name in NEEDED:
        if not _fetch_file(address, name, folder, progress):
            raise SourceError(f"it has no `{name}`")
    for name in WELCOME:
        _fetch_file(address, name, folder, progress)
    if _fetch_file(address, WEIGHTS, folder, progress):
        return
    if not _fetch_file(address, WEIGHTS_INDEX, folder, progress):
        raise SourceError("it has no safetensors weights (pickled ones are not read)")
    index = json.loads((folder / WEIGHTS_INDEX).read_text(encoding="utf-8"))
    for name in sorted(set(index["weight_map"].values())):
        if (
            Path(name).name != name
            or not name.endswith(".safetensors")
            or not _fetch_file(address, name, folder, progress)
        ):
            raise SourceError(f"it lacks `{name}`")


def _fetch_file(address: str, name: str, folder: Path, progress: Progress) -> bool:
    """Bring one file; gives False if the hub has none of that name."""
    target, part = folder / name, folder / f"{name}.part"
    if target.exists():
        return True
    url = address + urllib.parse.quote(name)
    request = urllib.request.Request(url, headers={"User-Agent": f"fimble/{__version__}"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=SILENCE_MAX_S) as answer, part.open("wb") as file:  # noqa: S310
            n_bytes_expected = int(answer.headers.get("Content-Length") or 0)
            check_disk_space(folder, n_bytes_expected, name)
            progress.start(f"Downloading {name}", n_bytes_expected, "bytes")
            n_bytes = 0
            while chunk := answer.read(NETWORK_CHUNK_BYTES):
                file.write(chunk)
                n_bytes += len(chunk)
                progress.update(n_bytes)
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return False
        raise SourceError(f"HTTP {error.code} {error.reason} for `{name}`") from error
    except urllib.error.URLError as error:
        raise SourceError(str(error.reason)) from error
    except DiskFullError:
        raise
    except OSError as error:
        known = disk_error(error, part)
        raise known if isinstance(known, DiskFullError) else SourceError(f"the connection broke: {error}") from error
    if n_bytes_expected and n_bytes != n_bytes_expected:
        raise SourceError(f"`{name}` ended after {n_bytes} of {n_bytes_expected} bytes")
    part.replace(target)
    return True
