"""A real question seen as a scene of the fuzz, so that its hostile decisions can be sent to running workers.

Between the building of a decision and its reading, anything may happen to the case. So each names its question by
the approval id, whatever the fuzz does, and classes that are hostile only as long as nothing happens are left out.
"""

from collections.abc import Callable
from random import Random
from types import SimpleNamespace
from typing import Any, cast

from tests.builders import Event
from tests.chaos.screens import Question
from tests.chaos.shop import Shop
from tests.chaos.staff import REQUESTER
from tests.fuzz import hostile_changes, hostile_forms
from tests.fuzz.hostile import CLASSES, Hostile
from tests.fuzz.scenes import ACTIONS, House, Scene
from worker.domain.approval import ApprovalRequest

assert hostile_changes, hostile_forms  # their import enters their classes

_MAY_COME_TRUE = frozenset(
    {
        "level_that_is_not_asked",
        "level_that_is_signed",
        "question_that_somebody_holds",
        "more_than_is_left_by_now",
    }
)
"""What is wrong with these may be right a moment later."""

_LOOK_INTO_THE_DESK = frozenset(
    {
        "after_the_deadline",
        "case_executed",
        "case_expired",
        "case_rejected",
        "case_that_needed_nobody",
        "case_withdrawn",
        "no_seal_where_one_is_needed",
        "replay_with_other_content",
        "request_that_is_closed",
        "same_person_twice_in_a_quorum",
        "seal_of_something_else",
        "seal_of_the_level_before",
        "verdict_that_is_not_allowed",
    }
)
"""They are about what the fuzz prepared; the adversary has its own."""

_ABOUT_RICK = frozenset(
    {
        "requester",
        "requester_spelt_otherwise",
        "delegate_of_the_requester",
        "question_handed_to_its_requester",
        "question_claimed_by_its_requester",
    }
)
_ABOUT_MARIA = frozenset(
    {"same_person_at_two_levels", "same_person_spelt_otherwise", "question_handed_to_who_has_signed"}
)
_OFFERS_MORE = "choice_that_pays_more"
_MOST_OFFERED = 19_000
"""What the second of the fuzz' alternatives pays, in minor units."""

LEFT_OUT = _MAY_COME_TRUE | _LOOK_INTO_THE_DESK
UNDER_CONDITIONS = _ABOUT_RICK | _ABOUT_MARIA | {_OFFERS_MORE}
FROM_THE_FUZZ = tuple(each for each in CLASSES if each.name not in LEFT_OUT)


class LiveScene(Scene):
    """`may` are the ids of people who could answer the question, were they asked to do so honestly."""

    def __init__(self, question: Question, shop: Shop, dice: Random) -> None:
        may = shop.staff.who_may(question.role, frozenset({*question.signed, question.requester}))
        house = SimpleNamespace(dice=dice, registered=True, requires_hash=False)
        super().__init__(
            kind=_kind(question),
            house=cast("House", house),
            name=question.exception_id,
            may=tuple(one.id for one in may),
            most_minor=(question.proposal["amount"] or {"amount_minor": 0})["amount_minor"],
        )
        self._question = question

    @property
    def approval(self) -> ApprovalRequest:
        """As much of it as an event tells."""
        needed = self._question.needed
        level = SimpleNamespace(name=self._question.level)
        seen = SimpleNamespace(
            approval_id=needed["approval_id"],
            case_id=needed["case_id"],
            role=self._question.role,
            review_hash=needed["review_hash"],
            question=SimpleNamespace(level=level),
        )
        return cast("ApprovalRequest", seen)

    def decision(self, verdict: str | None = "approve", **fields: Any) -> Event:
        event = super().decision(verdict, **fields)
        if "exception_id" in event and "exception_id" not in fields:
            del event["exception_id"]
            event["approval_id"] = self._question.approval_id
        return event


def suiting(question: Question, shop: Shop, dice: Random) -> list[tuple[str, Callable[[], Event]]]:
    """The hostile decisions of the fuzz that are hostile to this question for ever."""
    scene = LiveScene(question, shop, dice)
    if not scene.may:
        return []
    return [
        (each.name, _built(each, scene)) for each in FROM_THE_FUZZ if each.suits(scene) and _is_true_of(each, question)
    ]


def _built(each: Hostile, scene: Scene) -> Callable[[], Event]:
    return lambda: each.build(scene)


def _is_true_of(each: Hostile, question: Question) -> bool:
    if each.name in _ABOUT_RICK:
        return bool(question.needed["requested_by"] == REQUESTER)
    if each.name in _ABOUT_MARIA:
        return "maria" in question.signed
    if each.name == _OFFERS_MORE:
        offered, amount = question.needed["alternatives"], question.proposal["amount"]
        return len(offered) > 1 and amount["amount_minor"] < _MOST_OFFERED
    return True


def _kind(question: Question) -> str:
    """Which scene of the fuzz it is like. Those about money speak of dollars."""
    proposal = question.proposal
    if proposal["actions"]:
        asked = [{"name": action["name"], "args": action["args"]} for action in proposal["actions"]]
        return "tool calls" if asked == list(ACTIONS) else "something else"
    amount = proposal["amount"]
    if amount is None or amount["currency"] != "USD" or proposal["method"] is None:
        return "something else"
    if question.level == "board":
        return "quorum"
    return "single" if question.needed["level"]["number"] == 1 else "second level"
