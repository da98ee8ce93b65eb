"""fimble/runAction: everything about one action's result, for clients that apply it themselves. Changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fimble.lsp.action_run import Wanted, run_action

if TYPE_CHECKING:
    from fimble.lsp.server import FimbleServer

RUN_ACTION = "fimble/runAction"


def register(server: FimbleServer) -> None:
    server.feature(RUN_ACTION)(run)


async def run(ls: FimbleServer, params: Any) -> dict[str, Any] | None:
    """Answer `{name, uri, range, instruction?, problems?}` with the result; offsets are in code points.

    None for parameters of another form.
    """
    wanted = Wanted.of(params)
    if wanted is None:
        return None
    outcome = await run_action(ls, wanted, counted=False)
    return outcome.result.as_json()
