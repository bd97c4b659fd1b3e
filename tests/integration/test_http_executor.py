"""The HTTP executor against a real https receiver: what arrives there, and what each of its answers means here."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from tests.stack.https_receiver import HttpsReceiver, Reply, receiving
from worker.adapters.executors.configuration import parse_executors
from worker.adapters.executors.executor import (
    Action,
    ActionFailed,
    ActionRefused,
    ActionUnavailable,
    ActionUncertain,
    OnUnknown,
    Ran,
)
from worker.adapters.executors.registry import Registry

KEY = "signoff:0190c1d2:1:call_7"
SECRETS = {name: "whsec_" + base64.b64encode(name.encode() * 8).decode() for name in ("ERP_NEW", "ERP_OLD")}
ACTION = Action(name="notify_erp", id="call_7", args={"order_id": "ORD 1/ü", "note": "Grüße"})
SCHEMA = {
    "type": "object",
    "properties": {"order_id": {}, "note": {"type": "string"}, "url": {}},
    "additionalProperties": False,
}


@asynccontextmanager
async def calling(folder: Path, *names: str, **options: Any) -> AsyncIterator[tuple[Registry, HttpsReceiver]]:
    """An executor `notify_erp`, configured by a file, and the receiver that it calls. `{host}` in an option is the
    receiver's place."""
    async with receiving(*names) as receiver:
        authority = folder / "authority.pem"
        authority.write_bytes(receiver.authority)
        host = receiver.place
        entry = {
            "use": "http",
            "url": f"https://{host}/notes",
            "secrets": ["env:ERP_NEW"],
            "args_schema": SCHEMA,
            "allow_hosts": [host],
            "allow_private": [host],
            "ca_file": str(authority),
        }
        given = json.loads(json.dumps(options).replace("{host}", host))
        entry = {field: value for field, value in {**entry, **given}.items() if value is not None}
        content = json.dumps({"executors": {"notify_erp": entry}}).encode()
        registry = parse_executors(content, "executors.yaml", lease_s=30, environment=SECRETS)
        try:
            yield registry, receiver
        finally:
            await registry.aclose()


async def test_the_receiver_gets_the_action_signed_and_under_its_key(tmp_path: Path) -> None:
    async with calling(tmp_path, secrets=["env:ERP_NEW", "env:ERP_OLD"]) as (registry, receiver):
        receiver.otherwise = Reply(status=201, body=b'{"id": "note-9", "state": "kept"}')
        assert await registry.run(ACTION, KEY) == Ran("note-9", {"id": "note-9", "state": "kept"})
    (request,) = receiver.received
    assert (request.method, request.path) == ("POST", "/notes")
    assert request.json == {"id": KEY, "action": "notify_erp", "args": ACTION.args}
    assert (request.headers["idempotency-key"], request.headers["webhook-id"]) == (KEY, KEY)
    for secret in SECRETS.values():
        assert Webhook(secret).verify(request.body, dict(request.headers)) == request.json


async def test_a_key_that_no_header_could_carry_is_sent_as_its_digest(tmp_path: Path) -> None:
    async with calling(tmp_path) as (registry, receiver):
        for key in ("signoff:1:call.7", "signoff:1:\r\nx-role: admin", "signoff:1:ключ", "signoff:1:" + "7" * 300):
            await registry.run(ACTION, key)
    keys = [request.headers["idempotency-key"] for request in receiver.received]
    assert all(len(key) == 64 for key in keys)
    assert len(set(keys)) == len(keys) == 4
    assert not any("x-role" in request.headers for request in receiver.received)


async def test_a_location_is_the_reference_and_an_answer_that_is_no_json_is_text(tmp_path: Path) -> None:
    async with calling(tmp_path) as (registry, receiver):
        receiver.otherwise = Reply(status=201, body=b"noted", headers={"Location": "/notes/9"})
        assert await registry.run(ACTION, KEY) == Ran("/notes/9", "noted")
        receiver.otherwise = Reply(status=204, body=b"")
        assert await registry.run(ACTION, KEY) == Ran(None, None)


