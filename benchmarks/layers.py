"""Stacks that were sampled, and what they say: which layer and which functions the time belongs to."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LAYERS = (
    ("worker/adapters/policy/", "policy"),
    ("common_expression_language", "policy"),
    ("worker/adapters/postgres/checkpoint", "checkpointer"),
    ("worker/adapters/postgres/thread", "checkpointer"),
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
OURS = ("worker/", "schemas/")

Frame = tuple[str, str, int]
Stack = list[Frame]


@dataclass(frozen=True, slots=True)
class Phase:
    """What was seen between two moments of one worker. `cpu_ms` is its processor time an item."""

    name: str
    count: int
    elapsed_s: float
    cpu_ms: float
    stacks: Counter[int]

    @property
    def samples(self) -> int:
        return self.stacks.total()


@dataclass(frozen=True, slots=True)
class Mark:
    """When a phase began (monotonic seconds), and what it took."""

    name: str
    began: float
    elapsed_s: float
    cpu_s: float


def read(path: Path, marks: Sequence[Mark], count: int) -> tuple[list[Phase], list[Stack]]:
    seen = json.loads(path.read_text())
    ends = [mark.began for mark in marks[1:]] + [float("inf")]
    phases = []
    for mark, end in zip(marks, ends, strict=True):
        stacks = Counter(stack for at, stack in seen["taken"] if mark.began <= at < end)
        phases.append(Phase(mark.name, count, mark.elapsed_s, mark.cpu_s / count * 1000, stacks))
    return phases, [[(path, name, line) for path, name, line in stack] for stack in seen["stacks"]]


def together(phases: Sequence[Phase]) -> Phase:
    stacks: Counter[int] = Counter()
    for phase in phases:
        stacks += phase.stacks
    elapsed, cpu = sum(phase.elapsed_s for phase in phases), sum(phase.cpu_ms for phase in phases)
    return Phase("round trip", phases[0].count, elapsed, cpu, stacks)


def by_layer(phase: Phase, stacks: Sequence[Stack]) -> Counter[str]:
    layers: Counter[str] = Counter()
    for number, times in phase.stacks.items():
        layers[_layer(stacks[number])] += times
    return layers


def by_whole_call(phase: Phase, stacks: Sequence[Stack]) -> Counter[str]:
    """Each function with all that it calls; a chain of awaits ends where a task begins."""
    functions: Counter[str] = Counter()
    for number, times in phase.stacks.items():
        for name in {named(path, function) for path, function, _ in stacks[number]}:
            functions[name] += times
    return functions


def by_own_line(phase: Phase, stacks: Sequence[Stack]) -> Counter[str]:
    """Each line of our own code with all that it calls outside our code: where we could spend less."""
    lines: Counter[str] = Counter()
    for number, times in phase.stacks.items():
        for path, function, line in stacks[number]:
            short = _short(path)
            if short.startswith(OURS):
                lines[f"{short}:{line} {function}"] += times
                break
    return lines


def named(path: str, function: str) -> str:
    return f"{_short(path)} {function}"


def _layer(stack: Stack) -> str:
    for path, _, _ in stack:
        for part, layer in LAYERS:
            if part in path:
                return layer
    return LOOP


def _short(path: str) -> str:
    """From the package on; our own files from the root of the repository."""
    root = str(Path(__file__).parent.parent) + "/"
    if path.startswith(root) and "site-packages" not in path:
        return path.removeprefix(root)
    return "/".join(Path(path.rpartition("site-packages/")[2]).parts[-4:])
