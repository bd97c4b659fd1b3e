"""Somebody who wants what is not theirs: hostile decisions about real questions, none of which may ever take effect."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from random import Random
from types import TracebackType
from typing import Self

from producer_scripts.envelopes import Mode, outgoing
from schemas.catalogue import ORDER_EXCEPTIONS, REVIEW_DECISIONS
from schemas.events import PaymentFailed, ReviewDecided
from tests.builders import Event
from tests.chaos.agenda import Agenda
from tests.chaos.answers import letter
from tests.chaos.history import History
from tests.chaos.hostile_scenes import suiting
from tests.chaos.mail import Letter, Post, Story
from tests.chaos.screens import Question, Screens
from tests.chaos.shop import CANARIES, Shop
from tests.chaos.staff import Staff, respelt

ATTACKED = 0.6
"""Share of questions."""

MOST_ATTACKS = 3
LONGEST_WAIT_S = 1.5


@dataclass(frozen=True, slots=True)
class Attack:
    """`event` is the decision or command as it would be read; `instead` is sent in its place where nobody could read
    that, or where it is something else that goes to another topic. Its id is unique, but for that of a replay."""

    name: str
    event: Event
    instead: Letter | None = None


class Adversary:
    """It attacks questions as they are asked, and cases that ended, until `rest`. `sent` counts by class."""

    def __init__(self, dice: Random, kafka: str, prefix: str, history: History, shop: Shop) -> None:
        self._dice, self._shop = dice, shop
        self._post = Post(kafka, prefix, history)
        self._agenda = Agenda()
        self._screens = Screens(shop.staff, asked=self._asked)
        self._inbox = self._screens.inbox(kafka, prefix)
        self._is_resting = False
        self.sent = Counter[str]()

    async def open(self) -> None:
        await self._post.__aenter__()
        self._agenda.open()
        self._inbox.open()

    async def close(self) -> None:
        """Raises what went wrong."""
        await self._inbox.close()
        try:
            await self._agenda.close()
        finally:
            await self._post.__aexit__(None, None, None)

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def rest(self) -> None:
        """Nothing more is sent, but for what is under way."""
        self._is_resting = True

    def _asked(self, question: Question) -> None:
        if self._dice.random() < ATTACKED:
            for _ in range(self._dice.randint(1, MOST_ATTACKS)):
                self._agenda.after(self._dice.uniform(0, LONGEST_WAIT_S), partial(self._attack, question))

    async def _attack(self, question: Question) -> None:
        """Rather in a way that came seldom."""
        if self._is_resting:
            return
        ways = [*suiting(question, self._shop, self._dice), *self._own_ways(question)]
        name, build = min(ways, key=lambda way: self.sent[way[0]] + 2 * self._dice.random())
        built = build()
        attack = built if isinstance(built, Attack) else Attack(name, built)
        self.sent[name] += 1
        by_itself = partial(letter, attack.event, question.key, self._dice, command="command" in attack.event)
        await self._post.send(attack.instead or by_itself(), self._told(attack, question))

    def _told(self, attack: Attack, question: Question) -> Story:
        """An id that nobody can read is none."""
        event = attack.event
        by = event.get("reviewer") or event.get("by")
        claimed = by.get("id") if isinstance(by, dict) else None
        reviewer = claimed if isinstance(claimed, str) else None
        return {
            "class": attack.name,
            "hostile": True,
            "decision_id": None if attack.instead else event.get("decision_id") or event.get("command_id"),
            "approval_id": event.get("approval_id"),
            "exception_id": event.get("exception_id") or question.exception_id,
            "level": question.level,
            "verdict": event.get("verdict"),
            "reviewer": reviewer,
            "person": self._shop.staff.person(reviewer) if reviewer else None,
        }

    # Its own ways, besides those of the fuzz

    def _own_ways(self, question: Question) -> Iterator[tuple[str, Callable[[], Event | Attack]]]:
        dice, staff = self._dice, self._shop.staff
        honest = partial(_honest, question, staff, dice)
        yield "forged_seal", lambda: {**honest(), "review_hash": _forged(question, dice)}
        yield "level_that_nobody_has", lambda: {**honest(), "level": dice.choice(["ceo", question.level.title()])}
        yield "roles_of_everybody", lambda: {**honest(), "reviewer": {"id": "user:hana", "roles": _EVERY_ROLE}}
        yield "somebody_from_outside", lambda: {**honest(), "reviewer": {"id": "user:zoe", "roles": _EVERY_ROLE}}
        for name, spoil in _SPOILT.items():
            yield name, partial(_illegible, name, honest, spoil, question.key)
        if self._barred(question):
            yield "who_signed_before", lambda: {**honest(), "reviewer": {"id": self._signer(question, spelt=False)}}
            yield "who_signed_before_respelt", lambda: {**honest(), "reviewer": {"id": self._signer(question)}}
        if closed := [each for each in self._screens.questions.values() if not each.is_open]:
            yield "question_that_is_closed", lambda: _honest(dice.choice(closed), staff, dice)
        if self._screens.outcomes:
            yield "case_that_has_ended", lambda: self._about_an_ended_case(honest())
        if paid := [outcome for outcome in self._screens.outcomes.values() if outcome["payment_reference"]]:
            yield _SAID_TO_HAVE_FAILED, lambda: _said_to_have_failed(dice.choice(paid), honest())
        if replays := [receipt for receipt in self._screens.accepted.values() if _is_another(receipt, question)]:
            yield (
                "replay_of_an_accepted_id",
                lambda: {**honest(), "decision_id": dice.choice(replays)["decision_id"]},
            )

    def _barred(self, question: Question) -> list[str]:
        """Who signed this question, or another level. A vote of this level for what a colleague then changed is void,
        and may be given again."""
        shown = question.needed["signed_by"]
        void = {self._shop.staff.person(each["reviewer"]) for each in shown if each["level"] == question.level}
        fixed = {self._shop.staff.person(each["reviewer"]) for each in shown if each["level"] != question.level}
        return sorted(fixed | (question.signed - void))

    def _signer(self, question: Question, *, spelt: bool = True) -> str:
        id_ = f"user:{self._dice.choice(self._barred(question))}"
        return respelt(id_, self._dice) if spelt else id_

    def _about_an_ended_case(self, event: Event) -> Event:
        del event["approval_id"]
        return {**event, "exception_id": self._dice.choice(list(self._screens.outcomes))}


_SAID_TO_HAVE_FAILED = "payment_said_to_have_failed"
_EVERY_ROLE = ["manager", "director", "board", "desk", "lead", "duty", "admin", "*"]


def _honest(question: Question, staff: Staff, dice: Random) -> Event:
    """What would take effect as it stands, if the question is open still."""
    able = staff.who_may(question.role, frozenset({*question.signed, question.requester}))
    reviewer = dice.choice(able or staff.who_may(question.role))
    return {
        "decision_id": f"X-{dice.getrandbits(96):x}",
        "approval_id": question.approval_id,
        "verdict": dice.choice(["approve", "approve", "reject"]),
        "reviewer": {"id": reviewer.id, "roles": list(reviewer.roles)},
        "comment": f"{dice.choice(CANARIES)} said so",
    }


def _is_another(receipt: Event, question: Question) -> bool:
    return bool(receipt["approval_id"] != question.approval_id)


def _forged(question: Question, dice: Random) -> str:
    seal = str(question.needed["review_hash"])
    return dice.choice(["0" * 64, seal[:-1], f"{seal}0", seal[::-1] if seal != seal[::-1] else "x", "x"])


def _illegible(name: str, honest: Callable[[], Event], spoil: Callable[[Event], bytes], key: str) -> Attack:
    event = honest()
    headers = outgoing(ReviewDecided.TYPE, {}, key=key, mode=Mode.BINARY).headers
    return Attack(name, event, Letter(REVIEW_DECISIONS.name, key, spoil(event), headers))


def _said_to_have_failed(outcome: Event, event: Event) -> Attack:
    """Whoever believes it pays a second time."""
    report = {
        "idempotency_key": f"signoff:{outcome['case_id']}:1",
        "payment_reference": outcome["payment_reference"],
        "reason": "the card was closed",
        "provider": "http",
    }
    record = outgoing(PaymentFailed.TYPE, report, key=str(outcome["order_id"]), mode=Mode.BINARY)
    instead = Letter(ORDER_EXCEPTIONS.name, str(outcome["order_id"]), record.value, record.headers)
    about = {"approval_id": None, "exception_id": outcome["exception_id"], "verdict": None}
    return Attack(_SAID_TO_HAVE_FAILED, {**event, **about}, instead)


def _verdict_twice(event: Event) -> bytes:
    """Whether it approves hangs on the reader."""
    return b'{"verdict": "reject", ' + json.dumps({**event, "verdict": "approve"}).encode()[1:]


def _not_a_number(event: Event) -> bytes:
    changes = {"amount": {"amount_minor": float("nan"), "currency": "USD"}}
    return json.dumps({**event, "verdict": "modify", "changes": changes}).encode()


def _too_deep(event: Event) -> bytes:
    return json.dumps({**event, "extra": 0}).encode().replace(b'"extra": 0', b'"extra": ' + b"[" * 400 + b"]" * 400)


def _not_utf8(event: Event) -> bytes:
    return json.dumps(event).encode().replace(b"said so", b"said \xff so")


_SPOILT: dict[str, Callable[[Event], bytes]] = {
    "verdict_named_twice": _verdict_twice,
    "amount_that_is_not_a_number": _not_a_number,
    "deeper_than_anybody_reads": _too_deep,
    "letters_that_are_none": _not_utf8,
}
"""What nobody can read in one way only: it is no decision at all."""
