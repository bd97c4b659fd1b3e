"""Where one worker's time goes: `python -m benchmarks.profile_worker [--count 2000] [--method samples | calls]`.

`samples` prints, for the intake phase and the decision phase, the processor time that an item costs in each layer, and
the whole calls and the lines of our own that cost most. `calls` prints the functions that cost most by themselves, and
how often each is called for an item, and by whom. Both end with the bytes of each table. Only processor time is seen;
for waiting, compare with the time that passed.
"""

import argparse
import os
import pstats
import signal
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from benchmarks import layers
from benchmarks.accounting import cpu_seconds, table_bytes
from benchmarks.layers import Mark, Phase
from benchmarks.load import Load
from benchmarks.stack import Place, fresh_place, running_stack
from benchmarks.systems import SIGNOFF, running_workers

WARM_UP = 200
WAITING = "run_until_complete"
"""cProfile counts the loop's waiting as its own time."""
CALLERS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--top", type=int, default=25)
    parser.add_argument("--method", choices=["samples", "calls"], default="samples")
    arguments = parser.parse_args()
    with running_stack() as stack, fresh_place(stack, f"profile-{int(time.time())}") as place:
        written = place.logs / "profile"
        marks = profile(place, written, arguments.count, arguments.method)
        if arguments.method == "calls":
            _print_calls(written, arguments.count, arguments.top)
        else:
            phases, stacks = layers.read(written, marks, arguments.count)
            _print_samples(phases, stacks, arguments.top)
        _print_tables(table_bytes(place.database), WARM_UP + arguments.count)


def profile(place: Place, written: Path, count: int, method: str) -> list[Mark]:
    """Runs a worker through both phases, warm, and leaves its profile in `written`."""
    os.environ |= {"BENCHMARK_PROFILE": str(written), "BENCHMARK_METHOD": method}
    profiled = replace(SIGNOFF, run=(sys.executable, "-m", "benchmarks.profiled_worker"))
    marks = []
    with running_workers(profiled, place, 1) as workers, Load(place, workers.check) as load:
        load.raise_exceptions(range(WARM_UP))
        load.approve(range(WARM_UP))
        if method == "calls":
            os.kill(workers.pids[0], signal.SIGUSR1)
        for name, act in (("intake", load.raise_exceptions), ("decision", load.approve)):
            began, cpu = time.monotonic(), cpu_seconds(workers.pids)
            elapsed = act(range(WARM_UP, WARM_UP + count))
            time.sleep(1)  # what the worker does after the last event belongs to the phase too
            marks.append(Mark(name, began, elapsed, cpu_seconds(workers.pids) - cpu))
        if method == "calls":
            os.kill(workers.pids[0], signal.SIGUSR2)
    return marks


def _print_samples(phases: list[Phase], stacks: list[layers.Stack], top: int) -> None:
    for phase in phases:
        sys.stdout.write(
            f"\n{phase.name}: {phase.count} items in {phase.elapsed_s:.2f} s, {phase.count / phase.elapsed_s:.0f}/s; "
            f"{phase.cpu_ms:.2f} ms of CPU an item, {phase.samples} samples\n"
        )
        _table(phase, "layer", layers.by_layer(phase, stacks), top)
    whole = layers.together(phases)
    sys.stdout.write(f"\nround trip: {whole.cpu_ms:.2f} ms of CPU an item\n")
    _table(whole, "layer", layers.by_layer(whole, stacks), top)
    _table(whole, "line of ours, with what it calls outside our code", layers.by_own_line(whole, stacks), top)
    _table(whole, "function, with all it calls", layers.by_whole_call(whole, stacks), 2 * top)


def _table(phase: Phase, title: str, counter: Counter[str], top: int) -> None:
    sys.stdout.write(f"\n  ms/item      %  {title}\n")
    for name, times in counter.most_common(top):
        share = times / max(1, phase.samples)
        sys.stdout.write(f"  {share * phase.cpu_ms:7.3f}  {share:5.1%}  {name}\n")


def _print_calls(written: Path, count: int, top: int) -> None:
    rows = [
        (own, calls, layers.named(path, f"{function}:{line}"), callers)
        for (path, line, function), (_, calls, own, _, callers) in pstats.Stats(str(written)).stats.items()  # type: ignore[attr-defined]
        if WAITING not in function
    ]
    whole = sum(row[0] for row in rows)
    sys.stdout.write(f"\nround trip: {whole / count * 1000:.2f} ms an item under cProfile, which slows it down\n")
    sys.stdout.write("\n  ms/item      %  calls/item  function, by itself\n")
    for own, calls, name, callers in sorted(rows, key=lambda row: row[0], reverse=True)[:top]:
        sys.stdout.write(f"  {own / count * 1000:7.3f}  {own / whole:5.1%}  {calls / count:10.1f}  {name}\n")
        often = sorted(callers.items(), key=lambda caller: caller[1][0], reverse=True)
        for (path, line, function), (times, *_) in often[:CALLERS]:
            called = layers.named(path, f"{function}:{line}")
            sys.stdout.write(f"  {'':14}  {times / count:10.1f}    by {called}\n")


def _print_tables(sizes: dict[str, tuple[int, int]], count: int) -> None:
    sys.stdout.write("\n  bytes/item: table  indexes\n")
    for name, (table, indexes) in sorted(sizes.items(), key=lambda size: sum(size[1]), reverse=True):
        sys.stdout.write(f"  {table / count:17.0f}  {indexes / count:7.0f}  {name}\n")


if __name__ == "__main__":
    main()
