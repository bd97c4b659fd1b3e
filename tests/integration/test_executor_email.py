"""The e-mail executor against a mail server: who may be written to, and what is said when a message is not taken."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.values import Action
from tests.stack.mail_server import Post, mail_server
from worker.adapters.executors.email import EmailExecutor
from worker.adapters.executors.executor import (
    ActionFailed,
    ActionRefused,
    ActionUnavailable,
    ActionUncertain,
    OnUnknown,
)
from worker.adapters.executors.registry import Registry

KEY = "signoff:11111111-1111-1111-1111-111111111111:1:0"


def options(**changed: Any) -> dict[str, Any]:
    return {
        "host": "127.0.0.1",
        "tls": "none",
        "from": "Orders <orders@house.example>",
        "allow_recipients": ["house.example", "ada@example.org"],
        **changed,
    }


def registry(port: int, **changed: Any) -> Registry:
    return Registry({"send_email": EmailExecutor(name="send_email", port=port, **options(**changed))})


def mail(to: Any = "ada@example.org", **args: Any) -> Action:
    return Action(name="send_email", args={"to": to, "subject": "Your order", "body": "It is late.\n", **args})


@pytest.fixture
async def post() -> AsyncIterator[Post]:
    async with mail_server() as server:
        yield server


async def test_an_approved_mail_is_sent(post: Post) -> None:
    ran = await registry(post.port).run(mail(cc=["bob@house.example"]), KEY)
    [message] = post.taken
    assert ran.reference == message["message-id"]
    assert ran.result == {"answer": "2.0.0 queued as 4711"}
    assert message["to"] == "ada@example.org"
    assert message["from"] == "Orders <orders@house.example>"
    assert post.envelopes[0].rcpt_tos == ["ada@example.org", "bob@house.example"]


async def test_a_reviewer_sees_every_recipient_and_who_is_outside_the_house(post: Post) -> None:
    seen = await registry(post.port).examine(mail(to=["bob@House.example", "ada@example.org", "ada@EXAMPLE.org"]))
    assert seen.shown == {"recipients": ["bob@house.example", "ada@example.org"], "outside": ["ada@example.org"]}
    assert seen.args_schema["required"] == ["to", "subject", "body"]
    assert post.taken == []


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (mail(to="eve@example.org"), "eve@example.org"),
        (mail(to="ada@sub.house.example"), "ada@sub.house.example"),
        (mail(cc="eve@example.org"), "eve@example.org"),
        (mail(to=["bob@house.example\r\nBcc: eve@example.org"]), "no e-mail address"),
        (mail(to="Bob <eve@example.org>"), "no e-mail address"),
        (mail(subject="Hello\nBcc: eve@example.org"), "line break"),
        (mail(to=[f"n{number}@house.example" for number in range(11)]), "at most 10"),
        (mail(body="x" * 100_001), "at most 100000"),
        (mail(to=[]), "args.to"),
        (mail(bcc="eve@example.org"), "^args"),
    ],
)
async def test_what_may_not_be_sent_is_refused_before_anything_runs(post: Post, action: Action, said: str) -> None:
    executors = registry(post.port)
    with pytest.raises(ActionRefused, match=said):
        await executors.examine(action)
    with pytest.raises(ActionRefused, match=said):
        await executors.run(action, KEY)
    assert not post.text_came.is_set()


async def test_everybody_may_be_written_to_where_that_is_written_out(post: Post) -> None:
    await registry(post.port, allow_recipients=["*"]).run(mail(to="eve@elsewhere.example"), KEY)
    assert len(post.taken) == 1


@pytest.mark.parametrize(
    ("answer", "error"), [("550 5.7.1 no thanks", ActionFailed), ("451 4.3.0 later", ActionUnavailable)]
)
async def test_a_server_that_says_no_sent_nothing(post: Post, answer: str, error: type[Exception]) -> None:
    post.data = answer
    with pytest.raises(error, match=answer):
        await registry(post.port).run(mail(), KEY)


async def test_a_mail_that_may_have_been_sent_is_for_a_person_to_judge(post: Post) -> None:
    post.drops = True
    executors = registry(post.port)
    with pytest.raises(ActionUncertain):
        await executors.run(mail(), KEY)
    assert executors.on_unknown("send_email") is OnUnknown.ASK


async def test_a_server_that_stalls_is_left_within_the_time_limit(post: Post) -> None:
    post.holds = True
    with pytest.raises(ActionUncertain, match="did not say"):
        await registry(post.port, time_limit_s=0.5).run(mail(), KEY)


async def test_a_server_that_is_down_is_named_by_the_check(post: Post) -> None:
    assert await registry(post.port).check() == {}
    found = await registry(1).check()
    assert "127.0.0.1:1" in found["send_email"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"allow_recipients": []}, "allow_recipients"),
        ({"allow_recipients": ["not a domain"]}, "allow_recipients"),
        ({"from": "nobody"}, "from"),
        ({"host": "mail.example.org"}, "unencrypted"),
        ({"username": "signoff"}, "username, password"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_mistake_in_the_options_is_named(changed: dict[str, Any], said: str) -> None:
    with pytest.raises((ValidationError, ValueError), match=said):
        EmailExecutor(name="send_email", **options(**changed))


def test_the_password_is_in_no_representation() -> None:
    made = EmailExecutor(name="send_email", **options(username="signoff", password="s3cret"))  # noqa: S106
    assert "s3cret" not in repr(made.options) + repr(made) + repr(vars(made))
