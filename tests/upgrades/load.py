"""Customers and people who go on whatever happens to the workers, one request after the other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.upgrades.premises import Shop

CUSTOMERS = 8


class Load:
    """`asked_for` is what each exception asks for, in minor units; every other one needs a manager."""

    def __init__(self, shop: Shop) -> None:
        self.asked_for: dict[str, int] = {}
        self.decided: dict[str, str] = {}
        """By decision id, the exception."""
        self._shop = shop
        self._closing = False
        self._done = asyncio.Condition()
        self._finished = 0

    @asynccontextmanager
    async def flowing(self) -> AsyncIterator["Load"]:
        """On leaving, each customer finishes what they are at."""
        async with asyncio.TaskGroup() as customers:
            for customer in range(CUSTOMERS):
                customers.create_task(self._order_again_and_again(customer))
            yield self
            self._closing = True

    async def ends(self, count: int) -> None:
        """So many more cases have come to their end."""
        goal = self._finished + count
        async with self._done:
            await self._done.wait_for(lambda: self._finished >= goal)

    async def raised(self, exception_id: str, amount_minor: int) -> None:
        self.asked_for[exception_id] = amount_minor
        await self._shop.raise_exception(exception_id, amount_minor)

    async def approved(self, exception_id: str) -> None:
        """By the manager, as soon as they are asked."""
        asked = await self._shop.approval_of(exception_id)
        decision_id = f"D-{exception_id}"
        self.decided[decision_id] = exception_id
        await self._shop.decide(decision_id, approval_id=asked["approval_id"], review_hash=asked["review_hash"])

    async def _order_again_and_again(self, customer: int) -> None:
        number = 0
        while not self._closing:
            number += 1
            exception_id = f"E-{customer}-{number}"
            needs_manager = (customer + number) % 2 == 0
            await self.raised(exception_id, 15_000 if needs_manager else 5_000)
            if needs_manager:
                await self.approved(exception_id)
            await self._shop.outcome_of(exception_id)
            async with self._done:
                self._finished += 1
                self._done.notify_all()
