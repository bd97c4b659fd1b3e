"""`signoff decide --batch FILE`: many decisions, each checked before any is sent, and each answered by itself."""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from schemas.json_values import Located, UnreadableValues, members_of, values_in
from worker.cli.answers import send_and_hear
from worker.cli.failure import Failure
from worker.cli.output import print_json, print_line
from worker.domain.approval import Receipt
from worker.settings import Settings
from worker.translation.deciding import IllegibleDecisionGiven, batch_records, check_decision

STANDARD_INPUT = "-"
MOST_TOLD = 20
"""Mistakes that are told one by one; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Member:
    """One decision of a file: where it stands, the id that its receipt will name, and what is sent."""

    place: str
    decision_id: str
    data: dict[str, Any]


async def decide_batch(settings: Settings, path: str, wait_s: float | None, as_json: bool) -> bool:
    """True when all were accepted, or when that is not waited for. Raises Failure when the file has a mistake."""
    members = read_batch(path)
    place_of = {member.decision_id: member.place for member in members}
    receipts = await send_and_hear(
        settings,
        list(batch_records([member.data for member in members], datetime.now(UTC))),
        place_of.keys(),
        wait_s,
        heard=lambda receipt: None if as_json else _print(receipt, place_of[receipt.decision_id]),
    )
    if as_json:
        print_json(_document(members, receipts, waited=wait_s is not None))
    else:
        _print_rest(members, receipts, wait_s)
    return wait_s is None or all(_accepted(member, receipts) for member in members)


def read_batch(path: str) -> list[Member]:
    """The decisions of a file, each legible and with an id of its own. Raises Failure that names every mistake.

    A decision without a `decision_id` gets one; it is printed with its receipt, so that a repetition can name it.
    """
    members, problems = [], []
    place_of: dict[str, str] = {}
    for value in _values(path):
        try:
            member = _member(value)
        except IllegibleDecisionGiven as problem:
            problems.append(f"{value.place}: {problem}")
            continue
        if member.decision_id in place_of:
            problems.append(f"{value.place}: decision_id: the same as at {place_of[member.decision_id]}")
        place_of.setdefault(member.decision_id, member.place)
        members.append(member)
    if problems:
        more = len(problems) - MOST_TOLD
        told = [*problems[:MOST_TOLD], *([f"and {more} more"] if more > 0 else []), "nothing was sent"]
        raise Failure("\n".join(told))
    return members


def _values(path: str) -> list[Located]:
    name = "standard input" if path == STANDARD_INPUT else path
    try:
        raw = sys.stdin.buffer.read() if path == STANDARD_INPUT else Path(path).read_bytes()
        return members_of(values_in(raw, name), "decisions")
    except OSError as error:
        raise Failure(f"{path}: {(error.strerror or str(error)).lower()}") from error
    except UnreadableValues as problem:
        raise Failure(str(problem)) from problem


def _member(value: Located) -> Member:
    """Raises IllegibleDecisionGiven."""
    data = value.data
    if isinstance(data, dict) and "command" in data and "verdict" not in data:
        raise IllegibleDecisionGiven("this is a command, and a batch holds decisions; see `signoff approvals`")
    if isinstance(data, dict) and data.get("decision_id") is None:
        data = {**data, "decision_id": str(uuid4())}
    check_decision(data)
    return Member(value.place, data["decision_id"].strip(), data)


def _print(receipt: Receipt, place: str) -> None:
    print_line(f"{receipt.decision_id}  {receipt.code}: {receipt.message}  ({place})")


def _print_rest(members: Sequence[Member], receipts: dict[str, Receipt], wait_s: float | None) -> None:
    """What no receipt came for, and the sums."""
    for member in members:
        if member.decision_id not in receipts:
            print_line(f"{member.decision_id}  {'sent' if wait_s is None else 'no receipt'}  ({member.place})")
    if wait_s is None:
        print_line(f"{len(members)} sent; their receipts are not waited for")
        return
    sums = _sums(members, receipts)
    refused = ", ".join(f"{count} {code}" for code, count in sorted(sums.refused.items()))
    print_line(
        f"{len(members)} sent: {sums.accepted} accepted, {sums.refused.total()} refused"
        f"{f' ({refused})' if refused else ''}, {sums.missing} without a receipt"
    )
    if sums.missing:
        print_line(
            f"nothing came for {wait_s:g} s, and nothing is lost: see that a worker runs (`signoff doctor`); "
            "a decision about a case that is not known yet is kept for a while. Send it again with its id to ask"
        )


@dataclass(frozen=True, slots=True)
class _Sums:
    accepted: int
    refused: Counter[str]
    missing: int


def _sums(members: Sequence[Member], receipts: dict[str, Receipt]) -> _Sums:
    return _Sums(
        accepted=sum(_accepted(member, receipts) for member in members),
        refused=Counter(receipt.code.value for receipt in receipts.values() if not receipt.accepted),
        missing=sum(member.decision_id not in receipts for member in members),
    )


def _accepted(member: Member, receipts: dict[str, Receipt]) -> bool:
    receipt = receipts.get(member.decision_id)
    return receipt is not None and receipt.accepted


def _document(members: Sequence[Member], receipts: dict[str, Receipt], *, waited: bool) -> dict[str, Any]:
    """In the order of the file; `receipt` is null where none came, and `missing` where none was waited for."""
    sums = _sums(members, receipts)
    return {
        "sent": len(members),
        "accepted": sums.accepted,
        "refused": dict(sums.refused),
        "missing": sums.missing if waited else None,
        "decisions": [
            {
                "decision_id": member.decision_id,
                "place": member.place,
                "receipt": receipts[member.decision_id].model_dump(mode="json")
                if member.decision_id in receipts
                else None,
            }
            for member in members
        ],
    }
