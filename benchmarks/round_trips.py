"""The first figure: approval round trips, ours and LangGraph's as its documentation uses it.

A round trip is an exception that needs a person, its approval-needed event, the approval, and the outcome. All are
raised first, then all are approved, so that all wait at the same time; the rate is the count divided by the time of
both phases. Then some more are approved at a steady pace, for the latency from decision to outcome.

All systems run in one go on one broker and one database, in turn within each repetition; each repetition has a
database and topics of its own. Figures of different runs or machines do not compare; ratios within a run do.
"""

import argparse
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import machine, report
from benchmarks.load import BenchmarkFailed
from benchmarks.repetition import Measured, Size, repeat_once
from benchmarks.stack import running_stack
from benchmarks.systems import SYSTEMS

RESULTS = Path(__file__).parent / "results" / "round-trips.json"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=_positive, default=2000, help="round trips of a repetition (2000)")
    parser.add_argument("--reps", type=_positive, default=3, help="repetitions (3)")
    parser.add_argument("--workers", type=_positive, nargs="+", default=[1, 2], help="worker processes (1 2)")
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--paced", type=int, default=500, help="cases for the latency; 0 leaves it out (500)")
    parser.add_argument("--rate", type=float, default=50.0, help="decisions a second for the latency (50)")
    parser.add_argument("--out", type=Path, default=RESULTS, help=f"the JSON file ({RESULTS.name})")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        measure(arguments)
    except BenchmarkFailed as failed:
        sys.stderr.write("\n".join(["error: " + str(failed), *getattr(failed, "__notes__", ())]) + "\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; everything that was started has ended\n")
        return 130
    return 0


def measure(arguments: argparse.Namespace) -> None:
    began = datetime.now(UTC).isoformat(timespec="seconds")
    size = Size(arguments.count, arguments.paced, arguments.rate)
    turns = [(name, workers) for workers in arguments.workers for name in arguments.systems]
    runs: dict[tuple[str, int], list[Measured]] = {turn: [] for turn in turns}
    with running_stack() as stack:
        described = machine.describe(stack)
        for repetition in range(1, arguments.reps + 1):
            for name, workers in turns:
                place = f"bench-{int(time.time())}-{len(runs[name, workers])}"
                measured = repeat_once(stack, SYSTEMS[name], workers, size, place)
                runs[name, workers].append(measured)
                rate = f"{measured.round_trips_per_s:.0f} round trips/s"
                sys.stderr.write(f"{repetition}/{arguments.reps} {name}, {workers} workers: {rate}\n")
    rows = [report.row_of(name, workers, done) for (name, workers), done in runs.items()]
    command = " ".join(["python -m benchmarks.round_trips", *sys.argv[1:]])
    report.write(arguments.out, described, command, began, rows)
    sys.stdout.write(report.table(rows) + f"\n\nwritten to {arguments.out}\n")
    if not report.is_quiet(rows):
        sys.stdout.write("The machine was not quiet (see foreign CPU): repeat this before you rely on it.\n")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number above zero")
    return number


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
