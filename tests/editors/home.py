"""A home folder of a user who has fimble and nothing else: what an editor's server finds there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil

SERVER = Path(__file__).resolve().parents[2] / "server"


class Home:
    """A user's home with a `fimble` command whose engine answers from a script, and nothing else in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.script_path = folder / "script.json"
        self.config_path = folder / "config" / "fimble" / "config.toml"
        self.command = folder / "bin" / "fimble"
        self.command.parent.mkdir(parents=True)
        self.server_log_path = folder / "server.log"
        # -P, as for an installed command: a `typing.py` in the workspace must not take the place of Python's own.
        self.command.write_text(
            f"""#!/bin/sh
if [ "$1" = serve ]; then exec 2>>"{self.server_log_path}"; fi
exec "{sys.executable}" -P -m fimble "$@"
"""
        )
        self.command.chmod(0o755)
        (folder / "run").mkdir(mode=0o700)
        self.config_path.parent.mkdir(parents=True)
        self.configure(engine="scripted")
        self.answer()

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "XDG_DATA_HOME": str(self.folder / "data"),
            "XDG_RUNTIME_DIR": str(self.folder / "run"),
            "FIMBLE_SCRIPT": str(self.script_path),
            "FIMBLE_DATA_DIR": str(self.folder / "models"),
            "PYTHONPATH": str(SERVER),
            # The shell's PATH without a `fimble` that may be installed there, with ours first.
            "PATH": f"{self.command.parent}{os.pathsep}{os.environ['PATH']}",
        }

    @property
    def environment_without_command(self) -> dict[str, str]:
        """The same where no `fimble` is on the `PATH`, neither ours nor one that is installed there."""
        folders = [f for f in os.environ["PATH"].split(os.pathsep) if not (Path(f) / "fimble").exists()]
        return self.environment | {"PATH": os.pathsep.join(folders)}

    def answer(self, *answers, load_ms: int = 0) -> None:
        """Write what the engine answers from its next start on; a string answers everything."""
        plain = [{"text": a} if isinstance(a, str) else a for a in answers]
        self.script_path.write_text(json.dumps({"load_ms": load_ms, "answers": plain}), encoding="utf-8")

    def configure(self, **options: str | int | bool) -> None:
        """Write the user's file; a late answer is still one, since the machine may be under load."""
        options = {"deadline_ms": 60_000} | options
        lines = [f"{key} = {json.dumps(value)}" for key, value in options.items()]
        self.config_path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def use_models(self, store: Path) -> None:
        """Let the model answer, with the weights of another store."""
        self.lend_models(store)
        self.configure(engine="ctranslate2")

    def lend_models(self, store: Path) -> None:
        (self.folder / "models").symlink_to(store)

    def take_models_back(self) -> None:
        (self.folder / "models").unlink()

    def close(self) -> None:
        """End the daemon that this home's editors started."""
        words = [str(self.command), "daemon", "stop", "--force"]
        subprocess.run(words, env=self.environment, capture_output=True, timeout=60)

    def servers(self) -> list[psutil.Process]:
        """Give the processes that this home's editors started, one an editor."""
        return [p for p in psutil.process_iter() if self._runs(p, "serve")]

    def daemons(self) -> list[psutil.Process]:
        """Give the process that they share."""
        return [p for p in psutil.process_iter() if self._runs(p, "daemon")]

    def log(self) -> str:
        """Give what servers and daemon said so far."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.folder.rglob("*.log")))

    def _runs(self, process: psutil.Process, command: str) -> bool:
        try:
            if not {"fimble", command} <= set(process.cmdline()):
                return False
            return process.environ().get("FIMBLE_SCRIPT") == str(self.script_path)
        except psutil.Error:
            return False
