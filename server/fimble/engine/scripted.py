"""A backend that answers from a script, for tests where the model is not what is tested. Loads no model library."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fimble.engine.contract import GenerationRequest, OnToken, Row
from fimble.engine.heads import HeadBook
from fimble.engine.standing import Allowance
from fimble.errors import EngineError, SettingsError
from fimble.records import FimPrompt

SPECIAL_NAMES = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|endoftext|>", "<|im_start|>", "<|im_end|>")
# As in models' own tokenizers, the end of a line is no part of the next one's first word.
_PIECE = re.compile(r"\n+|[^\S\n]*\w+|[^\S\n]*[^\w\s]|[^\S\n]+")


class ByteTokenizer:
    """One id per UTF-8 byte, then the sentinels. Text that spells a sentinel stays bytes."""

    def encode(self, text: str) -> list[int]:
        return list(text.encode("utf-8", errors="surrogatepass"))

    def decode(self, ids: Sequence[int]) -> str:
        return bytes(i for i in ids if i < 256).decode("utf-8", errors="replace")

    def special(self, name: str) -> int:
        if name not in SPECIAL_NAMES:
            return 256 + len(SPECIAL_NAMES)
        return 256 + SPECIAL_NAMES.index(name)


@dataclass
class Answer:
    """One scripted answer. `times` None means without end; `when` must stand in the prompt's text; `rows` are
    the texts where several alternatives are asked for.

    One with `words` answers those alone who ask for the likeliest first words (each with its log-probability), or
    for rows that begin with given ones: such a row is the first of `rows` that begins so, or nothing but its beginning.
    """

    text: str
    when: str | None = None
    prefill_ms: float = 0.0
    token_ms: float = 0.0
    times: int | None = None
    error: Exception | None = None
    rows: list[str] = field(default_factory=list)
    words: dict[str, float] = field(default_factory=dict)


@dataclass
class ScriptedBackend:
    """Answers in order: the first whose `when` matches and whose `times` is not used up; else nothing.

    `calls` holds every request run. Another process has no use for it: there `keeps_calls` is false.
    """

    answers: list[Answer] = field(default_factory=list)
    load_ms: float = 0.0
    calls: list[GenerationRequest] = field(default_factory=list)
    n_lanes: int = 2
    keeps_calls: bool = True
    heads: HeadBook | None = None
    n_rests: int = 0
    n_wakes: int = 0

    def __post_init__(self) -> None:
        self.tokenizer = ByteTokenizer()
        self._lock = threading.Lock()

    @classmethod
    def from_file(cls, path: str) -> ScriptedBackend:
        """Read the JSON named by `FIMBLE_SCRIPT`. Errors: SettingsError if it cannot be read."""
        if not path:
            return cls(keeps_calls=False)
        try:
            raw = json.loads(Path(path).read_text(encoding="utf-8"))
            answers = [Answer(**a) for a in raw.get("answers", [])]
        except (OSError, ValueError, TypeError) as error:
            raise SettingsError(f"cannot read the script `{path}`: {error}") from error
        return cls(answers, load_ms=float(raw.get("load_ms", 0)), keeps_calls=False)

    def enqueue(
        self, text: str | Exception, *, prefill_ms: float = 0.0, token_ms: float = 0.0, when: str | None = None
    ) -> None:
        """Script one more answer, given once."""
        error = text if isinstance(text, Exception) else None
        shown = "" if isinstance(text, Exception) else text
        self.answers.append(Answer(shown, when, prefill_ms, token_ms, times=1, error=error))

    def load(self) -> None:
        _pass(self.load_ms)

    def unload(self) -> None:
        """Nothing is held."""

    def rest(self) -> bool:
        self.n_rests += 1
        return True

    def wake(self) -> None:
        self.n_wakes += 1

    def tidy(self) -> None:
        """Nothing is left over."""

    def run(self, request: GenerationRequest, on_token: OnToken) -> list[Row]:
        answer = self._take(request)
        if answer.error is not None:
            raise EngineError(str(answer.error)) from answer.error
        _pass(answer.prefill_ms)
        if request.first_tokens:
            words = list(answer.words.items())[: request.n_rows]
            return [Row(tuple(self.tokenizer.encode(word)), False, likely) for word, likely in words]
        if request.starts:
            return [self._begun(answer, n_row, request, on_token) for n_row in range(len(request.starts))]
        if request.n_rows > 1:
            # Alternatives that the script does not give differ in a visible way and keep the order.
            texts = answer.rows or [answer.text, *(f"{answer.text}{n}" for n in range(2, request.n_rows + 1))]
            return [Row(tuple(self.tokenizer.encode(text)), ended=True) for text in texts]
        return [self._decode(answer, answer.text, request, on_token)]

    def _begun(self, answer: Answer, n_row: int, request: GenerationRequest, on_token: OnToken) -> Row:
        start = request.starts[n_row]
        begun = self.tokenizer.decode(start)
        text = next((row for row in answer.rows if row.startswith(begun)), begun)
        row = self._decode(answer, text.removeprefix(begun), request, on_token, n_row)
        return Row((*start, *row.ids), row.ended, answer.words.get(begun))

    def _decode(self, answer: Answer, text: str, request: GenerationRequest, on_token: OnToken, n_row: int = 0) -> Row:
        """Give the bytes of one word after the other; a scripted token is a word, so `token_ms` is per word."""
        allowance = Allowance(request.n_tokens_max, request.n_more_tokens_max, request.standing)
        ids: list[int] = []
        for piece in _PIECE.findall(text):
            if allowance.is_spent:
                return Row(tuple(ids), ended=False)
            _pass(answer.token_ms)
            allowance.take()
            stop = False
            for byte in self.tokenizer.encode(piece):
                ids.append(byte)
                stop = on_token(byte, n_row) or stop
            if stop:
                return Row(tuple(ids), ended=False)
        return Row(tuple(ids), ended=True)

    def _take(self, request: GenerationRequest) -> Answer:
        of_words = request.first_tokens or bool(request.starts)
        with self._lock:
            if self.keeps_calls and not request.first_tokens:
                self.calls.append(request)
            text: str | None = None
            for answer in self.answers:
                if answer.times == 0 or bool(answer.words) != of_words:
                    continue
                if answer.when is not None:
                    text = self.prompt_text(request.prompt) if text is None else text
                    if answer.when not in text:
                        continue
                if answer.times is not None:
                    answer.times -= 1
                return answer
        return Answer("")

    def prompt_text(self, prompt: FimPrompt) -> str:
        return self.tokenizer.decode((*prompt.head, *prompt.tail))


def _pass(duration_ms: float) -> None:
    """Let time pass, if any is scripted: even a sleep of nothing takes as long as the system's timers are coarse."""
    if duration_ms:
        time.sleep(duration_ms / 1000)
