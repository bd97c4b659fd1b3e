"""Policies in Python, for tests of the core that want no file: levels in signing order, and rules that always or
sometimes fire."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from schemas.values import Money, OnTimeout, PolicyReference, Risk, Verdict
from worker.domain.approval_policy import ApprovalPolicy, Level, Rule
from worker.domain.order_exception import Facts

ALL_VERDICTS = tuple(Verdict)


def level(name: str, **fields: Any) -> Level:
    """A level of one day with every verdict, whose role has its name, rejected when nobody decides."""
    known: dict[str, Any] = {
        "role": name,
        "due_in": timedelta(days=1),
        "on_timeout": OnTimeout.REJECT,
        "allowed_verdicts": ALL_VERDICTS,
        **fields,
    }
    return Level(name=name, **known)


def rule(*levels: str, when: Callable[[Facts], bool] = lambda facts: True, **fields: Any) -> Rule:
    """Fires for every case unless `when` says otherwise."""
    known: dict[str, Any] = {"id": f"needs-{'-and-'.join(levels)}", "risk": Risk.MEDIUM, **fields}
    return Rule(applies=when, says=lambda facts: "the test asks for it", levels=levels, **known)


def policy(*levels: Level, rules: tuple[Rule, ...] | None = None, **fields: Any) -> ApprovalPolicy:
    """Without rules of its own every level is needed for every case."""
    return ApprovalPolicy(
        reference=PolicyReference(name="test", version="0123456789abcdef"),
        rules=rules if rules is not None else (rule(*(one.name for one in levels)),),
        levels={one.name: one for one in levels},
        **fields,
    )


def over(amount: Money) -> Callable[[Facts], bool]:
    """Whether more than this is asked for."""

    def asks_more(facts: Facts) -> bool:
        asked = facts.exception.amount
        return asked is not None and asked.amount_minor > amount.amount_minor

    return asks_more
