"""Sending, with everything that an endpoint can do to it; days pass on a clock that is moved."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from email.utils import format_datetime
from typing import Any
from uuid import UUID

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.stack.https_receiver import HttpsReceiver, Received, Reply, receiving
from tests.stack.mail_server import mail_server
from tests.unit.notice_office import SCREEN, SECRET, Office, endpoint_at, real_now, webhook_at
from worker.adapters.mail.smtp import Mailer
from worker.adapters.notifications.channel import Channel
from worker.adapters.notifications.mail import MailChannel
from worker.adapters.notifications.posting import HttpsEndpoint
from worker.adapters.notifications.schedule import PAUSES_S, TRIES, pause_after
from worker.adapters.notifications.slack import SlackChannel
from worker.adapters.notifications.teams import TeamsChannel
from worker.adapters.notifications.webhook import WebhookChannel
from worker.adapters.outgoing.guarded import Guarded
from worker.application.notices import DueNotification, Notice
from worker.entrypoints.notifying import run_notifier

DAY = 86_400
ALERT = "notification_endpoint_disabled"


@pytest.fixture
async def receiver() -> AsyncIterator[HttpsReceiver]:
    async with receiving() as opened:
        yield opened


@pytest.fixture
async def office(receiver: HttpsReceiver) -> AsyncIterator[Office]:
    async with Office({"desk": webhook_at(receiver)}) as opened:
        yield opened


def verified(received: Received, secret: str = SECRET) -> Any:
    """By the official library."""
    return Webhook(secret).verify(received.body, dict(received.headers))


# Each channel


async def test_a_webhook_is_signed_as_the_standard_says(office: Office, receiver: HttpsReceiver) -> None:
    _, approval = await office.asks()
    await office.delivers()
    [received] = receiver.received
    message = verified(received)
    assert message["type"] == "approval.needed"
    assert message["data"]["url"] == f"https://desk.example/approvals/{approval.approval_id}"
    assert received.method == "POST"
    assert received.headers["content-type"] == "application/json"
    assert received.headers["webhook-id"] == str(office.rows[0].told.message_id)
    assert office.states == ["delivered"]


async def test_while_a_secret_is_replaced_both_verify(receiver: HttpsReceiver) -> None:
    new = "whsec_" + "B" * 32
    channel = WebhookChannel(endpoint_at(receiver), None, [SECRET, new], real_now)
    async with Office({"desk": channel}) as office:
        await office.asks()
        await office.delivers()
    [received] = receiver.received
    assert verified(received) == verified(received, new)
    with pytest.raises(WebhookVerificationError):
        verified(received, "whsec_" + "C" * 32)


async def test_slack_and_teams_are_posted_json(receiver: HttpsReceiver) -> None:
    channels: dict[str, Channel] = {
        "managers": SlackChannel(endpoint_at(receiver, "/slack"), SCREEN),
        "finance": TeamsChannel(endpoint_at(receiver, "/teams"), SCREEN),
    }
    receiver.replies = {"/slack": Reply(200, b"ok"), "/teams": Reply(202, b"")}
    async with Office(channels) as office:
        await office.asks()
        await office.delivers("managers")
        await office.delivers("finance")
        assert office.states == ["delivered", "delivered"]
    slack, teams = receiver.received
    assert slack.json["blocks"][0]["type"] == "section"
    assert teams.json["attachments"][0]["content"]["type"] == "AdaptiveCard"
    assert {slack.headers["content-type"], teams.headers["content-type"]} == {"application/json"}


async def test_mail_goes_to_all_recipients_in_one_message() -> None:
    async with mail_server() as post:
        mailer = Mailer(host="127.0.0.1", port=post.port, tls="none", from_address="Signoff <signoff@shop.example>")
        channel = MailChannel(mailer, ["ops@shop.example", "lead@shop.example"], SCREEN, real_now)
        async with Office({"desk": channel}) as office:
            _, approval = await office.asks()
            post.rcpt = {"lead@shop.example": "550 5.1.1 no such mailbox"}
            await office.delivers()
            assert (office.states, post.taken) == (["pending"], [])
            assert "550 5.1.1 no such mailbox" in (office.rows[0].problem or "")
            post.rcpt = {}
            await office.goes_on_until(lambda: office.states == ["delivered"])
    [message] = post.taken
    assert message["to"] == "ops@shop.example, lead@shop.example"
    assert message["subject"] == "Approval needed: refund of 150.00 USD, order ORD-1"
    text = message.get_body(("plain",))
    assert text is not None
    assert f"https://desk.example/approvals/{approval.approval_id}" in text.get_content()


# Failures


async def test_a_receiver_that_always_fails_is_tried_as_the_standard_says_and_given_up(
    office: Office, receiver: HttpsReceiver
) -> None:
    receiver.otherwise = Reply(500)
    await office.asks()
    pauses = await office.goes_on_until(lambda: "failed" in office.states)
    assert pauses == pytest.approx([5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400])
    assert len(receiver.received) == TRIES == 10
    assert len({(received.headers["webhook-id"], received.body) for received in receiver.received}) == 1
    assert office.rows[0].problem == f"{receiver.place} answered 500"


async def test_an_endpoint_that_is_down_for_a_day_gets_what_it_missed(office: Office, receiver: HttpsReceiver) -> None:
    await receiver.close()
    for number in range(3):
        await office.asks(f"EXC-{number}")
    began = office.clock()
    await office.goes_on_until(lambda: office.clock() - began > timedelta(days=1))
    assert office.states == ["pending"] * 3
    assert "not reached" in (office.rows[0].problem or "")
    await receiver.open(receiver.port)
    await office.goes_on_until(lambda: office.states == ["delivered"] * 3)
    assert {verified(received)["data"]["exception_id"] for received in receiver.received} == {"EXC-0", "EXC-1", "EXC-2"}
    assert not office.is_disabled


async def test_one_that_does_not_answer_in_time_is_tried_again(receiver: HttpsReceiver) -> None:
    receiver.replies = {"/hooks": [Reply(waits=True), Reply()]}
    async with Office({"desk": webhook_at(receiver, timeout_s=0.2)}) as office:
        await office.asks()
        await office.delivers()
        assert "gave no answer" in (office.rows[0].problem or "")
        await office.goes_on_until(lambda: office.states == ["delivered"])
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(lingers=True),
        Reply(body=b"x" * 100_000),
        Reply(headers={"content-length": "1000"}),
        Reply(204, b"", headers={"transfer-encoding": "chunked"}),
    ],
    ids=["that never ends", "that is huge", "that breaks off", "that is none"],
)
async def test_who_took_a_notice_is_not_sent_it_again_for_the_sake_of_an_answer(
    receiver: HttpsReceiver, reply: Reply
) -> None:
    receiver.otherwise = reply
    async with Office({"desk": webhook_at(receiver, timeout_s=0.2)}) as office:
        await office.asks()
        await office.delivers()
        assert office.states == ["delivered"]


async def test_an_endpoint_that_is_gone_says_so_by_its_status_alone(receiver: HttpsReceiver) -> None:
    receiver.otherwise = Reply(410, lingers=True)
    async with Office({"desk": webhook_at(receiver, timeout_s=0.2)}) as office:
        await office.asks()
        await office.delivers()
        assert office.is_disabled
        assert office.rows[0].problem == f"{receiver.place} answered 410"


async def test_a_redirect_is_a_failure_and_is_not_followed(office: Office, receiver: HttpsReceiver) -> None:
    receiver.replies = {"/hooks": Reply(301, headers={"location": receiver.url("/elsewhere")})}
    await office.asks()
    await office.delivers()
    assert [received.path for received in receiver.received] == ["/hooks"]
    assert office.states == ["pending"]
    assert "a redirect, which is not followed" in (office.rows[0].problem or "")


@pytest.mark.parametrize("status", [429, 503])
async def test_an_endpoint_that_asks_for_patience_is_given_it(
    office: Office, receiver: HttpsReceiver, status: int
) -> None:
    receiver.otherwise = Reply(status, headers={"retry-after": "3600"})
    await office.asks()
    await office.delivers()
    assert office.rows[0].available_at - office.clock() == timedelta(hours=1)


async def test_an_endpoint_that_asked_for_patience_is_sent_nothing_else_meanwhile(
    office: Office, receiver: HttpsReceiver
) -> None:
    """A channel that limits the rate would else refuse each notice of a burst until all are given up."""
    receiver.otherwise = [Reply(429, headers={"retry-after": "3600"}), Reply()]
    await office.asks()
    await office.delivers()
    await office.asks("EXC-2")
    office.clock.advance(3_599)
    await office.delivers()
    assert len(receiver.received) == 1
    office.clock.advance(2)
    await office.delivers()
    assert office.states == ["delivered", "delivered"]


async def test_patience_can_be_asked_for_by_a_date(office: Office, receiver: HttpsReceiver) -> None:
    until = format_datetime(real_now() + timedelta(hours=2), usegmt=True)
    receiver.otherwise = Reply(503, headers={"retry-after": until})
    await office.asks()
    await office.delivers()
    assert (office.rows[0].available_at - office.clock()).total_seconds() == pytest.approx(7_200, abs=30)


@pytest.mark.parametrize(
    "asked",
    [
        "tomorrow",
        "-5",
        "",
        "99999999999999999999",
        "Mon, 05 Jan 99999999999 00:00:00 GMT",
        "Mon, 05 Jan 2026 00:00:00 +9999",
        "Thu, 01 Jan 1970 00:00:00 GMT",
    ],
)
async def test_what_is_no_time_is_not_waited_for(office: Office, receiver: HttpsReceiver, asked: str) -> None:
    receiver.otherwise = Reply(503, headers={"retry-after": asked})
    await office.asks()
    await office.delivers()
    assert office.rows[0].available_at - office.clock() == timedelta(seconds=5)
    assert office.rows[0].problem == f"{receiver.place} answered 503"


async def test_gone_disables_at_once_with_an_alert_and_nothing_is_lost(
    office: Office, receiver: HttpsReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.otherwise = Reply(410)
    await office.asks()
    await office.delivers()
    [alert] = [record for record in caplog.records if record.message.startswith(ALERT)]
    assert alert.levelname == "ERROR"
    assert "desk: " in alert.message
    assert "answered 410" in alert.message
    assert "signoff notifications enable desk" in alert.message

    await office.asks("EXC-2")
    office.clock.advance(30 * DAY)
    await office.delivers()
    assert len(receiver.received) == 1
    assert office.states == ["pending", "pending"]

    receiver.otherwise = Reply()
    office.notifications.enable("desk")
    await office.delivers()
    assert office.states == ["delivered", "delivered"]
    assert receiver.received[0].headers["webhook-id"] == receiver.received[1].headers["webhook-id"]


async def test_a_receiver_that_refuses_our_signature_is_retried_and_after_five_days_disabled(
    office: Office, receiver: HttpsReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.otherwise = Reply(401)
    began = office.clock()
    await office.asks()
    await office.goes_on_until(lambda: "failed" in office.states)
    with pytest.raises(WebhookVerificationError):
        verified(receiver.received[0], "whsec_" + "C" * 32)
    assert not office.is_disabled
    await office.asks("EXC-2")
    await office.goes_on_until(lambda: office.is_disabled)
    assert timedelta(days=5) <= office.clock() - began < timedelta(days=6)
    assert "failed for 5 days without one success" in caplog.text
    assert office.states == ["failed", "pending"]


async def test_one_success_begins_the_five_days_anew(office: Office, receiver: HttpsReceiver) -> None:
    for number in range(4):
        receiver.otherwise = Reply(500)
        await office.asks(f"EXC-{number}")
        await office.delivers()
        office.clock.advance(3 * DAY)
        receiver.otherwise = Reply()
        await office.delivers()
    assert not office.is_disabled
    assert office.states == ["delivered"] * 4


async def test_a_private_address_is_refused_and_named(receiver: HttpsReceiver) -> None:
    guarded = Guarded(verify=receiver.trust)
    channel = WebhookChannel(HttpsEndpoint(receiver.url("/hooks"), guarded, real_now), None, [SECRET], real_now)
    async with Office({"desk": channel}) as office:
        await office.asks()
        await office.delivers()
        assert receiver.received == []
        assert "is no public address" in (office.rows[0].problem or "")
        assert office.database.endpoints["desk"].failing_since is not None


async def test_a_certificate_that_nobody_vouches_for_is_a_failure(receiver: HttpsReceiver) -> None:
    guarded = Guarded(allow_private=[receiver.place])
    channel = WebhookChannel(HttpsEndpoint(receiver.url("/hooks"), guarded, real_now), None, [SECRET], real_now)
    async with Office({"desk": channel}) as office:
        await office.asks()
        await office.delivers()
        assert receiver.received == []
        assert office.states == ["pending"]
        assert "CERTIFICATE_VERIFY_FAILED" in (office.rows[0].problem or "")


async def test_a_problem_names_the_host_and_never_the_address_which_is_a_secret(
    receiver: HttpsReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.otherwise = Reply(404, b"no_service")
    channel = SlackChannel(endpoint_at(receiver, "/services/T000/B000/CANARY"), SCREEN)
    async with Office({"desk": channel}) as office:
        await office.asks()
        await office.delivers()
        assert office.rows[0].problem == f"{receiver.place} answered 404 no_service"
    assert "CANARY" not in caplog.text


async def test_what_an_endpoint_answers_at_length_is_not_kept(office: Office, receiver: HttpsReceiver) -> None:
    receiver.otherwise = Reply(500, b"<html>CANARY</html>")
    await office.asks()
    await office.delivers()
    assert office.rows[0].problem == f"{receiver.place} answered 500"


# Order, and what is no longer worth saying


async def test_a_question_that_is_closed_by_now_is_not_asked_any_more(office: Office, receiver: HttpsReceiver) -> None:
    case, approval = await office.asks()
    await office.closes(case, approval)
    await office.goes_on_until(lambda: "pending" not in office.states)
    assert office.states == ["overtaken", "delivered"]
    assert [verified(received)["type"] for received in receiver.received] == ["approval.closed"]


async def test_what_was_asked_comes_before_what_became_of_it(office: Office, receiver: HttpsReceiver) -> None:
    case, approval = await office.asks()
    await office.delivers()
    await office.closes(case, approval)
    await office.delivers()
    assert [verified(received)["type"] for received in receiver.received] == ["approval.needed", "approval.closed"]


# Workers


async def test_a_worker_that_dies_before_the_mark_has_it_sent_again_under_the_same_id(
    office: Office, receiver: HttpsReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(self: object, due: DueNotification) -> None:
        raise ConnectionError("the database went away")

    await office.asks()
    with monkeypatch.context() as patched:
        patched.setattr(type(office.notifications), "delivered", dies)
        with pytest.raises(ConnectionError):
            await office.delivers()
    await office.delivers()
    assert len(receiver.received) == 1
    office.clock.advance(61)
    await office.delivers()
    first, second = receiver.received
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)
    assert office.states == ["delivered"]


async def test_two_workers_send_each_notification_once(office: Office, receiver: HttpsReceiver) -> None:
    for number in range(20):
        await office.asks(f"EXC-{number}")
    await asyncio.gather(office.delivers(), office.delivers())
    sent = [received.headers["webhook-id"] for received in receiver.received]
    assert len(sent) == len(set(sent)) == 20


class Broken:
    def __init__(self, error: Exception) -> None:
        self._error = error

    async def deliver(self, message_id: UUID, notice: Notice) -> None:
        raise self._error

    async def aclose(self) -> None: ...


async def test_a_notice_that_cannot_be_told_is_kept_with_its_problem(caplog: pytest.LogCaptureFixture) -> None:
    async with Office({"desk": Broken(ValueError("too large"))}) as office:
        await office.asks()
        await office.delivers()
        assert [(row.state, row.problem) for row in office.rows] == [("failed", "cannot be told: ValueError")]
        assert office.database.endpoints["desk"].failing_since is None
    assert "cannot be told to desk" in caplog.text


async def test_a_defect_on_the_way_is_a_failure_like_others(caplog: pytest.LogCaptureFixture) -> None:
    async with Office({"desk": Broken(RuntimeError("a defect"))}) as office:
        await office.asks()
        await office.delivers()
        assert [(row.state, row.problem) for row in office.rows] == [("pending", "a defect: RuntimeError")]
    assert "met a defect on its way to desk" in caplog.text


async def test_a_slow_endpoint_holds_up_no_other(receiver: HttpsReceiver) -> None:
    receiver.replies = {"/slow": Reply(waits=True)}
    async with Office({"slow": webhook_at(receiver, "/slow"), "desk": webhook_at(receiver)}) as office:
        await office.asks()
        running = asyncio.create_task(run_notifier(office.notifier, pause_s=0.01))
        received = await receiver.wait_for(2)
        assert {one.path for one in received} == {"/slow", "/hooks"}
        await office.asks("EXC-2")
        received = await receiver.wait_for(3)
        assert [json.loads(one.body)["data"]["exception_id"] for one in received if one.path == "/hooks"] == [
            "EXC-1",
            "EXC-2",
        ]
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_a_database_that_is_away_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    class Flaky:
        endpoints = ("desk",)
        looked = 0
        came_back = asyncio.Event()

        async def deliver_due(self, endpoint: str) -> bool:
            self.looked += 1
            if self.looked == 1:
                raise ConnectionError("PostgreSQL went away")
            if self.looked == 2:
                raise RuntimeError("a defect")
            self.came_back.set()
            return False

    flaky = Flaky()
    running = asyncio.create_task(run_notifier(flaky, pause_s=0.001))
    async with asyncio.timeout(5):
        await flaky.came_back.wait()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert "wait for the database" in caplog.text
    assert "stumbled and goes on" in caplog.text


# The schedule


def test_jitter_adds_up_to_a_tenth() -> None:
    assert pause_after(1, 0.0, None) == PAUSES_S[0]
    assert pause_after(1, 1.0, None) == pytest.approx(PAUSES_S[0] * 1.1)


def test_an_endpoint_cannot_ask_to_be_left_alone_for_more_than_a_day() -> None:
    assert pause_after(1, 0.0, 10.0**9) == DAY


def test_a_longer_pause_of_ours_is_not_shortened() -> None:
    assert pause_after(4, 0.0, 60.0) == 7_200
    assert pause_after(TRIES, 0.0, 60.0) is None
