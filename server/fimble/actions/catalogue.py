"""The list of actions, in the order a menu shows them. One file per action; nothing else registers any."""

from __future__ import annotations

import difflib

from fimble.actions import (
    document,
    edit,
    explain,
    fix,
    function_from_comment,
    optimise,
    review,
    simplify,
    tests,
    translate,
)
from fimble.actions.outcome import ActionRefusedError, Refusal
from fimble.actions.place import Place
from fimble.actions.plan import Action, Offer

ACTIONS: tuple[Action, ...] = (
    function_from_comment.ACTION,
    edit.ACTION,
    fix.ACTION,
    document.ACTION,
    tests.ACTION,
    optimise.ACTION,
    simplify.ACTION,
    review.ACTION,
    explain.ACTION,
    translate.ACTION,
)
BY_NAME = {action.name: action for action in ACTIONS}


def find(name: str) -> Action:
    """Give the action called `name`. Errors: ActionRefusedError with the valid names."""
    action = BY_NAME.get(name)
    if action is None:
        close = difflib.get_close_matches(name, list(BY_NAME), n=1)
        meant = f"did you mean `{close[0]}`?; " if close else ""
        raise ActionRefusedError(
            Refusal.UNKNOWN_ACTION, f"no action is called `{name}`", f"{meant}known: " + ", ".join(BY_NAME)
        )
    return action


def offers(place: Place, *, has_chat: bool = True) -> list[Offer]:
    """Give what makes sense at a place, for a model with or without chat. Cheap and pure."""
    found = (action.offer(place) for action in ACTIONS if has_chat or not action.needs_chat)
    return [offer for offer in found if offer is not None]
