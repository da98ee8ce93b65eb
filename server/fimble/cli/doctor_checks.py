"""What can be wrong with an installation: one function a subject, each giving findings. Prints and changes nothing."""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import psutil

from fimble import __version__, calibration, options
from fimble import manifest as manifests
from fimble.cli import doctor_speed
from fimble.cli.doctor_finding import Finding, Verdict
from fimble.cli.server_session import status
from fimble.cli.stdio_client import StdioClient, serve_command
from fimble.engine import device as devices
from fimble.engine.calibration_file import CalibrationFile
from fimble.engine.cores import n_cores
from fimble.errors import FimbleError, SettingsError
from fimble.models.store import ModelStore
from fimble.settings import Settings

SERVING_PACKAGES = ("pygls", "lsprotocol", "ctranslate2", "tokenizers", "numpy", "gguf", "platformdirs", "rich")
REINSTALL = "install fimble again in a fresh virtual environment"
FREE_DISK_BYTES_MIN = 2 * 1024**3
"""The default model's download and its conversion side by side, with room to spare."""
FREE_MEMORY_BYTES_MIN = 1024**3
"""What the default model takes when it is loaded, measured by `fimble bench memory`, rounded up."""
SERVER_LIMIT_S = 90.0
# Asked in a process of its own: a processor without the needed instructions kills the process that imports it.
ENGINE_PROGRAM = """
import json, ctranslate2
n_gpus = ctranslate2.get_cuda_device_count()
kinds = {"cpu": sorted(ctranslate2.get_supported_compute_types("cpu"))}
if n_gpus:
    kinds["cuda"] = sorted(ctranslate2.get_supported_compute_types("cuda"))
print(json.dumps({"n_gpus": n_gpus, "kinds": kinds}))
"""


def examine(deep: bool = False, calibrate: bool = False) -> Iterator[Finding]:
    """Give the findings one by one, as each check ends; `calibrate` measures the model anew."""
    yield from python()
    yield from packages()
    yield from engine()
    settings = Settings()
    for finding in configuration():
        yield finding
        if finding.verdict is Verdict.OK:
            settings = options.resolve_strict(options.read_config_file())
    store, file = ModelStore(), CalibrationFile()
    settings, choice = calibration.chosen(settings, store, file)
    if choice is not None:
        yield Finding(Verdict.OK, "model", f"`auto` is `{choice.model_id}`, {choice.reason}")
    yield from models(store, settings, deep)
    yield from doctor_speed.examine(store, settings, file, anew=calibrate)
    yield from machine(store)
    yield from network()
    yield from server()


def python() -> Iterator[Finding]:
    detail = f"{platform.python_version()} on {platform.system()} {platform.machine()}, `{sys.executable}`"
    yield Finding(Verdict.OK, "python", detail)


def packages() -> Iterator[Finding]:
    """The serving packages are there; torch is not asked for."""
    versions, missing = [f"fimble {__version__}"], []
    for name in SERVING_PACKAGES:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        yield Finding(Verdict.FAIL, "packages", "missing: " + ", ".join(missing), REINSTALL)
    else:
        yield Finding(Verdict.OK, "packages", ", ".join(versions))


def engine() -> Iterator[Finding]:
    """CTranslate2 runs on this processor, and on which devices."""
    try:
        asked = subprocess.run(
            [sys.executable, "-c", ENGINE_PROGRAM], capture_output=True, text=True, timeout=60, check=False
        )
    except subprocess.TimeoutExpired:
        yield Finding(Verdict.FAIL, "engine", "importing ctranslate2 takes more than 60 s", REINSTALL)
        return
    if asked.returncode != 0:
        why = f"killed by signal {-asked.returncode}" if asked.returncode < 0 else asked.stderr.strip().split("\n")[-1]
        hint = "this processor may lack instructions that the package needs" if asked.returncode < 0 else REINSTALL
        yield Finding(Verdict.FAIL, "engine", f"ctranslate2 cannot be loaded: {why}", hint)
        return
    answer = json.loads(asked.stdout)
    if "int8_float32" not in answer["kinds"]["cpu"] and "int8" not in answer["kinds"]["cpu"]:
        yield Finding(
            Verdict.WARN,
            "engine",
            "no 8-bit arithmetic on this processor",
            "set `compute_type` to `float32`; it is slower",
        )
    else:
        yield Finding(Verdict.OK, "engine", "cpu: " + ", ".join(answer["kinds"]["cpu"]))
    yield gpu(answer["kinds"].get("cuda", []))


def gpu(kinds: list[str]) -> Finding:
    """Whether there is a GPU, and whether a model can run on it; `kinds` are the compute types it is said to have."""
    device = devices.choose("auto")
    if device.why_not:
        return Finding(
            Verdict.WARN,
            "gpu",
            f"{device.card} is not used: {device.why_not}; the processor does the work",
            devices.GET_CUBLAS,
        )
    if device.kind == "cpu":
        return Finding(Verdict.OK, "gpu", "none that CUDA can use; the processor does the work")
    return Finding(Verdict.OK, "gpu", f"{device.card}: " + ", ".join(kinds))


