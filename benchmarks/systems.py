"""Who is measured: how to prepare a place for it, and how to start and end its workers."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import ConsumerGroupState, KafkaException
from confluent_kafka.admin import AdminClient

from benchmarks.load import QUIET, BenchmarkFailed
from benchmarks.stack import Place

ROOT = Path(__file__).parent.parent
JOIN_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 15.0
LOG_TAIL_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class System:
    """`prepare` runs once in each place, `run` once for each worker. `groups` are its consumer groups, unprefixed."""

    name: str
    prepare: Sequence[str]
    run: Sequence[str]
    groups: Sequence[str]


def _beside_python(command: str) -> str:
    """The installed command of this very environment."""
    return str(Path(sys.executable).with_name(command))


SIGNOFF = System(
    name="signoff",
    prepare=(_beside_python("signoff"), "migrate"),
    run=(_beside_python("signoff"), "run"),
    groups=("signoff",),
)
LANGGRAPH = System(
    name="langgraph-as-documented",
    prepare=(sys.executable, "-m", "benchmarks.langgraph_as_documented", "prepare"),
    run=(sys.executable, "-m", "benchmarks.langgraph_as_documented", "run"),
    groups=("exceptions", "decisions"),
)
SYSTEMS = {system.name: system for system in (SIGNOFF, LANGGRAPH)}


class Workers:
    """The running worker processes of one repetition."""

    def __init__(self, processes: Sequence["subprocess.Popen[bytes]"], logs: Sequence[Path]) -> None:
        self._processes = processes
        self._logs = logs

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._processes]

    def check(self) -> None:
        """Raises BenchmarkFailed with a worker's last words when one has ended."""
        for process, log in zip(self._processes, self._logs, strict=True):
            if process.poll() is not None:
                raise BenchmarkFailed(f"worker {process.pid} ended with {process.returncode}:\n{_tail(log)}")

    def stop(self) -> None:
        """Each is asked to finish, and killed when it does not."""
        for process in self._processes:
            if process.poll() is None:
                process.terminate()
        for process in self._processes:
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def last_words(self) -> str:
        return "\n".join(f"{log.name}: {_tail(log)}" for log in self._logs)


@contextlib.contextmanager
def running_workers(system: System, place: Place, count: int) -> Iterator[Workers]:
    """Prepares the place, starts the workers and yields when each has joined its consumer groups."""
    environment = {**os.environ, **place.environment}
    prepared = subprocess.run(system.prepare, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    if prepared.returncode:
        raise BenchmarkFailed(f"{' '.join(system.prepare)}:\n{prepared.stderr[-LOG_TAIL_CHARACTERS:]}")
    logs = [place.logs / f"worker-{number}.log" for number in range(count)]
    processes: list[subprocess.Popen[bytes]] = []
    workers = Workers(processes, logs)
    try:
        for log in logs:
            with log.open("wb") as written:
                process = subprocess.Popen(
                    system.run,
                    env=environment,
                    cwd=ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=written,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # Ctrl-C reaches us alone, and we end them in order
                )
            processes.append(process)
        _wait_for_groups(workers, place, [place.prefix + group for group in system.groups], members=count)
        yield workers
    except BenchmarkFailed as failed:
        failed.add_note(workers.last_words())
        raise
    finally:
        workers.stop()


def _wait_for_groups(workers: Workers, place: Place, groups: list[str], *, members: int) -> None:
    admin = AdminClient({**QUIET, "bootstrap.servers": place.kafka})
    deadline = time.monotonic() + JOIN_TIMEOUT_S
    while True:
        workers.check()
        states = [_state(admin, group) for group in groups]
        if all(state == (ConsumerGroupState.STABLE, members) for state in states):
            return
        if time.monotonic() > deadline:
            raise BenchmarkFailed(f"the workers did not join their groups: {dict(zip(groups, states, strict=True))}")
        time.sleep(0.2)


def _state(admin: AdminClient, group: str) -> tuple[ConsumerGroupState, int] | str:
    """The group's state and size; what the broker answered when it does not know them yet."""
    try:
        found = admin.describe_consumer_groups([group])[group].result()
    except KafkaException as error:
        return str(error)
    return found.state, len(found.members)


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-LOG_TAIL_CHARACTERS:] if log.exists() else ""
