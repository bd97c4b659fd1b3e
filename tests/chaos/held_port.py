"""A port of 127.0.0.1 that stays ours while the server that listens there is down."""

import socket
from types import TracebackType
from typing import Self


class HeldPort:
    """Binds a port and does not listen, so that nobody gets it: neither a server that asks for any port nor a client
    as its own. A server that sets SO_REUSEADDR, as Kafka and PostgreSQL do, may listen beside it (Linux, socket(7)).
    """

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.number: int = self._socket.getsockname()[1]

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
