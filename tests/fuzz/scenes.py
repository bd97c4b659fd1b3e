"""Questions in the states in which decisions about them can be hostile, and the house that puts them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

from schemas.catalogue import REVIEW_DECISIONS
from schemas.values import ExceptionKind, Verdict
from tests.builders import Event, an_order, refund_event, usd
from tests.policies import level, over, policy, rule
from tests.unit.application.desk import Desk
from worker.adapters.memory.clock import DAWN
from worker.application.ports.executors import OnUnknown
from worker.domain.approval import ApprovalRequest
from worker.domain.approval_policy import ApprovalPolicy
from worker.domain.order_exception import Facts
from worker.domain.reviewers import Person

LADDER = ("clerk", "manager", "director", "legal")
ROLES = {
    "user:cleo": ("clerk",),
    "user:carl": ("clerk",),
    "user:rick": ("manager", "director"),
    "user:maria": ("manager", "director"),
    "user:omar": ("manager",),
    "user:mona": ("manager",),
    "user:dora": ("director",),
    "user:lena": ("legal",),
    "user:hana": ("hasty",),
    "user:ines": (),
    "user:cass": ("manager", "director", "clerk", "legal"),
    "user:gone": ("manager", "director", "clerk", "legal"),
}
REQUESTER = "user:rick"
"""Ines stands in for him while he is away; the register lets Cass sign for 1.00 USD, and Gone has left."""

REGISTER = tuple(
    Person(
        id=name,
        roles=roles,
        ceiling=usd(100) if name == "user:cass" else None,
        valid_until=DAWN - timedelta(days=1) if name == "user:gone" else None,
        away_from=DAWN - timedelta(days=1) if name == REQUESTER else None,
        delegate="user:ines" if name == REQUESTER else None,
    )
    for name, roles in ROLES.items()
)
ACTIONS: tuple[Event, ...] = (
    {"name": "send_email", "args": {"to": "ann"}},
    {"name": "add_note", "args": {"to": "file"}},
    {"name": "buy_stock", "args": {"symbol": "ACME"}},
)
"""The first two are run here, the third by the agent."""

ALTERNATIVES = [
    {"action": "replacement"},
    {"action": "refund", "amount": {"amount_minor": 19_000, "currency": "USD"}},
]
"""The second pays more than is asked for."""


def _is(kind: ExceptionKind) -> Callable[[Facts], bool]:
    return lambda facts: facts.exception.kind is kind


def house_policy(*, requires_hash: bool) -> ApprovalPolicy:
    return policy(
        level("hasty", due_in=timedelta(hours=1)),
        level("clerk", quorum=2),
        level("manager"),
        level("director"),
        level("legal", allowed_verdicts=(Verdict.APPROVE, Verdict.REJECT)),
        rules=(
            rule("hasty", id="adjusts", when=_is(ExceptionKind.PRICE_ADJUSTMENT)),
            rule("clerk", id="cancels", when=_is(ExceptionKind.CANCELLATION)),
            rule("manager", id="large", when=over(usd(1_000))),
            rule("director", id="very-large", when=over(usd(12_000))),
            rule("manager", id="acts", when=_is(ExceptionKind.ACTION_REQUEST)),
            rule("legal", id="changes", when=_is(ExceptionKind.ACCOUNT_CHANGE)),
        ),
        requires_hash=requires_hash,
    )


@dataclass
class House:
    """`ended` are cases that came to an end, by how; `overdue` is one that nobody answered in time, with the timer
    still to come; `decided` is a decision that took effect."""

    dice: Random
    desk: Desk
    registered: bool
    requires_hash: bool
    ended: dict[str, str] = field(default_factory=dict)
    overdue: str = ""
    decided: str = ""
    numbers: int = 0

    def next_id(self, prefix: str) -> str:
        self.numbers += 1
        return f"{prefix}-{self.numbers}"

    async def raises(self, name: str, amount_minor: int = 11_000, **fields: Any) -> None:
        order_id = fields.setdefault("order_id", f"ORD-{name}")
        self.desk.orders.orders.setdefault(order_id, an_order())
        who = {"customer_id": f"CUST-{name}", "requested_by": REQUESTER}
        await self.desk.raises(refund_event(name, amount_minor, **who, **fields))

    async def says(self, name: str, who: str, verdict: str = "approve", **fields: Any) -> Event:
        """A valid decision that prepares something; returns its receipt."""
        hashed = {"review_hash": self.desk.approval(name).review_hash}
        event = {"decision_id": self.next_id("prepares"), "exception_id": name, "verdict": verdict, **hashed, **fields}
        await self.desk.decides({**event, "reviewer": {"id": who, "roles": list(ROLES[who])}})
        receipt = self.desk.receipt()
        assert receipt["accepted"], receipt
        return receipt

    async def open(self) -> None:
        """Brings about what has come to an end: before anything else, as time goes by for it."""
        desk = self.desk
        for how in ("expired", "executed", "rejected", "withdrawn", "automatic"):
            name = self.ended[how] = f"EXC-{how}"
            await self.raises(name, 900 if how == "automatic" else 11_000)
        await self.says("EXC-rejected", "user:maria", "reject")
        self.decided = (await self.says("EXC-executed", "user:maria"))["decision_id"]
        await desk.withdraws("EXC-withdrawn", REQUESTER)
        await desk.passes(24 * 3_600 + 1)
        self.overdue = "EXC-overdue"
        await self.raises(self.overdue, kind="price_adjustment")
        desk.clock.advance(3_601)


async def open_house(dice: Random) -> House:
    registered, requires_hash = dice.random() < 0.5, dice.random() < 0.3
    desk = Desk(house_policy(requires_hash=requires_hash), REGISTER if registered else None)
    desk.executors.names |= {"send_email": OnUnknown.ASK, "add_note": OnUnknown.LOOK_UP}
    house = House(dice, desk, registered, requires_hash)
    await house.open()
    return house


@dataclass
class Scene:
    """A question that waits. `may` are people who may answer it now."""

    kind: str
    house: House
    name: str
    may: tuple[str, ...]
    most_minor: int = 11_000
    """The most that a valid answer can sign for."""

    @property
    def dice(self) -> Random:
        return self.house.dice

    @property
    def approval(self) -> ApprovalRequest:
        return self.house.desk.approval(self.name)

    def reviewer(self, who: str, *more_roles: str) -> Event:
        return {"id": who, "roles": [*ROLES.get(who, ()), *more_roles]}

    def decision(self, verdict: str | None = "approve", **fields: Any) -> Event:
        """One that would take effect as it is, if its verdict suits."""
        named = self.dice.choice([{"exception_id": self.name}, {"approval_id": str(self.approval.approval_id)}])
        event = {"decision_id": f"{self.dice.getrandbits(96):x}", "reviewer": self.reviewer(self.dice.choice(self.may))}
        if self.house.requires_hash or self.dice.random() < 0.3:
            event["review_hash"] = self.approval.review_hash
        return {**event, **named, **({} if verdict is None else {"verdict": verdict}), **fields}


Stage = Callable[[House], Awaitable[Scene]]


async def single(house: House) -> Scene:
    name = house.next_id("EXC")
    await house.raises(name, alternatives=ALTERNATIVES)
    return Scene("single", house, name, ("user:maria", "user:omar", "user:mona"))


async def second_level(house: House) -> Scene:
    """Maria has signed as a manager; she could be a director as well."""
    name = house.next_id("EXC")
    await house.raises(name, 15_000)
    await house.says(name, "user:maria")
    return Scene("second level", house, name, ("user:dora",), 15_000)


async def tool_calls(house: House) -> Scene:
    name = house.next_id("EXC")
    event = {"exception_id": name, "kind": "action_request", "requested_by": REQUESTER, "actions": list(ACTIONS)}
    await house.desk.raises(event)
    return Scene("tool calls", house, name, ("user:maria", "user:omar", "user:mona"))


async def quorum(house: House) -> Scene:
    """Cleo has signed, and one more clerk is needed."""
    name = house.next_id("EXC")
    await house.raises(name, kind="cancellation", amount=None)
    receipt = await house.says(name, "user:cleo")
    assert receipt["code"] == "RECORDED", receipt
    return Scene("quorum", house, name, ("user:carl",), 20_000)


async def legal(house: House) -> Scene:
    name = house.next_id("EXC")
    await house.raises(name, kind="account_change", changes={"email": "ada@example.org"}, amount=None)
    return Scene("legal", house, name, ("user:lena",))


async def claimed(house: House) -> Scene:
    """Omar holds it."""
    name = house.next_id("EXC")
    await house.raises(name)
    by = {"id": "user:omar", "roles": ["manager"]}
    command = {"command_id": house.next_id("claims"), "exception_id": name, "command": "claim", "by": by}
    await house.desk.decides(command)
    assert house.desk.receipt()["accepted"], house.desk.receipt()
    return Scene("claimed", house, name, ("user:omar",))


async def contested(house: House) -> Scene:
    """Another case of the order has taken most of what was captured since this was asked."""
    name, other = house.next_id("EXC"), house.next_id("EXC")
    await house.raises(name, order_id=f"ORD-{name}")
    await house.raises(other, order_id=f"ORD-{name}")
    await house.says(other, "user:maria")
    return Scene("contested", house, name, ("user:maria", "user:omar"), 9_000)


STAGES: tuple[Stage, ...] = (single, single, second_level, tool_calls, tool_calls, quorum, legal, claimed, contested)
TOPIC = REVIEW_DECISIONS.name
