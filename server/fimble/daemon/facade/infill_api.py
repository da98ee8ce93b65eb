"""`/infill` as llama.vim and llama.vscode ask it. The desk does the work.

Source: ggml-org/llama.cpp: tools/server/README.md, "POST /infill"; ggml-org/llama.vim: autoload/llama.vim.
"""

from __future__ import annotations

import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from fimble.daemon.facade import prompts
from fimble.daemon.facade.desk import Desk, Wish
from fimble.daemon.facade.fields import Fields
from fimble.daemon.facade.openai_api import TOKENS_MAX, fields_of, unless_gone
from fimble.errors import UsageError
from fimble.records import CancelToken, CursorWindow, Generation, Snippet, StopReason

DECODED_TOKENS = 128
EXTRA_MAX = 64
N_TIME_LIMIT_MS_MAX = 60_000


class InfillApi:
    """The one route."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def infill(self, request: Request) -> Response:
        fields = await fields_of(request)
        n_tokens_max = fields.whole("n_predict", DECODED_TOKENS, -1, TOKENS_MAX)
        if n_tokens_max < 0:
            n_tokens_max = DECODED_TOKENS
        tokenizer = await self._desk.tokenizer()
        # `prompt` is what stands before the cursor in its own line: the client sends it apart.
        window = CursorWindow(fields.text("input_prefix") + fields.text("prompt"), fields.text("input_suffix"))
        prompt = prompts.infill(window, _extra(fields), self._desk.manifest, tokenizer, n_tokens_max or 1)
        if n_tokens_max == 0:
            # Sent ahead to warm a prompt cache; there is nothing to say.
            return JSONResponse(_selected(_answer(None, prompt.n_tokens), fields))
        limit_ms = fields.whole("t_max_predict_ms", 0, 0, N_TIME_LIMIT_MS_MAX)
        wish = Wish(
            prompt,
            n_tokens_max,
            stop_words=fields.words("stop"),
            deadline_at_s=time.monotonic() + limit_ms / 1000 if limit_ms else None,
        )
        [generation] = await unless_gone(request, self._desk, wish, CancelToken())
        return JSONResponse(_selected(_answer(generation, prompt.n_tokens), fields))


def _extra(fields: Fields) -> list[Snippet]:
    raw = fields.get("input_extra")
    if raw is None:
        return []
    if not isinstance(raw, list) or len(raw) > EXTRA_MAX:
        raise UsageError(f"`input_extra` must be a list of at most {EXTRA_MAX} objects")
    parts = [Fields(part) for part in raw]
    return [Snippet(part.text("text"), part.text("filename")) for part in parts]


def _answer(generation: Generation | None, n_prompt_tokens: int) -> dict[str, Any]:
    decoded = generation.n_decoded_tokens if generation else 0
    prompt_ms = generation.first_token_ms if generation else 0.0
    predicted_ms = generation.total_ms - generation.first_token_ms if generation else 0.0
    is_cut = generation is not None and generation.stop_reason in (StopReason.LENGTH, StopReason.DEADLINE)
    return {
        "content": generation.text if generation else "",
        "stop": True,
        "stop_type": "limit" if is_cut else "eos",
        "truncated": False,
        "tokens_predicted": decoded,
        "tokens_evaluated": n_prompt_tokens,
        "tokens_cached": 0,
        "timings": {
            "prompt_n": n_prompt_tokens,
            "prompt_ms": prompt_ms,
            "prompt_per_second": _per_second(n_prompt_tokens, prompt_ms),
            "predicted_n": decoded,
            "predicted_ms": predicted_ms,
            "predicted_per_second": _per_second(decoded, predicted_ms),
        },
    }


def _selected(answer: dict[str, Any], fields: Fields) -> dict[str, Any]:
    """Give only what `response_fields` names; `timings/prompt_n` is a path, and the key of its value."""
    names = fields.words("response_fields", n_words_max=64)
    if not names:
        return answer
    selected: dict[str, Any] = {}
    for name in names:
        found: Any = answer
        for step in name.split("/"):
            found = found.get(step) if isinstance(found, dict) else None
        if found is not None:
            selected[name] = found
    return selected


def _per_second(n_tokens: int, duration_ms: float) -> float:
    return n_tokens * 1000 / duration_ms if duration_ms > 0 else 0.0
