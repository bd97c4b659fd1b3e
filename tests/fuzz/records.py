"""Malformed records: whatever is written to a topic is accepted or refused with a reason, and stops nothing.

Each record goes through the real reader, and what the reader accepts through the use cases on in-memory adapters. A
chunk has a desk of its own and its own dice, so that it can be repeated alone.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from random import Random

from schemas.catalogue import ORDER_EXCEPTIONS, REVIEW_DECISIONS
from schemas.cloudevents import Header
from schemas.values import RejectionReason
from tests.builders import an_order, decision_event, refund_event, usd
from tests.fuzz.byte_mutations import ON_BYTES, RARE_BYTES
from tests.fuzz.data_mutations import ON_DATA
from tests.fuzz.errors_logged import errors_logged
from tests.fuzz.header_mutations import ON_HEADERS, RARE_HEADERS
from tests.fuzz.material import CANARY, Sample, addressed, in_any_mode, samples
from tests.fuzz.schema_instances import Instances, instance_of, instances
from tests.unit.application import invariants
from tests.unit.application.desk import Desk
from worker.application.messages import IllegibleDecision
from worker.translation.inbound import Accepted, Record, Rejected, message_of, read

CHUNK = 200
PROBE_EVERY = 20
"""Records between two good ones."""

ONE_IN_RARE = 400
OF_SCHEMA = 0.2
INSTANCES = 8
"""Of each schema, when nobody asks for more."""

PARTITION = 7
"""Of what is spoilt; good records lie in another."""

SAMPLES = samples()


@dataclass
class Tally:
    """What became of the records. A record counts as refused when a part of it was rejected or is illegible."""

    records: int = 0
    refused: int = 0
    accepted: int = 0
    good: int = 0
    by_mutation: Counter[str] = field(default_factory=Counter)
    by_reason: Counter[str] = field(default_factory=Counter)
    by_message: Counter[str] = field(default_factory=Counter)
    dead_letters: Counter[str] = field(default_factory=Counter)
    receipts: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)


class Violation(AssertionError):
    """Something that must hold does not. The message has the record, so that it can be sent again."""


async def fuzz_records(count: int, seed: int, of_each_schema: int = INSTANCES) -> Tally:
    """Sends so many records, in chunks. Raises Violation."""
    tally, drawn = Tally(), instances(of_each_schema, seed)
    for chunk in range(-(-count // CHUNK)):
        dice = Random(f"{seed}/records/{chunk}")  # noqa: S311 - a schedule, not a secret
        with errors_logged() as heard:
            size = min(CHUNK, count - chunk * CHUNK)
            await _Chunk(dice, drawn, tally, f"seed {seed}, chunk {chunk}", heard).run(size)
    return tally


class _Chunk:
    def __init__(self, dice: Random, drawn: Instances, tally: Tally, name: str, heard: list[str]) -> None:
        self._dice = dice
        self._drawn = drawn
        self._tally = tally
        self._name = name
        self._heard = heard
        self._desk = Desk()
        self._desk.orders.orders |= {"ORD-1001": an_order(usd(18_000))}
        self._last: Record | None = None

    async def run(self, count: int) -> None:
        await self._serves_a_good_record(-1)
        for number in range(count):
            await self._send(number, self._spoilt(number))
            if number % PROBE_EVERY == PROBE_EVERY - 1:
                await self._serves_a_good_record(number)
        await self._everything_is_answered()

    def _spoilt(self, number: int) -> Record:
        dice, ways = self._dice, []
        sample = dice.choice(SAMPLES)
        of_schema = dice.random() < OF_SCHEMA
        families = [family for family in ("bytes", "data", "headers") if dice.random() < 0.4]
        if of_schema:
            ways.append("instance_of_the_schema")
            sample = self._drawn_like(sample)
        else:
            sample = addressed(sample, dice, self._questions())
        if "data" in families or not (families or of_schema):
            for _ in range(dice.randint(1, 2)):
                if sample.data:
                    on_data = dice.choice(ON_DATA)
                    ways.append(on_data.__name__)
                    sample = Sample(sample.topic, sample.type, on_data(sample.data, dice))
        value, headers = in_any_mode(sample, dice)
        if "bytes" in families:
            on_bytes = dice.choice(ON_BYTES if dice.randrange(ONE_IN_RARE) else RARE_BYTES)
            ways.append(on_bytes.__name__)
            value = on_bytes(value, dice)
        if "headers" in families:
            on_headers = dice.choice(ON_HEADERS if dice.randrange(ONE_IN_RARE) else RARE_HEADERS)
            ways.append(on_headers.__name__)
            headers = on_headers(headers, dice)
        self._tally.by_mutation.update(ways)
        return self._record(number, sample.topic, value, headers)

    def _drawn_like(self, sample: Sample) -> Sample:
        """An instance of the event's schema; half of them keep the ids that they were drawn with."""
        drawn = Sample(sample.topic, sample.type, instance_of(sample.type, self._drawn, self._dice))
        return addressed(drawn, self._dice, self._questions()) if self._dice.random() < 0.5 else drawn

    def _record(self, number: int, topic: str, value: bytes, headers: list[Header]) -> Record:
        """Sometimes a tombstone, and sometimes on the other topic."""
        others = (ORDER_EXCEPTIONS.name, REVIEW_DECISIONS.name)
        place = topic if self._dice.random() > 0.02 else self._dice.choice(others)
        tombstone = self._dice.random() < 0.005
        return Record(place, PARTITION, number, CANARY.encode(), None if tombstone else value, headers)

    def _questions(self) -> list[str]:
        return [str(key) for key, row in self._desk.database.approvals.items() if row.is_open]

    async def _send(self, number: int, record: Record) -> None:
        self._last = record
        try:
            parts = read(record)
        except Exception as error:
            raise self._violation(f"the reader raised {type(error).__name__}: {error}") from error
        self._look_at(parts)
        try:
            for work in await self._desk.inbox.receive([record]):
                await self._desk.casework.deliver(work.delivery)
        except Exception as error:
            raise self._violation(f"a use case raised {type(error).__name__}: {error}") from error
        self._check_log()

    def _look_at(self, parts: list[Accepted | Rejected]) -> None:
        tally = self._tally
        tally.records += 1
        if not parts:
            raise self._violation("the record came to nothing: neither accepted nor refused")
        spoilt = False
        for part in parts:
            if isinstance(part, Accepted):
                self._check_row(part)
            match part:
                case Rejected(_, reason, detail):
                    spoilt = True
                    tally.by_reason[RejectionReason(reason).value] += 1
                    self._check_words(detail)
                case Accepted(message=IllegibleDecision(problem=problem, code=code)):
                    spoilt = True
                    tally.by_reason[f"receipt {code}"] += 1
                    self._check_words(problem)
                case Accepted(message=message):
                    tally.by_message[type(message).__name__] += 1
        if spoilt:
            tally.refused += 1
        else:
            tally.accepted += 1

    def _check_row(self, part: Accepted) -> None:
        """What is accepted fits into a row of the inbox, and is read from it as it was."""
        if not _is_storable(part.payload) or not _is_storable(part.correlation):
            raise self._violation("PostgreSQL would not take what was accepted")
        if message_of(part.type, part.payload) != part.message:
            raise self._violation("what was accepted is another message when it is read from its row")

    def _check_words(self, detail: str) -> None:
        if not detail:
            raise self._violation("it was refused without a word")
        if CANARY in detail.casefold():
            raise self._violation(f"the detail repeats what was sent: {detail}")
        if not _is_storable(detail):
            raise self._violation("the detail cannot be stored")

    async def _serves_a_good_record(self, number: int) -> None:
        desk, name = self._desk, f"GOOD-{number}"
        event = refund_event(name, order_id=name, customer_id=name, order={"captured": {**_captured()}})
        await desk.raises(event)
        await desk.decides(decision_event(exception_id=name, decision_id=f"good-{number}"))
        found = desk.database.case_of_exception(name)
        if found is None or found.state != "executed":
            raise self._violation(f"the next good record was not served: {found and found.state}")
        self._tally.good += 1
        self._check_log()

    async def _everything_is_answered(self) -> None:
        """Early messages are given up after a while; nothing else may be left, and nothing may have failed."""
        desk = self._desk
        desk.clock.advance(desk.ports.patience.early.total_seconds() + 1)
        while due := await desk.inbox.take_up(1_000):
            for work in due:
                await desk.casework.deliver(work.delivery)
        self._check_log()
        left = [row for row in desk.database.inbox.values() if not row.is_finished]
        if left:
            raise self._violation(f"{len(left)} messages are stuck, the first is {left[0].message}")
        failed = [one for one in desk.dead_letters() if one["detail"].startswith("could not be processed")]
        if failed:
            raise self._violation(f"a message could not be processed: {failed[0]['detail']}")
        for letter in desk.dead_letters():
            self._check_words(letter["detail"])
        known: invariants.Outcomes = {}
        for holds in invariants.ALL:
            try:
                holds(desk, known)
            except AssertionError as error:
                raise self._violation(f"{holds.__name__}: {error}") from error
        self._tally.dead_letters.update(letter["reason"] for letter in desk.dead_letters())
        self._tally.receipts.update(receipt["code"] for receipt in desk.receipts())
        self._tally.outcomes.update(outcome["status"] for outcome in desk.outcomes())

    def _check_log(self) -> None:
        if self._heard:
            raise self._violation(f"this was logged: {self._heard[0]}")

    def _violation(self, problem: str) -> Violation:
        last = self._last
        shown = "" if last is None else f"\n{last.topic} {last.offset}: {last.value!r:.3000}\n{last.headers!r:.2000}"
        return Violation(f"{self._name}: {problem}{shown}")


def _captured() -> dict[str, object]:
    return usd(20_000).model_dump()


def _is_storable(text: str) -> bool:
    """JSONB takes no NUL, neither as a character nor as its escape."""
    if "\0" in text or re.search(r"(?<!\\)(?:\\\\)*\\u0000", text):
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
