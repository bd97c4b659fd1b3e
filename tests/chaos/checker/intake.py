"""2, of records: every offset is in the inbox or among the dead letters, as it was sent, and no send that the broker
confirmed is missing."""

from collections import Counter
from collections.abc import Iterator
from hashlib import sha256

from tests.chaos.checker.folder import INPUTS
from tests.chaos.checker.history import Answer, Request
from tests.chaos.checker.records import Message, Part, Place
from tests.chaos.checker.run import Run
from tests.chaos.checker.violation import Violation

REASONS = frozenset(
    {
        "EMPTY",
        "TOO_LARGE",
        "TOO_DEEP",
        "INVALID_UTF8",
        "INVALID_JSON",
        "INVALID_CLOUDEVENT",
        "SCHEMA_UNSUPPORTED",
        "SCHEMA_INVALID",
        "AMOUNT_INVALID",
        "CURRENCY_MISMATCH",
        "OVER_CAPTURED",
        "CONFLICTING_DUPLICATE",
        "PAYMENT_UNCONFIRMED",
        "PROCESSING_FAILED",
    }
)
"""Of `signoff.message.rejected.v1`, as its published schema lists them."""

CLOCKS_APART_S = 1.0
_RIGHTLY_SENT = frozenset({"raised", "duplicate", "conflict", "withdrawn"})
_REFUSES_RIGHTLY = frozenset({"CONFLICTING_DUPLICATE"})


def check(run: Run) -> Iterator[Violation]:
    yield from _each_part_is_kept_once(run)
    yield from _offsets_have_no_gap(run)
    yield from _every_part_is_taken_in(run)
    yield from _nothing_was_made_up(run)
    yield from _nothing_came_before_it_was_sent(run)
    yield from _what_was_sent_is_there(run)
    yield from _poison_is_refused(run)
    yield from _dead_letters_say_what_they_hold(run)
    yield from _dead_letters_are_announced(run)


def _offsets_have_no_gap(run: Run) -> Iterator[Violation]:
    found: dict[tuple[str, int], list[int]] = {}
    for topic, partition, offset in run.records:
        found.setdefault((topic, partition), []).append(offset)
    for (topic, partition), offsets in found.items():
        if max(offsets) + 1 != len(offsets):
            missing = min(set(range(max(offsets))) - set(offsets))
            yield Violation(2, "the topic has a gap", _at((topic, partition, missing)))


def _each_part_is_kept_once(run: Run) -> Iterator[Violation]:
    for table in ("inbox", "dead_letters"):
        rows = run.folder.first.table(table)
        kept = Counter((row["topic"], row["partition"], row["offset"], row["part"]) for row in rows)
        for (*place, part), times in kept.items():
            if times > 1:
                where = {"table": table, **_at((place[0], place[1], place[2])), "part": part}
                yield Violation(2, f"one message is kept {times} times", where)


def _every_part_is_taken_in(run: Run) -> Iterator[Violation]:
    parts = _parts_by_place(run)
    for record in run.records.values():
        taken_in = parts.get(record.place, set())
        wanted = set(range(len(record.messages) or 1))
        if record.messages and taken_in == {0} and (*record.place, 0) not in run.inbox:
            continue  # refused as a whole
        missing = wanted - taken_in
        if missing:
            what = "neither in the inbox nor among the dead letters"
            yield Violation(2, what, {**_at(record.place), "part": min(missing)})
        for part, message in enumerate(record.messages):
            yield from _is_as_it_was_sent(run, (*record.place, part), message)
        if not record.messages and any((*record.place, part) in run.inbox for part in taken_in):
            yield Violation(2, f"taken in, though it cannot be read: {record.problem}", _at(record.place))


def _parts_by_place(run: Run) -> dict[Place, set[int]]:
    parts: dict[Place, set[int]] = {}
    for topic, partition, offset, part in (*run.inbox, *run.dead_letters):
        parts.setdefault((topic, partition, offset), set()).add(part)
    return parts


