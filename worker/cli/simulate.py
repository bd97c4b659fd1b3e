"""`signoff simulate`: what a policy and a staff would have made of a stretch of traffic."""

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from worker.adapters.policy.loading import load_policy
from worker.cli.failure import Failure
from worker.cli.output import AsJson, print_fields, print_json, print_line, print_table
from worker.domain.approval_policy import ApprovalPolicy
from worker.simulation.staff import StaffError, load_staff
from worker.simulation.traffic import TrafficError, load_traffic

if TYPE_CHECKING:
    from worker.simulation.report import Report


def simulate(
    traffic: Annotated[Path, typer.Option(help="Exceptions with the time of each, one a line.")],
    staff: Annotated[Path, typer.Option(help="Who answers for each role, when, and how fast.")],
    policy: Annotated[Path | None, typer.Option(help="The policy to try; the default one without it.")] = None,
    seed: Annotated[int, typer.Option(help="Decides which answers are approvals.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Try a policy and a staff on traffic: what would wait, at which level, for how long, and what would lapse."""
    told = _simulated(load_policy(policy), staff, traffic, seed)
    if as_json:
        print_json(asdict(told))
    else:
        _print(told)


def _simulated(policy: ApprovalPolicy, staff: Path, traffic: Path, seed: int) -> "Report":
    """Raises Failure for a file that cannot be used."""
    from worker.simulation.house import simulate as simulated  # noqa: PLC0415 - LangGraph: no other command needs it
    from worker.simulation.report import report_on  # noqa: PLC0415

    try:
        teams, arrivals = load_staff(staff), load_traffic(traffic)
    except (StaffError, TrafficError) as error:
        raise Failure(str(error)) from error
    return report_on(asyncio.run(simulated(policy, teams, arrivals, seed=seed)))


def _print(told: "Report") -> None:
    print_fields(
        [
            ("cases", str(told.cases)),
            ("by themselves", f"{told.automatic} ({_share(told.automatic, told.cases)})"),
            ("ended", ", ".join(f"{count} {state}" for state, count in sorted(told.outcomes.items()))),
            *([("refused", f"{told.dead_letters} events, as dead letters")] if told.dead_letters else []),
        ]
    )
    if told.levels:
        print_line()
        print_table(
            ("level", "asked", "answered", "lapsed", "half within", "9 of 10 within", "longest"),
            [
                (
                    figures.level,
                    str(figures.asked),
                    str(figures.answered),
                    str(figures.lapsed),
                    _length(figures.p50_s),
                    _length(figures.p90_s),
                    _length(figures.longest_s),
                )
                for figures in told.levels
            ],
            long=(),
        )
    print_line()
    print_table(
        ("role", "people", "hours of answering each"),
        [(figures.role, str(figures.people), str(figures.hours_each)) for figures in told.roles],
        long=(),
    )


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "none"


def _length(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, hours = round(seconds / 60), seconds / 3600
    return f"{minutes} min" if minutes < 120 else f"{hours:.1f} h" if hours < 72 else f"{hours / 24:.1f} days"
