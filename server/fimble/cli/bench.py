"""`fimble bench`: arguments, progress on stderr, figures on stdout. The work is in `fimble.bench`."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import math
import sys
from typing import TYPE_CHECKING, Any

from fimble.cli import bench_replay
from fimble.cli.number import count_from_1

if TYPE_CHECKING:
    from fimble.bench.actions import ActionFigures
    from fimble.bench.engine import EngineFigures
    from fimble.bench.memory import MemoryUse
    from fimble.bench.overhead import Overhead
    from fimble.bench.sample import Times
    from fimble.bench.sharing import Sharing
    from fimble.bench.soak import Soak

SUMMARY = "Measure how fast and how large fimble is on this machine."
EPILOG = """examples:
  fimble bench overhead             what fimble adds to the model's own time
  fimble bench memory               memory of a server, loaded and after 200 requests
  fimble bench soak --requests 500  memory and threads while hundreds of documents are edited
  fimble bench sharing --model qwen2.5-coder-0.5b   what the shared daemon costs and saves
  fimble bench actions              ghost text alone and while an action of 200 tokens runs
  fimble bench engine --json        prefill, decode, cached heads, cancel, pause
  fimble bench replay --data replay.jsonl --side fimble --side naive   typing in real time

Figures mean something on an otherwise idle machine only; the load is printed beside them.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    subparsers = parser.add_subparsers(dest="bench", metavar="BENCH", required=True)
    overhead = subparsers.add_parser(
        "overhead", help="request-to-reply time with a model that answers at once, over stdio"
    )
    overhead.add_argument("--requests", type=count_from_1, default=1000, metavar="N", help="how many (default: 1000)")
    overhead.add_argument("--lines", type=count_from_1, default=10_000, metavar="N", help="document (default: 10000)")
    overhead.set_defaults(run_bench=_run_overhead)
    memory = subparsers.add_parser("memory", help="resident memory of a real server")
    memory.add_argument("--requests", type=count_from_1, default=200, metavar="N", help="how many (default: 200)")
    memory.add_argument("--model", metavar="ID", help="model id as `fimble models list` shows it")
    memory.set_defaults(run_bench=_run_memory)
    soak = subparsers.add_parser("soak", help="whether memory and threads stay as they are over many requests")
    soak.add_argument("--requests", type=count_from_1, default=3000, metavar="N", help="how many (default: 3000)")
    soak.add_argument("--documents", type=count_from_1, default=300, metavar="N", help="how many (default: 300)")
    soak.add_argument("--minutes", type=count_from_1, metavar="N", help="end after so long (default: no limit)")
    soak.add_argument("--model", metavar="ID", help="model id as `fimble models list` shows it")
    soak.set_defaults(run_bench=_run_soak)
    sharing = subparsers.add_parser("sharing", help="what the shared daemon costs a request, and saves in memory")
    sharing.add_argument("--requests", type=count_from_1, default=1000, metavar="N", help="how many (default: 1000)")
    sharing.add_argument("--editors", type=count_from_1, default=3, metavar="N", help="for memory (default: 3)")
    sharing.add_argument("--model", metavar="ID", help="measure memory with this model; without it only times")
    sharing.set_defaults(run_bench=_run_sharing)
    actions = subparsers.add_parser("actions", help="what a running code action costs ghost text")
    actions.add_argument("--rounds", type=count_from_1, default=6, metavar="N", help="how many (default: 6)")
    actions.add_argument("--model", metavar="ID", help="model id as `fimble models list` shows it")
    actions.set_defaults(run_bench=_run_actions)
    engine = subparsers.add_parser("engine", help="what the model costs, beside what the memory allows")
    engine.add_argument("--model", metavar="ID", help="model id as `fimble models list` shows it")
    engine.add_argument("--repeats", type=count_from_1, default=5, metavar="N", help="of each figure (default: 5)")
    engine.add_argument("--threads", type=count_from_1, metavar="N", help="threads of one generation")
    engine.set_defaults(run_bench=_run_engine)
    replay = subparsers.add_parser(
        "replay", help="typing real files in real time, side by side", description=bench_replay.DESCRIPTION
    )
    bench_replay.add_arguments(replay)
    for child in (overhead, memory, soak, sharing, actions, engine):
        child.add_argument("--seed", type=int, default=7, metavar="S", help="seed of what is drawn (default: 7)")
        child.add_argument("--json", action="store_true", help="print figures as JSON")


