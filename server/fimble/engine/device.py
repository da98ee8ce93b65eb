"""Which device a model is to run on, and what is missing there. Asks the system only; runs and measures nothing.

CTranslate2 counts a card as usable as soon as its driver answers, and fails at the first product of matrices if cuBLAS
is not there, as on every machine with an NVIDIA driver and no CUDA toolkit.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path

from fimble.errors import EngineError

ON_WINDOWS = sys.platform == "win32"
DRIVER_NAME = "nvcuda.dll" if ON_WINDOWS else "libcuda.so.1"
CUBLAS_VERSION = 12
"""What CTranslate2 4 is built for; it asks for this version by the library's name."""
CUBLAS_NAMES = (
    (f"cublasLt64_{CUBLAS_VERSION}.dll", f"cublas64_{CUBLAS_VERSION}.dll")
    if ON_WINDOWS
    else (f"libcublasLt.so.{CUBLAS_VERSION}", f"libcublas.so.{CUBLAS_VERSION}")
)
"""In the order in which they need each other."""
NO_CUBLAS = f"cuBLAS {CUBLAS_VERSION} is not there"
GET_CUBLAS = "install it into fimble's environment with `pip install 'nvidia-cublas-cu12<13'`, or a CUDA 12 toolkit"
CARD_NAME_BYTES = 256


@dataclass(frozen=True, slots=True)
class Device:
    """`kind` is `cpu` or `cuda`. `card` is the GPU's name if there is one; `why_not` says why it is not used."""

    kind: str
    card: str = ""
    why_not: str = ""

    def __str__(self) -> str:
        return f"cuda: {self.card}" if self.kind == "cuda" else "cpu"


def choose(wanted: str) -> Device:
    """Give the device for the option `device`: `auto` takes a GPU that can be used, else the processor.

    Errors: EngineError if `cuda` is wanted and cannot be had.
    """
    if wanted == "cpu":
        return Device("cpu")
    found = cards()
    if found and has_cublas():
        return Device("cuda", found[0])
    if wanted == "cuda":
        if not found:
            raise EngineError("no GPU that CUDA can use is here", "set `device` to `auto`, or mend the NVIDIA driver")
        raise EngineError(f"the GPU ({found[0]}) cannot be used: {NO_CUBLAS}", GET_CUBLAS)
    return Device("cpu", found[0], NO_CUBLAS) if found else Device("cpu")


@functools.cache
def cards() -> tuple[str, ...]:
    """Give the names of the GPUs that the NVIDIA driver shows to this process, in its order."""
    try:
        driver = ctypes.CDLL(DRIVER_NAME)
    except OSError:
        return ()
    return card_names(driver)


def card_names(driver: ctypes.CDLL) -> tuple[str, ...]:
    """Ask a loaded driver. Source: CUDA driver API; every function gives 0 when it succeeded."""
    n_cards = ctypes.c_int()
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(n_cards)):
        return ()
    names = []
    for number in range(n_cards.value):
        handle, name = ctypes.c_int(), ctypes.create_string_buffer(CARD_NAME_BYTES)
        if driver.cuDeviceGet(ctypes.byref(handle), number):
            continue
        unnamed = driver.cuDeviceGetName(name, CARD_NAME_BYTES, handle)
        names.append("a GPU without a name" if unnamed else name.value.decode("utf-8", "replace"))
    return tuple(names)


@functools.cache
def has_cublas() -> bool:
    """Say whether cuBLAS can be loaded, and load it: the engine then finds it, also where a wheel brought it."""
    if _loaded(Path()):
        return True
    return any(_loaded(folder) for folder in _wheel_folders())


def _loaded(folder: Path) -> bool:
    try:
        for name in CUBLAS_NAMES:
            ctypes.CDLL(str(folder / name))
    except OSError:
        return False
    return True


def _wheel_folders() -> list[Path]:
    """Give where the wheel `nvidia-cublas-cu12` keeps its libraries, if it is installed."""
    spec = importlib.util.find_spec("nvidia")
    places = spec.submodule_search_locations if spec is not None else None
    return [Path(place) / "cublas" / ("bin" if ON_WINDOWS else "lib") for place in places or ()]
