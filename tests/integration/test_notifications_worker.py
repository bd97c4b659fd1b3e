"""A worker tells people of what it commits: from a record on a topic to a verified message and a mail."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from psycopg import AsyncConnection
from standardwebhooks.webhooks import Webhook

from tests.integration.conftest import worker_running
from tests.records import publish, raise_exceptions, refund
from tests.stack.https_receiver import HttpsReceiver, Received, Reply, receiving
from tests.stack.mail_server import Post, mail_server
from worker.settings import Settings

SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"  # noqa: S105 - the specification's own example

FILE = """
review_url: https://desk.example/approvals/{approval_id}
endpoints:
  desk: {use: webhook, url: env:DESK_URL, secrets: [env:DESK_SECRET], in_house: true, ca_file: env:DESK_CA}
  managers: {use: slack, url: env:SLACK_URL, in_house: true, ca_file: env:DESK_CA}
  on-call:
    use: email
    to: [ops@shop.example]
    smtp: {host: 127.0.0.1, port: env:SMTP_PORT, tls: none, from: signoff@shop.example}
routes:
  - {to: [desk]}
  - {to: [managers], on: [needed]}
  - {to: [on-call], on: [closed], over: 100.00 USD}
"""


@pytest.fixture
async def receiver() -> AsyncIterator[HttpsReceiver]:
    async with receiving() as opened:
        yield opened


@pytest.fixture
async def post() -> AsyncIterator[Post]:
    async with mail_server() as opened:
        yield opened


@pytest.fixture
def telling(
    migrated: Settings, receiver: HttpsReceiver, post: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """Settings of a worker that tells people; their addresses are in its environment."""
    authority = tmp_path / "authority.pem"
    authorities = receiver.trust.get_ca_certs(binary_form=True)
    authority.write_text("".join(ssl.DER_cert_to_PEM_cert(certificate) for certificate in authorities))
    file = tmp_path / "notifications.yaml"
    file.write_text(FILE)
    for name, value in {
        "DESK_URL": receiver.url("/desk"),
        "DESK_SECRET": SECRET,
        "DESK_CA": str(authority),
        "SLACK_URL": receiver.url("/slack"),
        "SMTP_PORT": str(post.port),
    }.items():
        monkeypatch.setenv(name, value)
    return migrated.model_copy(update={"notifications_file": file})


FAILED = "select 1 from notifications where endpoint = 'desk' and attempts > 0"


def at_desk(received: list[Received]) -> list[Any]:
    return [Webhook(SECRET).verify(one.body, dict(one.headers)) for one in received if one.path == "/desk"]


async def approve(settings: Settings, exception_id: str) -> None:
    decision = {
        "decision_id": f"DEC-{exception_id}",
        "exception_id": exception_id,
        "verdict": "approve",
        "reviewer": {"id": "user:maria", "roles": ["manager"]},
    }
    await publish(settings, "review-decisions", json.dumps(decision).encode())


async def failure_is_on_record(settings: Settings) -> None:
    """A worker that stops before leaves its lease, which the next one would wait for."""
    async with (
        asyncio.timeout(10),
        await AsyncConnection.connect(settings.database_url, autocommit=True) as connection,
    ):
        while not await (await connection.execute(FAILED)).fetchone():  # noqa: ASYNC110 - a database says nothing by itself
            await asyncio.sleep(0.05)


async def test_people_hear_of_a_question_and_of_its_end(telling: Settings, receiver: HttpsReceiver, post: Post) -> None:
    async with worker_running(telling):
        await raise_exceptions(telling, refund("EXC-1"))
        asked = await receiver.wait_for(2)
        [question] = at_desk(asked)
        assert question["type"] == "approval.needed"
        assert question["data"]["exception_id"] == "EXC-1"
        assert question["data"]["amount"] == {"amount_minor": 15_000, "currency": "USD"}
        assert question["data"]["url"].endswith(f"/approvals/{question['data']['approval_id']}")
        [slack] = [one.json for one in asked if one.path == "/slack"]
        assert slack["text"] == "Approval needed: refund of 150.00 USD, order ORD-EXC-1"
        await approve(telling, "EXC-1")
        told = at_desk(await receiver.wait_for(3))
        assert [message["type"] for message in told] == ["approval.needed", "approval.closed"]
        assert (told[1]["data"]["closed_as"], told[1]["data"]["by"]) == ("approved", "user:maria")
        async with asyncio.timeout(10):
            await post.text_came.wait()
    assert post.taken[0]["subject"] == "Closed: refund of 150.00 USD, order ORD-EXC-1"
    assert "arrived broken" not in str([one.body for one in receiver.received])


async def test_what_a_worker_could_not_send_the_next_one_sends(telling: Settings, receiver: HttpsReceiver) -> None:
    receiver.replies = {"/desk": Reply(500)}
    async with worker_running(telling):
        await raise_exceptions(telling, refund("EXC-1"))
        await receiver.wait_for(2)
        await failure_is_on_record(telling)
    receiver.replies = {}
    tried = len(receiver.received)
    async with worker_running(telling):
        again = await receiver.wait_for(tried + 1, within_s=30)
    assert again[-1].path == "/desk"
    assert len({one.headers["webhook-id"] for one in again if one.path == "/desk"}) == 1


async def test_endpoints_that_hang_hold_up_no_case(telling: Settings, receiver: HttpsReceiver) -> None:
    receiver.otherwise = Reply(waits=True)
    async with worker_running(telling):
        await raise_exceptions(telling, *(refund(f"EXC-{number}") for number in range(30)))