def run(args: argparse.Namespace) -> int:
    if args.bench == "replay":
        return bench_replay.run(args)
    from fimble.bench import machine

    described = machine.describe()
    figures, text = args.run_bench(args)
    if args.json:
        document = {"bench": args.bench, "machine": described, "figures": dataclasses.asdict(figures)}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    else:
        sys.stdout.write(text + "".join(f"{key:<13} {value}\n" for key, value in described.items()))
    return 0


def _run_overhead(args: argparse.Namespace) -> tuple[Overhead, str]:
    from fimble.bench import overhead

    with _status("typing into a real server"):
        figures = overhead.measure(args.requests, args.lines, args.seed)
    names = ("completion", "change_and_completion", "change", "change_and_status", "status")
    rows = [(name.replace("_", " "), getattr(figures, name)) for name in names]
    rows += [(f"  part {name}", part) for name, part in figures.parts.items()]
    return figures, f"{figures.n_lines} lines, {figures.n_shown} answers shown\n" + _times_table(rows)


def _run_memory(args: argparse.Namespace) -> tuple[MemoryUse, str]:
    from fimble.bench import memory

    with _status("asking a real server"):
        use = memory.measure(args.requests, args.model, args.seed)
    peak = "" if use.peak_mib is None else f"peak            {use.peak_mib:8.1f} MiB\n"
    text = (
        f"started         {use.started_mib:8.1f} MiB\n"
        f"model loaded    {use.loaded_mib:8.1f} MiB\n"
        f"after {use.n_requests:<9} {use.resident_mib[-1]:8.1f} MiB  ({use.n_shown} shown)\n"
        f"at rest         {use.rest_mib:8.1f} MiB\n"
        f"{peak}on the way      " + ", ".join(f"{mib:.0f}" for mib in use.resident_mib) + " MiB\n"
    )
    return use, text


def _run_soak(args: argparse.Namespace) -> tuple[Soak, str]:
    from fimble.bench import soak

    with _status("editing and asking a real server") as status:

        def on_request(n_done: int) -> None:
            status.update(f"{n_done} of {args.requests} requests")

        limit_s = 60 * args.minutes if args.minutes else math.inf
        figures = soak.measure(args.requests, args.documents, args.model, args.seed, on_request, duration_s_max=limit_s)
    text = (
        f"{figures.n_requests} requests over {figures.n_documents} documents, {figures.n_cancelled} of them overtaken\n"
        f"unanswered      {figures.n_unanswered:8}\n"
        f"shown           {figures.n_shown:8}\n"
        f"model loaded    {figures.loaded_mib:8.1f} MiB\n"
        f"warm            {figures.warm_mib:8.1f} MiB, {figures.n_threads_warm} threads\n"
        f"highest since   {figures.highest_mib:8.1f} MiB ({figures.growth_share:+.1%})\n"
        f"at the end      {figures.last_mib:8.1f} MiB, {figures.n_threads_last} threads\n"
        "on the way      " + ", ".join(f"{mib:.0f}" for mib in figures.resident_mib) + " MiB\n"
    )
    return figures, text


def _run_sharing(args: argparse.Namespace) -> tuple[Sharing, str]:
    from fimble.bench import sharing

    with _status("asking a server of its own and the shared one in turn"):
        figures = sharing.measure(args.requests, args.editors, args.model)
    names = ("status_alone", "status_shared", "ghost_alone", "ghost_shared")
    text = _times_table([(name.replace("_", " "), getattr(figures, name)) for name in names])
    if figures.alone_mib is not None:
        shims = ", ".join(f"{mib:.1f}" for mib in figures.shims_mib)
        text += (
            f"alone           {figures.alone_mib:8.1f} MiB\n"
            f"daemon          {figures.daemon_mib:8.1f} MiB\n"
            f"{figures.n_editors} shims         {shims} MiB\n"
            f"fimble complete {figures.command_mib:8.1f} MiB\n"
            f"all of them     {figures.total_share:8.2f} times one alone; {_total_mib(figures):.1f} of "
            f"{figures.allowed_mib:.1f} MiB allowed\n"
        )
    return figures, text


def _total_mib(figures: Sharing) -> float:
    return (figures.daemon_mib or 0.0) + sum(figures.shims_mib) + (figures.command_mib or 0.0)


