"""All who send: the shop's customers and agents, those who sign, and one who may not."""

from contextlib import AsyncExitStack
from random import Random
from types import TracebackType
from typing import Self

from tests.chaos.adversary import Adversary
from tests.chaos.history import History
from tests.chaos.house import House
from tests.chaos.people import People
from tests.chaos.traffic import Traffic


class Crowd:
    """`async with Crowd(house) as crowd`: the people listen, and whatever is raised is answered."""

    def __init__(self, house: House) -> None:
        self._open = AsyncExitStack()
        self._histories = {
            party: self._open.enter_context(History(house.folder / "history" / f"{party}.jsonl"))
            for party in ("traffic", "people", "adversary")
        }
        seed, kafka, prefix = house.plan.seed, house.broker.direct, house.prefix
        self._traffic = Traffic(
            _dice("traffic", seed), kafka, prefix, self._histories["traffic"], house.shop, seed=seed
        )
        self._people = People(_dice("people", seed), kafka, prefix, self._histories["people"], house.shop)
        self._adversary = Adversary(_dice("adversary", seed), kafka, prefix, self._histories["adversary"], house.shop)

    async def __aenter__(self) -> Self:
        for party in (self._traffic, self._people, self._adversary):
            await self._open.enter_async_context(party)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    async def raise_some(self, count: int) -> None:
        await self._traffic.raise_some(count)

    async def hurry(self) -> None:
        """Nothing new comes any more, and whatever is open is answered at once."""
        await self._traffic.settle()
        self._people.hurry()


def _dice(party: str, seed: int) -> Random:
    return Random(f"{party} {seed}")  # noqa: S311 - what people do, not a secret
