"""Other lines for a place than the one shown, written while it is read: a key against it finds one that agrees.

Belongs to idle time; shows nothing, and gives way to keys.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, replace

from fimble.completion.candidate import judge
from fimble.completion.launch import Launcher
from fimble.completion.ledger import Source
from fimble.completion.question import Question
from fimble.completion.second_look import NEVER
from fimble.completion.stop import StopRules
from fimble.engine.contract import GenerationRequest, Priority
from fimble.errors import FimbleError
from fimble.fim.prompt import LaidOutPrompt
from fimble.log import LOGGER
from fimble.records import CancelToken, Generation, Shape, StopReason

FIRST_WORDS = 8
"""How many of the likeliest first words are looked at."""
ROW_TOKENS_MAX = 12
"""A line that is longer is not finished, and half a line is not shown."""
SHARE_SURE = 0.5
"""Where the shown text's first word is likelier than this, another one hardly ever is what comes.

Source: server/bench/README.md, "Tried": hits and waste by that probability.
"""


@dataclass(frozen=True, slots=True)
class _Writing:
    """What is being written for one document, until its token is cancelled."""

    task: asyncio.Task[None]
    token: CancelToken


class TypeAhead:
    """Belongs to one service; all methods are called on its event loop."""

    def __init__(self) -> None:
        self._writing: dict[str, _Writing] = {}

    def begin(self, question: Question, launcher: Launcher) -> None:
        """Have other lines for the place written, if that is wanted and may pay."""
        uri, settings = question.request.document.uri, launcher.settings
        if not writes_others(launcher) or uri in self._writing or not launcher.may_go_ahead():
            return
        token = CancelToken()
        line = replace(question.ask, shape=Shape.LINE, lines_max=1, decoded_tokens_max=ROW_TOKENS_MAX)
        place = replace(question, ask=line, token=token)
        task = asyncio.create_task(self._write(place, launcher, settings.n_type_ahead))
        self._writing[uri] = writing = _Writing(task, token)
        task.add_done_callback(lambda _: self._forget(uri, writing))

    def interrupt(self, uri: str) -> None:
        """Take that somebody asks: what is written ends within one token. What it cost is counted then."""
        writing = self._writing.pop(uri, None)
        if writing is not None:
            writing.token.cancel()

    def _forget(self, uri: str, writing: _Writing) -> None:
        if self._writing.get(uri) is writing:
            del self._writing[uri]

    async def _write(self, place: Question, launcher: Launcher, n_rows: int) -> None:
        uri, cache, ledger = place.request.document.uri, launcher.cache, launcher.flights.ledger
        shown = cache.lookup(uri, place.window)
        try:
            laid_out = launcher.lay_out(place)
            if shown is None or not launcher.flights.heads.is_read(uri, laid_out):
                return  # without a head that is kept the whole prompt would be read again
            words = await self._words(place, laid_out, launcher)
            starts = chosen_starts(words, shown.text, laid_out, n_rows)
            if not starts or place.token.cancelled:
                return
            rules = StopRules.build(place.window, place.ask)
            request = replace(
                _request(place, laid_out),
                starts=tuple(tuple(launcher.engine.tokenizer.encode(start)) for start in starts),
                n_tokens_max=ROW_TOKENS_MAX,
                should_stop=lambda text: rules.should_stop(laid_out.answer(text)),
            )
            rows = await launcher.engine.generate(request)
        except FimbleError as error:
            LOGGER.debug("no other lines are written: %s", error.message)
            return
        kept: list[tuple[str, StopReason, Source]] = []
        for row in rows:
            text, source = laid_out.answer(row.text), Source(ahead_from_offset=0)
            ledger.decoded(source, row.n_decoded_tokens, len(text))
            why = StopReason.RULE if rules.should_stop(text) else row.stop_reason
            if why not in (StopReason.RULE, StopReason.END_TOKEN):
                continue  # half a line, once taken, is wrong code
            if judge(replace(row, stop_reason=why), text, place.window, Shape.LINE).fits:
                kept.append((text, why, source))
        cache.put_beside(uri, place.window, kept)

    async def _words(self, place: Question, laid_out: LaidOutPrompt, launcher: Launcher) -> list[Generation]:
        """Give the likeliest first words, likeliest first; none if the prompt's head was not kept any more."""
        request = replace(_request(place, laid_out), n_rows=FIRST_WORDS, first_tokens=True)
        words = await launcher.engine.generate(request)
        if not words or not words[0].n_decoded_tokens:
            return []
        launcher.flights.ledger.decoded(Source(ahead_from_offset=0), 1, 1)
        launcher.flights.heads.used(place.request.document.uri, laid_out, words[0].n_kept_tokens)
        return words if words[0].n_kept_tokens else []


def writes_others(launcher: Launcher) -> bool:
    """Say whether other lines are wanted at all; a remote server is never asked for them."""
    return launcher.settings.n_type_ahead > 0 and launcher.keeps_heads


def chosen_starts(words: list[Generation], shown: str, laid_out: LaidOutPrompt, n_rows: int) -> list[str]:
    """Give the words that other lines begin with, likeliest first; none where the shown text is likely enough.

    A word that the shown text begins with too is no other beginning.
    """
    share_shown = 0.0
    others: list[str] = []
    for word in words:
        text = laid_out.answer(word.text)
        if not text.strip() or text.startswith(NEVER):
            continue  # who wants a comment there writes it in words of one's own
        if shown.startswith(text):
            share_shown = max(share_shown, math.exp(word.log_probability or 0.0))
        else:
            others.append(word.text)
    return [] if share_shown > SHARE_SURE else others[:n_rows]


def _request(place: Question, laid_out: LaidOutPrompt) -> GenerationRequest:
    return GenerationRequest(laid_out.prompt, 1, Priority.PREFETCH, place.token, deadline_at_s=place.deadline_at_s)
