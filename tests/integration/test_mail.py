"""Mail to a real server on loopback: what it takes, and what is said when it does not."""

import asyncio
import socket
import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest
import trustme

from tests.stack.mail_server import Post, mail_server
from worker.adapters.mail.message import BadMessage, compose
from worker.adapters.mail.smtp import Mailer, MailRefused, MailUnavailable, MailUncertain

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def a_message(**fields: Any) -> EmailMessage:
    known: dict[str, Any] = {
        "sender": "Orders <orders@house.example>",
        "to": ["ada@example.org"],
        "subject": "Your refund",
        "text": "It is on its way.\n",
        "key": "signoff:1:1:0",
        "at": AT,
        **fields,
    }
    return compose(**known)


def a_mailer(post: Post, **options: Any) -> Mailer:
    known: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": post.port,
        "tls": "none",
        "from_address": "orders@house.example",
        "timeout_s": 5.0,
        **options,
    }
    return Mailer(**known)


async def test_a_message_arrives_as_it_was_composed() -> None:
    async with mail_server() as post:
        answer = await a_mailer(post).send(a_message(cc=["bob@example.org"], html="<p>It is on its way.</p>"))
    [message], [envelope] = post.taken, post.envelopes
    assert answer == "2.0.0 queued as 4711"
    assert envelope.mail_from == "orders@house.example"
    assert envelope.rcpt_tos == ["ada@example.org", "bob@example.org"]
    assert message["from"] == "Orders <orders@house.example>"
    assert message["auto-submitted"] == "auto-generated"
    assert message["date"].datetime == AT
    plain = message.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().strip() == "It is on its way."


async def test_words_of_every_script_arrive() -> None:
    async with mail_server() as post:
        await a_mailer(post).send(a_message(subject="Zurückerstattung: 返金 🎉", text="Größe\n.\n.\r\nQUIT\r\n"))
    [message] = post.taken
    assert message["subject"] == "Zurückerstattung: 返金 🎉"
    assert message.get_content().splitlines() == ["Größe", ".", ".", "QUIT"]


async def test_the_same_key_gives_the_same_message_id() -> None:
    assert a_message()["message-id"] == a_message(text="other")["message-id"]
    assert a_message()["message-id"] != a_message(key="another")["message-id"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [("550 5.7.1 no thanks", MailRefused), ("451 4.3.0 later", MailUnavailable)],
)
async def test_a_server_that_answers_no_to_the_text_took_nothing(answer: str, error: type[Exception]) -> None:
    async with mail_server() as post:
        post.data = answer
        with pytest.raises(error, match=answer):
            await a_mailer(post).send(a_message())
    assert post.taken == []


@pytest.mark.parametrize(("answer", "error"), [("550 unknown", MailRefused), ("450 greylisted", MailUnavailable)])
async def test_one_refused_recipient_keeps_the_message_from_all(answer: str, error: type[Exception]) -> None:
    async with mail_server() as post:
        post.rcpt["bob@example.org"] = answer
        with pytest.raises(error, match=answer):
            await a_mailer(post).send(a_message(to=["ada@example.org", "bob@example.org"]))
        assert not post.text_came.is_set()


async def test_an_answer_to_the_text_that_means_nothing_leaves_it_open_what_happened() -> None:
    async with mail_server() as post:
        post.data = "354 go on"
        with pytest.raises(MailUncertain, match="354"):
            await a_mailer(post).send(a_message())


async def test_an_answer_that_is_no_text_is_told_as_text() -> None:
    ended = asyncio.Event()

    async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.test\r\n")
        while command := await reader.readline():
            refuses = command.startswith(b"MAIL")
            writer.write(b"550 no \x00 \xff\xed\xa0\x80\x1b[2J \r\n" if refuses else b"250 OK\r\n")
        writer.close()
        await writer.wait_closed()
        ended.set()

    async with await asyncio.start_server(answers, "127.0.0.1", 0) as server:
        mailer = a_mailer(Post(port=server.sockets[0].getsockname()[1]))
        with pytest.raises(MailRefused) as refused:
            await mailer.send(a_message())
        await ended.wait()
    assert str(refused.value).endswith("550 no [2J")


