"""A wire to PostgreSQL that loses the answer to a COMMIT: the change is there, and the client learns of an error.

It follows the server's messages by their lengths, as the protocol frames them:
https://www.postgresql.org/docs/current/protocol-message-formats.html. TLS is not understood.
"""

import struct
from collections.abc import Callable

from tests.chaos.wire import Connection, Way, Wire

COMMAND_COMPLETE = ord("C")
ERROR_RESPONSE = ord("E")
READY_FOR_QUERY = ord("Z")
HEADER_BYTES = 5
"""Type, then a length that counts itself but not the type."""

TAG_COMMIT = b"COMMIT\0"
IDLE = b"I"
WRITES = (b"INSERT", b"UPDATE", b"DELETE", b"MERGE")
ENCRYPTION_REQUESTS = (80877103, 80877104)
"""SSLRequest and GSSENCRequest: 8 bytes, answered by one byte that is no message."""


class PostgresWire(Wire):
    """`lose_commit_answers(n)`; `lost` says how many it has lost in its life."""

    def __init__(self, target: int = 0) -> None:
        super().__init__(target)
        self.lost = 0
        self._to_lose = 0

    def connection(self) -> Connection:
        return PostgresConnection(self)

    def lose_commit_answers(self, times: int) -> None:
        """Reset the connection in place of the next `times` answers to a COMMIT, or to a write that committed by
        itself. The server has committed by then.
        """
        self._to_lose = times

    def heal(self) -> None:
        super().heal()
        self._to_lose = 0

    def loses(self) -> bool:
        """Whether this answer is one to lose; then it counts."""
        if not self._to_lose:
            return False
        self._to_lose -= 1
        self.lost += 1
        return True


class PostgresConnection(Connection):
    def __init__(self, wire: PostgresWire) -> None:
        super().__init__(wire)
        self._greeting = Greeting()
        self._answers = Answers(is_lost=wire.loses)

    def carry(self, way: Way, data: bytes) -> None:
        if way is Way.THERE:
            self._greeting.read(data)
            super().carry(way, data)
            return
        kept = self._answers.read(data, self._greeting)
        if kept is None:
            self.reset()
        elif kept:
            super().carry(way, kept)


class Greeting:
    """What a client says before it is known: it may ask for encryption first."""

    def __init__(self) -> None:
        self.bytes_to_come = 0
        """Answers of one byte that the server still owes."""
        self._said = b""
        self._done = False

    def read(self, data: bytes) -> None:
        if self._done:
            return
        self._said += data
        while len(self._said) >= 8 and not self._done:
            _, code = struct.unpack_from("!II", self._said)
            if code in ENCRYPTION_REQUESTS:
                self.bytes_to_come += 1
                self._said = self._said[8:]
            else:
                self._done, self._said = True, b""


class Answers:
    """The server's messages, of which one may be lost. `is_lost` is asked when a transaction has been committed."""

    def __init__(self, is_lost: Callable[[], bool]) -> None:
        self._is_lost = is_lost
        self._part = b""
        self._to_skip = 0
        self._wrote = False

    def read(self, data: bytes, greeting: Greeting) -> bytes | None:
        """What may go on to the client now; None when the connection is to be reset in its place.

        A message's first bytes wait until they say whether it is one to lose; the rest of a long one does not.
        """
        passed = min(greeting.bytes_to_come, len(data)) if not self._part else 0
        greeting.bytes_to_come -= passed
        data = self._part + data
        at = passed
        while True:
            skipped = min(self._to_skip, len(data) - at)
            at, self._to_skip = at + skipped, self._to_skip - skipped
            if len(data) - at < HEADER_BYTES:
                break
            kind, length = struct.unpack_from("!BI", data, at)
            if kind in (COMMAND_COMPLETE, READY_FOR_QUERY):
                body = data[at + HEADER_BYTES : at + 1 + length]
                if len(body) < length - 4:
                    break
                if self._commits(kind, body) and self._is_lost():
                    return None
            elif kind == ERROR_RESPONSE:
                self._wrote = False
            self._to_skip = 1 + length
        self._part = data[at:]
        return data[:at]

    def _commits(self, kind: int, body: bytes) -> bool:
        """A COMMIT, or the end of a write that was a transaction of its own.

        The server says COMMIT when it has committed; a write's own tag comes before, and ReadyForQuery after that.
        """
        if kind == COMMAND_COMPLETE:
            self._wrote = body.startswith(WRITES)
            return body == TAG_COMMIT
        wrote, self._wrote = self._wrote, False
        return wrote and body == IDLE
