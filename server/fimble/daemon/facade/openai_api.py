"""`/v1/completions`, `/v1/chat/completions`, `/v1/models` as OpenAI's clients know them. The desk does the work.

Source: OpenAI API reference, completions and chat; what is not supported is refused by name.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from fimble.daemon.facade import prompts
from fimble.daemon.facade.desk import Desk, Piece, Wish
from fimble.daemon.facade.fields import Fields
from fimble.engine.contract import Priority, Tokenizer
from fimble.errors import UsageError
from fimble.records import CancelToken, CursorWindow, FimPrompt, Generation, StopReason

TOKENS_MAX = 2048
COMPLETION_TOKENS, CHAT_TOKENS = 64, 512
ROWS_MAX = 8
TYPING_TOKENS_MAX = 256
"""Who asks for more is not typing: another fimble's code actions come through `/v1/completions` as well."""
UNSUPPORTED = ("logprobs", "top_logprobs", "best_of", "echo", "tools", "tool_choice", "functions", "response_format")


class OpenAiApi:
    """The three routes."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def models(self, request: Request) -> Response:
        model = {"id": self._desk.manifest.model_id, "object": "model", "created": 0, "owned_by": "fimble"}
        return JSONResponse({"object": "list", "data": [model]})

    async def completions(self, request: Request) -> Response:
        fields = await fields_of(request)
        tokenizer = await self._desk.tokenizer()
        n_tokens_max = fields.whole("max_tokens", COMPLETION_TOKENS, 1, TOKENS_MAX)
        prompt = self._prompt(fields, tokenizer, n_tokens_max)
        priority = Priority.TYPING if n_tokens_max <= TYPING_TOKENS_MAX else Priority.ACTION
        return await self._answer(request, fields, _wish(fields, prompt, n_tokens_max, priority), _Completion())

    async def chat(self, request: Request) -> Response:
        fields = await fields_of(request)
        tokenizer = await self._desk.tokenizer()
        limit_name = "max_completion_tokens" if "max_completion_tokens" in fields else "max_tokens"
        n_tokens_max = fields.whole(limit_name, CHAT_TOKENS, 1, TOKENS_MAX)
        prompt = prompts.chat(_turns(fields), self._desk.manifest, tokenizer, n_tokens_max)
        return await self._answer(request, fields, _wish(fields, prompt, n_tokens_max, Priority.ACTION), _Chat())

    def _prompt(self, fields: Fields, tokenizer: Tokenizer, n_tokens_max: int) -> FimPrompt:
        given = fields.get("prompt")
        text = given[0] if isinstance(given, list) and len(given) == 1 else given
        if not isinstance(text, str):
            raise UsageError("`prompt` must be one string; several prompts and token ids are not supported")
        if "suffix" not in fields:
            return prompts.raw(text, self._desk.manifest, tokenizer, n_tokens_max)
        window = CursorWindow(text, fields.text("suffix"))
        return prompts.infill(window, (), self._desk.manifest, tokenizer, n_tokens_max)

    async def _answer(self, request: Request, fields: Fields, wish: Wish, form: _Form) -> Response:
        model = self._desk.manifest.model_id
        head = {"id": f"{form.prefix}-{uuid.uuid4().hex[:24]}", "created": int(time.time()), "model": model}
        token = CancelToken()
        if fields.flag("stream"):
            if wish.n_rows > 1:
                raise UsageError("`n` above 1 cannot be streamed")
            pieces = self._desk.stream(wish, token)
            # What is wrong must be known before the head is sent: afterwards no status can tell it.
            first = await anext(pieces)
            events = _events(pieces, first, form, head, wish, with_usage=_wants_usage(fields))
            return StreamingResponse(events, media_type="text/event-stream", headers={"Cache-Control": "no-store"})
        generations = await unless_gone(request, self._desk, wish, token)
        choices = [form.choice(index, g.text, _finish(g)) for index, g in enumerate(generations)]
        return JSONResponse({**head, "object": form.kind, "choices": choices, "usage": _usage(wish, generations)})


class _Form:
    """How one of the two APIs writes a choice."""

    prefix = kind = stream_kind = ""

    def choice(self, index: int, text: str, finish: str | None) -> dict[str, Any]:
        raise NotImplementedError

    def delta(self, text: str, finish: str | None, *, is_first: bool) -> dict[str, Any]:
        raise NotImplementedError


class _Completion(_Form):
    prefix, kind, stream_kind = "cmpl", "text_completion", "text_completion"

    def choice(self, index: int, text: str, finish: str | None) -> dict[str, Any]:
        return {"index": index, "text": text, "logprobs": None, "finish_reason": finish}

    def delta(self, text: str, finish: str | None, *, is_first: bool) -> dict[str, Any]:
        return self.choice(0, text, finish)


class _Chat(_Form):
    prefix, kind, stream_kind = "chatcmpl", "chat.completion", "chat.completion.chunk"

    def choice(self, index: int, text: str, finish: str | None) -> dict[str, Any]:
        message = {"role": "assistant", "content": text}
        return {"index": index, "message": message, "logprobs": None, "finish_reason": finish}

    def delta(self, text: str, finish: str | None, *, is_first: bool) -> dict[str, Any]:
        said = {"role": "assistant", "content": text} if is_first else {"content": text} if text else {}
        return {"index": 0, "delta": said, "logprobs": None, "finish_reason": finish}


async def _events(
    pieces: AsyncIterator[Piece], first: Piece, form: _Form, head: dict[str, Any], wish: Wish, *, with_usage: bool
) -> AsyncIterator[bytes]:
    piece, is_first = first, True
    while True:
        finish = _finish(piece.generation) if piece.generation is not None else None
        choice = form.delta(piece.text, finish, is_first=is_first)
        yield _event({**head, "object": form.stream_kind, "choices": [choice]})
        is_first = False
        if piece.generation is not None:
            break
        piece = await anext(pieces)
    if with_usage:
        usage = _usage(wish, [piece.generation])
        yield _event({**head, "object": form.stream_kind, "choices": [], "usage": usage})
    yield b"data: [DONE]\n\n"


def _event(body: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(body).encode() + b"\n\n"


async def unless_gone(request: Request, desk: Desk, wish: Wish, token: CancelToken) -> list[Generation]:
    """Run the wish, stopping it when the client hangs up."""

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            continue
        token.cancel()

    watching = asyncio.ensure_future(watch())
    try:
        return await desk.rows(wish, token)
    finally:
        watching.cancel()


async def fields_of(request: Request) -> Fields:
    try:
        fields = Fields(await request.json())
    except (ValueError, RecursionError) as error:
        raise UsageError("the body is not JSON") from error
    for name in UNSUPPORTED:
        if fields.get(name) not in (None, False, 0, 1, [], {}):
            raise UsageError(f"`{name}` is not supported")
    return fields


def _wish(fields: Fields, prompt: FimPrompt, n_tokens_max: int, priority: Priority) -> Wish:
    n_rows = fields.whole("n", 1, 1, ROWS_MAX)
    # The engine decodes one row greedily; sampling is for several rows.
    temperature = fields.number("temperature", 0.0, 0.0, 2.0)
    return Wish(prompt, n_tokens_max, priority, temperature, n_rows, fields.words("stop"))


def _turns(fields: Fields) -> list[tuple[str, str]]:
    messages = fields.get("messages")
    if not isinstance(messages, list) or not messages:
        raise UsageError("`messages` must be a list with at least one message")
    turns = []
    for raw in messages:
        message = Fields(raw)
        content = message.get("content")
        if isinstance(content, list):
            content = "".join(Fields(part).text("text") for part in content)
        if not isinstance(content, str):
            raise UsageError("`content` must be a string")
        turns.append((message.text("role"), content))
    return turns


def _wants_usage(fields: Fields) -> bool:
    return "stream_options" in fields and Fields(fields.get("stream_options")).flag("include_usage")


def _finish(generation: Generation) -> str:
    return "length" if generation.stop_reason is StopReason.LENGTH else "stop"


def _usage(wish: Wish, generations: list[Generation | None] | list[Generation]) -> dict[str, int]:
    n_decoded = sum(g.n_decoded_tokens for g in generations if g is not None)
    n_prompt = wish.prompt.n_tokens
    return {"prompt_tokens": n_prompt, "completion_tokens": n_decoded, "total_tokens": n_prompt + n_decoded}
