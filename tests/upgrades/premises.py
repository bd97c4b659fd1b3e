"""The house of the acceptance tests as a shop: a payment provider, an executor, and workers of any release."""

import asyncio
from pathlib import Path
from typing import Any

from tests.acceptance.house import PATIENCE_S, Event, House
from tests.stack.payment_provider import TOKEN, PaymentProvider
from tests.upgrades.desk import effects

ROOT = Path(__file__).parents[2]

SHOP = Path(__file__).parent / "shop"
"""The files of today's shop; a kept release has a copy of what it was kept with."""


class Shop(House):
    """`runs` says which release the workers are of that are started from now on: today's, or a kept one's code."""

    def __init__(
        self, kafka: str, database: str, prefix: str, folder: Path, provider: PaymentProvider, files: Path = SHOP
    ) -> None:
        super().__init__(kafka, database, prefix, folder)
        self.provider = provider
        self.desk = folder / "desk"
        self.desk.mkdir()
        self.sent = 0
        """Records that people and agents put on the topics."""
        self._files = files
        self.runs(ROOT)

    def runs(self, code: Path) -> None:
        """The installed command imports `worker` and `schemas` from there; the desk comes from here in any case."""
        self.environment |= {"PYTHONPATH": f"{code}:{ROOT}", "DESK_FOLDER": str(self.desk)}

    async def start_worker(self, name: str = "w1", **settings: str) -> asyncio.subprocess.Process:
        of_the_shop = {
            "policy_file": str(self._files / "policy.yaml"),
            "executors_file": str(self._files / "executors.yaml"),
            "payments": "http",
            "payments_url": self.provider.address,
            "payments_token": TOKEN,
            "payments_time_limit_s": "1",
            "early_decision_wait_s": "3600",
        }
        return await super().start_worker(name, **{**of_the_shop, **settings})

    async def send(self, topic: str, value: Event | bytes, headers: Any = None) -> None:
        self.sent += 1
        await super().send(topic, value, headers)

    def paid(self, exception_id: str) -> list[int]:
        """By the provider's own books, in minor units."""
        entries = self.provider.ledger.entries()
        return [entry.amount for entry in entries if entry.order_id == f"ORD-{exception_id}"]

    def done(self) -> list[str]:
        """The actions that took effect, in order."""
        return [effect["name"] for effect in effects(self.desk)]

    async def holds(self, query: str, *arguments: Any) -> list[Event]:
        """The rows of a query, as soon as there are any. For what comes by no event: it is looked for."""
        async with asyncio.timeout(PATIENCE_S):
            while not (found := self.rows(query, *arguments)):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return found

    def state_of(self, exception_id: str) -> str:
        [row] = self.rows("select state from cases where exception_id = %s", exception_id)
        return str(row["state"])
