"""What a simulated house tells: what went by itself, what waited for whom and how long, and what lapsed."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from worker.domain.approval import ApprovalRequest, Closing
from worker.simulation.house import House

ANSWERED = frozenset({Closing.APPROVED, Closing.MODIFIED, Closing.REJECTED})
BY_THE_CLOCK = "system"


@dataclass(frozen=True, slots=True)
class LevelFigures:
    """Of one level: how many questions it was asked, how many people answered, how many lapsed, and how long an answer
    took (seconds; None where nobody answered)."""

    level: str
    asked: int
    answered: int
    lapsed: int
    p50_s: float | None
    p90_s: float | None
    longest_s: float | None


@dataclass(frozen=True, slots=True)
class RoleFigures:
    """Of one role: its people, and how many hours of handling each of them had on the average."""

    role: str
    people: int
    hours_each: float


@dataclass(frozen=True, slots=True)
class Report:
    cases: int
    automatic: int
    outcomes: dict[str, int]
    dead_letters: int
    levels: tuple[LevelFigures, ...]
    roles: tuple[RoleFigures, ...]


def report_on(house: House) -> Report:
    cases = [row.case for row in house.database.cases.values()]
    asked: defaultdict[str, list[ApprovalRequest]] = defaultdict(list)
    for row in house.database.approvals.values():
        asked[row.approval.question.level.name].append(row.approval)
    return Report(
        cases=len(cases),
        automatic=sum(case.automatic for case in cases),
        outcomes=dict(Counter(case.state.value for case in cases)),
        dead_letters=len(house.database.dead_letters),
        levels=tuple(_level(name, requests) for name, requests in asked.items()),
        roles=tuple(_role(role, house) for role in dict.fromkeys(person.role for person in house.people)),
    )


def _level(name: str, requests: Sequence[ApprovalRequest]) -> LevelFigures:
    waits = sorted(
        (request.closed_at - request.requested_at).total_seconds()
        for request in requests
        if request.closed_at is not None and request.closed_as in ANSWERED and request.closed_by != BY_THE_CLOCK
    )
    lapsed = sum(request.closed_by == BY_THE_CLOCK for request in requests)
    return LevelFigures(
        level=name,
        asked=len(requests),
        answered=len(waits),
        lapsed=lapsed,
        p50_s=_quantile(waits, 0.5),
        p90_s=_quantile(waits, 0.9),
        longest_s=waits[-1] if waits else None,
    )


def _quantile(waits: Sequence[float], share: float) -> float | None:
    """The nearest rank."""
    return waits[min(len(waits) - 1, int(len(waits) * share))] if waits else None


def _role(role: str, house: House) -> RoleFigures:
    people = [person for person in house.people if person.role == role]
    busy = sum((person.busy for person in people), timedelta())
    return RoleFigures(role, len(people), round(busy / timedelta(hours=1) / len(people), 1))
