"""The facade's routes, its token, and its server on the daemon's loop. Listens on loopback only."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from fimble.daemon.facade import metrics_text
from fimble.daemon.facade.desk import Desk, SupersededError
from fimble.daemon.facade.guard import Guard
from fimble.daemon.facade.infill_api import InfillApi
from fimble.daemon.facade.openai_api import OpenAiApi
from fimble.errors import EngineError, FimbleError, ModelError, UsageError
from fimble.log import LOGGER

TOKEN_VARIABLE = "FIMBLE_HTTP_TOKEN"
KEEP_ALIVE_S = 30
CONNECTIONS_MAX = 64
END_LIMIT_S = 1


def build_app(desk: Desk, token: str, status: Callable[[], Mapping[str, Any]]) -> Guard:
    """Give the ASGI application."""
    openai, infill = OpenAiApi(desk), InfillApi(desk)

    async def health(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def metrics(request: Request) -> Response:
        return PlainTextResponse(metrics_text.render(status(), desk.metrics), media_type=metrics_text.CONTENT_TYPE)

    routes = [
        Route("/v1/completions", openai.completions, methods=["POST"]),
        Route("/v1/chat/completions", openai.chat, methods=["POST"]),
        Route("/v1/models", openai.models, methods=["GET"]),
        Route("/infill", infill.infill, methods=["POST"]),
        Route("/health", health, methods=["GET"]),
        Route("/metrics", metrics, methods=["GET"]),
    ]
    return Guard(Starlette(routes=routes, exception_handlers={FimbleError: _told}), token)


async def serve(app: Guard, port: int) -> None:
    """Serve until cancelled; a port that is taken costs the facade, not the daemon."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        LOGGER.error("HTTP is off: port %d cannot be used: %s", port, error.strerror)
        listener.close()
        return
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        limit_concurrency=CONNECTIONS_MAX,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=END_LIMIT_S,
    )
    LOGGER.info("HTTP on 127.0.0.1:%d", port)
    with contextlib.closing(listener):
        await _Server(config).serve(sockets=[listener])


def token_at(path: Path) -> str:
    """Give `FIMBLE_HTTP_TOKEN`, or the token in the file, made on first use and readable by the user alone."""
    if token := os.environ.get(TOKEN_VARIABLE):
        return token
    with contextlib.suppress(OSError):
        if (token := path.read_text(encoding="ascii").strip()) and path.stat().st_mode & 0o077 == 0:
            return token
    token = secrets.token_urlsafe(32)
    temporary = path.with_suffix(".part")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(token)
    temporary.replace(path)
    return token


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the daemon."""
        yield


async def _told(request: Request, error: Exception) -> Response:
    """Answer an error in OpenAI's form, which llama.cpp's clients read as well."""
    assert isinstance(error, FimbleError)
    status, kind = 500, "server_error"
    if isinstance(error, UsageError):
        status, kind = 400, "invalid_request_error"
    elif isinstance(error, SupersededError):
        status, kind = 429, "rate_limit_error"
    elif isinstance(error, (ModelError, EngineError)):
        status = 503
    text = f"{error.message} ({error.hint})" if error.hint else error.message
    return JSONResponse({"error": {"message": text, "type": kind, "code": status}}, status_code=status)