def configuration() -> Iterator[Finding]:
    """The user's file is absent, or valid to the last key."""
    path = options.config_path()
    try:
        raw = options.read_config_file(path)
        options.resolve_strict(raw)
    except SettingsError as error:
        yield Finding(Verdict.FAIL, "settings", f"`{path}`: {error.message}", error.hint or "")
        return
    n_set = f"{len(raw)} options set" if raw else "not there, so every option has its default"
    yield Finding(Verdict.OK, "settings", f"`{path}`: {n_set}")


def models(store: ModelStore, settings: Settings, deep: bool) -> Iterator[Finding]:
    """The wanted model is installed, and what is installed is whole."""
    wanted = settings.model if settings.engine == "ctranslate2" else ""
    for model_id, error in store.damaged().items():
        yield Finding(Verdict.FAIL, "model", f"`{model_id}`: {error.message}", error.hint or "")
    if wanted and not store.has(wanted):
        yield Finding(Verdict.FAIL, "model", f"`{wanted}` is not installed", f"run `fimble models pull {wanted}`")
    for model in store.installed():
        in_use = ", in use" if model.model_id == wanted else ""
        try:
            if deep:
                store.verify(model.model_id)
        except FimbleError as error:
            yield Finding(Verdict.FAIL, "model", f"`{model.model_id}`: {error.message}", error.hint or "")
            continue
        if model.is_outdated:
            yield Finding(
                Verdict.WARN,
                "model",
                f"`{model.model_id}` was converted by an older fimble, and answers a bit worse than it could{in_use}",
                again(model.model_id),
            )
            continue
        how = "every file has its recorded hash" if deep else "every file has its recorded size"
        yield Finding(Verdict.OK, "model", f"`{model.model_id}` {how}{in_use}")


def again(model_id: str) -> str:
    """Say how to have an installed model converted anew."""
    if model_id in manifests.known_ids():
        return f"run `fimble models pull {model_id} --force`"
    return "run `fimble models add FILE --force` with the file it came from"


def machine(store: ModelStore) -> Iterator[Finding]:
    """There is room for a model, on disk and in memory."""
    root = store.root
    existing = next(folder for folder in (root, *root.parents) if folder.exists())
    n_free_bytes = shutil.disk_usage(existing).free
    detail = f"{_gb(n_free_bytes)} free for models in `{root}`"
    if n_free_bytes < FREE_DISK_BYTES_MIN:
        yield Finding(Verdict.WARN, "disk", detail, "free some, or set `FIMBLE_DATA_DIR` to a folder on another disk")
    else:
        yield Finding(Verdict.OK, "disk", detail)
    memory = psutil.virtual_memory()
    detail = f"{_gb(memory.available)} of {_gb(memory.total)} available, {n_cores()} cores"
    if memory.available < FREE_MEMORY_BYTES_MIN:
        yield Finding(Verdict.WARN, "memory", detail, "close something: the model needs about 1 GB")
    else:
        yield Finding(Verdict.OK, "memory", detail)


def network() -> Iterator[Finding]:
    """Whether `fimble models pull` may use the network; nothing else does."""
    if os.environ.get("FIMBLE_OFFLINE", "") not in ("", "0"):
        yield Finding(
            Verdict.WARN, "network", "`FIMBLE_OFFLINE` is set: no model can be fetched", "unset it to pull one"
        )
    else:
        yield Finding(Verdict.OK, "network", "used by `fimble models pull` and `add` alone")


def server() -> Iterator[Finding]:
    """`fimble serve` starts, speaks, and loads its model."""
    try:
        answered_ms, ready_ms, last = asyncio.run(_try_server())
    except FimbleError as error:
        yield Finding(Verdict.FAIL, "server", error.message, error.hint or "")
        return
    except TimeoutError:
        yield Finding(Verdict.FAIL, "server", f"no answer within {SERVER_LIMIT_S:.0f} s", "run `fimble serve` by hand")
        return
    detail = f"answers `initialize` in {answered_ms:.0f} ms"
    if last["state"] == "ready":
        yield Finding(Verdict.OK, "server", f"{detail}, has its model ready in {ready_ms:.0f} ms")
    else:
        why = last.get("message") or last["state"]
        yield Finding(Verdict.FAIL, "server", f"{detail}, but: {why}", last.get("hint") or "")


async def _try_server() -> tuple[float, float, dict[str, Any]]:
    """Start a server and wait for its model to settle; gives both times and the last status."""
    started_at_s = time.monotonic()
    async with asyncio.timeout(SERVER_LIMIT_S), StdioClient(serve_command()) as client:
        await client.initialize()
        answered_ms = (time.monotonic() - started_at_s) * 1000
        last = await status(client)
        while last["state"] in ("loading", "unloaded"):
            await asyncio.sleep(0.05)
            last = await status(client)
        return answered_ms, (time.monotonic() - started_at_s) * 1000, last


def _gb(n_bytes: int) -> str:
    return f"{n_bytes / 1024**3:.1f} GB"
