"""What all executors promise that can be asked what became of a key: the fake, HTTP with a look-up, and the worked
example of an executor of one's own.

The last two speak to a real https server that does what it is asked once for each idempotency key.
"""

import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from schemas.values import Action
from tests.stack.https_receiver import HttpsReceiver, Received, Reply, receiving
from worker.adapters.executors.configuration import parse_executors
from worker.adapters.memory.executors import MemoryExecutors, Mishap
from worker.application.ports.executors import (
    ActionFailed,
    ActionRefused,
    ActionUnavailable,
    ActionUncertain,
    Executors,
    OnUnknown,
)

ENVIRONMENT = {"TOKEN": "hunter2", "SECRET": "whsec_" + base64.b64encode(b"s" * 32).decode()}
KEY = "signoff:0190c1d2:1:call_7"


class Counterpart(Protocol):
    """Whoever does what an executor asks for; what is said of it holds for the next call."""

    @property
    def done(self) -> list[str]:
        """The keys of what it did, in order."""

    def loses_its_answer(self) -> None: ...

    def refuses(self) -> None: ...

    def is_busy(self) -> None: ...

    async def goes_down(self) -> None: ...


@dataclass(frozen=True, slots=True)
class House:
    executors: Executors
    counterpart: Counterpart
    action: Action


class InMemory:
    def __init__(self, executors: MemoryExecutors) -> None:
        self._executors = executors

    @property
    def done(self) -> list[str]:
        return list(self._executors.effects)

    def loses_its_answer(self) -> None:
        self._executors.mishaps.append(Mishap.LOST_ANSWER)

    def refuses(self) -> None:
        self._executors.mishaps.append(Mishap.FAILED)

    def is_busy(self) -> None:
        self._executors.mishaps.append(Mishap.UNAVAILABLE)

    async def goes_down(self) -> None:
        self._executors.away = True
        self.is_busy()


class OverHttps:
    """Keeps what it did by its key, which a broker and a webhook each have in a field of their own."""

    def __init__(self, receiver: HttpsReceiver) -> None:
        self._receiver = receiver
        self._done: dict[str, Any] = {}
        self._refusal: Reply | None = None
        self._answer: Reply | None = None
        receiver.otherwise = self._serve

    @property
    def done(self) -> list[str]:
        return list(self._done)

    def loses_its_answer(self) -> None:
        self._answer = Reply(hangs_up=True)

    def refuses(self) -> None:
        self._refusal = Reply(status=403)

    def is_busy(self) -> None:
        self._refusal = Reply(status=429)

    async def goes_down(self) -> None:
        await self._receiver.close()

    def _serve(self, request: Received) -> Reply:
        if request.method == "GET":
            return self._found(urlsplit(request.path))
        refusal, self._refusal = self._refusal, None
        if refusal is not None:
            return refusal
        key = request.json.get("client_order_id") or request.json["id"]
        known = self._done.setdefault(key, {"id": f"done-{len(self._done) + 1}", "state": "accepted"})
        answer, self._answer = self._answer, None
        return answer or Reply(status=201, body=json.dumps(known).encode())

    def _found(self, asked: Any) -> Reply:
        key = parse_qs(asked.query).get("client_order_id", [unquote(asked.path.rpartition("/")[2])])[0]
        known = self._done.get(key)
        return Reply(status=404) if known is None else Reply(body=json.dumps(known).encode())


@asynccontextmanager
async def in_memory(folder: Path) -> AsyncIterator[House]:
    executors = MemoryExecutors({"memory": OnUnknown.LOOK_UP})
    yield House(executors, InMemory(executors), Action(name="memory", id="call_7", args={"to": "ann"}))


@asynccontextmanager
async def http(folder: Path) -> AsyncIterator[House]:
    async with receiving() as receiver:
        entry = {
            "use": "http",
            "url": receiver.url("/calls"),
            "look_up": receiver.url("/calls/") + "{idempotency_key}",
            "secrets": ["env:SECRET"],
            "allow_hosts": [receiver.place],
            "allow_private": [receiver.place],
            "args_schema": {"type": "object", "required": ["symbol"]},
        }
        async with over_https(folder, receiver, entry, {"symbol": "ACME"}) as house:
            yield house


