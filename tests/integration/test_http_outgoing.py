"""Outgoing https against a real receiver: what is sent, what is refused, and what nobody knows."""

import asyncio
import gc
import ssl

import pytest

from tests.stack.https_receiver import HttpsReceiver, Reply, receiving
from worker.adapters.outgoing.guarded import Answer, Forbidden, Guarded, NoAnswer, Unreachable


async def sent(receiver: HttpsReceiver, url: str | None = None, **options: object) -> Answer:
    """What comes of a POST of `{}` by a sender that may speak to the receiver."""
    given = {"allow_private": [receiver.place], "verify": receiver.trust, **options}
    guarded = Guarded(**given)  # type: ignore[arg-type]
    try:
        return await guarded.send("POST", url or receiver.url("/calls"), body=b"{}", headers={"x-call": "1"})
    finally:
        await guarded.aclose()


async def test_a_request_arrives_as_it_was_given_and_its_answer_comes_back() -> None:
    async with receiving() as receiver:
        receiver.replies["/calls"] = Reply(status=201, body=b'{"id": 7}', headers={"Location": "/calls/7"})
        answer = await sent(receiver, receiver.url("/calls?page=1&q=%20"))
    (request,) = receiver.received
    assert (request.method, request.path, request.body) == ("POST", "/calls?page=1&q=%20", b"{}")
    assert (request.headers["x-call"], request.headers["host"]) == ("1", receiver.place)
    assert (answer.status, answer.headers["location"], answer.body) == (201, "/calls/7", b'{"id": 7}')


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    async with receiving() as receiver:
        receiver.replies["/calls"] = Reply(status=307, headers={"location": receiver.url("/elsewhere")})
        assert (await sent(receiver)).status == 307
    assert [request.path for request in receiver.received] == ["/calls"]


async def test_a_receiver_that_does_not_answer_in_time_may_have_acted() -> None:
    async with receiving() as receiver:
        receiver.replies["/calls"] = Reply(waits=True)
        with pytest.raises(NoAnswer, match=r"within 0\.5 s"):
            await sent(receiver, timeout_s=0.5)
    assert len(receiver.received) == 1


async def test_an_answer_that_drips_in_is_not_waited_for_beyond_the_time_of_the_whole() -> None:
    async with receiving() as receiver:
        receiver.replies["/calls"] = Reply(drips=True)
        with pytest.raises(NoAnswer, match=r"within 0\.5 s"):
            await sent(receiver, timeout_s=0.5)


async def test_a_connection_that_ends_after_the_request_may_have_had_its_effect() -> None:
    async with receiving() as receiver:
        receiver.replies["/calls"] = Reply(hangs_up=True)
        with pytest.raises(NoAnswer):
            await sent(receiver)
    assert len(receiver.received) == 1


async def test_an_answer_that_is_too_large_is_not_read_to_its_end() -> None:
    async with receiving() as receiver:
        receiver.replies["/calls"] = Reply(body=b"x" * 2_000_000)
        with pytest.raises(NoAnswer, match="more than 1000 bytes"):
            await sent(receiver, largest_answer=1000)


async def test_a_certificate_of_an_unknown_authority_gets_nothing_sent() -> None:
    async with receiving() as receiver:
        with pytest.raises(Unreachable, match="certificate"):
            await sent(receiver, verify=ssl.create_default_context())
    assert receiver.received == []


async def test_a_certificate_of_another_name_gets_nothing_sent() -> None:
    async with receiving("shop.example") as receiver:
        with pytest.raises(Unreachable, match="certificate"):
            await sent(receiver)
    assert receiver.received == []


async def test_the_certificate_is_checked_against_the_name_and_the_address_is_the_one_that_was_checked() -> None:
    asked: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["192.0.2.1"]

    async with receiving("erp.example") as receiver:
        answer = await sent(receiver, receiver.url(host="erp.example"), allow_private=["erp.example"], resolve=resolve)
    assert (answer.status, asked) == (200, ["erp.example"])


