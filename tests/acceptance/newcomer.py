"""A person with two terminals: `signoff up` in one, whose lines they read, and commands in the other."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil

SIGNOFF = Path(sys.executable).with_name("signoff")
PATIENCE_S = 90.0
"""For anything to happen at all, on a machine that runs other tests as well."""

DECIDE = re.compile(r"^ +(\S*signoff decide (\S+) approve --reviewer user:you --role \S+)$")
WORKER = re.compile(r"worker +up-(\d+), process (\d+)")


class Lines:
    """What a program writes, as it writes it."""

    def __init__(self, stream: IO[str]) -> None:
        self.all: list[str] = []
        self.ended = False
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._reader.start()

    def until(self, pattern: str, *, after: int = 0) -> re.Match[str]:
        """The first match in a line, beginning with line `after`. Fails with everything that was written."""
        end = time.monotonic() + PATIENCE_S
        seen = after
        with self._changed:
            while True:
                for line in self.all[seen:]:
                    if match := re.search(pattern, line):
                        return match
                seen = max(seen, len(self.all))
                left = end - time.monotonic()
                assert left > 0, f"never came: {pattern}\n{self}"
                assert not self.ended, f"ended without: {pattern}\n{self}"
                self._changed.wait(left)

    def whole(self) -> list[str]:
        """All lines, once the program has closed its end."""
        self._reader.join(PATIENCE_S)
        assert self.ended, str(self)
        return self.all

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            with self._changed:
                self.all.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self.ended = True
            self._changed.notify_all()

    def __str__(self) -> str:
        return "\n".join(self.all)


class Session:
    """A running `signoff up`, in the working folder `folder`."""

    def __init__(self, folder: Path, program: "subprocess.Popen[str]") -> None:
        assert program.stdout is not None
        assert program.stderr is not None
        self.folder = folder
        self.program = program
        self.output = Lines(program.stdout)
        self.errors = Lines(program.stderr)

    def commands(self) -> dict[str, str]:
        """The printed `signoff decide …` lines by the exception they are about; waits for the list to be whole."""
        self.output.until("^Watching")
        return {match[2]: match[1] for line in self.output.all if (match := DECIDE.match(line))}

    def worker(self, number: int = 0) -> psutil.Process:
        """As it was introduced."""
        self.output.until("Ctrl-C")
        found = (WORKER.search(line) for line in self.output.all)
        return psutil.Process(next(int(match[2]) for match in found if match and int(match[1]) == number))

    def started(self) -> list[psutil.Process]:
        """Every process that it has started and that runs now, theirs included."""
        return psutil.Process(self.program.pid).children(recursive=True)

    def type(self, command: str) -> "subprocess.CompletedProcess[str]":
        """In the other terminal, in the same folder."""
        return subprocess.run(
            shlex.split(command),
            cwd=self.folder,
            env=clean_environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        self.program.send_signal(how)
        return self.program.wait(PATIENCE_S)


@contextmanager
def signoff_up(folder: Path, *options: str, **environment: str) -> Iterator[Session]:
    """Ended in order at the end, if it still runs."""
    program = subprocess.Popen(
        [SIGNOFF, "up", *options],
        cwd=folder,
        env=clean_environment() | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with program:
        session = Session(folder, program)
        try:
            yield session
        finally:
            if program.poll() is None:
                session.stop()


def clean_environment() -> dict[str, str]:
    """Ours, without the settings that the tests themselves may have been given."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SIGNOFF_")}


def wait_for_the_end_of(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=PATIENCE_S)
    assert alive == []


def delete_database(data: Path) -> None:
    """Under root the database may be elsewhere, where its own account can reach it."""
    elsewhere = data / "postgres" / "elsewhere"
    if elsewhere.is_symlink():
        shutil.rmtree(elsewhere.resolve())
