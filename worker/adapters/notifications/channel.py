"""What every way of telling people has in common."""

from typing import Protocol
from uuid import UUID

from worker.application.notices import Notice


class Undelivered(Exception):
    """The try failed; the message says how, and holds no secret. Another one may succeed.

    `retry_after_s` is what the endpoint asked for. `is_gone`: it wants nothing more, ever.
    """

    def __init__(self, problem: str, *, retry_after_s: float | None = None, is_gone: bool = False) -> None:
        super().__init__(problem)
        self.retry_after_s = retry_after_s
        self.is_gone = is_gone


class Channel(Protocol):
    """One endpoint, ready to be used."""

    async def deliver(self, message_id: UUID, notice: Notice) -> None:
        """Returns when the endpoint has taken it. Raises Undelivered, and ValueError for a notice that cannot be told
        here at all."""
        ...

    async def aclose(self) -> None: ...
