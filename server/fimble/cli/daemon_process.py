"""The daemon's process put together: sessions, applications, shared models. Loaded by `fimble daemon run` alone."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

import psutil

from fimble import garbage, log
from fimble.app import ENGINE_KEYS, Application, make_worker
from fimble.daemon.broker import Broker
from fimble.daemon.lifecycle import run_daemon
from fimble.daemon.place import Place
from fimble.daemon.pool import EnginePool
from fimble.daemon.session import LspSession, options_of
from fimble.engine.calibration_file import CalibrationFile
from fimble.errors import FimbleError
from fimble.lsp.server import create_server
from fimble.models.store import ModelStore
from fimble.options import read_config_file, resolve
from fimble.settings import Settings
from fimble.statistics.recorder import Recorder
from fimble.statistics.store import default_path

HTTP_SESSION = 0
"""Editors' sessions count from 1; all HTTP clients together take turns as one of them."""


def run_process(place: Place) -> int:
    """Be the daemon; gives the exit code."""
    # The daemon's own options come from the file alone: it outlives the editor that started it.
    settings, warnings = resolve(_file_options())
    log.configure(settings.log_level)
    for warning in warnings:
        log.LOGGER.warning("%s", warning)
    store, calibration_file = ModelStore(), CalibrationFile()
    pool = EnginePool(
        make_worker=lambda s: make_worker(s, store, calibration_file),
        key_of=lambda s: tuple(getattr(s, key) for key in ENGINE_KEYS),
        n_bytes_of=lambda s: _weights_bytes(s, store),
        memory_bytes_max=settings.daemon_memory_bytes_max or psutil.virtual_memory().total // 2,
    )

    recorder = Recorder(default_path())

    def make_session(number: int, words: Mapping[str, Any]) -> LspSession:
        def make_app(session_settings: Settings) -> Application:
            return Application(
                session_settings,
                store,
                make_engine=lambda s: pool.open(s, number),
                recorder=recorder,
                calibration_file=calibration_file,
            )

        return LspSession(create_server(make_app, options_of(words), owns_process=False))

    def describe() -> dict[str, Any]:
        return {"resident_bytes": psutil.Process().memory_info().rss, "engines": pool.describe()}

    async def facade(broker: Broker) -> None:
        await _serve_http(settings, store, pool, place, broker)

    beside = facade if settings.http_port else None
    garbage.keep_out_of_typing()
    exit_code = run_daemon(place, make_session, float(settings.daemon_idle_exit_s), describe, beside)
    pool.close()
    recorder.close()
    sys.stderr.flush()
    # A prefill cannot be interrupted, and a thread in one must not hold the exit.
    os._exit(exit_code)


async def _serve_http(settings: Settings, store: ModelStore, pool: EnginePool, place: Place, broker: Broker) -> None:
    """Serve the model of the user's file over HTTP."""
    try:
        from fimble.daemon.facade.desk import Desk
        from fimble.daemon.facade.http_server import build_app, serve, token_at
    except ImportError as error:
        log.LOGGER.error("HTTP is off: %s is not installed; install `fimble[http]`", error.name)
        return
    app = Application(
        settings, store, make_engine=lambda s: pool.open(s, HTTP_SESSION), calibration_file=CalibrationFile()
    )
    desk = Desk(app.engine, app.manifest, broker.touch)
    await serve(build_app(desk, token_at(place.http_token_path), broker.status), settings.http_port)


def _file_options() -> dict[str, Any]:
    try:
        return read_config_file()
    except FimbleError as error:
        # Each session shows its editor what is wrong with the file; the daemon goes on with the defaults.
        sys.stderr.write(f"warning: {error.message}\n")
        return {}


def _weights_bytes(settings: Settings, store: ModelStore) -> int:
    """Give the size of the model's weights; 0 for one that is not installed or has none."""
    try:
        return (store.path(settings.model) / "model.bin").stat().st_size
    except (FimbleError, OSError):
        return 0
