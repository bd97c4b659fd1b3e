"""The third figure: does anything grow that should not, over an hour at about half of what one worker sustains?

First a worker of its own is kept busy for a minute, which says what is sustainable on this machine now. Then a fresh
worker works through a backlog for a minute, gets cases at a constant rate, and every 15 seconds all that could grow
is written down. After a warm-up of a quarter of the time each series is judged: flat, grows, or undecided. The exit
code is 1 when a series that must be flat is not. At the end what is sustainable is measured again: on a machine that
others use, it changes.
"""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from confluent_kafka import KafkaException

from benchmarks import endurance_report, machine
from benchmarks.endurance_capacity import Capacity, measure_capacity
from benchmarks.endurance_judgement import Judgement, judge
from benchmarks.endurance_samples import Sample, Sampler
from benchmarks.endurance_traffic import Traffic
from benchmarks.endurance_trend import Verdict
from benchmarks.load import BenchmarkFailed
from benchmarks.stack import fresh_place, running_stack
from benchmarks.systems import SIGNOFF, running_workers
from worker.adapters.embedded.stack import EmbeddedStack

RESULTS = Path(__file__).parent / "results" / "endurance.json"
SAMPLE_EVERY_S = 15.0
TELL_EVERY = 4
MOST_OWED, BACKLOG_S = 2_000, 60.0
"""The backlog that a run begins with: more than the worker holds at a time (`SIGNOFF_IN_FLIGHT`)."""

FEWEST_MINUTES = 3


def main() -> int:
    arguments = read_arguments(sys.argv[1:])
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return judge_again(arguments.judge) if arguments.judge else measure(arguments)
    except BenchmarkFailed as failed:
        sys.stderr.write("\n".join(["error: " + str(failed), *getattr(failed, "__notes__", ())]) + "\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; everything that was started has ended\n")
        return 130


def read_arguments(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.endurance",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=60.0, help="how long (60)")
    parser.add_argument("--rate", type=float, help="cases a second (half of what is sustainable)")
    parser.add_argument("--find-rate", action="store_true", help="say what is sustainable, and end")
    parser.add_argument("--skip-finding", action="store_true", help="do not measure what is sustainable; needs --rate")
    parser.add_argument("--json", type=Path, default=RESULTS, help=f"the file to write ({RESULTS.name})")
    parser.add_argument("--judge", type=Path, metavar="FILE", help="run nothing: judge the samples of such a file")
    arguments = parser.parse_args(given)
    if arguments.skip_finding and not arguments.rate:
        parser.error("--skip-finding leaves no figure to take half of: give --rate")
    if arguments.minutes < FEWEST_MINUTES:
        parser.error(f"--minutes {arguments.minutes:g} gives too few samples to judge: {FEWEST_MINUTES} or more")
    return arguments


def judge_again(path: Path) -> int:
    """The exit code. Raises BenchmarkFailed when the file is no result of such a run."""
    try:
        samples, rate = endurance_report.read(path)
        judgements = judge(samples, rate)
    except ValueError as problem:
        raise BenchmarkFailed(str(problem)) from problem
    sys.stdout.write(endurance_report.table(judgements) + "\n")
    return _exit_code(judgements)


def measure(arguments: argparse.Namespace) -> int:
    """The exit code. Raises BenchmarkFailed when an outcome is missing or wrong."""
    began = datetime.now(UTC).isoformat(timespec="seconds")
    with running_stack() as stack:
        described = machine.describe(stack)
        found = None if arguments.skip_finding else measure_capacity(stack, _say)
        if arguments.find_rate:
            return 0
        rate = arguments.rate or _half(found)
        run = {
            "machine": described,
            "command": " ".join(["python -m benchmarks.endurance", *sys.argv[1:]]),
            "date": began,
            "minutes": arguments.minutes,
            "rate_per_s": rate,
            "sustainable_before": found.as_row() if found else None,
        }
        return _endure(stack, arguments, rate, run)


def _endure(stack: EmbeddedStack, arguments: argparse.Namespace, rate: float, run: dict[str, Any]) -> int:
    """What was sampled is written even when the run fails: an hour is long."""
    samples: list[Sample] = []
    cases: list[int] = []
    problem = None
    try:
        run |= _sample_all(stack, arguments.minutes * 60, rate, samples, cases)
        if not arguments.skip_finding:
            run["sustainable_after"] = measure_capacity(stack, _say).as_row()
    except (BenchmarkFailed, psycopg.Error, KafkaException) as failed:
        problem = failed
        if len(samples) * SAMPLE_EVERY_S < FEWEST_MINUTES * 60:
            raise BenchmarkFailed(str(failed)) from failed
    judgements = judge(samples, rate)
    run["problem"] = str(problem) if problem else None
    endurance_report.write(arguments.json, run, samples, cases, judgements)
    if problem is not None:
        raise BenchmarkFailed(str(problem)) from problem
    sys.stdout.write(endurance_report.table(judgements) + f"\n\nwritten to {arguments.json}\n")
    return _exit_code(judgements)


def _exit_code(judgements: Sequence[Judgement]) -> int:
    return int(any(judged.required and judged.verdict is not Verdict.FLAT for judged in judgements))


def _sample_all(
    stack: EmbeddedStack, seconds: float, rate: float, samples: list[Sample], cases: list[int]
) -> dict[str, int]:
    """One sample at the end of each interval, and how many cases were concluded by then. When the time is over, all
    cases are seen through to their outcomes and counted."""
    with (
        fresh_place(stack, f"endurance-{int(time.time())}") as place,
        running_workers(SIGNOFF, place, 1) as workers,
        Traffic(place, workers.check) as traffic,
        Sampler(stack, place, workers.pids, traffic) as sampler,
    ):
        # Memory that was needed once is not given back, and the busiest moment may come late: it comes first instead.
        traffic.keep_owed(MOST_OWED)
        time.sleep(BACKLOG_S)
        traffic.raise_at(rate)
        began = time.monotonic()
        for turn in range(1, int(seconds / SAMPLE_EVERY_S) + 1):
            time.sleep(max(0.0, began + turn * SAMPLE_EVERY_S - time.monotonic()))
            samples.append(sampler.take())
            cases.append(traffic.concluded)
            if turn % TELL_EVERY == 0:
                _say(endurance_report.progress(samples[-1], cases[-1]))
        traffic.drain()
        return {"cases": traffic.concluded, "events_that_came_twice": traffic.repeated}


def _half(found: Capacity | None) -> float:
    if found is None:
        raise BenchmarkFailed("nothing is known of what is sustainable: give --rate")
    return float(round(found.sustainable / 2))


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