def _is_as_it_was_sent(run: Run, part: Part, message: Message) -> Iterator[Violation]:
    row = run.inbox.get(part)
    if row is not None and (row.type, row.digest) != (message.type, message.digest):
        yield Violation(2, "the inbox holds something else than was sent", {**_at(part[:3]), "part": part[3]})


def _nothing_was_made_up(run: Run) -> Iterator[Violation]:
    for topic, partition, offset, part in (*run.inbox, *run.dead_letters):
        record = run.records.get((topic, partition, offset))
        if topic in INPUTS and record is None:
            yield Violation(2, "taken in, and no such record exists", {**_at((topic, partition, offset)), "part": part})
        elif record is not None and part >= (len(record.messages) or 1):
            yield Violation(2, "taken in, and the record has no such part", {**_at(record.place), "part": part})


def _nothing_came_before_it_was_sent(run: Run) -> Iterator[Violation]:
    """Who sends has the true time, and the database has it too."""
    for row in run.inbox.values():
        record = run.records.get(row.place)
        if record is not None and row.received_at < record.sent_at - CLOCKS_APART_S:
            yield Violation(2, "taken in before it was sent", _at(row.place))


def _what_was_sent_is_there(run: Run) -> Iterator[Violation]:
    sent: list[Request | Answer] = [*run.requests, *run.answers]
    for each in sent:
        if each.place is None:
            continue
        record = run.records.get(each.place)
        if record is None:
            yield Violation(2, "the broker confirmed it, and it is not there", each.where)
        elif record.sha256 != each.sha256:
            yield Violation(2, "other bytes lie there than were sent", each.where)


def _poison_is_refused(run: Run) -> Iterator[Violation]:
    """And nothing else is: what a shop rightly sends is a dead letter only where it contradicts itself."""
    for sent in run.requests:
        if sent.place is None:
            continue
        letter = run.dead_letters.get((*sent.place, 0))
        if sent.kind == "poison" and letter is None and sent.place in run.records:
            yield Violation(2, "poison was accepted", sent.where)
        if sent.kind in _RIGHTLY_SENT and letter is not None and letter.reason not in _REFUSES_RIGHTLY:
            yield Violation(2, f"refused as {letter.reason}, and nothing is wrong with it", sent.where)
    for answer in run.answers:
        if answer.place is None or answer.decision_id is not None or not answer.is_hostile:
            continue
        if (*answer.place, 0) not in run.dead_letters and answer.place in run.records:
            yield Violation(2, "a decision without a legible id was accepted", answer.where)


def _dead_letters_say_what_they_hold(run: Run) -> Iterator[Violation]:
    for row in run.folder.first.table("dead_letters"):
        place: Place = (row["topic"], row["partition"], row["offset"])
        where = {**_at(place), "part": row["part"]}
        if row["reason"] not in REASONS:
            yield Violation(2, f"refused for a reason that nobody knows: {row['reason']}", where)
        held = bytes.fromhex(row["value"].removeprefix("\\x")) if row["value"] is not None else b""
        if sha256(held).hexdigest() != row["sha256"]:
            yield Violation(2, "the seal of a dead letter is not that of its bytes", where)
        record = run.records.get(place)
        if (*place, row["part"]) not in run.inbox and record is not None and record.sha256 != row["sha256"]:
            yield Violation(2, "a dead letter holds other bytes than its record", where)


def _dead_letters_are_announced(run: Run) -> Iterator[Violation]:
    wanted = Counter((each.place, each.reason, each.detail) for each in run.dead_letters.values())
    told = Counter(
        ((each.topic, each.partition, each.offset), each.reason, each.detail) for each in run.published.rejections
    )
    for place, reason, detail in (wanted - told) + (told - wanted):
        where = {**_at(place), "reason": reason}
        many = wanted[place, reason, detail], told[place, reason, detail]
        yield Violation(2, f"{many[0]} dead letters, announced {many[1]} times", where)


def _at(place: Place) -> dict[str, object]:
    return {"topic": place[0], "partition": place[1], "offset": place[2]}
