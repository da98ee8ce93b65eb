"""A request's trace as text for a person. Sizes, times and reasons only."""

from __future__ import annotations

from fimble.records import RequestTrace


def readable(trace: RequestTrace) -> str:
    """Say in a few lines what was asked, what was used, how long each part took and why nothing was shown."""
    lines = [f"{trace.outcome}: {trace.language or 'no language'}, {trace.trigger.value}", f"document {trace.uri}"]
    if trace.reason:
        lines[0] += f", {trace.reason}"
        if trace.detail:
            lines[0] += f" ({trace.detail})"
    if trace.model_id:
        lines.append(f"model {trace.model_id}, asked for a {trace.shape or 'suggestion'}")
    n_prompt_tokens = trace.n_prefix_tokens + trace.n_suffix_tokens
    if n_prompt_tokens:
        lines.append(
            f"prompt {trace.n_prefix_tokens} tokens before and {trace.n_suffix_tokens} after the cursor, "
            f"{trace.n_head_tokens} of the head"
        )
    if trace.cache:
        lines.append(f"cache {trace.cache}")
    if trace.stop_reason or trace.n_decoded_tokens:
        lines.append(f"decoded {trace.n_decoded_tokens} tokens, ended by {trace.stop_reason or 'nothing'}")
    if trace.filters:
        lines.append("changed by " + ", ".join(trace.filters))
    if trace.calibrated:
        lines.append(f"calibrated: {trace.calibrated}")
    if trace.parts_ms:
        parts = ", ".join(f"{name} {duration_ms:.1f} ms" for name, duration_ms in trace.parts_ms.items())
        lines.append(f"took {parts}")
    return "\n".join(lines)