def _run_actions(args: argparse.Namespace) -> tuple[ActionFigures, str]:
    from fimble.bench import actions

    with _status("asking for ghost text, alone and beside an action") as status:
        figures = actions.measure(args.rounds, args.model, args.seed, lambda n: status.update(f"round {n} done"))
    rows = [("ghost text alone", figures.ghost_alone), ("beside an action", figures.ghost_beside)]
    rows += [("action alone", figures.actions_alone), ("action beside typing", figures.actions_beside)]
    text = _times_table(rows) + (
        f"ratio of p50    {figures.share_of_alone:8.2f}\n"
        f"actions done    {figures.n_actions_done:8} of {figures.n_actions}, of {figures.n_action_tokens} tokens\n"
        f"shown           {figures.n_shown:8} of {figures.ghost_alone.n + figures.ghost_beside.n}\n"
    )
    return figures, text


def _run_engine(args: argparse.Namespace) -> tuple[EngineFigures, str]:
    figures = asyncio.run(_measure_engine(args))
    cancel, pause = figures.cancel, figures.pause
    lines = [f"memory copy     {figures.copy_gb_per_s} GB/s"]
    if figures.limit_tokens_per_s is not None:
        lines.append(f"decode limit    {figures.limit_tokens_per_s} tokens/s ({figures.model_mb} MB of weights)")
    lines += [f"prefill {p.n_tokens:>5}   {p.p50_ms:8.1f} ms  {p.tokens_per_s:8.1f} tokens/s" for p in figures.prefill]
    for d in figures.decode:
        share = "" if d.share_of_limit is None else f"  {d.share_of_limit:.0%} of the limit"
        lines.append(
            f"decode at {d.n_context_tokens:>4}  {d.ms_per_token:8.1f} ms  {d.tokens_per_s:8.1f} tokens/s{share}"
        )
    lines += [f"{b.n_rows} rows a step  {b.step_ms:8.1f} ms  {b.share_of_one:.2f} times one" for b in figures.batches]
    lines += [
        f"head {h.n_head_tokens:>4} + {h.n_tail_tokens:>3} {h.cached_ms:8.1f} ms  "
        f"never seen {h.cold_ms:.1f} ms ({h.share:.2f})"
        for h in figures.cached_heads
    ]
    lines.append(f"memory of heads {figures.heads_mib:8.1f} MiB")
    lines.append(
        f"cancel to idle  {cancel.to_idle.p50_ms:8.1f} ms  p95 {cancel.to_idle.p95_ms:.1f} ms, "
        f"at most {cancel.n_tokens_after_max} tokens more ({cancel.to_idle.n} cancels)"
    )
    lines.append(
        f"typing alone    {pause.typing_alone_ms:8.1f} ms  "
        f"beside a paused action {pause.typing_beside_action_ms:.1f} ms, "
        f"action {'went on' if pause.action_went_on else 'did not go on'}"
    )
    return figures, "\n".join(lines) + "\n"


async def _measure_engine(args: argparse.Namespace) -> EngineFigures:
    from fimble import options
    from fimble.app import Application
    from fimble.bench import engine, machine
    from fimble.models.store import ModelStore

    # Every head that is measured is kept to the end.
    raw: dict[str, Any] = {"head_mib_max": 4096} | ({"model": args.model} if args.model else {})
    raw |= {"n_threads": args.threads} if args.threads else {}
    settings = options.resolve_strict(raw, source="the command line")
    weights = ModelStore().path(settings.model) / "model.bin"
    app = Application(settings)
    with _status("loading the model") as status:
        try:
            app.start()
            await app.engine.wait_ready()
            return await engine.measure(
                app.engine,
                settings.n_threads or machine.describe()["n_cores"],
                weights.stat().st_size,
                args.repeats,
                status.update,
            )
        finally:
            app.close()


def _status(what: str) -> Any:
    from rich.console import Console

    return Console(stderr=True).status(what)


def _times_table(rows: list[tuple[str, Times]]) -> str:
    lines = [f"{'ms':<24}{'p50':>9}{'p95':>9}{'p99':>9}{'max':>9}{'n':>7}"]
    for name, t in rows:
        lines.append(f"{name:<24}{t.p50_ms:>9.2f}{t.p95_ms:>9.2f}{t.p99_ms:>9.2f}{t.max_ms:>9.2f}{t.n:>7}")
    return "\n".join(lines) + "\n"