@pytest.mark.parametrize(
    ("reply", "meaning", "says"),
    [
        (Reply(status=307, headers={"location": "/elsewhere"}), ActionFailed, "307 Temporary Redirect, a redirect"),
        (Reply(status=400), ActionFailed, "answered 400 Bad Request"),
        (Reply(status=409), ActionFailed, "answered 409 Conflict"),
        (Reply(status=410), ActionFailed, "answered 410 Gone"),
        (Reply(status=425), ActionUnavailable, "answered 425 Too Early"),
        (Reply(status=429), ActionUnavailable, "answered 429 Too Many Requests"),
        (Reply(status=503, headers={"retry-after": "30"}), ActionUnavailable, "answered 503"),
        (Reply(status=503), ActionUncertain, "answered 503 Service Unavailable"),
        (Reply(status=408), ActionUncertain, "answered 408 Request Timeout"),
        (Reply(status=500), ActionUncertain, "answered 500 Internal Server Error"),
        (Reply(status=599), ActionUncertain, "answered 599"),
        (Reply(hangs_up=True), ActionUncertain, "gave no answer"),
        (Reply(body=b"x" * 100_000), ActionUncertain, "answered more than 65536 bytes"),
    ],
)
async def test_what_an_answer_means(tmp_path: Path, reply: Reply, meaning: type[Exception], says: str) -> None:
    async with calling(tmp_path) as (registry, receiver):
        receiver.otherwise = reply
        with pytest.raises(meaning, match=says):
            await registry.run(ACTION, KEY)
    assert [request.path for request in receiver.received] == ["/notes"]


async def test_a_receiver_that_is_slow_may_have_acted(tmp_path: Path) -> None:
    async with calling(tmp_path, time_limit_s=0.5) as (registry, receiver):
        receiver.otherwise = Reply(waits=True)
        with pytest.raises(ActionUncertain, match=r"gave no answer: within 0\.45 s"):
            await registry.run(ACTION, KEY)
    assert len(receiver.received) == 1


async def test_a_receiver_that_is_down_has_certainly_not_acted(tmp_path: Path) -> None:
    async with calling(tmp_path) as (registry, receiver):
        await receiver.close()
        with pytest.raises(ActionUnavailable, match="not reached"):
            await registry.run(ACTION, KEY)
        await receiver.open(receiver.port)
        await registry.run(ACTION, KEY)
    assert len(receiver.received) == 1


async def test_a_receiver_with_the_certificate_of_another_is_told_nothing(tmp_path: Path) -> None:
    async with calling(tmp_path, "shop.example") as (registry, receiver):
        with pytest.raises(ActionUnavailable, match="certificate"):
            await registry.run(ACTION, KEY)
    assert receiver.received == []


async def test_a_private_host_that_was_not_allowed_by_name_is_refused_before_anybody_signs(tmp_path: Path) -> None:
    async with calling(tmp_path, allow_private=None) as (registry, receiver):
        with pytest.raises(ActionRefused, match="no public address"):
            await registry.examine(ACTION)
        with pytest.raises(ActionRefused, match="no public address"):
            await registry.run(ACTION, KEY)
        assert "no public address" in (await registry.check())["notify_erp"]
    assert receiver.connections == 0


async def test_a_name_that_leads_into_the_house_is_refused_as_its_address_is(tmp_path: Path) -> None:
    options = {"url": "https://localhost/notes", "allow_hosts": ["localhost"]}
    async with calling(tmp_path, **options) as (registry, receiver):
        with pytest.raises(ActionRefused, match=r"localhost resolves to (127\.0\.0\.1|::1)"):
            await registry.examine(ACTION)
    assert receiver.connections == 0


async def test_arguments_fill_path_and_query_and_cannot_leave_their_place(tmp_path: Path) -> None:
    url = "https://{host}/orders/{args.order_id}/notes?text={args.note}"
    async with calling(tmp_path, url=url) as (registry, receiver):
        examination = await registry.examine(ACTION)
        assert examination.shown == {"sends_to": receiver.place}
        await registry.run(ACTION.model_copy(update={"args": {"order_id": "a/b?c#d", "note": "&x=1"}}), KEY)
        for bad in (
            "..",
            ".",
            "a/../b",
            "..\\a",
            "%2e%2e",
            "a/..;x/b",
            "",
            "line\nbreak",
            {"a": 1},
            None,
            True,
            "x" * 501,
        ):
            with pytest.raises(ActionRefused, match=r"args\.order_id") as refused:
                await registry.run(ACTION.model_copy(update={"args": {"order_id": bad, "note": "x"}}), KEY)
            assert "line" not in str(refused.value)
    assert [request.path for request in receiver.received] == ["/orders/a%2Fb%3Fc%23d/notes?text=%26x%3D1"]