async def test_a_name_that_turns_private_after_it_was_checked_is_refused() -> None:
    answers = [["8.8.8.8"], ["127.0.0.1"]]

    async def resolve(host: str, port: int) -> list[str]:
        return answers.pop(0)

    async with receiving("rebound.example") as receiver:
        guarded = Guarded(verify=receiver.trust, resolve=resolve)
        url = receiver.url(host="rebound.example")
        await guarded.check(url)
        with pytest.raises(Forbidden, match=r"resolves to 127\.0\.0\.1"):
            await guarded.send("POST", url, headers={})
        await guarded.aclose()
    assert receiver.connections == 0


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f000001", "0177.0.0.1", "127.1"]
)
async def test_loopback_is_refused_however_it_is_written(host: str) -> None:
    async with receiving() as receiver:
        with pytest.raises(Forbidden):
            await sent(receiver, receiver.url(host=host), allow_private=[])
    assert receiver.connections == 0


async def test_a_host_that_is_allowed_on_one_port_is_not_allowed_on_another() -> None:
    async with receiving() as receiver:
        with pytest.raises(Forbidden, match="allowed by name"):
            await sent(receiver, allow_private=["127.0.0.1:1"])
    assert receiver.connections == 0


async def test_a_receiver_that_is_down_was_sent_nothing() -> None:
    async with receiving() as receiver:
        pass
    with pytest.raises(Unreachable, match="not reached"):
        await sent(receiver)


async def test_a_server_that_speaks_no_tls_was_sent_nothing() -> None:
    heard: list[bytes] = []

    async def chats(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(1000))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(chats, "127.0.0.1", 0) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/secret-path"
        guarded = Guarded(allow_private=["127.0.0.1"])
        with pytest.raises(Unreachable) as unreachable:
            await guarded.send("POST", url, body=b"secret", headers={})
        await guarded.aclose()
    assert b"secret" not in b"".join(heard)
    assert "secret" not in str(unreachable.value)


async def test_a_server_that_stalls_in_the_handshake_was_sent_nothing() -> None:
    ended = asyncio.Event()

    async def stalls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await ended.wait()
        writer.close()

    async with await asyncio.start_server(stalls, "127.0.0.1", 0) as server:
        guarded = Guarded(allow_private=["127.0.0.1"], timeout_s=0.3)
        with pytest.raises(Unreachable, match=r"within 0\.3 s"):
            await guarded.send("POST", f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/", headers={})
        await guarded.aclose()
        ended.set()
    del guarded
    gc.collect()  # what was left open would be found, and fail this test


async def test_requests_share_no_connection_and_no_cookie() -> None:
    async with receiving() as receiver:
        receiver.otherwise = Reply(headers={"set-cookie": "session=1", "connection": "keep-alive"})
        guarded = Guarded(allow_private=[receiver.place], verify=receiver.trust)
        for _ in range(2):
            await guarded.send("POST", receiver.url(), headers={})
        await guarded.aclose()
    assert receiver.connections == 2
    assert not any("cookie" in request.headers for request in receiver.received)


@pytest.mark.parametrize("headers", [{"x-a": "b\r\nx-role: admin"}, {"x-ä": "b"}, {"x-a": "ä"}, {"x\n": "b"}])
async def test_a_header_cannot_become_two(headers: dict[str, str]) -> None:
    async with receiving() as receiver:
        guarded = Guarded(allow_private=[receiver.place], verify=receiver.trust)
        with pytest.raises(Forbidden, match="no header may have"):
            await guarded.send("POST", receiver.url(), headers=headers)
        await guarded.aclose()
    assert receiver.connections == 0


async def test_a_name_without_an_address_is_unreachable() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    guarded = Guarded(resolve=resolve)
    with pytest.raises(Unreachable, match=r"gone\.example has no address"):
        await guarded.send("POST", "https://gone.example/", headers={})
    await guarded.aclose()


async def test_the_next_address_of_a_host_is_tried_when_one_does_not_answer() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.2", "127.0.0.1"]  # nobody listens on the first

    async with receiving("erp.example") as receiver:
        answer = await sent(receiver, receiver.url(host="erp.example"), allow_private=["erp.example"], resolve=resolve)
    assert answer.status == 200


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving() as receiver, receiving() as proxy:
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url())
        assert (await sent(receiver)).status == 200
    assert proxy.connections == 0
