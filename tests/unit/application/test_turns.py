"""Whoever depends on the same figures goes one after the other; nobody else waits."""

import asyncio
from contextlib import suppress

from worker.application.turns import Turns


class Desk:
    """Writes down who comes and goes; nobody leaves before they are let go."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.log: list[str] = []
        self.doors: dict[str, asyncio.Event] = {}
        self.visits: dict[str, asyncio.Task[None]] = {}

    async def comes(self, name: str, *keys: str) -> None:
        self.doors[name] = asyncio.Event()
        self.visits[name] = asyncio.create_task(self._visit(name, keys))
        await settled()

    async def goes(self, name: str) -> None:
        self.doors[name].set()
        await self.visits[name]
        await settled()

    async def _visit(self, name: str, keys: tuple[str, ...]) -> None:
        async with self.turns.take(keys):
            self.log.append(name)
            await self.doors[name].wait()


async def settled() -> None:
    """Everybody who can go on has done so."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_those_who_ask_for_one_key_have_it_one_after_the_other_as_they_came() -> None:
    desk = Desk()
    for name in ("ada", "bob", "eve"):
        await desk.comes(name, "customer:1")
    assert desk.log == ["ada"]
    await desk.goes("ada")
    assert desk.log == ["ada", "bob"]
    await desk.goes("bob")
    await desk.goes("eve")
    assert desk.log == ["ada", "bob", "eve"]


async def test_other_keys_are_free() -> None:
    desk = Desk()
    await desk.comes("ada", "customer:1", "order:1")
    await desk.comes("bob", "customer:2", "order:2")
    assert desk.log == ["ada", "bob"]
    await desk.goes("ada")
    await desk.goes("bob")


async def test_keys_that_are_named_in_another_order_or_twice_hold_nobody_up_for_ever() -> None:
    desk = Desk()
    await desk.comes("ada", "customer:1", "order:1")
    await desk.comes("bob", "order:1", "customer:1", "order:1")
    await desk.comes("eve", "customer:1", "order:1")
    for name in ("ada", "bob", "eve"):
        await desk.goes(name)
    assert desk.log == ["ada", "bob", "eve"]


async def test_a_key_is_contended_while_somebody_holds_it_or_waits_for_it() -> None:
    desk = Desk()
    assert not desk.turns.contended(["order:1"])
    await desk.comes("ada", "order:1")
    await desk.comes("bob", "order:1")
    await desk.goes("ada")
    assert desk.turns.contended(["order:2", "order:1"])
    assert not desk.turns.contended(["order:2"])
    await desk.goes("bob")
    assert not desk.turns.contended(["order:1"])


async def test_who_gives_up_waiting_leaves_the_turn_to_the_next() -> None:
    desk = Desk()
    for name in ("ada", "bob", "eve"):
        await desk.comes(name, "order:1")
    desk.visits["bob"].cancel()
    with suppress(asyncio.CancelledError):
        await desk.visits["bob"]
    await desk.goes("ada")
    await desk.goes("eve")
    assert desk.log == ["ada", "eve"]
    assert not desk.turns.contended(["order:1"])
