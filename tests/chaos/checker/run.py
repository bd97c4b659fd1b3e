"""A run, joined: each thing by its id, and what belongs together side by side. Each is read when first asked for."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, TypeVar

from tests.chaos.checker.events import Published
from tests.chaos.checker.folder import INPUTS, Folder, Row, seconds
from tests.chaos.checker.history import Answer, Request, answer_of, request_of
from tests.chaos.checker.ledger import Books, Effect, Movement, effects_of
from tests.chaos.checker.people import People
from tests.chaos.checker.records import RAISED, Message, Part, Place, Record, input_records
from tests.chaos.checker.tables import Approval, Case, DeadLetter, Decision, InboxRow, Intent

Key = TypeVar("Key")
Thing = TypeVar("Thing")


class Run:
    """Times are seconds since 1970, by the clocks of the database, the payment service and the harness: workers' own
    clocks may be wrong."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    @cached_property
    def plan(self) -> dict[str, Any]:
        plan: dict[str, Any] = self.folder.document("plan")
        return plan

    @cached_property
    def prefix(self) -> str:
        return str(self.plan.get("topic_prefix", ""))

    # What the parties say

    @cached_property
    def harness(self) -> list[Row]:
        return list(self.folder.history("harness"))

    @cached_property
    def requests(self) -> list[Request]:
        rows = self.folder.history("traffic")
        return [request_of(row, self.prefix) for row in rows if row["event"] == "sent"]

    @cached_property
    def answers(self) -> list[Answer]:
        rows = (row for party in ("people", "adversary") for row in self.folder.history(party))
        return [answer_of(row, self.prefix) for row in rows if row["event"] == "sent"]

    @cached_property
    def answers_by_id(self) -> dict[str, list[Answer]]:
        return grouped((each for each in self.answers if each.decision_id), lambda each: str(each.decision_id))

    @cached_property
    def rested_at(self) -> float:
        """When all was quiet and was written down: what happens later is the replay's doing."""
        began = [row["at"] for row in self.harness if row["event"] == "replay-began"]
        return began[-1] if began else float("inf")

    @cached_property
    def workers_knew_the_time(self) -> bool:
        """Whether no worker's clock was set wrong: executors stamp their effects with it."""
        return all(row.get("fault") != "clock-step" for row in self.harness)

    # The shop's truth

    @cached_property
    def people(self) -> People:
        return People(self.folder.document("reviewers"))

    @cached_property
    def levels(self) -> dict[str, dict[str, Any]]:
        """What the shop says of its levels, in the order in which they sign; each has a `role`."""
        levels: dict[str, dict[str, Any]] = self.folder.document("levels")
        return levels

    @cached_property
    def orders(self) -> dict[str, dict[str, Any]]:
        orders: dict[str, dict[str, Any]] = self.folder.document("orders")
        return orders

    @cached_property
    def books(self) -> Books:
        return Books(self.folder.payments())

    @cached_property
    def movements_of(self) -> dict[str, list[Movement]]:
        """By case: those that took effect."""
        return grouped((each for each in self.books.movements if each.took_effect), lambda each: each.case_id)

    @cached_property
    def effects(self) -> list[Effect]:
        return effects_of(self.folder.effects())

    @cached_property
    def effects_of(self) -> dict[str, list[Effect]]:
        """By case."""
        return grouped(self.effects, lambda each: each.case_id)

    @cached_property
    def names_of_effects(self) -> frozenset[str]:
        return frozenset(effect.action.name for effect in self.effects)

    # Topics

    @cached_property
    def records(self) -> dict[Place, Record]:
        return {record.place: record for topic in INPUTS for record in input_records(self.folder.first, topic)}

    @cached_property
    def published(self) -> Published:
        return Published(self.folder.first)

    @cached_property
    def published_after_replay(self) -> Published:
        return Published(self.folder.replayed)

    # Tables

    @cached_property
    def cases(self) -> dict[str, Case]:
        return {case.case_id: case for case in map(Case.of, self.folder.first.table("cases"))}

    @cached_property
    def cases_of(self) -> dict[str, list[Case]]:
        """By exception."""
        return grouped(self.cases.values(), lambda case: case.exception_id)

    @cached_property
    def approvals(self) -> dict[str, Approval]:
        return {each.approval_id: each for each in map(Approval.of, self.folder.first.table("approvals"))}

    @cached_property
    def approvals_of(self) -> dict[str, list[Approval]]:
        """By case, in the order in which they were asked."""
        return grouped(sorted(self.approvals.values(), key=lambda each: each.order), lambda each: each.case_id)

    @cached_property
    def decisions(self) -> dict[str, Decision]:
        return {each.decision_id: each for each in map(Decision.of, self.folder.first.table("decisions"))}

    @cached_property
    def decisions_of(self) -> dict[str, list[Decision]]:
        """By case: those that took effect, in the order in which they did."""
        effective = [each for each in self.decisions.values() if each.is_effective and each.case_id is not None]
        return grouped(sorted(effective, key=lambda each: each.received_at), lambda each: str(each.case_id))

    @cached_property
    def commands_of(self) -> dict[str, list[Decision]]:
        """By approval request: who took it or handed it over."""
        effective = [each for each in self.decisions.values() if each.command and each.code == "RECORDED"]
        return grouped(effective, lambda each: str(each.approval_id))

    @cached_property
    def intents(self) -> dict[str, Intent]:
        return {each.key: each for each in map(Intent.of, self.folder.first.table("intents"))}

    @cached_property
    def inbox(self) -> dict[Part, InboxRow]:
        return {row.part: row for row in map(InboxRow.of, self.folder.first.table("inbox"))}

    @cached_property
    def raised_rows(self) -> dict[str, list[InboxRow]]:
        """By exception: all messages that raised it, in the order in which they came in."""
        raised = (row for row in self.inbox.values() if row.type == RAISED and row.refers_to)
        return grouped(sorted(raised, key=lambda row: row.received_at), lambda row: str(row.refers_to))

    @cached_property
    def answered_rows(self) -> dict[str, list[InboxRow]]:
        """By the id that a receipt names: all messages that want one."""
        return grouped((row for row in self.inbox.values() if row.answer_id), lambda row: str(row.answer_id))

    @cached_property
    def dead_letters(self) -> dict[Part, DeadLetter]:
        return {each.part: each for each in map(DeadLetter.of, self.folder.first.table("dead_letters"))}

    @cached_property
    def committed_at(self) -> dict[str, float]:
        """By event id: when the transaction of the event began."""
        rows = self.folder.first.table("outbox")
        return {row["event_id"]: seconds(row["created_at"]) or 0.0 for row in rows}

    # What belongs to what

    def message(self, part: Part) -> Message | None:
        """What was sent, in the record's own bytes."""
        record = self.records.get(part[:3])
        return record.messages[part[3]] if record and part[3] < len(record.messages) else None

    def came_at(self, answer_id: str) -> float:
        """When the database first had it; 0 for what never came."""
        return min((row.received_at for row in self.answered_rows.get(answer_id, ())), default=0.0)

    @cached_property
    def _requests_by_seal(self) -> dict[tuple[str, str], Request]:
        return {(each.exception_id, each.sha256): each for each in self.requests if each.exception_id is not None}

    @cached_property
    def _demands(self) -> dict[str, Request | None]:
        return {}

    def opened_by(self, case: Case) -> list[InboxRow]:
        """The messages that ask for what this case is about, and were not refused."""
        rows = self.raised_rows.get(case.exception_id, ())
        return [row for row in rows if row.raised == case.content and row.part not in self.dead_letters]

    def demand(self, case: Case) -> Request | None:
        """What was really sent for this case, and what the shop demands for it; None where nobody sent it."""
        if case.case_id not in self._demands:
            self._demands[case.case_id] = self._find_demand(case)
        return self._demands[case.case_id]

    def _find_demand(self, case: Case) -> Request | None:
        for row in self.opened_by(case):
            record = self.records.get(row.place)
            found = self._requests_by_seal.get((case.exception_id, record.sha256)) if record else None
            if found is not None:
                return found
        return None


def grouped(things: Iterable[Thing], key: Callable[[Thing], Key]) -> dict[Key, list[Thing]]:
    """In the order in which they come."""
    groups: dict[Key, list[Thing]] = defaultdict(list)
    for thing in things:
        groups[key(thing)].append(thing)
    return dict(groups)
