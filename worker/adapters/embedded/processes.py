"""Starting, recognising and ending the processes that are ours, and only those."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from worker.adapters.embedded.errors import EmbeddedError, PortTakenError

LAUNCHER = Path(__file__).with_name("launch.py")
POLL_SECONDS = 0.01
PORT_ATTEMPTS = 3
LOG_TAIL_CHARACTERS = 3_000
PORT_TAKEN = "Address already in use"
"""What both Java and PostgreSQL say, the latter in the C locale that we give it."""


@dataclass(frozen=True, slots=True)
class Account:
    """The operating system's user a process runs as."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Command:
    """What to start. `stop_signal` asks the program to end cleanly; it is also what it gets when we
    die. `keep_log` writes behind what an earlier run left in `log`.
    """

    name: str
    arguments: Sequence[str]
    directory: Path
    log: Path
    pid_file: Path
    stop_signal: signal.Signals
    environment: Mapping[str, str]
    account: Account | None = None
    keep_log: bool = False


class ChildProcess:
    """A running child in a session of its own: Ctrl-C in our terminal reaches us, and we end it in
    order.
    """

    def __init__(self, command: Command) -> None:
        self.command = command
        started: Future[subprocess.Popen[bytes]] = Future()
        # The kernel ties a child to the thread that started it; this one lives exactly as long as
        # the child.
        self._keeper = threading.Thread(target=self._keep, args=(started,), name=f"{command.name}-keeper", daemon=True)
        self._keeper.start()
        self._process = started.result()
        command.pid_file.write_text(f"{self.pid}\n")

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """None while it runs; the number of the signal that ended it, negative, when one did."""
        return self._process.poll()

    def log_tail(self) -> str:
        """The end of what the program wrote, for an error that shows the cause."""
        with contextlib.suppress(OSError):
            return self.command.log.read_text(errors="replace")[-LOG_TAIL_CHARACTERS:].strip()
        return ""

    def wait_until(self, ready: Callable[[], bool], timeout_seconds: float) -> None:
        """Return once `ready` holds.

        Raises EmbeddedError when the program ends before that or is not ready in time.
        """
        name, log = self.command.name, self.command.log
        end = time.monotonic() + timeout_seconds
        while not ready():
            if not self.running:
                last_words = self.log_tail()
                kind = PortTakenError if PORT_TAKEN in last_words else EmbeddedError
                raise kind(
                    f"{name} ended with code {self._process.returncode} while it started. Its last "
                    f"words, from {log}:\n{last_words}"
                )
            if time.monotonic() > end:
                raise EmbeddedError(
                    f"{name} was not ready after {timeout_seconds:.0f} seconds. Look into {log}:\n{self.log_tail()}"
                )
            time.sleep(POLL_SECONDS)

    def claim(self, port: int) -> None:
        """Raise PortTakenError unless the listener on `port` is this very process."""
        if not listens(self.pid, port):
            raise PortTakenError(f"Another process took port {port} before {self.command.name}.")

    def stop(self, timeout_seconds: float = 20) -> None:
        """End it cleanly, or by force when that takes longer than `timeout_seconds`."""
        if self.running:
            self._process.send_signal(self.command.stop_signal)
            try:
                self._process.wait(timeout_seconds)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._keeper.join()
        self.command.pid_file.unlink(missing_ok=True)

    def _keep(self, started: "Future[subprocess.Popen[bytes]]") -> None:
        command = self.command
        account = command.account or Account(uid=0, gid=0)
        try:
            with command.log.open("ab" if command.keep_log else "wb") as log:
                process = subprocess.Popen(
                    [
                        *(sys.executable, "-I", "-S", str(LAUNCHER)),
                        *(str(int(command.stop_signal)), str(account.uid), str(account.gid)),
                        *command.arguments,
                    ],
                    cwd=command.directory,
                    env=dict(command.environment),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except BaseException as error:
            started.set_exception(error)
            return
        started.set_result(process)
        process.wait()


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now; who listens later is checked by
    `listens`.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def with_new_ports(start: Callable[[], None]) -> None:
    """Call `start`, which chooses its ports itself, again when somebody else was quicker."""
    for _ in range(PORT_ATTEMPTS - 1):
        with contextlib.suppress(PortTakenError):
            return start()
    return start()


def accepts(port: int) -> bool:
    """True when somebody accepts connections on 127.0.0.1:port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.2).close()
    except OSError:
        return False
    return True


def listens(pid: int, port: int) -> bool:
    """True when process `pid` itself holds the listening socket.

    Two stacks on one machine once talked to each other's broker: a port that answers is no proof of
    whose it is. Read from /proc on Linux; other systems have no such file, and there the answer is
    True unproved.
    """
    descriptors = Path(f"/proc/{pid}/fd")
    if not Path("/proc/net/tcp").exists():
        return True
    listening = "0A"
    inodes = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        with contextlib.suppress(OSError):
            for line in table.read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == listening and int(fields[1].rsplit(":", 1)[1], 16) == port:
                    inodes.add(f"socket:[{fields[9]}]")
    with contextlib.suppress(OSError):
        for descriptor in descriptors.iterdir():
            with contextlib.suppress(OSError):
                if str(descriptor.readlink()) in inodes:
                    return True
    return False


def command_line(pid: int) -> str:
    """What process `pid` was started with, or "" when there is none."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        if Path("/proc/self").exists():
            return ""
    shown = subprocess.run(["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip()


def end_leftover(pid_file: Path, mark: str, stop_signal: signal.Signals, timeout_seconds: float = 20) -> None:
    """End what an earlier run, killed with -9, left on the data that are now ours.

    Only a process whose command line carries `mark` (a path inside our data) is touched: its number
    in `pid_file` may long belong to somebody else.
    """
    try:
        pid = int(pid_file.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return
    end = time.monotonic() + timeout_seconds
    wanted = stop_signal
    while pid > 0 and mark in command_line(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, wanted)
        while mark in command_line(pid) and time.monotonic() < end:
            time.sleep(POLL_SECONDS)
        if wanted == signal.SIGKILL and time.monotonic() > end:
            raise EmbeddedError(f"Process {pid} still runs on {mark} and does not end. End it and try again.")
        wanted, end = signal.SIGKILL, time.monotonic() + timeout_seconds
    pid_file.unlink(missing_ok=True)
