"""Cases in every state in which a release can leave them, and how each must end under a later one.

`begin` is told by the release that is kept, `finish` by whoever comes after it. A story that a kept release holds is
never changed in its first half; the second half says what must go on holding.
"""

from abc import ABC, abstractmethod
from datetime import timedelta
from typing import ClassVar

from tests.acceptance.house import PATIENCE_S, Event, died, signatures
from tests.acceptance.people import ADA, BEN, DORA, JONAS, MARIA
from tests.stack.payment_ledger import Fault
from tests.upgrades.clock import let_time_pass
from tests.upgrades.desk import SILENT
from tests.upgrades.premises import Shop

LARGE_ORDER = {"captured": {"amount_minor": 900_000, "currency": "USD"}, "status": "delivered"}

FALLEN = "w0"
"""The worker that dies with a record in its hands: whoever comes next under this name takes it up at once."""

MANY = 10_000
"""Faults: more than anybody meets while a release is kept."""


class Story(ABC):
    """One case, named by its exception id. The docstring is where the release leaves it."""

    name: ClassVar[str]

    @abstractmethod
    async def begin(self, shop: Shop) -> None: ...

    @abstractmethod
    async def finish(self, shop: Shop) -> None: ...

    async def is_executed(self, shop: Shop, paid: int, *signed: tuple[str, str, str]) -> Event:
        outcome = await shop.outcome_of(self.name)
        ended = (outcome["status"], signatures(outcome), shop.paid(self.name))
        assert ended == ("executed", list(signed), [paid]), f"{self.name} ended as {ended}"
        return outcome


class OneLevel(Story):
    """A manager is asked."""

    name = "E-one-level"

    async def begin(self, shop: Shop) -> None:
        await shop.raise_exception(self.name, 15_000)
        await shop.question(self.name, "manager")

    async def finish(self, shop: Shop) -> None:
        shown = await shop.question(self.name, "manager")
        hashes = {"approval_id": shown["approval_id"], "review_hash": shown["review_hash"]}
        assert (await shop.says(MARIA, "approve", self.name, **hashes))["code"] == "ACCEPTED"
        await self.is_executed(shop, 15_000, ("manager", "user:maria", "approve"))


class SecondLevel(Story):
    """The manager has signed, the director is asked."""

    name = "E-second-level"

    async def begin(self, shop: Shop) -> None:
        await shop.raise_exception(self.name, 150_000, order=LARGE_ORDER)
        await shop.question(self.name, "manager")
        await shop.says(MARIA, "approve", self.name)
        await shop.question(self.name, "director")

    async def finish(self, shop: Shop) -> None:
        both = {**MARIA, "roles": ["manager", "director"]}
        assert (await shop.says(both, "approve", self.name))["code"] == "SAME_REVIEWER"
        assert (await shop.says(DORA, "approve", self.name))["code"] == "ACCEPTED"
        signed = (("manager", "user:maria", "approve"), ("director", "user:dora", "approve"))
        await self.is_executed(shop, 150_000, *signed)


class HalfAQuorum(Story):
    """One of two of the board has signed."""

    name = "E-half-a-quorum"

    async def begin(self, shop: Shop) -> None:
        await shop.raise_exception(self.name, 15_000, kind="price_adjustment")
        await shop.question(self.name, "board")
        assert (await shop.says(ADA, "approve", self.name))["code"] == "RECORDED"

    async def finish(self, shop: Shop) -> None:
        assert not (await shop.says(ADA, "approve", self.name))["accepted"]
        assert (await shop.says(BEN, "approve", self.name))["code"] == "ACCEPTED"
        await self.is_executed(shop, 15_000, ("board", "user:ada", "approve"), ("board", "user:ben", "approve"))


class Modified(Story):
    """The manager made it less, the director is asked about that."""

    name = "E-modified"

    async def begin(self, shop: Shop) -> None:
        await shop.raise_exception(self.name, 200_000, order=LARGE_ORDER)
        await shop.question(self.name, "manager")
        less = {"amount": {"amount_minor": 120_000, "currency": "USD"}, "method": "store_credit"}
        await shop.says(MARIA, "modify", self.name, changes=less)
        await shop.question(self.name, "director")

    async def finish(self, shop: Shop) -> None:
        assert (await shop.question(self.name, "director"))["proposal"]["amount"]["amount_minor"] == 120_000
        await shop.says(DORA, "approve", self.name)
        signed = (("manager", "user:maria", "modify"), ("director", "user:dora", "approve"))
        outcome = await self.is_executed(shop, 120_000, *signed)
        assert outcome["method"] == "store_credit"


