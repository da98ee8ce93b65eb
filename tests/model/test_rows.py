"""Rows that begin with given tokens, and the likeliest first tokens, from the real model."""

from __future__ import annotations

import pytest

from fimble import manifest as manifests
from fimble.engine.contract import GenerationRequest
from fimble.engine.ct2_backend import CTranslate2Backend
from fimble.engine.stepping import Stepper
from fimble.models.install import pull
from fimble.models.store import ModelStore
from fimble.records import FimPrompt

pytestmark = [pytest.mark.model, pytest.mark.timeout(1800)]

MODEL_ID = "qwen2.5-coder-0.5b"
TEXT = "def product(values):\n    total = 1\n    for value in values:\n       "


@pytest.fixture(scope="module")
def backend():
    pull(ModelStore(), MODEL_ID)
    backend = CTranslate2Backend(ModelStore().path(MODEL_ID), manifests.load(MODEL_ID))
    backend.load()
    yield backend
    backend.unload()


def run(backend, **wanted):
    tokenizer = backend.tokenizer
    request = GenerationRequest(
        FimPrompt((), tuple(tokenizer.encode(TEXT))),
        n_tokens_max=12,
        should_stop=lambda text: "\n" in text,
        **wanted,
    )
    stepper = Stepper(request, tokenizer, 0.0, lambda: None)
    return [stepper.generation(row, 0.0) for row in backend.run(request, stepper.on_token)]


def test_each_row_goes_on_from_its_own_start_as_it_would_alone(backend):
    starts = [" total *=", " if", " running_total_of_all ="]
    ids = tuple(tuple(backend.tokenizer.encode(start)) for start in starts)
    rows = run(backend, starts=ids)
    assert [row.text[: len(start)] for row, start in zip(rows, starts, strict=True)] == starts
    for row, start in zip(rows, ids, strict=True):
        [alone] = run(backend, starts=(start,))
        assert alone.text == row.text
        assert alone.log_probability == pytest.approx(row.log_probability, abs=0.3)
    assert rows[0].text.rstrip() == " total *= value"


def test_likeliest_first_tokens_come_in_order(backend):
    words = run(backend, n_rows=24, first_tokens=True)
    likely = [word.log_probability for word in words]
    assert likely == sorted(likely, reverse=True)
    assert len({word.text for word in words}) == len(words) > 10
    [greedy] = run(backend)
    assert greedy.text.startswith(words[0].text)
