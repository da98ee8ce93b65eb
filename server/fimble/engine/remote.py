"""An OpenAI-compatible server behind `Backend`: our prompt, its model. Loads no model library and stores no key."""

from __future__ import annotations

import contextlib
import os
import time
from typing import Any

from fimble.engine.breaker import CircuitBreaker
from fimble.engine.contract import GenerationRequest, OnToken, Row
from fimble.engine.packed import PackedTokenizer, pack
from fimble.engine.remote_http import Exchange, RemoteError, RemoteServer, StoppedError, parse_server
from fimble.errors import EngineError, SettingsError
from fimble.manifest import ModelManifest

KEY_VARIABLE = "FIMBLE_API_KEY"
KEYRING_SERVICE = "fimble"
STOP_WORDS_MAX = 4
"""More are refused. Source: OpenAI API reference, completions, `stop`."""


class RemoteBackend:
    """Sends FIM prompts as text to `/completions` of a server and streams the answer.

    A generation stops by closing its connection, which vLLM and llama.cpp take as a cancellation.
    """

    n_lanes = 2
    heads = None

    def __init__(self, manifest: ModelManifest, url: str, model: str, timeout_ms: int) -> None:
        self._manifest = manifest
        self._url = url
        self._model = model or manifest.model_id
        self._timeout_ms = timeout_ms
        self._server: RemoteServer | None = None
        self._breaker = CircuitBreaker()
        fim = manifest.fim
        self._tokenizer = PackedTokenizer(
            (fim.prefix, fim.suffix, fim.middle, *manifest.end_tokens, *_chat_marks(manifest))
        )

    @property
    def tokenizer(self) -> PackedTokenizer:
        return self._tokenizer

    def load(self) -> None:
        """Check the address and find the key; the server itself may come up later. Errors: SettingsError."""
        if not self._url:
            raise SettingsError("`remote_url` is not set", "such as http://127.0.0.1:8080/v1")
        bare = parse_server(self._url, "")
        self._server = parse_server(self._url, find_key(bare.host))

    def unload(self) -> None:
        self._server = None

    def rest(self) -> bool:
        """Nothing is kept here."""
        return True

    def wake(self) -> None:
        """Nothing has to come back."""

    def tidy(self) -> None:
        """Nothing is held between runs."""

    def run(self, request: GenerationRequest, on_token: OnToken) -> list[Row]:
        if self._server is None:
            raise EngineError("the remote engine is not set up")
        if request.first_tokens:
            return []  # servers differ in whether and how they tell
        if (wait_s := self._breaker.wait_s()) > 0:
            raise RemoteError(f"{self._server.shown} did not answer; it is asked again in {wait_s:.0f} s")
        limit_at_s = time.monotonic() + self._timeout_ms / 1000
        if request.deadline_at_s is not None:
            limit_at_s = min(limit_at_s, request.deadline_at_s)
        exchange = Exchange(self._server, limit_at_s, lambda: request.token.cancelled)
        with contextlib.closing(exchange):
            try:
                rows = (
                    self._stream(exchange, request, on_token)
                    if request.n_rows == 1
                    else self._batch(exchange, request, on_token)
                )
            except StoppedError:
                return [Row((), ended=False)] * request.n_rows
            except RemoteError as error:
                self._breaker.failed(error.retry_after_s)
                raise
        self._breaker.succeeded()
        return rows

    def _stream(self, exchange: Exchange, request: GenerationRequest, on_token: OnToken) -> list[Row]:
        response = exchange.post("/completions", self._body(request, stream=True))
        ids: list[int] = []
        try:
            for event in exchange.events(response):
                text, reason = _choice_of(event)
                if text:
                    ids.append(pack(text))
                    if on_token(ids[-1]):
                        return [Row(tuple(ids), ended=False)]
                if reason is not None:
                    return [Row(tuple(ids), ended=reason != "length")]
        except RemoteError:
            if not ids or request.deadline_at_s is None or time.monotonic() < request.deadline_at_s:
                raise
            # What came by the deadline is the result; a server that had said nothing by then has failed.
            return [Row(tuple(ids), ended=False)]
        return [Row(tuple(ids), ended=True)]

    def _batch(self, exchange: Exchange, request: GenerationRequest, on_token: OnToken) -> list[Row]:
        answer = exchange.whole(exchange.post("/completions", self._body(request, stream=False)))
        choices = answer.get("choices")
        if not isinstance(choices, list) or not choices:
            raise RemoteError("the remote engine's answer has no choices")
        rows = []
        for n_row, choice in enumerate(choices[: request.n_rows]):
            text, reason = _choice_of({"choices": [choice]})
            ids: list[int] = []
            for token_id in self._tokenizer.encode(text):
                ids.append(token_id)
                # The row came whole; what stands behind the place to stop at is dropped here.
                if on_token(token_id, n_row):
                    reason = "length"
                    break
            rows.append(Row(tuple(ids), ended=reason != "length"))
        # A server that ignores `n` gives one; the rest are empty and not shown.
        return rows + [Row((), ended=True)] * (request.n_rows - len(rows))

    def _body(self, request: GenerationRequest, *, stream: bool) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self._model,
            "prompt": self._tokenizer.spell((*request.prompt.head, *request.prompt.tail)),
            "max_tokens": request.n_tokens_max,
            "temperature": request.temperature,
            "stream": stream,
            "stop": list(self._manifest.end_tokens[:STOP_WORDS_MAX]),
        }
        if request.n_rows > 1:
            body |= {"n": request.n_rows, "temperature": request.temperature or 0.8}
        return body


def find_key(host: str) -> str:
    """Give the key for a host from `FIMBLE_API_KEY` or the system's keyring, empty without one."""
    if key := os.environ.get(KEY_VARIABLE):
        return key
    try:
        import keyring
    except ImportError:
        return ""
    try:
        return keyring.get_password(KEYRING_SERVICE, host) or ""
    except Exception:  # each keyring raises its own; without a key the server says what is missing
        return ""


def _choice_of(event: dict[str, Any]) -> tuple[str, str | None]:
    """Give text and finish reason of the first choice. Errors: RemoteError if there is none of that form."""
    choices = event.get("choices")
    if choices == []:
        return "", None  # the usage report at the end of a stream
    choice = choices[0] if isinstance(choices, list) else None
    if not isinstance(choice, dict) or not isinstance(choice.get("text", ""), str):
        raise RemoteError("the remote engine's answer has no text", "it must serve `/v1/completions`")
    reason = choice.get("finish_reason")
    return choice.get("text", ""), reason if isinstance(reason, str) else None


def _chat_marks(manifest: ModelManifest) -> tuple[str, ...]:
    """Give the control words in the chat template: they must be sent as they are, and never come from user text."""
    import re

    chat = manifest.chat
    if chat is None:
        return ()
    return tuple(re.findall(r"<\|?[\w.:-]+\|?>|\[/?INST\]", chat.system + chat.user + chat.assistant))
