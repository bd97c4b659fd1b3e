"""The shortest schedule that still fails."""

from collections.abc import Iterator
from dataclasses import replace

from tests.simulation.plan import Plan
from tests.simulation.world import simulate


def shortest(plan: Plan) -> Plan:
    """With as few kinds of faults, workers, days, faults and cases as still fail. Another plan is another schedule, so
    what it finds may be another way to the same end."""
    for name in plan.faults:
        plan = _lesser(plan, [replace(plan, faults=tuple(fault for fault in plan.faults if fault != name))])
    plan = _lesser(plan, (replace(plan, workers=workers) for workers in range(1, plan.workers)))
    plan = _lesser(plan, (replace(plan, days=days) for days in (0.25, 1.0) if days < plan.days))
    plan = _lesser(plan, (replace(plan, trouble=share) for share in (0.005, 0.01, 0.02)))
    return _lesser(plan, (replace(plan, cases=cases) for cases in range(1, min(plan.cases, 12))))


def _lesser(plan: Plan, candidates: Iterator[Plan] | list[Plan]) -> Plan:
    return next((candidate for candidate in candidates if _fails(candidate)), plan)


def _fails(plan: Plan) -> bool:
    try:
        simulate(plan)
    except AssertionError:
        return True
    return False
