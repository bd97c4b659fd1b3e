"""Producers, reviewers and the clock: raises exceptions, approves what is asked, and notes when outcomes arrive.

It knows topics and events only, so it is the same for every system.
"""

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Self

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, Producer, TopicPartition

from benchmarks.events import KafkaRecord, decision, exception_id, exception_raised
from benchmarks.stack import PARTITIONS, Place
from schemas.events import ApprovalNeeded, ResolutionOutcome

NO_PROGRESS_S = 60.0
QUIET = {"log_level": 2}
"""The library would tell of every connection that the broker closes at its end."""

NEEDED, OUTCOME = ApprovalNeeded.TYPE.encode(), ResolutionOutcome.TYPE.encode()


class BenchmarkFailed(Exception):
    """A figure that cannot be trusted, or none at all; the message says what was seen."""


class Load:
    """One repetition's outside world. Use it in a `with`: it listens from the beginning of the topics.

    `alive` raises when a worker has died; it is asked while waiting.
    """

    def __init__(self, place: Place, alive: Callable[[], None]) -> None:
        self._place = place
        self._alive = alive
        self._producer = Producer(
            {**QUIET, "bootstrap.servers": place.kafka, "acks": "all", "queue.buffering.max.messages": 1_000_000}
        )
        self._approvals: dict[str, str] = {}
        self._outcomes: dict[str, float] = {}
        self._repeated = 0
        self._problem: Exception | None = None
        self._ended = threading.Event()
        self._arrived = threading.Condition()
        self._listener = threading.Thread(target=self._listen, name="arrivals", daemon=True)

    @property
    def repeated(self) -> int:
        """How many events arrived more than once."""
        return self._repeated

    def __enter__(self) -> Self:
        self._listener.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._listener.join()
        self._producer.flush(1)

    def raise_exceptions(self, numbers: range) -> float:
        """Seconds until the last approval-needed event of these has arrived."""
        began = time.monotonic()
        self._send("order-exceptions", (exception_raised(number) for number in numbers))
        self._wait(self._approvals, numbers, "approval-needed events")
        return time.monotonic() - began

    def approve(self, numbers: range) -> float:
        """Seconds until the last outcome of these has arrived."""
        began = time.monotonic()
        decided = (decision(number, self._approvals[exception_id(number)]) for number in numbers)
        self._send("review-decisions", decided)
        self._wait(self._outcomes, numbers, "outcomes")
        return time.monotonic() - began

    def approve_at(self, rate: float, numbers: range) -> list[float]:
        """Approves `rate` cases a second; the seconds from each decision to its outcome."""
        sent: dict[str, float] = {}
        began = time.monotonic()
        for turn, number in enumerate(numbers):
            name = exception_id(number)
            record = decision(number, self._approvals[name])
            time.sleep(max(0.0, began + turn / rate - time.monotonic()))
            sent[name] = time.monotonic()
            self._produce("review-decisions", record)
            self._producer.poll(0)
        self._wait(self._outcomes, numbers, "outcomes")
        return [self._outcomes[name] - then for name, then in sent.items()]

    def _send(self, topic: str, records: Iterable[KafkaRecord]) -> None:
        for record in records:
            self._produce(topic, record)
            self._producer.poll(0)
        if left := self._producer.flush(NO_PROGRESS_S):
            raise BenchmarkFailed(f"{left} records could not be produced to {topic}")

    def _produce(self, topic: str, record: KafkaRecord) -> None:
        key, value, headers = record
        self._producer.produce(self._place.prefix + topic, value, key=key, headers=headers)

    def _wait(self, arrived: Mapping[str, object], numbers: range, what: str) -> None:
        """Raises BenchmarkFailed when nothing arrives for a minute, or when a worker has died."""
        wanted = {exception_id(number) for number in numbers}
        seen, moved = -1, time.monotonic()
        while True:
            with self._arrived:
                have = len(wanted & arrived.keys())
                if have == len(wanted):
                    return
                self._arrived.wait(timeout=0.5)
            if self._problem is not None:
                raise BenchmarkFailed(f"while waiting for {what}: {self._problem}") from self._problem
            self._alive()
            if have != seen:
                seen, moved = have, time.monotonic()
            elif time.monotonic() - moved > NO_PROGRESS_S:
                raise BenchmarkFailed(f"{have} of {len(wanted)} {what}, and none for {NO_PROGRESS_S:.0f} s")

    def _listen(self) -> None:
        consumer = Consumer(
            {
                **QUIET,
                "bootstrap.servers": self._place.kafka,
                "group.id": self._place.prefix + "load",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 100,
            }
        )
        consumer.assign(
            [
                TopicPartition(self._place.prefix + topic, partition, OFFSET_BEGINNING)
                for topic in ("approvals", "order-outcomes")
                for partition in range(PARTITIONS)
            ]
        )
        try:
            while not self._ended.is_set():
                message = consumer.poll(0.1)
                if message is not None:
                    self._note(message)
        except Exception as problem:
            self._problem = problem
        finally:
            consumer.close()

    def _note(self, message: Message) -> None:
        now = time.monotonic()
        if (error := message.error()) is not None:
            raise KafkaException(error)
        type_ = dict(message.headers() or ()).get("ce_type")
        if type_ not in {NEEDED, OUTCOME}:
            return
        event = json.loads(message.value() or b"")
        name = event["exception_id"]
        if type_ == OUTCOME and event["status"] != "executed":
            raise BenchmarkFailed(f"{name} ended as {event['status']}: {event.get('reason')}")
        with self._arrived:
            if name in (self._outcomes if type_ == OUTCOME else self._approvals):
                self._repeated += 1
            elif type_ == OUTCOME:
                self._outcomes[name] = now
            else:
                self._approvals[name] = event["approval_id"]
            self._arrived.notify()
