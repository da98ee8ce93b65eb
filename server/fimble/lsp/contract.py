"""What the protocol room needs from the rest of fimble. The composition root fits; nothing is implemented here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from fimble.completion.request import CompletionRequest, CompletionResult
from fimble.engine.contract import EngineState
from fimble.engine.figures import Figures
from fimble.errors import FimbleError
from fimble.records import CancelToken, RequestTrace
from fimble.settings import Settings
from fimble.statistics.tally import Tally
from fimble.text.document import DocumentSnapshot

if TYPE_CHECKING:
    # Loading the actions loads the grammars; a session that never opens the menu does without.
    from fimble.actions.outcome import ActionResult
    from fimble.actions.place import Place
    from fimble.actions.plan import Offer, Wish


class WatchedEngine(Protocol):
    """The model as far as an editor is told of it."""

    @property
    def state(self) -> EngineState: ...

    @property
    def error(self) -> FimbleError | None: ...

    @property
    def figures(self) -> Figures | None: ...

    def on_state_change(self, listener: Callable[[], None]) -> None:
        """Call `listener`, from any thread, whenever `state` changes."""


class Completer(Protocol):
    """The service that answers one request; see `completion.service`."""

    async def complete(
        self, request: CompletionRequest, token: CancelToken, newest: Callable[[], DocumentSnapshot | None]
    ) -> CompletionResult: ...

    def explain(self, uri: str | None = None) -> RequestTrace | None: ...

    def accepted(self, completion_id: str) -> None: ...

    def displayed(self, completion_id: str) -> None: ...

    def partly_accepted(self, completion_id: str) -> None: ...

    def closed(self, uri: str) -> None: ...


class Actions(Protocol):
    """The service that runs code actions; see `actions.service`."""

    def offers(self, place: Place) -> list[Offer]: ...

    async def run(
        self,
        name: str,
        place: Place,
        wish: Wish,
        token: CancelToken,
        newest: Callable[[], DocumentSnapshot | None],
        on_text: Callable[[str], None] | None = None,
    ) -> ActionResult: ...


class App(Protocol):
    """One editor session's view of the composition root."""

    @property
    def settings(self) -> Settings: ...

    @property
    def engine(self) -> WatchedEngine: ...

    @property
    def completion(self) -> Completer: ...

    @property
    def actions(self) -> Actions: ...

    @property
    def tally(self) -> Tally: ...

    def start(self) -> None:
        """Load the model in the background."""

    def apply(self, settings: Settings) -> bool:
        """Take changed settings; gives whether the engine is another one now, to be started."""

    def close(self) -> None:
        """Stop what runs; may block until it has stopped."""


AppFactory = Callable[[Settings], App]
