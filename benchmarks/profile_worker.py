"""Where one worker's time goes: `python -m benchmarks.profile_worker --count 2000`.

Prints, for the intake phase and the decision phase, the CPU time an item costs in each layer, and the functions that
cost most. Only CPU time is seen; for waiting, compare it with the elapsed time in the headline.
"""

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.accounting import cpu_seconds
from benchmarks.load import Load
from benchmarks.stack import fresh_place, running_stack
from benchmarks.systems import SIGNOFF, running_workers

WARM_UP = 200

LAYERS = (
    ("worker/adapters/policy/", "policy"),
    ("common_expression_language", "policy"),
    ("worker/adapters/postgres/checkpointer", "checkpointer"),
    ("worker/adapters/postgres/threads", "checkpointer"),
    ("langgraph/checkpoint", "checkpointer"),
    ("worker/adapters/postgres/", "postgres adapter"),
    ("worker/adapters/payments/", "payments adapter"),
    ("worker/adapters/orders/", "orders adapter"),
    ("worker/adapters/kafka/", "kafka adapter"),
    ("worker/graph/", "graph (ours)"),
    ("langgraph/", "langgraph engine"),
    ("langchain_core/", "langgraph engine"),
    ("langsmith/", "langgraph engine"),
    ("psycopg", "psycopg"),
    ("aiokafka/", "kafka client"),
    ("faststream/", "faststream"),
    ("fast_depends/", "faststream"),
    ("worker/translation/", "translation"),
    ("schemas/", "translation"),
    ("worker/application/", "application"),
    ("worker/domain/", "domain"),
    ("worker/entrypoints/", "entrypoints"),
)
"""A part of a file's path, and its layer; the first that fits counts. A frame of no layer (pydantic, json, asyncio)
counts for the layer that called it, and for the event loop when none did."""

LOOP = "event loop"

Stack = list[tuple[str, str, int]]


@dataclass(frozen=True, slots=True)
class Phase:
    """What was seen between two moments. Milliseconds of CPU an item, by layer and by function."""

    name: str
    count: int
    elapsed_s: float
    cpu_ms: float
    stacks: Counter[int]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--top", type=int, default=25)
    parser.add_argument("--lines", action="store_true", help="rank lines, not functions")
    arguments = parser.parse_args()
    phases, stacks = measure(arguments.count)
    out = sys.stdout
    for phase in phases:
        out.write(
            f"\n{phase.name}: {phase.count} items in {phase.elapsed_s:.2f} s, {phase.count / phase.elapsed_s:.0f}/s; "
            f"{phase.cpu_ms:.2f} ms of CPU an item, {_samples(phase)} samples\n"
        )
        _table(out.write, phase, (("layer", _by_layer(phase, stacks)),), arguments.top)
    total = _together(phases)
    out.write(f"\nround trip: {total.cpu_ms:.2f} ms of CPU an item\n")
    own = _by_function(total, stacks, lines=arguments.lines)
    within = _within(total, stacks)
    _table(out.write, total, (("layer", _by_layer(total, stacks)),), arguments.top)
    _table(out.write, total, (("by itself (C functions count for their caller)", own),), arguments.top)
    _table(out.write, total, (("with all it calls (await chains end at task borders)", within),), 2 * arguments.top)


def measure(count: int) -> tuple[list[Phase], list[Stack]]:
    """Two phases on a warm worker."""
    marks: list[tuple[str, float, float, float]] = []
    with running_stack() as stack, fresh_place(stack, f"profile-{int(time.time())}") as place:
        written = place.logs / "samples.json"
        os.environ["BENCHMARK_SAMPLES"] = str(written)
        sampled = replace(SIGNOFF, run=(sys.executable, "-m", "benchmarks.sampled_worker"))
        with running_workers(sampled, place, 1) as workers, Load(place, workers.check) as load:
            load.raise_exceptions(range(WARM_UP))
            load.approve(range(WARM_UP))
            numbers = range(WARM_UP, WARM_UP + count)
            for name, act in (("intake", load.raise_exceptions), ("decision", load.approve)):
                began, cpu = time.monotonic(), cpu_seconds(workers.pids)
                elapsed = act(numbers)
                time.sleep(1)  # what the worker does after the last event belongs to the phase too
                marks.append((name, began, elapsed, cpu_seconds(workers.pids) - cpu))
        return _read(written, marks, count)


def _read(path: Path, marks: list[tuple[str, float, float, float]], count: int) -> tuple[list[Phase], list[Stack]]:
    seen = json.loads(path.read_text())
    ends = [began for _, began, _, _ in marks[1:]] + [float("inf")]
    phases = []
    for (name, began, elapsed, cpu), end in zip(marks, ends, strict=True):
        stacks = Counter(stack for at, stack in seen["taken"] if began <= at < end)
        phases.append(Phase(name, count, elapsed, cpu / count * 1000, stacks))
    return phases, [[tuple(place) for place in stack] for stack in seen["stacks"]]


def _together(phases: list[Phase]) -> Phase:
    stacks: Counter[int] = Counter()
    for phase in phases:
        stacks += phase.stacks
    return Phase(
        "round trip",
        phases[0].count,
        sum(phase.elapsed_s for phase in phases),
        sum(phase.cpu_ms for phase in phases),
        stacks,
    )


def _samples(phase: Phase) -> int:
    return sum(phase.stacks.values())


def _by_layer(phase: Phase, stacks: list[Stack]) -> Counter[str]:
    layers: Counter[str] = Counter()
    for number, times in phase.stacks.items():
        layers[_layer(stacks[number])] += times
    return layers


def _layer(stack: Stack) -> str:
    for path, _, _ in stack:
        for part, layer in LAYERS:
            if part in path:
                return layer
    return LOOP


def _by_function(phase: Phase, stacks: list[Stack], *, lines: bool) -> Counter[str]:
    functions: Counter[str] = Counter()
    for number, times in phase.stacks.items():
        path, name, line = stacks[number][0]
        functions[_named(path, name) + (f":{line}" if lines else "")] += times
    return functions


def _within(phase: Phase, stacks: list[Stack]) -> Counter[str]:
    functions: Counter[str] = Counter()
    for number, times in phase.stacks.items():
        for name in {_named(path, name) for path, name, _ in stacks[number]}:
            functions[name] += times
    return functions


def _named(path: str, function: str) -> str:
    parts = Path(path).parts
    for root in ("site-packages", "main", "lib"):
        if root in parts:
            parts = parts[len(parts) - parts[::-1].index(root) :]
            break
    return f"{'/'.join(parts[-4:])} {function}"


def _table(write: Callable[[str], object], phase: Phase, columns: Iterable[tuple[str, Counter[str]]], top: int) -> None:
    whole = _samples(phase) or 1
    for title, counter in columns:
        write(f"\n  ms/item      %  {title}\n")
        for name, times in counter.most_common(top):
            share = times / whole
            write(f"  {share * phase.cpu_ms:7.3f}  {share:5.1%}  {name}\n")


if __name__ == "__main__":
    main()