class SecondRound(Story):
    """The manager wanted to know more, and is asked again."""

    name = "E-second-round"

    async def begin(self, shop: Shop) -> None:
        await shop.raise_exception(self.name, 15_000)
        await shop.question(self.name, "manager")
        await shop.says(MARIA, "request_changes", self.name, comment="where is the photo?")
        await shop.question(self.name, "manager", round=2)

    async def finish(self, shop: Shop) -> None:
        first, second = [await shop.question(self.name, "manager", round=number) for number in (1, 2)]
        stale = await shop.says(JONAS, "approve", self.name, review_hash=first["review_hash"])
        assert stale["code"] == "STALE"
        await shop.says(JONAS, "request_changes", self.name, comment="and the receipt?")
        third = await shop.question(self.name, "manager", round=3)
        assert third["review_hash"] != second["review_hash"]
        await shop.says(JONAS, "approve", self.name, review_hash=third["review_hash"])
        signed = ("maria", "request_changes"), ("jonas", "request_changes"), ("jonas", "approve")
        await self.is_executed(shop, 15_000, *(("manager", f"user:{who}", verdict) for who, verdict in signed))


class Claimed(Story):
    """Maria holds the question to herself."""

    name = "E-claimed"

    async def begin(self, shop: Shop) -> None:
        await shop.raise_exception(self.name, 15_000)
        await shop.question(self.name, "manager")
        assert (await shop.commands(MARIA, "claim", self.name))["accepted"]
        await shop.update_of(self.name, "claimed")

    async def finish(self, shop: Shop) -> None:
        assert (await shop.says(JONAS, "approve", self.name))["code"] == "NOT_AUTHORISED"
        assert (await shop.says(MARIA, "approve", self.name))["code"] == "ACCEPTED"
        await self.is_executed(shop, 15_000, ("manager", "user:maria", "approve"))


class Escalated(Story):
    """The manager left it to the director."""

    name = "E-escalated"

    async def begin(self, shop: Shop) -> None:
        await shop.raise_exception(self.name, 15_000)
        await shop.question(self.name, "manager")
        await shop.says(MARIA, "escalate", self.name)
        await shop.question(self.name, "director")

    async def finish(self, shop: Shop) -> None:
        assert (await shop.says(DORA, "approve", self.name))["code"] == "ACCEPTED"
        signed = (("manager", "user:maria", "escalate"), ("director", "user:dora", "approve"))
        await self.is_executed(shop, 15_000, *signed)


class Early(Story):
    """A decision is there, and its exception is not."""

    name = "E-early"

    async def begin(self, shop: Shop) -> None:
        await shop.decide("D-early", exception_id=self.name, level="manager")
        await shop.holds("select 1 from inbox where correlation = %s and leased_by is null", self.name)

    async def finish(self, shop: Shop) -> None:
        await shop.raise_exception(self.name, 15_000)
        assert (await shop.receipt_of("D-early"))["code"] == "ACCEPTED"
        await self.is_executed(shop, 15_000, ("manager", "user:maria", "approve"))


class Unread(Story):
    """Its worker died with the record in the inbox, and no work begun."""

    name = "E-unread"

    async def begin(self, shop: Shop) -> None:
        doomed = await shop.start_doomed_worker("intake.before-offsets", worker_id=FALLEN, lease_s="3600")
        await shop.raise_exception(self.name, 15_000)
        await died(doomed)

    async def finish(self, shop: Shop) -> None:
        await shop.question(self.name, "manager")
        await shop.says(MARIA, "approve", self.name)
        await self.is_executed(shop, 15_000, ("manager", "user:maria", "approve"))


class Unpublished(Story):
    """Its worker died after the commit: the case waits, and nobody was told."""

    name = "E-unpublished"

    async def begin(self, shop: Shop) -> None:
        doomed = await shop.start_doomed_worker("case.after-commit")
        await shop.raise_exception(self.name, 15_000)
        await died(doomed)
        assert shop.state_of(self.name) == "waiting"

    async def finish(self, shop: Shop) -> None:
        await shop.question(self.name, "manager")
        await shop.says(MARIA, "approve", self.name)
        await self.is_executed(shop, 15_000, ("manager", "user:maria", "approve"))


class PaidAndNobodyKnows(Story):
    """It is approved, the money has moved, and the answer was lost."""

    name = "E-paid-and-nobody-knows"
    fault = Fault.ERROR_AFTER

    async def begin(self, shop: Shop) -> None:
        await shop.raise_exception(self.name, 15_000)
        await shop.question(self.name, "manager")
        ledger = shop.provider.ledger
        ledger.look_up_faults.extend([Fault.ERROR] * MANY)
        ledger.faults.append(self.fault)
        await shop.says(MARIA, "approve", self.name)
        unknown = "select 1 from intents where body ->> 'order_id' = %s and attempts > 0 and finished_at is null"
        await shop.holds(unknown, f"ORD-{self.name}")

    async def finish(self, shop: Shop) -> None:
        await self.is_executed(shop, 15_000, ("manager", "user:maria", "approve"))


