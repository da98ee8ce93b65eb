"""Optimise a function: another body, the same name and signature, and the reason."""

from __future__ import annotations

from fimble.actions.phrase import required_function
from fimble.actions.place import Place
from fimble.actions.plan import Action, Offer, Plan, Wish
from fimble.actions.whole_function import plan_rewrite


def offer(place: Place) -> Offer | None:
    function = place.function
    if function is None or function.body is None or place.is_stub(function):
        return None
    return Offer(ACTION.name, f"Optimise `{function.name}`", ACTION.kind)


def plan(place: Place, wish: Wish) -> Plan:
    function = required_function(place)
    sentence = f"Make the {place.facts.title} function `{function.name}` below faster without changing what it gives"
    return plan_rewrite(place, function, sentence, wish, reasoned=True)


ACTION = Action("optimise", "Optimise the function", "refactor.rewrite.fimble.optimise", "edit", offer, plan)
