"""One line of the doctor's report. Checks and prints nothing."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Verdict(enum.Enum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `hint` says how to mend what is not ok."""

    verdict: Verdict
    subject: str
    detail: str
    hint: str = ""
