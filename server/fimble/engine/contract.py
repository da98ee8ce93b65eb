"""What the rest of fimble may ask of an engine. Implementations live beside this file; no model library here."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from fimble.engine.figures import Figures
from fimble.engine.heads import HeadBook
from fimble.engine.standing import Standing
from fimble.errors import FimbleError
from fimble.records import CancelToken, FimPrompt, Generation


class Priority(enum.IntEnum):
    """Lower runs first; a running generation of a higher value is paused for a lower one."""

    TYPING = 0
    PREFETCH = 1
    ACTION = 2


class EngineState(enum.Enum):
    """Where the model is. `MISSING` and `FAILED` carry an error."""

    UNLOADED = "unloaded"
    LOADING = "loading"
    READY = "ready"
    MISSING = "missing"
    FAILED = "failed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One piece of work for the engine.

    `should_stop` gets the text a row has decoded so far (whole characters) after each of its tokens and says
    whether that is enough; it runs on the engine's thread, must be quick and must not raise.
    `on_text` gets the same text for progress. `deadline_at_s` is a `time.monotonic()` instant: what is
    decoded by then is the result. With `n_rows > 1` the rows are sampled alternatives decoded side by side;
    `on_text` is not called for them. Without a `standing` a prefetch runs in the background and nothing else does.
    A single row whose `should_stop` holds its standing waits there with its state; all the times it is to go on it
    may decode `n_more_tokens_max` tokens more.

    `starts` gives the ids that each row begins with: one row for each, decoded greedily side by side behind one
    reading of the prompt. A row's text includes its start, its log-probability does not.
    `first_tokens` asks for the `n_rows` likeliest first tokens instead, one row each, likeliest first; however many,
    it costs one token. An engine that cannot tell gives no rows.

    `warms_head` asks for nothing but that the prompt's head is kept read, in idle time: it is refused (one row,
    `CANCELLED`) while somebody types and where there is no room. Any other request's head is kept read from then on
    if there is room beside those that are, and read like the tail if not.
    """

    prompt: FimPrompt
    n_tokens_max: int
    priority: Priority = Priority.TYPING
    token: CancelToken = field(default_factory=CancelToken)
    should_stop: Callable[[str], bool] | None = None
    on_text: Callable[[str], None] | None = None
    deadline_at_s: float | None = None
    n_rows: int = 1
    temperature: float = 0.0
    starts: tuple[tuple[int, ...], ...] = ()
    first_tokens: bool = False
    standing: Standing | None = None
    n_more_tokens_max: int = 0
    warms_head: bool = False

    @property
    def in_background(self) -> bool:
        """Whether nobody waits for it now."""
        return self.priority is Priority.PREFETCH if self.standing is None else self.standing.in_background

    @property
    def is_held(self) -> bool:
        """Whether it waits for its owner, and is in nobody's way."""
        return self.standing is not None and self.standing.is_held

    @property
    def due_at_s(self) -> float | None:
        """When it is to stop: one that was held got a later deadline when it was to go on."""
        held = self.standing.deadline_at_s if self.standing is not None else None
        return self.deadline_at_s if held is None else held


class Tokenizer(Protocol):
    """Text to token ids and back, for one model."""

    def encode(self, text: str) -> list[int]:
        """Encode user text; text that spells a sentinel is plain text."""

    def decode(self, ids: Sequence[int]) -> str:
        """Decode ids; bytes of an incomplete character come out as U+FFFD."""

    def special(self, name: str) -> int:
        """Give the id of a sentinel or end token. Errors: ModelFilesError if the model has none."""


@dataclass(frozen=True, slots=True)
class Row:
    """Token ids one row decoded, end token excluded. `ended`: the model itself ended it."""

    ids: tuple[int, ...]
    ended: bool
    log_probability: float | None = None


class OnToken(Protocol):
    """What a backend calls for each decoded token."""

    def __call__(self, token_id: int, n_row: int = 0) -> bool: ...


class Backend(Protocol):
    """A model as blocking calls. The worker owns it: nobody else may call it."""

    @property
    def tokenizer(self) -> Tokenizer:
        """The model's tokenizer; known before the weights are loaded."""

    @property
    def n_lanes(self) -> int:
        """How many generations may run at the same time (replicas that share the weights)."""

    @property
    def heads(self) -> HeadBook | None:
        """The heads it keeps read; None where it cannot. The worker keeps the book."""

    def load(self) -> None:
        """Bring the model into memory. Errors: ModelError, EngineError."""

    def unload(self) -> None:
        """Free the memory; nothing may be running."""

    def rest(self) -> bool:
        """Free the weights and all heads, so that `wake` brings the weights back quickly; nothing may be running.

        Says whether they are away.
        """

    def wake(self) -> None:
        """Bring the weights back after `rest`. Errors: EngineError."""

    def tidy(self) -> None:
        """Give back memory that earlier runs left over; called after a result was handed over. Must be quick."""

    def run(self, request: GenerationRequest, on_token: OnToken) -> list[Row]:
        """Generate `request.n_rows` rows.

        `on_token` gets each decoded id as it comes; it may block (that pauses the generation with its state)
        and says whether its row is to stop. The rows' order is not that of their numbers.
        A prompt's head, if it has one, is kept read from then on.
        Errors: EngineError.
        """


class Engine(Protocol):
    """What the services see: one owner of the model, asked from the event loop."""

    @property
    def state(self) -> EngineState:
        """Where the model is now."""

    @property
    def error(self) -> FimbleError | None:
        """Why the state is MISSING or FAILED."""

    @property
    def tokenizer(self) -> Tokenizer:
        """The model's tokenizer. Errors: EngineError while the state is not READY."""

    @property
    def figures(self) -> Figures | None:
        """How fast the model was measured to be here; None while it was not."""

    async def generate(self, request: GenerationRequest) -> list[Generation]:
        """Queue the request and wait for it.

        A request cancelled while it waits gives one empty row with `StopReason.CANCELLED`.
        Errors: EngineError; ModelError if the model is missing.
        """


class OwnedEngine(Engine, Protocol):
    """An engine as its owner sees it: who starts it also closes it."""

    def on_state_change(self, listener: Callable[[], None]) -> None:
        """Call `listener`, from any thread, whenever `state` changes."""

    def start(self) -> None:
        """Load the model in the background; once."""

    async def wait_ready(self) -> None:
        """Wait for the load to end. Errors: what made it fail."""

    def close(self, timeout_s: float = 2.0) -> None:
        """Stop what runs within one decoded token; waits `timeout_s` at most. Any thread may call it."""
