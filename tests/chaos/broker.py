"""The broker of a run: one node of Kafka that can be killed, frozen and started again at the same ports."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.chaos.held_port import HeldPort
from tests.chaos.wire import Wire
from worker.adapters.embedded.jars import class_path
from worker.adapters.embedded.kafka import PROPERTIES, Kafka

LISTENERS = """\
listeners={listeners}
advertised.listeners={advertised}
listener.security.protocol.map={protocols}
inter.broker.listener.name=DIRECT
broker.session.timeout.ms=1000
broker.heartbeat.interval.ms=200
"""
"""Behind `PROPERTIES`, whose lines of the same names they replace: Java keeps the last."""


FROST_SECONDS = 2.0
LOOK_AGAIN_SECONDS = 0.005


class FixedKafka(Kafka):
    """Listens at ports that were chosen before: one for those who come directly, one behind each wire."""

    def __init__(self, directory: Path, jars: list[Path], ports: Sequence[int], wires: Sequence[Wire]) -> None:
        super().__init__(directory, jars)
        self._direct, self._controller, *self._behind = ports
        self._wires = wires

    def _configure(self) -> None:
        self._port = self._direct
        behind = {f"WIRE{number}": port for number, port in enumerate(self._behind)}
        listeners = {"DIRECT": self._direct, **behind, "CONTROLLER": self._controller}
        advertised = {"DIRECT": self._direct} | {
            name: wire.port for name, wire in zip(behind, self._wires, strict=True)
        }
        general = PROPERTIES.format(port=self._direct, controller_port=self._controller, data=self._directory / "data")
        self._properties.write_text(
            general
            + LISTENERS.format(
                listeners=_addresses(listeners),
                advertised=_addresses(advertised),
                protocols=",".join(f"{name}:PLAINTEXT" for name in listeners),
            )
        )


class Broker:
    """`async with Broker(directory) as broker`: workers use `bootstrap(number)`, whose way leads through
    `wires[number]`; everybody else uses `direct`. Addresses stay the same for its life.

    What was acknowledged survives `kill`: Kafka has given it to the operating system by then, though not to the disk,
    which only a fall of the machine would show.
    """

    def __init__(self, directory: Path, *, wires: int = 1) -> None:
        self.wires = tuple(Wire() for _ in range(wires))
        self._directory = directory
        self._ports: list[HeldPort] = []
        self._kafka: FixedKafka | None = None
        self._open = contextlib.AsyncExitStack()

    @property
    def direct(self) -> str:
        """The bootstrap address without a wire, `127.0.0.1:port`."""
        return f"127.0.0.1:{self._ports[0].number}"

    @property
    def pid(self) -> int | None:
        return self._kafka.pid if self._kafka else None

    def bootstrap(self, wire: int = 0) -> str:
        """The bootstrap address through a wire; the broker names that wire's port as its own there."""
        return f"127.0.0.1:{self.wires[wire].port}"

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
        """Return when it serves. The first start makes its data; the later ones find them.

        Raises EmbeddedError.
        """
        if self._kafka is None:
            await self._prepare()
        assert self._kafka is not None
        if self._kafka.pid is None:
            await asyncio.to_thread(self._kafka.start)

    async def stop(self) -> None:
        """End it in order (SIGTERM)."""
        if self._kafka:
            self.thaw()
            await asyncio.to_thread(self._kafka.stop)

    async def kill(self) -> None:
        """End it at once (SIGKILL)."""
        if self._kafka and self._kafka.pid:
            self._signal(signal.SIGKILL)
            await asyncio.to_thread(self._kafka.stop)

    async def restart(self) -> None:
        """End it in order, unless it is dead already, and start it."""
        await self.stop()
        await self.start()

    def freeze(self) -> None:
        """Let it neither run nor end (SIGSTOP): its connections stay open and nobody answers. Returns when all of its
        threads stand still, which takes the system a moment.
        """
        self._signal(signal.SIGSTOP)
        until = time.monotonic() + FROST_SECONDS
        while self.pid and not _stands_still(self.pid) and time.monotonic() < until:
            time.sleep(LOOK_AGAIN_SECONDS)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    async def heal(self) -> None:
        """End every fault: it runs, and its wires are whole."""
        for wire in self.wires:
            wire.heal()
        self.thaw()
        await self.start()

    async def close(self) -> None:
        """End it for good."""
        await self.stop()
        await self._open.aclose()

    async def _prepare(self) -> None:
        for wire in self.wires:
            await self._open.enter_async_context(wire)
        self._ports = [self._open.enter_context(HeldPort()) for _ in range(2 + len(self.wires))]
        direct, controller, *behind = (port.number for port in self._ports)
        for wire, port in zip(self.wires, behind, strict=True):
            wire.target = port
        jars = await asyncio.to_thread(class_path)
        self._kafka = FixedKafka(self._directory, jars, [direct, controller, *behind], self.wires)

    def _signal(self, number: signal.Signals) -> None:
        if pid := self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


def _stands_still(pid: int) -> bool:
    try:
        states = [task.joinpath("stat").read_text().rpartition(")")[2].split()[0] for task in _tasks(pid)]
    except OSError:  # one has ended
        return False
    return set(states) <= {"T", "Z"}


def _tasks(pid: int) -> list[Path]:
    return list(Path(f"/proc/{pid}/task").iterdir())


def _addresses(listeners: dict[str, int]) -> str:
    return ",".join(f"{name}://127.0.0.1:{port}" for name, port in listeners.items())
