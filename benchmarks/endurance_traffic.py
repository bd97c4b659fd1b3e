"""An open loop of cases: raised at a constant rate whatever the worker does, answered by people after seconds.

Latencies count from the moment at which a record was due, so that a load that is late itself hides nothing.
"""

import heapq
import json
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from benchmarks.endurance_cases import Kind, decided, kind_of, raised, wait_s
from benchmarks.events import KafkaRecord
from benchmarks.load import NEEDED, NO_PROGRESS_S, OUTCOME, QUIET, BenchmarkFailed
from benchmarks.stack import PARTITIONS, Place

IDLE_S = 0.2


@dataclass(slots=True)
class Window:
    """What happened between two looks. Latencies in seconds: of cases that need nobody from exception to outcome, of
    the others from exception to question and from decision to outcome. `late_s` is the worst delay of the load itself.
    """

    raised: int = 0
    outcomes: int = 0
    automatic_s: list[float] = field(default_factory=list)
    asked_s: list[float] = field(default_factory=list)
    decided_s: list[float] = field(default_factory=list)
    late_s: float = 0.0


class Traffic:
    """The outside world of one run. Use it in a `with`; `alive` raises when the worker has died."""

    def __init__(self, place: Place, alive: Callable[[], None]) -> None:
        self._place = place
        self._alive = alive
        self._producer = Producer({**QUIET, "bootstrap.servers": place.kafka, "acks": "all", "linger.ms": 5})
        self._changed = threading.Condition()
        self._window = Window()
        self._interval_s = math.inf
        self._next_raise = math.inf
        self._always_owed = 0
        self._raised = 0
        self._began: dict[int, float] = {}
        """Cases that the worker owes something, and since when: the exception or the decision was due then."""
        self._answers: list[tuple[float, int, str]] = []
        self._concluded = 0
        self._seen: set[str | bytes | None] = set()
        """CloudEvents ids: delivery is at least once, and a relay on a busy machine does send twice."""
        self._repeated = 0
        self._problem: Exception | None = None
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._guarded, args=(work,), name=work.__name__, daemon=True)
            for work in (self._send, self._listen)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()
        self._producer.flush(1)

    @property
    def owed(self) -> int:
        """Cases for which the worker is next: neither concluded nor waiting for a person."""
        with self._changed:
            return len(self._began)

    @property
    def concluded(self) -> int:
        return self._concluded

    @property
    def repeated(self) -> int:
        """Events that arrived more than once, under the same id."""
        return self._repeated

    def keep_owed(self, count: int) -> None:
        """From now on, as many cases as keep the worker busy: a new one whenever it owes fewer than `count`."""
        with self._changed:
            self._always_owed = count
            self._changed.notify_all()

    def raise_at(self, rate: float) -> None:
        """From now on, so many cases a second; 0 for none."""
        with self._changed:
            self._always_owed = 0
            self._interval_s = 1 / rate if rate else math.inf
            self._next_raise = time.monotonic() if rate else math.inf
            self._changed.notify_all()

    def window(self) -> Window:
        """What happened since the last call. Raises BenchmarkFailed when the run is not worth going on."""
        self._check()
        with self._changed:
            window, self._window = self._window, Window()
        return window

    def drain(self) -> None:
        """Ends the raising and returns when every case has its outcome. Raises BenchmarkFailed when none comes for a
        minute."""
        self.raise_at(0)
        seen, moved = -1, time.monotonic()
        while (have := self.concluded) < self._raised:
            self._check()
            if have != seen:
                seen, moved = have, time.monotonic()
            elif time.monotonic() - moved > NO_PROGRESS_S:
                raise BenchmarkFailed(f"{have} of {self._raised} outcomes, and none for {NO_PROGRESS_S:.0f} s")
            time.sleep(IDLE_S)
        self._check()

    def _check(self) -> None:
        self._alive()
        if self._problem is not None:
            raise BenchmarkFailed(f"the load ended: {self._problem}") from self._problem

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as problem:
            self._problem = problem

    def _send(self) -> None:
        while not self._ended.is_set():
            with self._changed:
                now = time.monotonic()
                if len(self._began) < self._always_owed:
                    self._next_raise = now
                due = min(self._next_raise, self._answers[0][0] if self._answers else math.inf)
                ahead = due - now
                if ahead > 0:
                    self._changed.wait(min(ahead, IDLE_S))
                    continue
                self._window.late_s = max(self._window.late_s, -ahead)
                topic, record = self._take_due()
            self._produce(topic, record)
            self._producer.poll(0)

    def _take_due(self) -> tuple[str, KafkaRecord]:
        """The topic and record that is due now."""
        if self._answers and self._answers[0][0] <= self._next_raise:
            due, number, approval_id = heapq.heappop(self._answers)
            self._began[number] = due
            return "review-decisions", decided(number, approval_id)
        number = self._raised
        self._began[number] = self._next_raise
        self._next_raise += self._interval_s
        self._raised += 1
        self._window.raised += 1
        return "order-exceptions", raised(number)

    def _produce(self, topic: str, record: KafkaRecord) -> None:
        key, value, headers = record
        self._producer.produce(self._place.prefix + topic, value, key=key, headers=headers, on_delivery=self._delivered)

    def _delivered(self, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            raise KafkaException(error)

    def _listen(self) -> None:
        consumer = Consumer(
            {
                **QUIET,
                "bootstrap.servers": self._place.kafka,
                "group.id": self._place.prefix + "endurance",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 100,
            }
        )
        topics = [self._place.prefix + topic for topic in ("approvals", "order-outcomes")]
        consumer.assign(
            [TopicPartition(topic, part, OFFSET_BEGINNING) for topic in topics for part in range(PARTITIONS)]
        )
        try:
            while not self._ended.is_set():
                message = consumer.poll(0.1)
                if message is not None:
                    self._note(message, time.monotonic())
        finally:
            consumer.close()

    def _note(self, message: Message, now: float) -> None:
        if (error := message.error()) is not None:
            raise KafkaException(error)
        headers = dict(message.headers() or ())
        type_ = headers.get("ce_type")
        if type_ not in {NEEDED, OUTCOME}:
            return
        if headers["ce_id"] in self._seen:
            self._repeated += 1
            return
        self._seen.add(headers["ce_id"])
        event = json.loads(message.value() or b"")
        number = int(event["exception_id"].removeprefix("EXC-"))
        with self._changed:
            began = self._began.pop(number, None)
            if began is None:
                raise BenchmarkFailed(f"{event['exception_id']} was not open: a second {type_.decode()} for it")
            if type_ == NEEDED:
                self._note_question(number, event["approval_id"], now, began)
            else:
                self._note_outcome(number, event, now - began)
            self._changed.notify_all()

    def _note_question(self, number: int, approval_id: str, now: float, began: float) -> None:
        if kind_of(number) is Kind.AUTOMATIC:
            raise BenchmarkFailed(f"case {number} needs nobody, and a person was asked")
        self._window.asked_s.append(now - began)
        heapq.heappush(self._answers, (now + wait_s(number), number, approval_id))

    def _note_outcome(self, number: int, event: dict[str, object], latency_s: float) -> None:
        kind = kind_of(number)
        if event["status"] != kind.status:
            raise BenchmarkFailed(f"case {number} ended as {event['status']}, not {kind.status}: {event.get('reason')}")
        self._concluded += 1
        self._window.outcomes += 1
        (self._window.automatic_s if kind is Kind.AUTOMATIC else self._window.decided_s).append(latency_s)
