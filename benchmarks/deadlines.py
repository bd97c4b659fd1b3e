"""The second figure: are timers right to the second while very many questions wait?

Many cases are raised that wait for days. Then some more are raised at a steady pace whose level reminds after half a
minute and lets them expire after one. For each, the lateness is the time between the moment that the approval request
names and the arrival of the event that says it happened, on one machine and so by one clock.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition

from benchmarks import machine
from benchmarks.events import exception_id, exception_raised
from benchmarks.load import NO_PROGRESS_S, QUIET, BenchmarkFailed
from benchmarks.stack import PARTITIONS, Place, fresh_place, running_stack
from benchmarks.systems import SIGNOFF, Workers, running_workers

RESULTS = Path(__file__).parent / "results" / "deadlines.json"
SOON = timedelta(seconds=60)
REMINDED_AFTER = 0.5

POLICY = f"""
name: deadlines
base_currency: USD
levels:
  patient:
    role: manager
    due_in: 7d
    deadlines:
      - {{at: 50%, do: remind}}
    on_timeout: reject
    allowed_verdicts: [approve, reject]
  impatient:
    role: manager
    due_in: {int(SOON.total_seconds())}s
    deadlines:
      - {{at: {REMINDED_AFTER:.0%}, do: remind}}
    on_timeout: reject
    allowed_verdicts: [approve, reject]