class UnpaidAndNobodyKnows(PaidAndNobodyKnows):
    """It is approved, the money has not moved, and the answer was lost."""

    name = "E-unpaid-and-nobody-knows"
    fault = Fault.ERROR


class HalfDone(Story):
    """Two actions are approved: one ran, of the other nobody knows whether it did."""

    name = "E-half-done"

    async def begin(self, shop: Shop) -> None:
        names = ("write_note", "call_customer")
        actions = [{"id": name, "name": name, "args": {"customer": "CUST-9"}} for name in names]
        request = {"exception_id": self.name, "kind": "action_request", "requested_by": "agent:desk"}
        (shop.desk / SILENT).write_text("call_customer")
        await shop.send("order-exceptions", {**request, "actions": actions})
        await shop.question(self.name, "manager")
        await shop.says(MARIA, "approve", self.name)
        await shop.holds("select 1 from intents where body ? 'actions' and attempts > 0 and finished_at is null")
        assert shop.done() == ["write_note", "call_customer"]

    async def finish(self, shop: Shop) -> None:
        outcome = await shop.outcome_of(self.name)
        assert outcome["status"] == "executed"
        assert [result["status"] for result in outcome["results"]] == ["executed", "executed"]
        assert shop.done() == ["write_note", "call_customer"]


class Stuck(Story):
    """Its thread was lost, and it waits for an operator."""

    name = "E-stuck"

    async def begin(self, shop: Shop) -> None:
        await shop.raise_exception(self.name, 15_000)
        await shop.question(self.name, "manager")
        lost = "delete from checkpoints where thread_id = (select case_id::text from cases where exception_id = %s)"
        assert shop.rows(f"{lost} returning 1", self.name)
        assert (await shop.says(MARIA, "approve", self.name))["code"] == "STALE"
        assert shop.state_of(self.name) == "stuck"

    async def finish(self, shop: Shop) -> None:
        said = await shop.run("cases", "recover", self.name, "--by", "user:ines", "--timeout", str(PATIENCE_S))
        assert said.startswith("RECORDED")
        shop.sent += 1
        await shop.question(self.name, "manager", round=2)
        assert shop.paid(self.name) == []
        await shop.says(MARIA, "approve", self.name)
        await self.is_executed(shop, 15_000, ("manager", "user:maria", "approve"))


class Lapses(Story):
    """A clerk is asked, and will not answer."""

    name = "E-lapses"

    async def begin(self, shop: Shop) -> None:
        await shop.raise_exception(self.name, 5_000, reason_code="trial")
        await shop.question(self.name, "clerk")

    async def finish(self, shop: Shop) -> None:
        let_time_pass(shop.database, timedelta(days=31), exception_id=self.name)
        outcome = await shop.outcome_of(self.name)
        assert (outcome["status"], shop.paid(self.name)) == ("expired", [])


class Ended(Story):
    """It has its outcome."""

    name = "E-ended"

    async def begin(self, shop: Shop) -> None:
        await shop.raise_exception(self.name, 15_000)
        await shop.question(self.name, "manager")
        await shop.decide("D-ended", exception_id=self.name)
        await shop.outcome_of(self.name)

    async def finish(self, shop: Shop) -> None:
        await shop.raise_exception(self.name, 15_000)
        await shop.decide("D-ended", exception_id=self.name)
        await shop.receipt_of("D-ended", "DUPLICATE")
        asked = await shop.question(self.name, "manager")
        late = await shop.says(JONAS, "reject", self.name, approval_id=asked["approval_id"])
        assert (late["code"], late["decided_by"]) == ("ALREADY_DECIDED", "user:maria")
        await self.is_executed(shop, 15_000, ("manager", "user:maria", "approve"))


DOOMED: tuple[Story, ...] = (Unread(), Unpublished())
"""Those whose worker dies. They begin first, while no other worker is there."""

CALM: tuple[Story, ...] = (
    OneLevel(),
    SecondLevel(),
    HalfAQuorum(),
    Modified(),
    SecondRound(),
    Claimed(),
    Escalated(),
    Early(),
    PaidAndNobodyKnows(),
    UnpaidAndNobodyKnows(),
    HalfDone(),
    Stuck(),
    Lapses(),
    Ended(),
)

STORIES = {story.name: story for story in (*DOOMED, *CALM)}
