"""Secrets are found by their shape and masked without moving anything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fimble.context.secrets import find, masked, masked_text
from fimble.records import CursorWindow

# Put together here, so that no scanner takes this file for a leak.
LETTERS = "aB3" * 12
SECRETS = {
    "AWS access key": "AKIA" + "Q7" * 8,
    "GitHub token": "ghp_" + LETTERS,
    "GitLab token": "glpat-" + LETTERS,
    "Slack token": "xoxb-" + "1234567890-" * 2,
    "Stripe key": "sk_live_" + LETTERS,
    "Google API key": "AIza" + LETTERS[:35],
    "OpenAI key": "sk-proj-" + LETTERS,
    "npm token": "npm_" + LETTERS,
    "PyPI token": "pypi-" + LETTERS * 2,
    "Hugging Face token": "hf_" + LETTERS,
    "JSON web token": f"eyJ{LETTERS}.eyJ{LETTERS}.{LETTERS}",
    "password in a URL": "postgres:s3cret-pass",
}
KEY = "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEow/x+\n" * 4 + "-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize("kind", SECRETS)
def test_each_shape_is_masked_and_nothing_else(kind):
    secret = SECRETS[kind]
    before, after = ('url = "db://', '@host/db"\n') if kind == "password in a URL" else ('key = "', '"\n')
    text = before + secret + after
    assert [found.kind for found in find(text)] == [kind]
    assert masked_text(text) == before + "*" * len(secret) + after


def test_private_key_is_masked_line_by_line():
    hidden = masked_text(f"a = 1\n{KEY}\nb = 2\n")
    assert hidden.startswith("a = 1\n***") and hidden.endswith("***\nb = 2\n")
    assert "MIIE" not in hidden and hidden.count("\n") == 8


@pytest.mark.parametrize("text", [KEY[: len(KEY) // 2], KEY[len(KEY) // 2 :]], ids=["no end", "no beginning"])
def test_private_key_that_the_window_cuts_is_masked_as_well(text):
    assert set(masked_text(text)) == {"*", "\n"}


@pytest.mark.parametrize(
    "text",
    [
        "skip-this-very-long-identifier-name-here",
        "risk-assessment-for-the-whole-project",
        "https://host/path?q=user:name",
        "npm_config_registry",
        "def hf_load(): pass",
        "ghp_short",
        "eyJhbGci",
        'print("PRIVATE KEY")',
    ],
)
def test_ordinary_code_is_left_alone(text):
    assert masked_text(text) == text


@pytest.mark.parametrize("n_before_chars", [0, 3, 20, len(SECRETS["GitHub token"])])
def test_cursor_within_a_secret(n_before_chars):
    secret = SECRETS["GitHub token"]
    window = CursorWindow("t = '" + secret[:n_before_chars], secret[n_before_chars:] + "'\n")
    hidden = masked(window)
    assert (len(hidden.prefix), len(hidden.suffix)) == (len(window.prefix), len(window.suffix))
    assert hidden.prefix + hidden.suffix == "t = '" + "*" * len(secret) + "'\n"


@given(st.text(max_size=80), st.sampled_from(sorted(SECRETS.values())), st.text(max_size=80))
def test_masking_keeps_length_and_lines_and_is_idempotent(before, secret, after):
    text = before + " " + secret + "\n" + after
    hidden = masked_text(text)
    assert len(hidden) == len(text)
    assert [i for i, c in enumerate(hidden) if c in "\r\n"] == [i for i, c in enumerate(text) if c in "\r\n"]
    assert masked_text(hidden) == hidden
