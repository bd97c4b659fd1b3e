"""The database of a run: a PostgreSQL that can be killed and started again at the same port."""

import asyncio
import contextlib
import os
import signal
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import psycopg

from tests.chaos.database_faults import DatabaseFaults, busiest_backend
from tests.chaos.held_port import HeldPort
from tests.chaos.wire_postgres import PostgresWire
from worker.adapters.embedded.postgres import DATABASE, Postgres
from worker.adapters.embedded.postgres_account import Placement

DEATH_SECONDS = 10
RECOVERY_SECONDS = 30
LOOK_AGAIN_SECONDS = 0.02

ONLY_THE_PROCESS_DIES = ("fsync=off", "full_page_writes=off")
"""What a commit wrote is with the operating system, and survives the server; only a fall of the machine would show
the difference. `synchronous_commit` stays on, or an immediate shutdown would lose commits."""


class FixedPostgres(Postgres):
    """Listens at a port that was chosen before."""

    def __init__(self, directory: Path, port: int) -> None:
        super().__init__(directory)
        self._fixed_port = port

    def _options(self, placement: Placement) -> list[str]:
        self._port = self._fixed_port
        more = [word for setting in ONLY_THE_PROCESS_DIES for word in ("-c", setting)]
        return [*super()._options(placement), *more]

    def delete(self) -> None:
        if self._placement:
            self._placement.delete()


class Database(DatabaseFaults):
    """`async with Database(directory) as database`: workers use `url(number)`, whose way leads through
    `wires[number]`; everybody else uses `direct`. Addresses stay the same for its life.
    """

    def __init__(self, directory: Path, *, wires: int = 1) -> None:
        super().__init__()
        self.wires = tuple(PostgresWire() for _ in range(wires))
        self._directory = directory
        self._port = 0
        self._postgres: FixedPostgres | None = None
        self._open = contextlib.AsyncExitStack()

    @property
    def direct(self) -> str:
        """A superuser's address without a wire."""
        return f"postgresql://postgres@127.0.0.1:{self._port}/{DATABASE}"

    @property
    def pid(self) -> int | None:
        """Of the postmaster."""
        return self._postgres.pid if self._postgres else None

    def url(self, wire: int = 0) -> str:
        """A superuser's address through a wire."""
        return f"postgresql://postgres@127.0.0.1:{self.wires[wire].port}/{DATABASE}"

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def start(self) -> None:
        """Return when it takes connections. The first start makes its data; the later ones find them.

        Raises EmbeddedError.
        """
        if self._postgres is None:
            self._postgres = await self._prepare()
        if self._postgres.pid is None:
            await asyncio.to_thread(self._postgres.start)

    async def stop(self) -> None:
        """End it in order: what is open is rolled back."""
        if self._postgres:
            await asyncio.to_thread(self._postgres.stop)

    async def immediate_restart(self) -> None:
        """What a pulled plug looks like to its clients: an immediate shutdown (SIGQUIT), then crash recovery."""
        await self._end_by(signal.SIGQUIT)
        await self.start()

    async def kill(self) -> None:
        """Kill the postmaster (SIGKILL). Returns when its backends have noticed and are gone too: a server that
        starts among them would share their data.
        """
        await self._end_by(signal.SIGKILL)

    async def kill_backend(self) -> None:
        """Kill one client's backend (SIGKILL), upon which the postmaster ends all others and recovers. Returns when it
        takes connections again.
        """
        # One session of ours is there to be killed if there is no other; one to die when the postmaster has noticed.
        async with self._connected(), self._connected() as witness:
            os.kill(await busiest_backend(witness), signal.SIGKILL)
            with contextlib.suppress(psycopg.OperationalError):
                await witness.execute("SELECT pg_sleep(%s)", [DEATH_SECONDS])
        await self._until_it_answers()

    async def heal(self) -> None:
        """End every fault: it runs, and its wires are whole."""
        for wire in self.wires:
            wire.heal()
        await self.start()
        await super().heal()

    async def close(self) -> None:
        """End it for good, and delete its data."""
        await self.stop()
        if self._postgres:
            await asyncio.to_thread(self._postgres.delete)
        await self._open.aclose()

    async def _prepare(self) -> FixedPostgres:
        port = self._open.enter_context(HeldPort())
        self._port = port.number
        for wire in self.wires:
            wire.target = port.number
            await self._open.enter_async_context(wire)
        return FixedPostgres(self._directory, port.number)

    async def _end_by(self, number: signal.Signals) -> None:
        if self._postgres is None or self._postgres.pid is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):  # it has died by itself
            postmaster = psutil.Process(self._postgres.pid)
            postmaster.suspend()  # so that it makes no more backends than we see
            family = [postmaster, *postmaster.children()]
            postmaster.send_signal(number)
            if number != signal.SIGKILL:  # which ends it suspended as it is; it may be gone by now
                postmaster.resume()
            _, alive = await asyncio.to_thread(psutil.wait_procs, family, timeout=DEATH_SECONDS)
            for process in alive:
                process.kill()
        await self.stop()

    async def _until_it_answers(self) -> None:
        async with asyncio.timeout(RECOVERY_SECONDS):
            while True:
                with contextlib.suppress(psycopg.OperationalError):
                    async with self._connected():
                        return
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
