"""Hostile decisions, with valid ones among them: none of the first takes effect, none of the second is refused, and
each is answered once.

An episode is one question: hostile decisions come first, one by one, and after each the case is as it was; then a valid
one comes. Sometimes all of them come as one batch, in any order.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from random import Random

from schemas.values import ReceiptCode
from tests.builders import Event
from tests.fuzz import hostile_changes, hostile_forms  # noqa: F401 - they enter their classes
from tests.fuzz.errors_logged import errors_logged
from tests.fuzz.hostile import CLASSES, Hostile
from tests.fuzz.records import Violation
from tests.fuzz.scenes import STAGES, House, Scene, open_house
from tests.fuzz.valid_decisions import a_final_one, a_valid_one
from tests.unit.application import invariants

EPISODES_OF_A_HOUSE = 20
HOSTILE_OF_AN_EPISODE = 4
BATCHED = 0.15

HOLDS = (
    invariants.a_case_has_one_outcome_or_a_reason_to_have_none,
    invariants.an_order_never_gives_back_more_than_it_captured,
    invariants.what_was_approved_is_paid_or_in_hand_or_a_failure_that_is_seen,
    invariants.each_decision_is_answered_once,
    invariants.the_audit_trail_holds,
)
TOOK_EFFECT = frozenset({ReceiptCode.ACCEPTED, ReceiptCode.RECORDED})
ANY_REFUSAL = frozenset(ReceiptCode) - TOOK_EFFECT


@dataclass
class Tally:
    """`by_class` counts what was sent, `by_code` how it was answered."""

    hostile: int = 0
    hostile_accepted: int = 0
    valid: int = 0
    valid_refused: int = 0
    batches: int = 0
    by_class: Counter[str] = field(default_factory=Counter)
    by_code: Counter[str] = field(default_factory=Counter)
    by_code_and_class: dict[str, Counter[str]] = field(default_factory=dict)
    valid_by_scene: Counter[str] = field(default_factory=Counter)
    valid_by_verdict: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Sent:
    """A decision, and how it may be answered; `of` is its class, None for a valid one."""

    event: Event
    codes: frozenset[ReceiptCode]
    of: str | None

    @property
    def id(self) -> str:
        return str(self.event.get("decision_id") or self.event["command_id"]).strip()


async def fuzz_decisions(hostile: int, seed: int) -> Tally:
    """Sends so many hostile decisions, and a fourth as many valid ones. Raises Violation."""
    tally = Tally()
    number = 0
    while tally.hostile < hostile:
        dice = Random(f"{seed}/decisions/{number}")  # noqa: S311 - a schedule, not a secret
        with errors_logged() as heard:
            await _Sitting(await open_house(dice), tally, f"seed {seed}, house {number}", heard).run(hostile)
        number += 1
    return tally


class _Sitting:
    """All episodes of a house."""

    def __init__(self, house: House, tally: Tally, name: str, heard: list[str]) -> None:
        self._house = house
        self._dice = house.dice
        self._tally = tally
        self._name = name
        self._heard = heard
        self._sent: list[Sent] = []

    async def run(self, hostile: int) -> None:
        for _ in range(EPISODES_OF_A_HOUSE):
            if self._tally.hostile >= hostile:
                break
            await self._episode(await self._dice.choice(STAGES)(self._house))
        await self._everything_is_answered()

    async def _episode(self, scene: Scene) -> None:
        chosen = self._choose(scene)
        self._tally.hostile += len(chosen)
        self._tally.valid += 1
        self._tally.by_class.update(one.name for one in chosen)
        self._tally.valid_by_scene[scene.kind] += 1
        if self._dice.random() < BATCHED:
            await self._as_a_batch(scene, chosen)
        else:
            await self._one_by_one(scene, chosen)

    def _choose(self, scene: Scene) -> list[Hostile]:
        """Rather those that have come seldom: some suit one scene only."""
        sent = self._tally.by_class
        suiting = [(sent[one.name] + 3 * self._dice.random(), one) for one in CLASSES if one.suits(scene)]
        return [one for _, one in sorted(suiting, key=lambda pair: pair[0])[:HOSTILE_OF_AN_EPISODE]]

    async def _one_by_one(self, scene: Scene, chosen: list[Hostile]) -> None:
        for one in chosen:
            before = self._state(scene)
            sent = Sent(one.build(scene), one.codes, one.name)
            await self._send([sent])
            if self._state(scene) != before:
                raise self._violation(f"a hostile decision changed the case: {self._house.desk.receipts()[-1:]}", sent)
        valid = Sent(a_valid_one(scene), TOOK_EFFECT, None)
        self._tally.valid_by_verdict[str(valid.event.get("verdict", "response"))] += 1
        await self._send([valid])

    async def _as_a_batch(self, scene: Scene, chosen: list[Hostile]) -> None:
        """What comes after the valid one is refused in any case, perhaps because it comes too late."""
        self._tally.batches += 1
        sent = [Sent(one.build(scene), one.codes | ANY_REFUSAL, one.name) for one in chosen]
        decisions = [one for one in sent if "command" not in one.event]
        valid = Sent(a_final_one(scene), TOOK_EFFECT, None)
        self._tally.valid_by_verdict[str(valid.event["verdict"])] += 1
        decisions.insert(self._dice.randint(0, len(decisions)), valid)
        for one in sent:
            if "command" in one.event:
                await self._send([one])
        await self._send(decisions)

    async def _send(self, decisions: list[Sent]) -> None:
        self._sent += decisions
        events = [one.event for one in decisions]
        try:
            await self._house.desk.decides(events[0] if len(events) == 1 else {"decisions": events})
        except Exception as error:
            raise self._violation(f"a use case raised {type(error).__name__}: {error}", decisions[0]) from error
        if self._heard:
            raise self._violation(f"this was logged: {self._heard[0]}", decisions[0])

    def _state(self, scene: Scene) -> tuple[object, ...]:
        """What a decision that takes effect changes. A refusal is noted in the audit trail, and that is all."""
        desk = self._house.desk
        names = (scene.name, *self._house.ended.values(), self._house.overdue)
        cases = [desk.case(name).model_copy(update={"version": 0, "audit_head": ""}) for name in names]
        return (*cases, scene.approval, len(desk.payments.entries), len(desk.executors.effects), len(desk.outcomes()))

    async def _everything_is_answered(self) -> None:
        desk = self._house.desk
        desk.clock.advance(desk.ports.patience.early.total_seconds() + 1)
        while due := await desk.inbox.take_up(1_000):
            for work in due:
                await desk.casework.deliver(work.delivery)
        if desk.dead_letters():
            raise self._violation(f"a decision with a legible id became a dead letter: {desk.dead_letters()[0]}")
        self._look_at_receipts()
        known: invariants.Outcomes = {}
        for holds in HOLDS:
            try:
                holds(desk, known)
            except AssertionError as error:
                raise self._violation(f"{holds.__name__}: {error}") from error
        self._tally.outcomes.update(outcome["status"] for outcome in desk.outcomes())

    def _look_at_receipts(self) -> None:
        """A replay has the id of what it repeats, so that answers are counted off in the order in which they came."""
        answers: dict[str, list[Event]] = {}
        for receipt in self._house.desk.receipts():
            answers.setdefault(receipt["decision_id"], []).append(receipt)
        del answers[self._house.decided][0]
        for sent in self._sent:
            given = answers.get(sent.id)
            if not given:
                raise self._violation("it was not answered", sent)
            self._judge(sent, given.pop(0))
        for sent in self._sent:
            if answers[sent.id]:
                raise self._violation("it was answered twice", sent)

    def _judge(self, sent: Sent, receipt: Event) -> None:
        tally, code = self._tally, ReceiptCode(receipt["code"])
        tally.by_code[code] += 1
        tally.by_code_and_class.setdefault(sent.of or "valid", Counter())[code] += 1
        if receipt["accepted"] != (code in TOOK_EFFECT):
            raise self._violation(f"the receipt contradicts itself: {receipt}", sent)
        tally.hostile_accepted += sent.of is not None and receipt["accepted"]
        tally.valid_refused += sent.of is None and not receipt["accepted"]
        if code not in sent.codes:
            raise self._violation(f"answered with {code}: {receipt['message']}", sent)

    def _violation(self, problem: str, sent: Sent | None = None) -> Violation:
        shown = "" if sent is None else f"\n{sent.of or 'valid'}: {json.dumps(sent.event):.3000}"
        return Violation(f"{self._name}: {problem}{shown}")
