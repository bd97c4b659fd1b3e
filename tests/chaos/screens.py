"""What people see: the questions that wait for them, read from the topics as any approval screen would."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiokafka import ConsumerRecord

from schemas.catalogue import APPROVALS, DECISION_RECEIPTS, ORDER_OUTCOMES
from schemas.events import ApprovalNeeded, ApprovalUpdated
from tests.builders import Event
from tests.chaos.mail import Inbox
from tests.chaos.staff import Staff

TOOK_EFFECT = frozenset({"ACCEPTED", "RECORDED"})


@dataclass
class Question:
    """`needed` is the event that asked it. `signed` are the persons who have signed the case so far as is known."""

    needed: Event
    signed: set[str]
    requester: str
    is_open: bool = True
    held_by: str | None = None
    closed_as: str | None = None

    @property
    def approval_id(self) -> str:
        return str(self.needed["approval_id"])

    @property
    def exception_id(self) -> str:
        return str(self.needed["exception_id"])

    @property
    def level(self) -> str:
        return str(self.needed["level"]["name"])

    @property
    def role(self) -> str:
        return str(self.needed["role"])

    @property
    def key(self) -> str:
        return str(self.needed["order_id"] or self.needed["exception_id"])

    @property
    def proposal(self) -> dict[str, Any]:
        proposal: dict[str, Any] = self.needed["proposal"]
        return proposal

    @property
    def allowed(self) -> list[str]:
        return list(self.needed["allowed_verdicts"])


def _nobody(*_: Any) -> None:
    pass


@dataclass
class Screens:
    """All questions by their approval id, and how cases ended by their exception id.

    `asked`, `closed` and `answered` are called once for each question that appears open, each that is withdrawn, and
    each receipt.
    """

    staff: Staff
    asked: Callable[[Question], None] = _nobody
    closed: Callable[[Question], None] = _nobody
    answered: Callable[[Event], None] = _nobody
    questions: dict[str, Question] = field(default_factory=dict)
    outcomes: dict[str, Event] = field(default_factory=dict)
    accepted: dict[str, Event] = field(default_factory=dict)
    """Receipts of decisions that took effect, by their id."""
    _open: dict[str, Question] = field(default_factory=dict)
    _closed_before: dict[str, str | None] = field(default_factory=dict)
    _receipts: set[str] = field(default_factory=set)

    @property
    def open(self) -> list[Question]:
        return list(self._open.values())

    def inbox(self, kafka: str, prefix: str) -> Inbox:
        """What keeps them up to date, from the first record on."""
        return Inbox(kafka, prefix, [APPROVALS.name, DECISION_RECEIPTS.name, ORDER_OUTCOMES.name], self.handle)

    async def handle(self, topic: str, record: ConsumerRecord) -> None:
        headers = {name: value.decode() for name, value in record.headers}
        event = json.loads(record.value)
        if topic == DECISION_RECEIPTS.name:
            self._receipt(headers["ce_id"], event)
        elif topic == ORDER_OUTCOMES.name:
            self._outcome(event)
        elif headers["ce_type"] == ApprovalNeeded.TYPE:
            self._needed(event)
        elif headers["ce_type"] == ApprovalUpdated.TYPE:
            self._updated(event)

    def _needed(self, event: Event) -> None:
        if event["approval_id"] in self.questions:
            return
        signed = {self.staff.person(signature["reviewer"]) for signature in event["signed_by"]}
        question = Question(event, signed, self.staff.person(event["requested_by"]))
        self.questions[question.approval_id] = self._open[question.approval_id] = question
        if question.approval_id in self._closed_before:
            self._close(question, self._closed_before.pop(question.approval_id))
        elif question.exception_id in self.outcomes:
            self._close(question, None)
        else:
            self.asked(question)

    def _updated(self, event: Event) -> None:
        question = self.questions.get(event["approval_id"])
        if event["change"] == "closed":
            if question is None:
                self._closed_before[event["approval_id"]] = event["reason"]
            else:
                self._close(question, event["reason"])
        elif question is not None:
            question.held_by = event["assignee"]
            question.needed["role"] = event["role"] or question.role

    def _receipt(self, event_id: str, event: Event) -> None:
        if event_id in self._receipts:
            return
        self._receipts.add(event_id)
        question = self.questions.get(event["approval_id"] or "")
        if event["code"] in TOOK_EFFECT:
            self.accepted.setdefault(event["decision_id"], event)
            if question is not None and event["decided_by"]:
                question.signed.add(self.staff.person(event["decided_by"]))
        self.answered(event)

    def _outcome(self, event: Event) -> None:
        self.outcomes.setdefault(event["exception_id"], event)
        for question in [each for each in self.open if each.exception_id == event["exception_id"]]:
            self._close(question, None)

    def _close(self, question: Question, reason: str | None) -> None:
        if question.is_open:
            question.is_open, question.closed_as = False, reason
            self._open.pop(question.approval_id, None)
            self.closed(question)
