"""What an executor that can find out promises: HTTP with a look-up, and the worked example of an executor of one's own.

Each speaks to a real https server that keeps what it was asked to do by its idempotency key.
"""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from tests.stack.https_receiver import HttpsReceiver, Received, Reply, receiving
from worker.adapters.executors.configuration import parse_executors
from worker.adapters.executors.executor import (
    Action,
    ActionFailed,
    ActionRefused,
    ActionUnavailable,
    ActionUncertain,
    OnUnknown,
)
from worker.adapters.executors.registry import Registry

ENVIRONMENT = {"TOKEN": "hunter2", "SECRET": "whsec_" + base64.b64encode(b"s" * 32).decode()}
KEY = "signoff:0190c1d2:1:call_7"


class Counterpart:
    """Does what it is asked once for each key. `answer` replaces its answer to a request that it took."""

    def __init__(self, receiver: HttpsReceiver) -> None:
        self.done: dict[str, Any] = {}
        self.answer: Reply | None = None
        self.refuses: Reply | None = None
        receiver.otherwise = self

    def __call__(self, request: Received) -> Reply:
        if request.method == "GET":
            return self._found(request.path)
        if self.refuses is not None:
            return self.refuses
        asked = request.json
        key = asked.get("client_order_id") or asked["id"]
        self.done.setdefault(key, {"id": f"done-{len(self.done) + 1}", "state": "accepted"})
        return self.answer or Reply(status=201, body=json.dumps(self.done[key]).encode())

    def _found(self, path: str) -> Reply:
        parts = urlsplit(path)
        key = parse_qs(parts.query).get("client_order_id", [unquote(parts.path.rpartition("/")[2])])[0]
        found = self.done.get(key)
        return Reply(status=404) if found is None else Reply(body=json.dumps(found).encode())


@dataclass(frozen=True, slots=True)
class House:
    registry: Registry
    receiver: HttpsReceiver
    counterpart: Counterpart
    action: Action


def http(receiver: HttpsReceiver) -> tuple[dict[str, Any], Action]:
    entry = {
        "use": "http",
        "url": receiver.url("/calls"),
        "look_up": receiver.url("/calls/") + "{idempotency_key}",
        "secrets": ["env:SECRET"],
        "allow_hosts": [receiver.place],
        "allow_private": [receiver.place],
        "args_schema": {"type": "object", "required": ["symbol"], "additionalProperties": True},
    }
    return entry, Action(name="http", id="call_7", args={"symbol": "ACME"})


def buy_stock(receiver: HttpsReceiver) -> tuple[dict[str, Any], Action]:
    entry = {
        "use": "examples.executors.buy_stock:BuyStock",
        "broker": receiver.url(""),
        "token": "env:TOKEN",
        "limit_usd": 500,
    }
    return entry, Action(
        name="buy_stock", id="call_7", args={"symbol": "ACME", "quantity": 4, "limit_price_usd": "125.00"}
    )


@pytest.fixture(params=[http, buy_stock], ids=["http", "buy_stock"])
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    async with receiving() as receiver:
        entry, action = request.param(receiver)
        authority = tmp_path / "authority.pem"
        authority.write_bytes(receiver.authority)
        content = json.dumps({"executors": {action.name: {**entry, "ca_file": str(authority), "time_limit_s": 5}}})
        registry = parse_executors(content.encode(), "executors.yaml", lease_s=30, environment=ENVIRONMENT)
        yield House(registry, receiver, Counterpart(receiver), action)
        await registry.aclose()


async def test_an_action_that_ran_is_found_by_its_key(house: House) -> None:
    assert house.registry.on_unknown(house.action.name) is OnUnknown.LOOK_UP
    assert await house.registry.look_up(house.action, KEY) is None
    ran = await house.registry.run(house.action, KEY)
    assert ran.reference == "done-1"
    found = await house.registry.look_up(house.action, KEY)
    assert found is not None
    assert found.reference == "done-1"
    assert await house.registry.look_up(house.action, KEY + "-other") is None


@pytest.mark.parametrize("lost", [Reply(hangs_up=True), Reply(status=500)], ids=["no answer", "500"])
async def test_an_action_whose_answer_is_lost_is_found_and_ran_once(house: House, lost: Reply) -> None:
    house.counterpart.answer = lost
    with pytest.raises(ActionUncertain):
        await house.registry.run(house.action, KEY)
    found = await house.registry.look_up(house.action, KEY)
    assert found is not None
    assert found.reference == "done-1"
    assert len(house.counterpart.done) == 1


async def test_the_same_key_again_has_no_second_effect(house: House) -> None:
    first = await house.registry.run(house.action, KEY)
    assert await house.registry.run(house.action, KEY) == first
    assert list(house.counterpart.done) == [KEY]


async def test_a_refusal_is_a_failure_and_had_no_effect(house: House) -> None:
    house.counterpart.refuses = Reply(status=403)
    with pytest.raises(ActionFailed, match="403"):
        await house.registry.run(house.action, KEY)
    assert await house.registry.look_up(house.action, KEY) is None


async def test_a_counterpart_that_is_busy_or_down_is_tried_later(house: House) -> None:
    house.counterpart.refuses = Reply(status=429)
    with pytest.raises(ActionUnavailable):
        await house.registry.run(house.action, KEY)
    await house.receiver.close()
    with pytest.raises(ActionUnavailable):
        await house.registry.run(house.action, KEY)
    with pytest.raises(ActionUnavailable):
        await house.registry.look_up(house.action, KEY)
    await house.receiver.open(house.receiver.port)
    assert house.counterpart.done == {}


async def test_arguments_that_break_the_schema_are_never_sent(house: House) -> None:
    broken = house.action.model_copy(update={"args": {}})
    with pytest.raises(ActionRefused, match="symbol"):
        await house.registry.run(broken, KEY)
    with pytest.raises(ActionRefused, match="symbol"):
        await house.registry.examine(broken)
    assert house.receiver.received == []
