"""What the commands ask of a running server beyond the protocol: whether its model is ready. No drawing."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from fimble.cli.stdio_client import StdioClient
from fimble.errors import EngineError

READY_LIMIT_S = 120.0
POLL_S = 0.05


async def status(client: StdioClient) -> dict[str, Any]:
    """Give the server's answer to `fimble/status`."""
    return dict(await client.request("fimble/status", {}))


async def wait_until_ready(client: StdioClient, limit_s: float = READY_LIMIT_S) -> float:
    """Wait until the model is loaded; gives how long that took, in ms.

    Errors: EngineError with the server's own message and hint if it will not become ready.
    """
    started_at_s = time.monotonic()
    while time.monotonic() - started_at_s < limit_s:
        answer = await status(client)
        if answer["state"] == "ready":
            return (time.monotonic() - started_at_s) * 1000
        if answer["state"] not in ("loading", "unloaded"):
            raise EngineError(answer.get("message") or f"the model is {answer['state']}", answer.get("hint") or None)
        await asyncio.sleep(POLL_S)
    raise EngineError(f"the model was not ready after {limit_s:.0f} s", "run `fimble doctor`")
