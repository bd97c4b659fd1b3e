"""The bytes of one direction of one connection, on their way from one socket to the other."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable

MOST_WAITING_BYTES = 4 * 1024 * 1024
"""More than this is not kept while it is delayed: the sender is not read then, as by a full network."""

END = None


class Flow:
    """Carries what `source` receives to `sink`, at once unless it is delayed or held.

    A held flow stops reading its source, so that the kernel's buffers fill and the sender waits, as it does on a
    network that drops its packets. `when_ended` is called when `ended` becomes true.
    """

    def __init__(self, source: asyncio.Transport, sink: asyncio.Transport, when_ended: Callable[[], None]) -> None:
        self.ended = False
        """The sink was told that nothing more comes."""
        self._source = source
        self._source_ended = False
        self._sink = sink
        self._when_ended = when_ended
        self._held = False
        self._sink_full = False
        self._delay_seconds = 0.0
        self._waiting: deque[tuple[float, bytes | None]] = deque()
        self._waiting_bytes = 0
        self._next_release: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def carry(self, data: bytes) -> None:
        if self._waiting or self._delay_seconds or self._held:
            self._put_by(data)
        else:
            self._sink.write(data)

    def end(self) -> None:
        """The sender has ended: so will this flow, after the bytes before it."""
        self._source_ended = True
        if self._waiting or self._delay_seconds or self._held:
            self._put_by(END)
        else:
            self._tell_end()

    def hold(self, held: bool) -> None:
        self._held = held
        self._release()

    def wait_for_room(self, full: bool) -> None:
        self._sink_full = full
        self._read_or_wait()

    def delay(self, seconds: float) -> None:
        """For what comes from now on; 0 lets go of what waits already."""
        self._delay_seconds = seconds
        if not seconds:
            self._waiting = deque((0.0, data) for _, data in self._waiting)
        self._release()

    def drop(self) -> None:
        """The connection is over; what waits never arrives."""
        self._waiting.clear()
        if self._next_release:
            self._next_release.cancel()
            self._next_release = None

    def _put_by(self, data: bytes | None) -> None:
        self._waiting.append((self._loop.time() + self._delay_seconds, data))
        self._waiting_bytes += len(data or b"")
        self._release()

    def _release(self) -> None:
        """Let go of what is due, and come back when the next is. Nothing overtakes what came before it."""
        now = self._loop.time()
        while self._waiting and not self._held and self._waiting[0][0] <= now:
            _, data = self._waiting.popleft()
            if data is END:
                self._tell_end()
            else:
                self._waiting_bytes -= len(data)
                self._sink.write(data)
        if self._next_release:
            self._next_release.cancel()
            self._next_release = None
        if self._waiting and not self._held:
            self._next_release = self._loop.call_at(self._waiting[0][0], self._release)
        self._read_or_wait()

    def _tell_end(self) -> None:
        self.ended = True
        if self._sink.can_write_eof() and not self._sink.is_closing():
            with contextlib.suppress(OSError):  # the other side was reset meanwhile
                self._sink.write_eof()
        self._when_ended()

    def _read_or_wait(self) -> None:
        if self._source_ended:
            return  # asyncio would tell the end again to who resumes
        if self._held or self._sink_full or self._waiting_bytes > MOST_WAITING_BYTES:
            self._source.pause_reading()
        else:
            self._source.resume_reading()