rules:
  - id: everything-waits
    when: exception.lines == 1
    says: a case of the crowd
    level: patient
    risk: low
  - id: soon-over
    when: exception.lines == 2
    says: a case that is due soon
    level: impatient
    risk: low
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pending", type=int, default=100_000, help="cases that wait all the time (100000)")
    parser.add_argument("--due", type=int, default=3_000, help="cases whose timers run out meanwhile (3000)")
    parser.add_argument("--rate", type=float, default=50.0, help="of these so many are raised a second (50)")
    parser.add_argument("--workers", type=int, default=2, help="worker processes (2)")
    parser.add_argument("--out", type=Path, default=RESULTS, help=f"the JSON file ({RESULTS.name})")
    arguments = parser.parse_args()
    try:
        written = measure(arguments)
    except BenchmarkFailed as failed:
        sys.stderr.write("\n".join(["error: " + str(failed), *getattr(failed, "__notes__", ())]) + "\n")
        return 1
    sys.stdout.write(json.dumps(written["lateness_ms"], indent=2) + f"\n\nwritten to {arguments.out}\n")
    return 0


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Raises BenchmarkFailed when a case is missing, or when nothing arrives for a minute."""
    began = datetime.now(UTC).isoformat(timespec="seconds")
    with running_stack() as stack, tempfile.NamedTemporaryFile("w", suffix=".yaml") as policy:
        policy.write(POLICY)
        policy.flush()
        os.environ["SIGNOFF_POLICY_FILE"] = policy.name
        described = machine.describe(stack)
        with (
            fresh_place(stack, f"timers-{int(time.time())}") as place,
            running_workers(SIGNOFF, place, arguments.workers) as workers,
        ):
            watch = _Watch(place, workers)
            filled_s = _fill(place, watch, arguments.pending)
            _raise_at(place, range(arguments.pending, arguments.pending + arguments.due), arguments.rate)
            watch.wait(lambda: len(watch.expired) >= arguments.due, "expired cases")
            watch.stop()
    written = {
        "machine": described,
        "command": " ".join(["python -m benchmarks.deadlines", *sys.argv[1:]]),
        "date": began,
        "pending": arguments.pending,
        "due": arguments.due,
        "raised_per_s": arguments.rate,
        "workers": arguments.workers,
        "seconds_to_fill": round(filled_s, 1),
        "lateness_ms": {"reminded": _spread(watch.reminded), "expired": _spread(watch.expired)},
    }
    arguments.out.write_text(json.dumps(written, indent=2) + "\n")
    return written


class _Watch:
    """Listens to the approvals topic: which questions were asked, and how late each of their timers was."""

    def __init__(self, place: Place, workers: Workers) -> None:
        self.asked: dict[str, tuple[datetime, datetime]] = {}
        self.reminded: list[float] = []
        self.expired: list[float] = []
        self._place = place
        self._workers = workers
        self._problem: Exception | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="arrivals", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def wait(self, done: Any, what: str) -> None:
        seen, moved = -1, time.monotonic()
        while not done():
            time.sleep(0.2)
            self._workers.check()
            if self._problem is not None:
                raise BenchmarkFailed(f"while waiting for {what}: {self._problem}") from self._problem
            have = len(self.asked) + len(self.reminded) + len(self.expired)
            if have != seen:
                seen, moved = have, time.monotonic()
            elif time.monotonic() - moved > NO_PROGRESS_S + SOON.total_seconds():
                raise BenchmarkFailed(f"no {what} came for a long time; {have} events were seen")

    def _listen(self) -> None:
        consumer = Consumer(
            {**QUIET, "bootstrap.servers": self._place.kafka, "group.id": "watch", "enable.auto.commit": False}
        )
        topic = self._place.prefix + "approvals"
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in range(PARTITIONS)])
        try:
            while not self._ended.is_set():
                message = consumer.poll(0.1)
                if message is None:
                    continue
                if (error := message.error()) is not None:
                    raise KafkaException(error)
                self._note(json.loads(message.value() or b""), datetime.now(UTC))
        except Exception as problem:
            self._problem = problem
        finally:
            consumer.close()

    def _note(self, event: dict[str, Any], now: datetime) -> None:
        if "requested_at" in event:
            times = (datetime.fromisoformat(event["requested_at"]), datetime.fromisoformat(event["due_at"]))
            self.asked[event["approval_id"]] = times
            return
        requested_at, due_at = self.asked[event["approval_id"]]
        if event["change"] == "reminded":
            due_at = requested_at + (due_at - requested_at) * REMINDED_AFTER
            self.reminded.append((now - due_at).total_seconds())
        elif event["change"] == "closed":
            self.expired.append((now - due_at).total_seconds())


def _fill(place: Place, watch: _Watch, count: int) -> float:
    """Seconds until all of them wait."""
    began = time.monotonic()
    producer = _producer(place)
    for number in range(count):
        _produce(producer, place, number, lines=1)
    producer.flush(NO_PROGRESS_S)
    watch.wait(lambda: len(watch.asked) >= count, "questions")
    return time.monotonic() - began


def _raise_at(place: Place, numbers: range, rate: float) -> None:
    producer = _producer(place)
    began = time.monotonic()
    for turn, number in enumerate(numbers):
        time.sleep(max(0.0, began + turn / rate - time.monotonic()))
        _produce(producer, place, number, lines=2)
    producer.flush(NO_PROGRESS_S)


def _producer(place: Place) -> Producer:
    return Producer(
        {**QUIET, "bootstrap.servers": place.kafka, "acks": "all", "queue.buffering.max.messages": 1_000_000}
    )


def _produce(producer: Producer, place: Place, number: int, *, lines: int) -> None:
    key, value, headers = exception_raised(number)
    body = json.loads(value)
    body["items"] = [{"sku": f"LAMP-{line}", "quantity": 1} for line in range(lines)]
    if body["exception_id"] != exception_id(number):
        raise BenchmarkFailed("the load numbers its exceptions otherwise")
    producer.produce(place.prefix + "order-exceptions", json.dumps(body).encode(), key=key, headers=headers)
    producer.poll(0)


def _spread(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    if not ordered:
        raise BenchmarkFailed("no timer ran out")
    return {
        "count": len(ordered),
        "min": round(ordered[0] * 1000, 1),
        "p50": round(statistics.median(ordered) * 1000, 1),
        "p99": round(ordered[int(len(ordered) * 0.99)] * 1000, 1),
        "max": round(ordered[-1] * 1000, 1),
    }


if __name__ == "__main__":
    sys.exit(main())
