"""Where a session's bytes come from: this process' own files, or a socket. One editor per process."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import sys
from collections.abc import Callable

from fimble.errors import EngineError, UsageError
from fimble.lsp.server import FimbleServer
from fimble.lsp.stream import HEADER_BYTES_MAX, FileWriter, read_in_thread

MakeServer = Callable[[], FimbleServer]


def run_stdio(make_server: MakeServer) -> int:
    """Serve the editor that started this process; gives the exit code."""
    # What a library prints would break the protocol, so file 1 becomes stderr for everyone else.
    source = os.fdopen(os.dup(0), "rb", buffering=0)
    target = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    async def session() -> int:
        server = make_server()
        reader = read_in_thread(source, asyncio.get_running_loop())
        return await server.serve(reader, FileWriter(target, lambda: server.leave(0)))

    return asyncio.run(session())


def parse_address(text: str, *, allow_remote: bool) -> tuple[str, int]:
    """Read HOST:PORT; a host that others can reach needs `allow_remote`.

    Errors: UsageError.
    """
    host, colon, port = text.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not port.isdigit() or int(port) > 65535 or (not colon and not port):
        raise UsageError(f"`{text}` is not HOST:PORT", "for example `--tcp 127.0.0.1:9257`")
    if not allow_remote and not _is_loopback(host):
        raise UsageError(
            f"`{host}` can be reached by other machines, and whoever connects can read your model's answers",
            "use 127.0.0.1, or add `--allow-remote` if that is what you want",
        )
    return host, int(port)


def run_tcp(make_server: MakeServer, host: str, port: int) -> int:
    """Serve the first editor that connects; gives the exit code. Port 0 takes a free one; stderr says which."""

    async def listen() -> int:
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[int] = loop.create_future()
        is_taken = False

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal is_taken
            if is_taken:
                writer.close()
                return
            is_taken = True
            exit_code = await make_server().serve(reader, writer)
            writer.close()
            if not ended.done():
                ended.set_result(exit_code)

        try:
            listener = await asyncio.start_server(connected, host, port, limit=HEADER_BYTES_MAX)
        except OSError as error:
            raise EngineError(f"cannot listen on {host}:{port}: {error.strerror}", "choose another port") from error
        bound_port = listener.sockets[0].getsockname()[1]
        sys.stderr.write(f"listening on {host}:{bound_port}\n")
        sys.stderr.flush()
        exit_code = await ended
        listener.close()
        return exit_code

    return asyncio.run(listen())


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
