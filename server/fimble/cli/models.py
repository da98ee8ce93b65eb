"""`fimble models`: what can be had, what is here, and bringing, checking and removing it."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from fimble import manifest as manifests
from fimble.errors import FimbleError
from fimble.models.download import SOURCE_KINDS
from fimble.models.install import QUANTIZATION_CHOICES, VOCABULARY_CHOICES, InstallOptions, pull
from fimble.models.part_file import shown_bytes
from fimble.models.record import InstalledModel
from fimble.models.store import ModelStore

SUMMARY = "List, download, check, add and remove models."
EPILOG = """examples:
  fimble models list
  fimble models pull qwen2.5-coder-0.5b
  fimble models pull qwen2.5-coder-1.5b --source index --source hub
  fimble models verify qwen2.5-coder-0.5b
  fimble models path qwen2.5-coder-0.5b
  fimble models add ./my-checkpoint --id mine
  fimble models add ./model.gguf
  fimble models remove mine

environment:
  FIMBLE_DATA_DIR        where models lie (default: the user's cache directory)
  FIMBLE_HUB_URL         model hubs to ask in order, separated by spaces
  FIMBLE_MODEL_SOURCES   order of sources, such as `index,hub`
  FIMBLE_OFFLINE=1       never use the network
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def action(name: str, summary: str, *, model: bool = True) -> argparse.ArgumentParser:
        child = actions.add_parser(name, help=summary, description=summary)
        if model:
            child.add_argument("model", metavar="ID", help="model id as `fimble models list` shows it")
        child.add_argument("--json", action="store_true", help="print JSON")
        return child

    action("list", "Show the models that fimble knows and those that are installed.", model=False)
    fetch = action("pull", "Download a model, convert it and put it in place.")
    _add_form(fetch)
    fetch.add_argument(
        "--source", action="append", choices=SOURCE_KINDS, default=[], help="where to look, in this order; repeatable"
    )
    fetch.add_argument("--force", action="store_true", help="download and convert even if it is there")
    fetch.add_argument("--keep-download", action="store_true", help="keep the publisher's file after conversion")
    fresh = action("add", "Convert a GGUF file, a Hugging Face checkpoint folder or a hub repository.", model=False)
    fresh.add_argument("source", metavar="PATH_OR_REPO", help="file, folder, or `owner/name[@revision]`")
    fresh.add_argument("--id", dest="model_id", help="the model's id here (default: the file's or folder's name)")
    _add_form(fresh)
    fresh.add_argument("--force", action="store_true", help="replace a model of that id")
    fresh.add_argument("--keep-download", action="store_true", help="keep the repository's files after conversion")
    action("verify", "Compare an installed model's files with the hashes taken at installation.")
    action("remove", "Delete an installed model.")
    action("path", "Print the folder of an installed model.")


def run(args: argparse.Namespace) -> int:
    store = ModelStore()
    try:
        return int(_ACTIONS[args.action](store, args))
    except BrokenPipeError:
        raise
    except OSError as error:
        raise FimbleError(
            f"cannot work in `{store.root}`: {error}", "make it writable, or set `FIMBLE_DATA_DIR` to another folder"
        ) from error


def _add_form(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--quantization", choices=QUANTIZATION_CHOICES, default="auto", help="number format (default: the manifest's)"
    )
    parser.add_argument(
        "--vocabulary",
        choices=VOCABULARY_CHOICES,
        default="full",
        help="`code` keeps the tokens that code needs: a third less memory, worse chat answers",
    )


def _list(store: ModelStore, args: argparse.Namespace) -> int:
    installed = {model.model_id: model for model in store.installed()}
    damaged = store.damaged()
    rows = []
    for model_id in sorted({*manifests.known_ids(), *installed, *damaged}):
        here = installed.get(model_id)
        known = here.manifest if here else manifests.load(model_id) if model_id in manifests.known_ids() else None
        state = "installed" if here else "damaged" if model_id in damaged else "available"
        rows.append(
            {
                "id": model_id,
                "state": state,
                "title": known.title if known else "",
                "licence": known.licence if known else "",
                "download_bytes": known.n_file_bytes if known else 0,
                **(_facts(here) if here else {}),
            }
        )
    if args.json:
        return _print_json(rows)
    width = max(len(str(row["id"])) for row in rows)
    for row in rows:
        form = (
            f"{row['quantization']}, {row['vocabulary']} vocabulary, {shown_bytes(row['bytes'])}"
            if "bytes" in row
            else (f"{shown_bytes(row['download_bytes'])} to download")
        )
        sys.stdout.write(f"{row['id']:<{width}}  {row['state']:<9}  {row['title']}  ({form}, {row['licence']})\n")
    return 0


def _pull(store: ModelStore, args: argparse.Namespace) -> int:
    from fimble.cli.progress import ProgressDisplay

    options = InstallOptions(args.quantization, args.vocabulary, tuple(args.source), args.force, args.keep_download)
    with ProgressDisplay() as progress:
        model = pull(store, args.model, options, progress)
    return _report(model, args, f"Installed `{model.model_id}` in {model.path}")


def _add(store: ModelStore, args: argparse.Namespace) -> int:
    from fimble.cli.progress import ProgressDisplay
    from fimble.models.add import add

    options = InstallOptions(args.quantization, args.vocabulary, (), args.force, args.keep_download)
    with ProgressDisplay() as progress:
        model = add(store, args.source, args.model_id, options, progress)
    fim = model.manifest.fim.layout
    note = "completes from the prefix alone (it has no FIM sentinels)" if fim == "none" else f"FIM layout {fim}"
    return _report(model, args, f"Installed `{model.model_id}` in {model.path}, {note}")


def _verify(store: ModelStore, args: argparse.Namespace) -> int:
    model = store.verify(args.model)
    return _report(
        model, args, f"`{model.model_id}`: {len(model.files)} files, {shown_bytes(model.n_bytes)}, as installed"
    )


def _remove(store: ModelStore, args: argparse.Namespace) -> int:
    store.remove(args.model)
    if args.json:
        return _print_json({"id": args.model, "state": "removed"})
    sys.stderr.write(f"Removed `{args.model}`\n")
    return 0


def _path(store: ModelStore, args: argparse.Namespace) -> int:
    path = store.path(args.model)
    if args.json:
        return _print_json({"id": args.model, "path": str(path)})
    sys.stdout.write(f"{path}\n")
    return 0


def _report(model: InstalledModel, args: argparse.Namespace, line: str) -> int:
    if args.json:
        return _print_json({"id": model.model_id, "state": "installed", **_facts(model)})
    sys.stderr.write(line + "\n")
    return 0


def _facts(model: InstalledModel) -> dict[str, Any]:
    return {
        "path": str(model.path),
        "quantization": model.quantization,
        "vocabulary": model.vocabulary,
        "bytes": model.n_bytes,
    }


def _print_json(value: object) -> int:
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
    return 0


_ACTIONS = {"list": _list, "pull": _pull, "add": _add, "verify": _verify, "remove": _remove, "path": _path}
