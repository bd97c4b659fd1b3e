"""Listens to the six topics: shows what passes, and tells whoever waits for a certain event."""

import asyncio
from collections.abc import Sequence

from schemas.events import ApprovalNeeded, Event, ResolutionOutcome
from worker.cli.up.traffic import Traffic
from worker.cli.up.view import View

Answer = ApprovalNeeded | ResolutionOutcome


class Watch:
    def __init__(self, traffic: Traffic, view: View) -> None:
        self._traffic = traffic
        self._view = view
        self._awaited: dict[tuple[str, type[Event]], asyncio.Future[Event]] = {}

    async def run(self) -> None:
        """Without end."""
        while True:
            events = await self._traffic.next_events()
            self._view.show(events)
            self._tell(events)

    def expect(self, exception_id: str, *kinds: type[Answer]) -> "asyncio.Future[Event]":
        """The first event of one of these kinds about an exception; to be asked for before its cause is sent."""
        future: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        for kind in kinds:
            self._awaited[exception_id, kind] = future
        return future

    def _tell(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, Answer):
                future = self._awaited.pop((event.exception_id, type(event)), None)
                if future is not None and not future.done():
                    future.set_result(event)
