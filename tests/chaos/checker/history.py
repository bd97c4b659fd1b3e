"""What the parties of a run say they sent: the truth about intentions. Tables and topics only know of arrivals."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.chaos.checker.folder import Row
from tests.chaos.checker.records import Place
from tests.chaos.checker.tables import Money


@dataclass(frozen=True, slots=True)
class Sent:
    """`place` is None where the broker's answer was lost: the record may be there or not."""

    kind: str
    at: float
    place: Place | None
    sha256: str

    @property
    def where(self) -> dict[str, Any]:
        place = dict(zip(("topic", "partition", "offset"), self.place or (), strict=False))
        return {"class": self.kind, **place, "sha256": self.sha256}


@dataclass(frozen=True, slots=True)
class Request(Sent):
    """A record of the traffic. Of an exception: what the shop demands for it. `needs` names the levels that must sign,
    the first one first, none for what is automatic; `quorum` how many people of a level."""

    exception_id: str | None
    order_id: str | None
    amount: Money | None
    requested_by: str | None
    needs: tuple[str, ...]
    quorum: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Answer(Sent):
    """A decision that somebody sent. `is_hostile`: it must never take effect."""

    is_hostile: bool
    decision_id: str | None
    approval_id: str | None


def request_of(row: Row, prefix: str) -> Request:
    amount = row.get("amount_minor")
    return Request(
        kind=row["class"],
        at=row["at"],
        place=_place(row, prefix),
        sha256=row["sha256"],
        exception_id=row.get("exception_id"),
        order_id=row.get("order_id"),
        amount=None if amount is None else Money(amount, row["currency"]),
        requested_by=row.get("requested_by"),
        needs=tuple(row.get("needs") or ()),
        quorum=row.get("quorum") or {},
    )


def answer_of(row: Row, prefix: str) -> Answer:
    return Answer(
        kind=row["class"],
        at=row["at"],
        place=_place(row, prefix),
        sha256=row["sha256"],
        is_hostile=bool(row.get("hostile")),
        decision_id=row.get("decision_id"),
        approval_id=row.get("approval_id"),
    )


def _place(row: Row, prefix: str) -> Place | None:
    if row.get("offset") is None or row.get("partition") is None:
        return None
    return str(row["topic"]).removeprefix(prefix), int(row["partition"]), int(row["offset"])
