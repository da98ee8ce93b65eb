"""Filter: what the model writes to end its answer is not part of it. Knows spellings, not token ids."""

from __future__ import annotations

import re
from functools import lru_cache

from fimble.postprocess.draft import Draft, Outcome, Place, cut_or_decline
from fimble.postprocess.language import Family
from fimble.records import DeclineReason

# Source: tokenizer_config.json of Qwen2.5-Coder, StarCoder2, DeepSeek-Coder and CodeLlama, where these are control
# tokens. A model may also spell one out in ordinary tokens, and that text reaches us.
SENTINEL = re.compile(
    r"<\|(?:fim_\w+|endoftext|im_start|im_end|file_sep|repo_name|end_of_text|begin_of_text|cursor)\|>"
    r"|<(?:fim_(?:prefix|suffix|middle|pad)|file_sep|repo_name|jupyter_\w+)>"
    r"|<｜[\w▁]+｜>"
    r"|</s>"
    r"|(?: <|▁<)(?:PRE|SUF|MID|EOT)>"
)
FENCE = re.compile(r"^[ \t]*```[^\n`]*$", re.M)


def sentinel_offset(text: str, fence_counts: bool) -> int:
    """Find where the answer is over; -1 if it is not."""
    end = _first_end(text, fence_counts)
    while end > 0 and (before := _first_end(text[:end], fence_counts)) >= 0:
        end = before  # what was cut had hidden a fence
    return end


def _first_end(text: str, fence_counts: bool) -> int:
    match = SENTINEL.search(text)
    end = match.start() if match else -1
    if fence_counts and (fence := FENCE.search(text)) and (end < 0 or fence.start() < end):
        end = fence.start()
    return end


@lru_cache(maxsize=16)
def fence_counts(language_family: Family, prefix: str) -> bool:
    """Say whether a Markdown fence ends the answer: an instruction-tuned model frames code with it.

    Kept, since the stop rules ask after each token.
    """
    return language_family is not Family.PROSE and not ("```" in prefix and FENCE.search(prefix))


def cut_sentinel(draft: Draft, place: Place) -> Outcome:
    """Cut at the first sentinel, end token or Markdown fence."""
    end = sentinel_offset(draft.text, fence_counts(place.site.facts.family, place.window.prefix))
    return draft if end < 0 else cut_or_decline(draft, end, DeclineReason.EMPTY_ANSWER)
