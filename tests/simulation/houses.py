"""Two houses that order exceptions come to: a shop with the policy that everybody starts with, and an organisation that
uses approvals in full. Each knows what must hold in it beyond what holds in any."""

import random
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import cycle
from typing import Any, cast

from schemas.values import Action, ReceiptCode
from tests.builders import Event, an_order, usd
from tests.simulation.crowd import RECOVERS, Crowd, Sends
from tests.simulation.provider import Counterpart, Provider
from tests.simulation.shoppers import ShopCrowd
from tests.simulation.staff import PETTY, StaffCrowd
from tests.unit.application import invariants
from tests.unit.application.desk import Desk
from tests.unit.application.invariants_of_approvals import Witness
from tests.unit.application.organisation import REGISTER, organisation_policy, steps_required
from worker.adapters.memory.payments import MemoryBooks
from worker.application.ports.executors import OnUnknown
from worker.domain.audit import AuditEntry
from worker.domain.exception_case import Case
from worker.domain.reviewers import Person

Invariant = Callable[[Desk, invariants.Outcomes], None]


class House:
    """`holds` is looked at when all is quiet, and now and then before."""

    def __init__(self, desk: Desk, crowd: Crowd, holds: Sequence[Invariant], register: Sequence[Person] | None) -> None:
        self.desk, self.crowd, self.register = desk, crowd, register
        self._holds, self._outcomes = holds, invariants.Outcomes()

    def look(self, looked_at: datetime) -> None:
        """After a commit that was computed for that time. Raises AssertionError."""

    def check(self) -> None:
        for holds in self._holds:
            holds(self.desk, self._outcomes)


class Shop(House):
    """Roles are believed as they are sent; agents ask for actions too."""

    def __init__(self, choice: random.Random, sends: Sends, orders: Sequence[str]) -> None:
        super().__init__(Desk(), ShopCrowd(choice, sends, orders), invariants.ALL, None)
        self.desk.orders.orders = {name: an_order(usd(choice.choice((20_000, 20_000, 9_000)))) for name in orders}


class Scene:
    """A desk at the moment for which a commit was computed: that is when a reviewer had their authority, or not."""

    def __init__(self, desk: Desk) -> None:
        self.database, self.payments, self.orders = desk.database, desk.payments, desk.orders
        self.now = desk.clock()

    def clock(self) -> datetime:
        return self.now


class ApprovalsWitness(Witness):
    """Knows operators too: what they recover is asked anew, and nobody has signed by it. A decision that was given up
    is heard when it comes again. And it knows that time goes by between a look and a commit."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._least: dict[str, int] = {}
        """The lowest that each case has come to, in minor units."""

    def _answered(self, receipt: Event) -> set[str]:
        was_given_up = receipt["code"] == ReceiptCode.STALE and receipt["case_id"] is None
        if was_given_up:
            return set()
        if not receipt["decision_id"].startswith(RECOVERS):
            return super()._answered(receipt)
        self._first_receipts.add(receipt["decision_id"])
        return set()

    def _meet(self, entry: AuditEntry) -> None:
        """What others of the customer come to may fall between the look at it and the commit, which asks for more care
        than is needed. No other case may be missed; of one that was lowered and is asked about anew, for what was
        asked at first, either amount may have been seen: its new round came before this case or after it."""
        is_new = str(entry.case_id) not in self._matters
        super()._meet(entry)
        matter = self._matters[str(entry.case_id)]
        for key, each in self._matters.items():
            now = each.payout[0] or 0
            self._least[key] = min(self._least.get(key, now), now)
        if is_new:
            counted = sum(money.amount_minor for money in matter.case.facts.exposure.customer)
            seen = matter.others_minor - self._raised_again(matter.case)
            assert counted >= seen, f"{matter.case} was judged by less than others come to"
            matter.others_minor = counted
            matter.to_sign = steps_required(matter.case.exception.kind, matter.payout[0] or 0, counted, failed=False)

    def _raised_again(self, case: Case) -> int:
        """By how much the customer's other cases have been lower than they are."""
        others = [
            (key, other)
            for key, other in self._matters.items()
            if other.case.exception.customer_id == case.exception.customer_id
        ]
        return sum((other.payout[0] or 0) - self._least[key] for key, other in others)


class Organisation(House):
    """Four levels, quorum, caps, delegates, deadlines that escalate; mostly with a register of reviewers."""

    def __init__(self, choice: random.Random, sends: Sends, orders: Sequence[str]) -> None:
        register = REGISTER if choice.random() < 0.7 else None
        requires_hash = choice.random() < 0.25
        desk = Desk(organisation_policy(requires_hash=requires_hash), register)
        captured = cycle((20_000, 15_000))
        desk.orders.orders = {name: an_order(usd(next(captured))) for name in orders}
        desk.orders.orders[PETTY] = an_order(usd(10**6))
        super().__init__(desk, StaffCrowd(choice, sends, orders, sealed=requires_hash), _OF_APPROVALS, register)
        self._scene: Scene | None = None
        self._requires_hash = requires_hash

    def begin(self) -> None:
        """The witness looks at the payments that the house has by now."""
        self._scene = Scene(self.desk)
        self._witness = ApprovalsWitness(cast(Any, self._scene), self.register, requires_hash=self._requires_hash)

    def look(self, looked_at: datetime) -> None:
        if self._scene is None:
            self.begin()
        assert self._scene is not None
        self._scene.now = looked_at
        self._witness.look()


_OF_APPROVALS: tuple[Invariant, ...] = (
    invariants.a_case_has_one_outcome_or_a_reason_to_have_none,
    invariants.an_order_never_gives_back_more_than_it_captured,
    invariants.what_was_approved_is_paid_or_in_hand_or_a_failure_that_is_seen,
    invariants.each_decision_is_answered_once,
    invariants.the_audit_trail_holds,
)


def choose_house(choice: random.Random, sends: Sends, cases: int) -> House:
    """Some cases share an order, now and then all of them."""
    some = 1 if choice.random() < 0.3 else 1 + cases // 2
    orders = [f"ORD-{number}" for number in range(1, 1 + some)]
    house: House = Shop(choice, sends, orders) if choice.random() < 0.5 else Organisation(choice, sends, orders)
    if choice.random() < 0.5:
        house.desk.work_with(books=MemoryBooks())
    return house


def with_counterparts(
    house: House, moved: Callable[[], None], ran: Callable[[str, Action], None], later: Callable[[], bool]
) -> None:
    """The provider and the executors of a world, which tell what they do."""
    desk = house.desk
    desk.payments = Provider(moved, later)
    desk.executors = Counterpart({"send_email": OnUnknown.ASK, "add_note": OnUnknown.LOOK_UP}, ran)
    desk.work_with(payments=desk.payments, executors=desk.executors)
