"""What pip installs in place of fimble where the installation is tested, not what is installed."""

from __future__ import annotations

import zipfile
from pathlib import Path


def make_wheel(folder: Path, command: Path) -> Path:
    """Give a wheel named fimble whose command `fimble` is `command`; it needs nothing, so no index is asked."""
    path = folder / "fimble-0.0.1-py3-none-any.whl"
    info = "fimble-0.0.1.dist-info"
    files = {
        "stand_in.py": f"import os, sys\n\ndef main():\n    os.execv({str(command)!r}, ['fimble', *sys.argv[1:]])\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: fimble\nVersion: 0.0.1\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: fimble\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\nfimble = stand_in:main\n",
    }
    record = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in (files | {f"{info}/RECORD": record}).items():
            wheel.writestr(name, text)
    return path
