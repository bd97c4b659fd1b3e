"""`signoff analyse`: measure an analyst against exceptions whose right answers are known."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.cloudevents import Refused, parse_json
from worker.adapters.analysis.budget import Spending
from worker.adapters.analysis.composition import ModelUnavailable, make_analyst
from worker.adapters.analysis.evaluation import Evaluation, Judged, Score, evaluate
from worker.adapters.analysis.reason_codes import ReasonCode
from worker.application.ports.analysis import Analyst
from worker.cli.event_file import facts_in
from worker.cli.failure import Failure
from worker.cli.output import AsJson, print_fields, print_json, print_line, print_table
from worker.domain.order_exception import Facts

MANY = 1_000_000_000
"""An evaluation is not held to the worker's budget: its size is that of the file."""

TOLD = 20
"""Bad lines that are named at once."""

analyse = typer.Typer(no_args_is_help=True, help="Measure the analyst that reads the reasons of exceptions.")


class _Label(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason_code: ReasonCode
    wants_human: bool = False


@dataclass(frozen=True, slots=True)
class _Labelled:
    facts: Facts
    label: _Label


@analyse.callback()
def _group() -> None:
    """Without it the only command would have no name of its own."""


@analyse.command("eval")
def evaluate_analyst(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help='Lines of {"event": {…}, "label": {"reason_code": …, "wants_human": …}}.'),
    ],
    analyst: Annotated[
        str, typer.Option(metavar="ANALYST", help="rules, or model:PROVIDER:NAME.", show_default=True)
    ] = "rules",
    time_limit_s: Annotated[
        float, typer.Option("--time-limit", min=0.001, metavar="SECONDS", help="What a model may take for one answer.")
    ] = 10.0,
    price_per_million: Annotated[
        float | None, typer.Option(min=0, metavar="PRICE", help="Of a million tokens: then the cost is told.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say how often an analyst is right, how well it knows how sure it may be, and what that takes."""
    labelled = _read(file)
    asked = _analyst(analyst, time_limit_s)
    evaluation = evaluate(asyncio.run(_judge(asked, labelled)))
    tokens = asked.budget.tokens if isinstance(asked, Spending) else 0
    cost = tokens / 1_000_000 * price_per_million if price_per_million is not None else None
    if as_json:
        print_json({"analyst": analyst, **asdict(evaluation), "tokens": tokens, "cost": cost})
    else:
        _print(analyst, evaluation, tokens, cost)


def _analyst(named: str, time_limit_s: float) -> Analyst:
    kind, _, model = named.partition(":")
    if kind not in ("rules", "model") or (kind == "rules") != (model == ""):
        raise typer.BadParameter(f"{named!r} is no analyst; give rules, or model:PROVIDER:NAME", param_hint="--analyst")
    try:
        return make_analyst(
            "model" if kind == "model" else "rules",
            model=model or None,
            time_limit_s=time_limit_s,
            tokens_per_day=MANY,
            calls_per_minute=MANY,
            monotonic=time.monotonic,
        )
    except ModelUnavailable as error:
        raise Failure(str(error)) from error


async def _judge(analyst: Analyst, labelled: list[_Labelled]) -> list[Judged]:
    """One after the other, so that the times are those of one question."""
    judged = []
    for one in labelled:
        began = time.perf_counter()
        opinion = await analyst.analyse(one.facts)
        judged.append(
            Judged(
                code=one.label.reason_code,
                said_code=opinion.reason_code,
                wants_human=one.label.wants_human,
                said_wants_human=opinion.wants_human,
                confidence=opinion.confidence,
                seconds=time.perf_counter() - began,
                problem=opinion.problem,
            )
        )
    return judged


def _read(file: Path) -> list[_Labelled]:
    """Raises Failure, which names every line that cannot be read."""
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise Failure(
            f"{file}: cannot be read: {error.strerror or error}; give a file of labelled exceptions"
        ) from error
    labelled, problems = [], []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            labelled.append(_labelled(line, f"{file}:{number}"))
        except Failure as problem:
            problems.append(str(problem))
    if problems:
        more = [f"and {len(problems) - TOLD} more"] if len(problems) > TOLD else []
        raise Failure("\n".join([*problems[:TOLD], *more]))
    if not labelled:
        raise Failure(f"{file}: holds no exceptions; give a line for each")
    return labelled


def _labelled(line: bytes, where: str) -> _Labelled:
    try:
        document = parse_json(line)
    except Refused as refused:
        raise Failure(f"{where}: {refused.reason}: {refused.detail}") from refused
    if not isinstance(document, dict) or not document.keys() >= {"event", "label"}:
        raise Failure(f"{where}: needs an object with `event` and `label`")
    try:
        label = _Label.model_validate(document["label"])
    except ValidationError as error:
        raise Failure(f"{where}: {_first_problem(error)}; known codes are {', '.join(ReasonCode)}") from error
    return _Labelled(facts_in(json.dumps(document["event"]).encode(), where), label)


def _first_problem(error: ValidationError) -> str:
    problem = error.errors()[0]
    return f"`{'.'.join(['label', *map(str, problem['loc'])])}`: {problem['msg']}"


def _print(analyst: str, evaluation: Evaluation, tokens: int, cost: float | None) -> None:
    print_fields(_figures(analyst, evaluation, tokens, cost))
    print_line()
    scores = (*evaluation.codes, evaluation.wants_human)
    print_table(("answer", "precision", "recall", "F1", "support"), map(_row, scores), long=())
    if evaluation.calibration_error is None:
        return
    print_line()
    print_table(
        ("confidence", "count", "mean", "accuracy"),
        (
            (
                f"{bin_.least:.1f} to {bin_.below:.1f}",
                str(bin_.count),
                _share(bin_.mean_confidence),
                _share(bin_.accuracy),
            )
            for bin_ in evaluation.reliability
        ),
        long=(),
    )


def _figures(analyst: str, evaluation: Evaluation, tokens: int, cost: float | None) -> Iterator[tuple[str, str]]:
    yield "analyst", analyst
    yield "exceptions", str(evaluation.count)
    yield "accuracy", _share(evaluation.accuracy)
    if evaluation.calibration_error is None:
        yield "calibration", "it never says how sure it is"
    else:
        yield "calibration error", f"{evaluation.calibration_error:.3f}"
    yield "latency", f"p50 {evaluation.p50_s * 1000:.3f} ms, p99 {evaluation.p99_s * 1000:.3f} ms"
    yield "fell back", ", ".join(f"{problem}: {count}" for problem, count in evaluation.fell_back.items())
    yield "tokens", str(tokens) if tokens else ""
    yield "cost", f"{cost:.4f}" if cost is not None else ""


def _row(score: Score) -> tuple[str, ...]:
    shares: tuple[Any, ...] = (score.precision, score.recall, score.f1)
    return score.name, *map(_share, shares), str(score.support)


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.2f}"
