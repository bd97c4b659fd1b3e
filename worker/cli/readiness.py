"""Tells whoever started the worker that it works, by the protocol of sd_notify(3).

The starter names a datagram socket in NOTIFY_SOCKET; the worker sends `READY=1` to it once. systemd does that with
`Type=notify`, and `signoff up` is on the other end here. Without NOTIFY_SOCKET nothing is sent.
"""

import asyncio
import contextlib
import os
import socket
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

NOTIFY_SOCKET = "NOTIFY_SOCKET"
LONGEST_MESSAGE = 4096


async def report_readiness(ready: asyncio.Event) -> None:
    """Waits for `ready`, then says so. A starter that no longer listens is no reason to stop working."""
    address = os.environ.get(NOTIFY_SOCKET)
    if not address:
        return
    await ready.wait()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender, contextlib.suppress(OSError):
        # A leading @ is how the environment spells the NUL of an abstract address.
        sender.sendto(f"READY=1\nMAINPID={os.getpid()}\n".encode(), address.replace("@", "\0", 1))


class ReadinessReports:
    """The starter's end: which of its processes have said that they work."""

    def __init__(self, listener: socket.socket, address: Path) -> None:
        self.address = address
        self._listener = listener
        self._ready: defaultdict[int, asyncio.Event] = defaultdict(asyncio.Event)

    async def of(self, pid: int) -> None:
        """Returns when process `pid` is ready; waits for as long as it takes."""
        await self._ready[pid].wait()

    def receive(self) -> None:
        with contextlib.suppress(BlockingIOError):
            words = dict(
                line.partition("=")[::2]
                for line in self._listener.recv(LONGEST_MESSAGE).decode("utf-8", "replace").split()
            )
            if words.get("READY") == "1" and words.get("MAINPID", "").isdecimal():
                self._ready[int(words["MAINPID"])].set()


@contextlib.contextmanager
def readiness_reports() -> Iterator[ReadinessReports]:
    """Listens while it is open. In the system's folder for temporary files: an address may have 100 bytes only."""
    loop = asyncio.get_running_loop()
    with (
        tempfile.TemporaryDirectory(prefix="signoff-") as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener,
    ):
        address = Path(folder) / "ready"
        listener.setblocking(False)
        listener.bind(str(address))
        reports = ReadinessReports(listener, address)
        loop.add_reader(listener.fileno(), reports.receive)
        try:
            yield reports
        finally:
            loop.remove_reader(listener.fileno())
