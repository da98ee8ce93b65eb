"""The typist, what is drawn, and the picture: against the small server."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ElementTree

import pytest
from rich.console import Console

from fimble.cli.demo.picture import Recorder
from fimble.cli.demo.sample import Sample, Step
from fimble.cli.demo.typist import Screen, Shown, Typist
from fimble.cli.demo.view import PlainView, frame, percentile_ms, summary, timings
from fimble.cli.stdio_client import StdioClient

SAMPLE = Sample(
    "python",
    "x.py",
    "def f(words):\n",
    "\n\nprint(f([]))\n",
    (Step("    return ", "None"), Step("\n\n# e", "nd"), Step("\n    ret", "urn")),
)


@pytest.fixture
async def played(fake_command):
    screens, steps = [], []

    def keep(screen):
        screens.append((screen.before, screen.ghost))

    async with StdioClient(fake_command()) as client:
        await client.initialize()
        typist = Typist(client, SAMPLE, keep, hurried=True)
        await typist.play(lambda step, accepted: steps.append((step, accepted)))
    return typist, screens, steps


async def test_suggestions_are_taken_and_the_rest_is_typed(played):
    typist, _screens, steps = played
    assert typist.text == "def f(words):\n    return Counter(words)\n\n# end\n    return words\n\nprint(f([]))\n"
    assert [accepted.text if accepted else None for _step, accepted in steps] == [
        "Counter(words)",
        None,
        "urn words",
    ]


async def test_ghost_text_is_drawn_before_it_is_taken(played):
    _typist, screens, _steps = played
    assert ("def f(words):\n    return ", "Counter(words)") in screens
    assert ("def f(words):\n    return Counter(words)", "") in screens


async def test_suggestion_is_counted_when_it_is_drawn(fake_command):
    counted = []
    sample = Sample("python", "x.py", "", "\n", (Step("    return ", "-"),))
    async with StdioClient(fake_command()) as client:
        await client.initialize()
        typist = Typist(client, sample, lambda screen: screen.ghost and counted.append(len(typist.tally.shown)), True)
        await typist.play()
    assert counted[0] == 1


async def test_figures_add_up(played):
    typist, _screens, _steps = played
    facts = summary(typist.tally, load_ms=12.0)
    n_typed = sum(len(step.typed) for step in SAMPLE.steps) + len("nd")
    assert facts["n_typed_chars"] == n_typed
    assert facts["n_accepted_chars"] == len("Counter(words)urn words")
    assert facts["n_accepted"] == 2 <= facts["n_shown"]
    assert facts["n_requests"] > facts["n_superseded"] > 0
    assert facts["p50_ms"] <= facts["p95_ms"]


async def test_ghost_text_typed_through_stays(fake_command):
    screens = []
    sample = Sample("python", "x.py", "", "\n", (Step("    return ", "-"),))
    async with StdioClient(fake_command()) as client:
        await client.initialize()
        typist = Typist(client, sample, lambda screen: screens.append(screen.ghost), hurried=True)
        typist.screen.ghost = "  x"
        await typist._type(" ")
        assert typist.screen.ghost == " x"
        await typist._type("y")
        assert typist.screen.ghost == ""


async def test_what_is_taken_is_what_was_not_typed_through(fake_command):
    async with StdioClient(fake_command()) as client:
        await client.initialize()
        typist = Typist(client, SAMPLE, lambda screen: None, hurried=True)
        typist.tally.shown.append(Shown(".read_text()", 1.0))
        typist.screen.ghost, typist._item = "read_text()", {"insertText": "read_text()"}
        taken = await typist._take_suggestion()
    assert (taken.text, typist.tally.shown[0].accepted) == ("read_text()", True)


def test_plain_view_tells_each_step_in_lines():
    out = io.StringIO()
    view = PlainView(Console(file=out, width=60))
    view.on_step(Step("\ndef f():\n    ", "pass"), None)
    assert out.getvalue().splitlines() == [
        "typed     │ def f():",
        "          │     ",
        "nothing   │ suggested; typed on",
        "typed     │ pass",
    ]


@pytest.mark.parametrize("n_lines", [6, 24])
def test_frame_keeps_the_cursor_in_sight(played, n_lines):
    typist = played[0]
    screen = Screen("".join(f"line {n}\n" for n in range(100)) + "here", "\nafter\n", ghost="GHOST")
    out = io.StringIO()
    Console(file=out, width=80).print(frame(screen, SAMPLE, "m", typist.tally, n_lines, 80))
    lines = out.getvalue().splitlines()
    assert len(lines) == n_lines + 2
    assert any("hereGHOST" in line for line in lines)
    assert all(len(line) <= 80 for line in lines)


def test_covered_characters_are_not_drawn_twice(played):
    screen = Screen("f(", ")", ghost="x)", n_covered_chars=1)
    out = io.StringIO()
    Console(file=out, width=80).print(frame(screen, SAMPLE, "m", played[0].tally, 6, 40))
    assert "f(x) " in out.getvalue()


def test_picture_is_one_svg_whose_pieces_take_turns(played, tmp_path):
    tally = played[0].tally
    recorder = Recorder(SAMPLE, "<m>", tally)
    for before, ghost in [("a", ""), ("ab", ""), ("ab", "GHOST"), ("abGHOST", "")]:
        recorder.on_screen(Screen(before, "\n", ghost=ghost))
    path = tmp_path / "pictures" / "demo.svg"
    recorder.save(path, timings(tally, "<m>", 1.0))
    tree = ElementTree.fromstring(path.read_text(encoding="utf-8"))
    text = " ".join("".join(element.itertext()) for element in tree.iter("{http://www.w3.org/2000/svg}text"))
    assert "GHOST" in text and "<m>" in text and "p95" in text
    style = next(tree.iter("{http://www.w3.org/2000/svg}style")).text
    animated = set(re.findall(r"#(g\d+)\{", style))
    assert animated == {element.get("id") for element in tree.iter() if element.get("id")}
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("samples_ms", "share", "expected_ms"),
    [([], 0.5, None), ([3.0], 0.95, 3.0), ([1.0, 2.0, 3.0], 0.5, 2.0), ([float(n) for n in range(100)], 0.95, 95.0)],
)
def test_percentile(samples_ms, share, expected_ms):
    assert percentile_ms(samples_ms, share) == expected_ms
