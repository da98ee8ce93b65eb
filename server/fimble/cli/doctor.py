"""`fimble doctor`: runs the checks and prints what they found. The checks themselves live in `doctor_checks`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys

from rich.console import Console
from rich.text import Text

from fimble.cli.doctor_checks import examine
from fimble.cli.doctor_finding import Finding, Verdict

SUMMARY = "Say what is wrong with this installation, and how to mend it."
EPILOG = """examples:
  fimble doctor
  fimble doctor --deep                 also read every model file and compare its hash
  fimble doctor --calibrate            also measure how fast the model is here, best while nothing else runs
  fimble doctor --json | jq '.[] | select(.verdict == "fail")'

Exit code 1 if any check fails; a warning alone is 0.
"""
STYLES = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAIL: "bold red"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--deep", action="store_true", help="also hash every file of every installed model")
    parser.add_argument(
        "--calibrate", action="store_true", help="also measure anew how fast the model is on this machine"
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(args: argparse.Namespace) -> int:
    console = Console(highlight=False)
    findings: list[Finding] = []
    for finding in examine(deep=args.deep, calibrate=args.calibrate):
        findings.append(finding)
        if not args.json:
            _print(console, finding)
    n_failed = sum(finding.verdict is Verdict.FAIL for finding in findings)
    if args.json:
        rows = [dataclasses.asdict(finding) | {"verdict": finding.verdict.value} for finding in findings]
        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
    else:
        n_warnings = sum(finding.verdict is Verdict.WARN for finding in findings)
        console.print(f"\n{len(findings)} checks, {n_failed} failed, {n_warnings} with a warning")
    return 1 if n_failed else 0


def _print(console: Console, finding: Finding) -> None:
    line = Text(f"{finding.verdict.value:<5}", STYLES[finding.verdict])
    line.append(f" {finding.subject:<13}", "bold")
    line.append(f" {finding.detail}", "default")
    console.print(line, soft_wrap=True)
    if finding.hint:
        console.print(Text(f"{'':<20}hint: {finding.hint}", "dim"), soft_wrap=True)
