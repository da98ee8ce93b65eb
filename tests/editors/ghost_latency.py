"""Measure the time from a key to its ghost text on the screen, in the real VS Code with an engine that answers at once.

Run `poe ghost-latency` on a quiet machine. No test: the figure is the machine's as much as the program's.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

from editors.apart import window_of
from editors.home import Home
from editors.tools import until
from editors.window import Window

N_ROUNDS = 100
KEY_DELAY_MS = 60
# The clock is the page's: it starts when the page hears of the key, and stops in the first frame that shows the text.
WATCH = """() => {
  window.fimbleWatch = { keyAtMs: 0, wanted: "", tookMs: null };
  const watch = window.fimbleWatch;
  document.addEventListener("keydown", () => { watch.keyAtMs = performance.now(); }, true);
  const tick = () => {
    if (watch.wanted !== "" && watch.tookMs === null) {
      const shown = [...document.querySelectorAll(".ghost-text-decoration")].map((node) => node.textContent).join("");
      if (shown.includes(watch.wanted)) watch.tookMs = performance.now() - watch.keyAtMs;
    }
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}"""
EXPECT = "(wanted) => { Object.assign(window.fimbleWatch, { wanted, tookMs: null }); }"


def measure(window: Window, n_rounds: int) -> list[float]:
    """Give the milliseconds of each round: a line is typed whose last key alone has an answer."""
    window.open("latency.py", "")
    window.page.evaluate(WATCH)
    took_ms = []
    for n in range(n_rounds):
        window.page.evaluate(EXPECT, f"value_{n:03}")
        window.page.keyboard.type(f"item_{n:03} =", delay=KEY_DELAY_MS)
        took_ms.append(until(lambda: window.page.evaluate("window.fimbleWatch.tookMs"), f"ghost text of round {n}"))
        # A file of one line: what is above would make the prompt longer with each round.
        window.press("Escape", "Control+a", "Delete")
        window.until_no_ghost()
    return took_ms


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=N_ROUNDS)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        home = Home(folder / "home")
        home.answer(*({"when": f"item_{n:03} =", "text": f" value_{n:03}"} for n in range(args.rounds)))
        with window_of(home, folder, {"fimble.path": str(home.command)}) as window:
            window.until_status("ready")
            took_ms = sorted(measure(window, args.rounds))
    figures = {
        "n_rounds": len(took_ms),
        "key_delay_ms": KEY_DELAY_MS,
        "p50_ms": round(statistics.median(took_ms)),
        "p95_ms": round(took_ms[int(0.95 * (len(took_ms) - 1))]),
        "max_ms": round(took_ms[-1]),
    }
    sys.stdout.write(json.dumps(figures) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
