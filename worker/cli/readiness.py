"""Tells whoever started the worker that it works, by the protocol of sd_notify(3).

The starter names a datagram socket in NOTIFY_SOCKET; the worker sends `READY=1` to it once. systemd does that with
`Type=notify`, and `signoff up` is on the other end here. Without NOTIFY_SOCKET nothing is sent.
"""

import asyncio
import contextlib
import os
import socket
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from uuid import uuid4

NOTIFY_SOCKET = "NOTIFY_SOCKET"
LONGEST_MESSAGE = 4096


async def report_readiness(ready: asyncio.Event) -> None:
    """Waits for `ready`, then says so. A starter that no longer listens is no reason to stop working."""
    address = os.environ.get(NOTIFY_SOCKET)
    if not address:
        return
    await ready.wait()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender, contextlib.suppress(OSError):
        sender.sendto(f"READY=1\nMAINPID={os.getpid()}\n".encode(), _of_the_system(address))


class ReadinessReports:
    """The starter's end: which of its processes have said that they work."""

    def __init__(self, listener: socket.socket, address: str) -> None:
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
    """Listens while it is open."""
    loop = asyncio.get_running_loop()
    with _new_address() as address, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.setblocking(False)
        listener.bind(_of_the_system(address))
        reports = ReadinessReports(listener, address)
        loop.add_reader(listener.fileno(), reports.receive)
        try:
            yield reports
        finally:
            loop.remove_reader(listener.fileno())


@contextlib.contextmanager
def _new_address() -> Iterator[str]:
    """On Linux one that is no file, of which a kill -9 leaves nothing; elsewhere a short path, as it must be."""
    if sys.platform == "linux":
        yield f"@signoff-{uuid4().hex}"
        return
    with tempfile.TemporaryDirectory(prefix="signoff-") as folder:
        yield f"{folder}/ready"


def _of_the_system(address: str) -> str:
    """A leading @ is how the environment spells the NUL of an abstract address."""
    return f"\0{address[1:]}" if address.startswith("@") else address
