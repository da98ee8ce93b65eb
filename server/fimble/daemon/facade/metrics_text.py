"""What the daemon counts, in Prometheus' text format. Names and numbers only.

Source: Prometheus documentation, "Exposition formats", text format 0.0.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fimble.metrics import Metrics

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SHARES = (0.5, 0.95, 0.99)


def render(status: Mapping[str, Any], metrics: Metrics) -> str:
    """Give the page."""
    lines: list[str] = []

    def family(name: str, kind: str, help_text: str, samples: list[tuple[str, float]]) -> None:
        if samples:
            lines.extend([f"# HELP {name} {help_text}", f"# TYPE {name} {kind}"])
            lines.extend(f"{name}{labels} {value:g}" for labels, value in samples)

    family("fimble_uptime_seconds", "gauge", "Time since the daemon started.", [("", status["uptime_s"])])
    family("fimble_sessions", "gauge", "Editors connected.", [("", len(status["sessions"]))])
    if "resident_bytes" in status:
        family("fimble_resident_bytes", "gauge", "Resident memory.", [("", status["resident_bytes"])])
    engines = status.get("engines", ())
    waiting = [(_labels(model=engine["model"]), engine["n_waiting"]) for engine in engines]
    family("fimble_requests_waiting", "gauge", "Requests that wait for the model.", waiting)
    loaded = [(_labels(model=engine["model"]), float(engine["state"] == "ready")) for engine in engines]
    family("fimble_model_loaded", "gauge", "Whether the weights are in memory.", loaded)
    for name, count in sorted(metrics.counts().items()):
        full_name = f"fimble_{name.replace('.', '_').replace('-', '_')}_total"
        family(full_name, "counter", "Counted since the daemon started.", [("", count)])
    for name in ("http.queue", "http.first_token", "http.total"):
        known = [(share, metrics.percentile_ms(name, share)) for share in SHARES]
        samples = [(_labels(quantile=f"{share:g}"), value) for share, value in known if value is not None]
        family(f"fimble_{name.replace('.', '_')}_milliseconds", "gauge", "Of recent requests.", samples)
    return "\n".join(lines) + "\n"


def _labels(**pairs: str) -> str:
    escaped = {key: value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n") for key, value in pairs.items()}
    return "{" + ",".join(f'{key}="{value}"' for key, value in escaped.items()) + "}"
