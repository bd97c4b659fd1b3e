"""The people of an organisation: clerks, managers, directors, those they delegate to, and those who only say so."""

import random
from collections import defaultdict
from collections.abc import Callable, Sequence

from tests.builders import Event, refund_event
from tests.simulation.crowd import CANARY, Crowd, Sends
from tests.unit.application.organisation import AUTOMATIC_MINOR, LADDER, REQUESTERS, ROLES

SPELLINGS: tuple[Callable[[str], str], ...] = (str.upper, " {} ".format, lambda who: who.replace("u", "\uff55"))
PETTY = "ORD-0"
"""Has enough for all that nobody is asked about. A policy that is read from a file asks about what is more than is
left; the one of these people knows no such rule."""

STAND_INS = ("user:ines", "user:olga", "user:pong", "user:max")
ALTERNATIVES = [
    {"action": "replacement"},
    {"action": "refund", "method": "bank_transfer", "amount": {"amount_minor": 3_000, "currency": "USD"}},
]
VERDICTS = (*["approve"] * 10, *["modify"] * 6, "choose", "reject", "escalate", "request_changes")


class StaffCrowd(Crowd):
    """Where the policy wants the seal (`sealed`), nearly everybody sends it."""

    def __init__(self, choice: random.Random, sends: Sends, orders: Sequence[str], *, sealed: bool) -> None:
        super().__init__(choice, sends, orders)
        self._sealed = sealed
        self._answered: defaultdict[str, list[str]] = defaultdict(list)
        """By exception: who has answered something about it, whatever came of that."""

    def raise_something(self, number: int) -> None:
        kind = self._one_of("refund", "refund", "refund", "price_adjustment", "cancellation")
        amount = self._one_of(1_000, 4_000, 9_000, 12_000, 15_000)
        is_automatic = kind == "refund" and amount <= AUTOMATIC_MINOR
        event = refund_event(
            f"EXC-{number}",
            amount,
            kind=kind,
            order_id=PETTY if is_automatic else self._one_of(*self._orders),
            customer_id=self._one_of("CUST-1", "CUST-1", "CUST-9"),
            requested_by=self._one_of(*REQUESTERS),
            alternatives=ALTERNATIVES,
            reason=f"broken {CANARY}",
        )
        self._raise(event)
        if self._random.random() < 0.1:
            self._decide("user:carl", "approve", {"exception_id": event["exception_id"]})

    def _answer(self, question: Event) -> None:
        choice = self._random
        about: Event = {"approval_id": question["approval_id"]}
        if choice.random() < 0.3:
            about = {"exception_id": question["exception_id"]}
            if choice.random() < 0.3:
                about["level"] = question["level"]["name"]
        before = self._answered[question["exception_id"]]
        if before and choice.random() < 0.2:
            who, roles = str(self._one_of(str, *SPELLINGS)(self._one_of(*before))), (question["role"],)
        else:
            who, roles = self._somebody(question), None
        if choice.random() < 0.1:
            self._command(who, about)
            return
        if choice.random() < (0.95 if self._sealed else 0.25):
            about["review_hash"] = question["review_hash"]
        verdict = self._one_of(*VERDICTS, *["modify"] * 10 * bool(before))  # makes void what others have signed
        before.append(who)
        self._decide(who, verdict, about, roles, _minor_of(question))

    def _agree(self, question: Event) -> None:
        about = {"approval_id": question["approval_id"], "review_hash": question["review_hash"]}
        who = self._holder(question)
        self._answered[question["exception_id"]].append(who)
        self._decide(who, "approve", about)

    def _somebody(self, question: Event) -> str:
        """Who may, as far as a glance tells; now and then whoever asked, or anybody, under another spelling."""
        luck = self._random.random()
        if luck < 0.1:
            return str(self._one_of(*SPELLINGS)(question["requested_by"]))
        if luck < 0.2:
            return str(self._one_of(*SPELLINGS)(self._one_of(*ROLES)))
        return self._holder(question)

    def _holder(self, question: Event) -> str:
        holders = [who for who, roles in ROLES.items() if question["role"] in roles]
        return str(self._one_of(*holders * 4, *STAND_INS))

    def _decide(
        self, who: str, verdict: str, about: Event, roles: Sequence[str] | None = None, shown_minor: int = 4_000
    ) -> None:
        """`roles` are those that they say they have: else their own, or now and then all there are."""
        if roles is None:
            roles = ROLES.get(who, ()) if self._random.random() < 0.9 else LADDER
        said = {
            "decision_id": self._next_id(),
            "verdict": verdict,
            "reviewer": {"id": who, "roles": list(roles)},
            **about,
        }
        less = shown_minor * 3 // 4
        amount = {"amount_minor": self._one_of(700, 1_000, 4_000, 9_000, less, less, less), "currency": "USD"}
        match verdict:
            case "modify":
                said["changes"] = self._one_of(
                    {"amount": amount}, {"amount": amount}, {"method": "store_credit"}, {"ammount": 1}
                )
            case "choose":
                said["choice"] = self._one_of("store_credit", "bank_transfer", 0, 1, "cash", 7)
            case "escalate":
                said["escalate_to"] = self._one_of(None, None, *LADDER)
            case "request_changes":
                said["comment"] = f"where is the photo? {CANARY}"
        self._send(said)

    def _command(self, who: str, about: Event) -> None:
        command = self._one_of("claim", "release", "reassign", "delegate", "delegate")
        said = {"command_id": self._next_id(), "command": command, "by": {"id": who, "roles": list(ROLES.get(who, ()))}}
        if command in {"reassign", "delegate"}:
            said["to"] = self._one_of(*STAND_INS)
        self._send({**said, **about})


def _minor_of(question: Event) -> int:
    """The amount that is shown, in minor units."""
    amount = question["proposal"]["amount"]
    return amount["amount_minor"] if amount else 0