async def test_an_agent_may_name_the_url_among_the_allowed_hosts(tmp_path: Path) -> None:
    async with calling(tmp_path, url=None, url_from="args.url") as (registry, receiver):
        named = ACTION.model_copy(update={"args": {"url": receiver.url("/any/path?x=1")}})
        await registry.examine(named)
        await registry.run(named, KEY)
    assert [request.path for request in receiver.received] == ["/any/path?x=1"]


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://evil.example/", r"args\.url: evil\.example is not among the hosts"),
        ("https://{host}@evil.example/", "names a user"),
        ("https://{host}.evil.example/", "cannot be read"),
        ("http://{host}/", "only https"),
        ("https://127.0.0.1:1/", "not among the hosts"),
        ("https://2130706433/", "cannot be the name of a host"),
        ("https://[::ffff:127.0.0.1]/", "not among the hosts"),
        ("//{host}/", "without a scheme"),
        ("https://{host}/" + "x" * 2000, "no URL of up to 2000"),
        (5, "no URL"),
        (None, "no URL"),
    ],
)
async def test_a_url_outside_the_allow_list_is_refused_before_anybody_signs(
    tmp_path: Path, url: Any, says: str
) -> None:
    async with calling(tmp_path, url=None, url_from="args.url") as (registry, receiver):
        named = url.replace("{host}", receiver.place) if isinstance(url, str) else url
        action = ACTION.model_copy(update={"args": {"url": named}})
        with pytest.raises(ActionRefused, match=says):
            await registry.examine(action)
        with pytest.raises(ActionRefused, match=says):
            await registry.run(action, KEY)
    assert receiver.connections == 0


async def test_what_came_of_an_action_is_asked_by_its_key(tmp_path: Path) -> None:
    async with calling(tmp_path, look_up="https://{host}/notes/{idempotency_key}") as (registry, receiver):
        assert registry.on_unknown("notify_erp") is OnUnknown.LOOK_UP
        receiver.otherwise = Reply(body=b'{"id": "note-9"}')
        assert await registry.look_up(ACTION, KEY) == Ran("note-9", {"id": "note-9"})
        receiver.otherwise = Reply(status=404)
        assert await registry.look_up(ACTION, KEY) is None
    request = receiver.received[0]
    assert (request.method, request.path) == ("GET", "/notes/signoff%3A0190c1d2%3A1%3Acall_7")
    assert Webhook(SECRETS["ERP_NEW"]).verify(request.body, dict(request.headers), json_parse=False) is None


@pytest.mark.parametrize(
    "reply", [Reply(status=202), Reply(status=500), Reply(status=302), Reply(status=403), Reply(hangs_up=True)]
)
async def test_only_a_clear_answer_settles_what_came_of_an_action(tmp_path: Path, reply: Reply) -> None:
    async with calling(tmp_path, look_up="https://{host}/notes/{idempotency_key}") as (registry, receiver):
        receiver.otherwise = reply
        with pytest.raises(ActionUnavailable):
            await registry.look_up(ACTION, KEY)


async def test_where_a_repeat_is_safe_a_conflict_means_that_the_first_call_is_under_way(tmp_path: Path) -> None:
    async with calling(tmp_path, repeat="safe") as (registry, receiver):
        assert registry.on_unknown("notify_erp") is OnUnknown.REPEAT
        receiver.otherwise = Reply(status=409)
        with pytest.raises(ActionUncertain, match="409"):
            await registry.run(ACTION, KEY)


async def test_configured_headers_are_sent_and_an_unclear_result_is_asked_about_by_default(tmp_path: Path) -> None:
    async with calling(tmp_path, headers={"Authorization": "Bearer t"}) as (registry, receiver):
        assert registry.on_unknown("notify_erp") is OnUnknown.ASK
        await registry.run(ACTION, KEY)
        assert await registry.check() == {}
    assert receiver.received[0].headers["authorization"] == "Bearer t"