@asynccontextmanager
async def buy_stock(folder: Path) -> AsyncIterator[House]:
    async with receiving() as receiver:
        entry = {
            "use": "examples.executors.buy_stock:BuyStock",
            "broker": receiver.url(""),
            "token": "env:TOKEN",
            "limit_usd": 500,
        }
        args = {"symbol": "ACME", "quantity": 4, "limit_price_usd": "125.00"}
        async with over_https(folder, receiver, entry, args) as house:
            yield house


@asynccontextmanager
async def over_https(
    folder: Path, receiver: HttpsReceiver, entry: dict[str, Any], args: dict[str, Any]
) -> AsyncIterator[House]:
    authority = folder / "authority.pem"
    authority.write_bytes(receiver.authority)
    content = json.dumps({"executors": {"ours": {**entry, "ca_file": str(authority), "time_limit_s": 5}}})
    registry = parse_executors(content.encode(), "executors.yaml", lease_s=30, environment=ENVIRONMENT)
    yield House(registry, OverHttps(receiver), Action(name="ours", id="call_7", args=args))
    await registry.aclose()


Opened = Callable[[Path], AbstractAsyncContextManager[House]]


@pytest.fixture(params=[in_memory, http, buy_stock], ids=["memory", "http", "buy_stock"])
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    opened: Opened = request.param
    async with opened(tmp_path) as house:
        yield house


async def test_an_action_that_ran_is_found_by_its_key(house: House) -> None:
    assert house.executors.runs(house.action.name)
    assert house.executors.on_unknown(house.action.name) is OnUnknown.LOOK_UP
    assert await house.executors.look_up(house.action, KEY) is None
    ran = await house.executors.run(house.action, KEY)
    found = await house.executors.look_up(house.action, KEY)
    assert found is not None
    assert found.reference == ran.reference is not None
    assert await house.executors.look_up(house.action, KEY + "-other") is None


async def test_an_action_whose_answer_is_lost_is_found_and_ran_once(house: House) -> None:
    house.counterpart.loses_its_answer()
    with pytest.raises(ActionUncertain):
        await house.executors.run(house.action, KEY)
    assert await house.executors.look_up(house.action, KEY) is not None
    assert house.counterpart.done == [KEY]


async def test_the_same_key_again_has_no_second_effect(house: House) -> None:
    first = await house.executors.run(house.action, KEY)
    assert await house.executors.run(house.action, KEY) == first
    assert house.counterpart.done == [KEY]


async def test_a_refusal_is_a_failure_and_had_no_effect(house: House) -> None:
    house.counterpart.refuses()
    with pytest.raises(ActionFailed):
        await house.executors.run(house.action, KEY)
    assert await house.executors.look_up(house.action, KEY) is None


async def test_a_counterpart_that_is_busy_is_tried_later(house: House) -> None:
    house.counterpart.is_busy()
    with pytest.raises(ActionUnavailable):
        await house.executors.run(house.action, KEY)
    assert await house.executors.look_up(house.action, KEY) is None
    await house.executors.run(house.action, KEY)
    assert house.counterpart.done == [KEY]


async def test_a_counterpart_that_is_down_says_nothing_of_what_ran(house: House) -> None:
    await house.counterpart.goes_down()
    with pytest.raises(ActionUnavailable):
        await house.executors.run(house.action, KEY)
    with pytest.raises(ActionUnavailable):
        await house.executors.look_up(house.action, KEY)
    assert house.counterpart.done == []


async def test_an_examination_tells_the_schema_and_changes_nothing(house: House) -> None:
    examination = await house.executors.examine(house.action)
    assert examination.args_schema["type"] == "object"
    assert house.counterpart.done == []


async def test_arguments_that_break_the_schema_are_refused_before_anybody_signs(house: House) -> None:
    with pytest.raises(ActionRefused, match="args"):
        await house.executors.examine(house.action.model_copy(update={"args": {}}))
    assert house.counterpart.done == []