async def test_a_connection_lost_after_the_text_leaves_it_open_what_happened() -> None:
    async with mail_server() as post:
        post.drops = True
        with pytest.raises(MailUncertain):
            await a_mailer(post).send(a_message())
    assert post.text_came.is_set()


async def test_a_server_too_slow_to_answer_the_text_leaves_it_open_what_happened() -> None:
    async with mail_server() as post:
        post.holds = True
        with pytest.raises(MailUncertain, match="no answer in time"):
            await a_mailer(post, timeout_s=0.5).send(a_message())
        assert post.text_came.is_set()


async def test_a_server_that_never_greets_was_sent_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mailer = Mailer(
            host="127.0.0.1", port=silent.getsockname()[1], tls="none", from_address="a@b.example", timeout_s=0.3
        )
        with pytest.raises(MailUnavailable, match="no answer in time"):
            await mailer.send(a_message())


async def test_nobody_listening_is_told_with_the_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    mailer = Mailer(host="127.0.0.1", port=port, tls="none", from_address="a@b.example")
    with pytest.raises(MailUnavailable, match=f"127.0.0.1:{port}"):
        await mailer.send(a_message())
    assert f"127.0.0.1:{port}" in str(await mailer.check())


async def test_mail_is_encrypted_and_let_in_with_a_password() -> None:
    authority = trustme.CA()
    theirs, ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(theirs)
    authority.configure_trust(ours)
    async with mail_server(tls=theirs, login=("signoff", "s3cret")) as post:
        mailer = a_mailer(post, tls="starttls", tls_context=ours, username="signoff", password="s3cret")  # noqa: S106
        assert await mailer.check() is None
        await mailer.send(a_message())
        stranger = a_mailer(post, tls="starttls", tls_context=ours, username="signoff", password="Wr0ng")  # noqa: S106
        with pytest.raises(MailUnavailable, match="535") as refused:
            await stranger.send(a_message())
    assert len(post.taken) == 1
    assert "Wr0ng" not in str(refused.value)


async def test_a_certificate_of_nobody_known_is_not_trusted() -> None:
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(theirs)
    async with mail_server(tls=theirs) as post:
        with pytest.raises(MailUnavailable, match="certificate"):
            await a_mailer(post, tls="starttls").send(a_message())


async def test_a_server_without_encryption_gets_nothing_when_encryption_is_wanted() -> None:
    async with mail_server() as post:
        with pytest.raises(MailUnavailable, match="STARTTLS"):
            await a_mailer(post, tls="starttls").send(a_message())


def test_mail_leaves_this_machine_encrypted_unless_told_otherwise() -> None:
    with pytest.raises(ValueError, match="unencrypted"):
        Mailer(host="mail.example.org", tls="none", from_address="a@b.example")
    assert Mailer(host="mail.example.org", tls="none", from_address="a@b.example", insecure=True)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subject", "Hello\r\nBcc: everybody@example.org"),
        ("subject", "Hello\u2028there"),
        ("subject", "x" * 301),
        ("subject", "=?utf-8?q?Hello=0d=0aBcc:_eve=40example.org?="),
        ("subject", "Hello =?utf-8?B?DQpCY2M6IGV2ZUBleGFtcGxlLm9yZw==?= there"),
        ("to", ["=?utf-8?q?a=0d=0aBcc:_e=40e.example?=@example.org"]),
        ("sender", "=?utf-8?q?a=0d=0aX-Y:_z?= <orders@house.example>"),
        ("to", ["ada@example.org\r\nBcc: eve@example.org"]),
        ("to", ["ada@example.org, eve@example.org"]),
        ("to", ["Ada <eve@example.org>"]),
        ("to", ['"a b"@example.org']),
        ("to", ["ada@[127.0.0.1]"]),
        ("to", ["ada@exämple.org"]),
        ("to", ["ada@" + "a" * 300 + ".example"]),
        ("to", ["ada"]),
        ("to", []),
        ("cc", ["ada@example.org>"]),
        ("sender", "Orders\r\nX: y <orders@house.example>"),
        ("text", "half \ud800"),
        ("text", "a\0b"),
    ],
)
def test_nothing_that_is_written_becomes_a_header_or_a_recipient(field: str, value: object) -> None:
    with pytest.raises(BadMessage):
        a_message(**{field: value})
