"""Kafka and PostgreSQL together, on one data folder that nobody else uses at the same time."""

import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from worker.adapters.embedded.errors import EmbeddedError
from worker.adapters.embedded.jars import class_path
from worker.adapters.embedded.kafka import Kafka
from worker.adapters.embedded.postgres import Postgres

PATIENCE_SECONDS = 1.0

Progress = Callable[[str], None]


class EmbeddedStack:
    """A broker and a database of one's own: `start`, use `kafka` and `database`, `stop`; or use it
    in a `with`.

    What they store stays in `data_dir` and is there at the next start, at other ports. `throw_away`
    trades that for speed, and deletes the database at `stop`. `progress` hears what takes
    longer than a second.
    """

    def __init__(self, data_dir: Path, throw_away: bool = False, progress: Progress = lambda line: None) -> None:
        self._data_dir = data_dir.absolute()
        self._progress = progress
        self._postgres = Postgres(self._data_dir / "postgres", throw_away)
        self._broker: Kafka | None = None
        self._lock: IO[str] | None = None

    @property
    def kafka(self) -> str:
        """The broker's bootstrap address, `127.0.0.1:port`."""
        if self._broker is None:
            raise EmbeddedError("The embedded Kafka is not running.")
        return self._broker.bootstrap

    @property
    def database(self) -> str:
        """A superuser's `postgresql://` address of the database `signoff`."""
        return self._postgres.url

    @property
    def pids(self) -> tuple[int, ...]:
        """The process numbers of what runs, for whoever watches or kills them in a test."""
        found = (self._broker.pid if self._broker else None, self._postgres.pid)
        return tuple(pid for pid in found if pid is not None)

    def start(self) -> None:
        """Start both side by side and return when both serve.

        Raises EmbeddedError, and leaves nothing running then.
        """
        self._take_lock()
        try:
            with ThreadPoolExecutor(2, thread_name_prefix="embedded") as pool:
                postgres = pool.submit(self._start_postgres)
                broker = pool.submit(self._start_kafka)
            broker.result()
            postgres.result()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End both side by side. Does nothing when nothing runs."""
        with ThreadPoolExecutor(2, thread_name_prefix="embedded") as pool:
            if self._broker:
                pool.submit(self._broker.stop)
            pool.submit(self._postgres.stop)
        self._broker = None
        if self._lock:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _start_postgres(self) -> None:
        with self._telling("PostgreSQL"):
            self._postgres.start()

    def _start_kafka(self) -> None:
        with self._telling("Apache Kafka"):
            self._broker = Kafka(self._data_dir / "kafka", class_path(progress=self._progress))
            self._broker.start()

    @contextlib.contextmanager
    def _telling(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        slow = threading.Timer(PATIENCE_SECONDS, self._progress, (f"starting {name} …",))
        slow.daemon = True
        slow.start()
        try:
            yield
        finally:
            slow.cancel()
        if (seconds := time.monotonic() - began) > PATIENCE_SECONDS:
            self._progress(f"{name} is up after {seconds:.1f} s")

    def _take_lock(self) -> None:
        """Hold `data_dir/lock` while we live; the system releases it when we are killed."""
        path = self._data_dir / "lock"
        try:
            self._data_dir.mkdir(parents=True, exist_ok=True)
            lock = path.open("a+")
        except OSError as error:
            raise EmbeddedError(
                f"The data folder {self._data_dir} cannot be used: {error}. Give another with --data DIR."
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise EmbeddedError(
                f"Another signoff (process {holder}) already uses the data in {self._data_dir}. "
                "Stop it first, or give another folder with --data DIR."
            ) from error
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._lock = lock
