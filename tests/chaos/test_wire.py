"""What a client and a server see of a wire's faults."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tests.chaos.held_port import HeldPort
from tests.chaos.wire import Wire

SOON_SECONDS = 30
"""What happens is awaited for so long; what must not happen is asked about with something that comes after it."""

Dial = Callable[[int], Awaitable["Talk"]]


class Talk:
    """A client's side of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def say(self, text: bytes) -> None:
        self.writer.write(text)
        await self.writer.drain()

    async def hear(self, text: bytes) -> None:
        """Return when exactly this has come next."""
        assert await asyncio.wait_for(self.reader.readexactly(len(text)), SOON_SECONDS) == text

    async def is_reset(self) -> bool:
        try:
            left = await asyncio.wait_for(self.reader.read(), SOON_SECONDS)
        except ConnectionResetError:
            return True
        assert left == b""
        return False


class Server:
    """Answers each line with itself, or lets the test do so, and remembers what came."""

    def __init__(self) -> None:
        self.port = 0
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()
        self.talks: list[Talk] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.talks.append(Talk(reader, writer))
        try:
            while line := await reader.readline():
                self.heard.put_nowait(line)
                writer.write(b"re: " + line)
                await writer.drain()
            writer.write(b"goodbye\n")
        except ConnectionError:
            self.heard.put_nowait(b"reset")
        finally:
            writer.close()

    async def hears(self, line: bytes) -> None:
        assert await asyncio.wait_for(self.heard.get(), SOON_SECONDS) == line


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    server = Server()
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listening:
        server.port = listening.sockets[0].getsockname()[1]
        yield server


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as server:
        yield server


@pytest.fixture
async def wire(server: Server) -> AsyncIterator[Wire]:
    async with Wire(server.port) as wire:
        yield wire


@pytest.fixture
async def dial() -> AsyncIterator[Dial]:
    talks: list[Talk] = []

    async def connect(port: int) -> Talk:
        talks.append(Talk(*await asyncio.open_connection("127.0.0.1", port)))
        return talks[-1]

    yield connect
    for talk in talks:
        talk.writer.close()


async def test_a_whole_wire_carries_both_ways(wire: Wire, dial: Dial) -> None:
    talk = await dial(wire.port)
    await talk.say(b"hello\n")
    await talk.hear(b"re: hello\n")


async def test_what_is_long_arrives_whole(wire: Wire, dial: Dial) -> None:
    talk = await dial(wire.port)
    lines = b"".join(b"%07d\n" % number for number in range(60_000))
    saying = asyncio.create_task(talk.say(lines))
    await talk.hear(lines.replace(b"\n", b"\nre: ").join((b"re: ", b""))[: -len(b"re: ")])
    await saying


async def test_an_end_of_one_side_leaves_the_other_open(wire: Wire, dial: Dial) -> None:
    talk = await dial(wire.port)
    await talk.say(b"last\n")
    talk.writer.write_eof()
    await talk.hear(b"re: last\ngoodbye\n")
    assert not await talk.is_reset()


async def test_a_cut_resets_both_ends_and_tells_how_many(wire: Wire, server: Server, dial: Dial) -> None:
    talks = [await dial(wire.port) for _ in range(3)]
    for talk in talks:
        await talk.say(b"hello\n")
        await talk.hear(b"re: hello\n")
        await server.hears(b"hello\n")

    assert wire.cut() == 3

    for talk in talks:
        assert await talk.is_reset()
        await server.hears(b"reset")
    assert wire.cut() == 0
    again = await dial(wire.port)
    await again.say(b"again\n")
    await again.hear(b"re: again\n")


async def test_who_is_refused_is_reset_and_others_go_on(wire: Wire, dial: Dial) -> None:
    before = await dial(wire.port)
    await before.say(b"hello\n")
    await before.hear(b"re: hello\n")
    wire.refuse()
    assert await (await dial(wire.port)).is_reset()
    await before.say(b"still\n")
    await before.hear(b"re: still\n")
    wire.heal()
    after = await dial(wire.port)
    await after.say(b"healed\n")
    await after.hear(b"re: healed\n")


async def test_a_target_that_is_down_resets_the_client(wire: Wire, dial: Dial) -> None:
    with HeldPort() as nobody:
        wire.target = nobody.number
        assert await (await dial(wire.port)).is_reset()
    assert wire.open_connections == 0


async def test_a_new_target_counts_for_the_next_connection(wire: Wire, server: Server, dial: Dial) -> None:
    first = await dial(wire.port)
    await first.say(b"one\n")
    await server.hears(b"one\n")
    async with serving() as moved:
        wire.target = moved.port
        second = await dial(wire.port)
        await second.say(b"two\n")
        await moved.hears(b"two\n")
        await first.say(b"three\n")
        await server.hears(b"three\n")
        second.writer.close()
        await moved.talks[0].writer.wait_closed()


async def test_a_wire_that_is_silent_there_holds_the_words_and_loses_none(
    wire: Wire, server: Server, dial: Dial
) -> None:
    talk = await dial(wire.port)
    await talk.say(b"hello\n")
    await talk.hear(b"re: hello\n")
    await server.hears(b"hello\n")
    wire.silence("there")
    await talk.say(b"one\ntwo\n")

    await server.talks[0].say(b"the way back is open\n")
    await talk.hear(b"the way back is open\n")
    assert server.heard.empty()

    wire.heal()
    await talk.hear(b"re: one\nre: two\n")


async def test_a_wire_that_is_silent_back_lets_the_deed_be_done_and_holds_the_answer(
    wire: Wire, server: Server, dial: Dial
) -> None:
    talk = await dial(wire.port)
    await talk.say(b"hello\n")
    await talk.hear(b"re: hello\n")
    wire.silence("back")
    await talk.say(b"one\n")
    await server.hears(b"hello\n")
    await server.hears(b"one\n")
    await talk.say(b"two\n")
    await server.hears(b"two\n")
    assert wire.cut() == 1
    assert await talk.is_reset(), "no answer came before the cut"


async def test_a_silent_wire_holds_back_new_connections_too(wire: Wire, server: Server, dial: Dial) -> None:
    wire.silence("both")
    talk = await dial(wire.port)
    await talk.say(b"hello\n")
    wire.silence("both")
    wire.heal()
    await talk.hear(b"re: hello\n")
    assert wire.open_connections == 1


async def test_a_delay_counts_each_way_and_keeps_the_order(wire: Wire, dial: Dial) -> None:
    loop = asyncio.get_running_loop()
    talk = await dial(wire.port)
    await talk.say(b"hello\n")
    await talk.hear(b"re: hello\n")
    wire.delay(0.05)
    began = loop.time()
    await talk.say(b"one\n")
    await talk.hear(b"re: one\n")
    assert loop.time() - began >= 0.1
    wire.delay(60)
    await talk.say(b"two\n")
    wire.delay(0.01)
    await talk.say(b"three\n")
    wire.heal()
    await talk.hear(b"re: two\nre: three\n")


async def test_a_delayed_end_comes_after_the_words_before_it(wire: Wire, dial: Dial) -> None:
    wire.delay(0.02)
    talk = await dial(wire.port)
    await talk.say(b"last\n")
    talk.writer.write_eof()
    await talk.hear(b"re: last\ngoodbye\n")
    assert not await talk.is_reset()


async def test_a_server_that_resets_resets_the_client(wire: Wire, server: Server, dial: Dial) -> None:
    talk = await dial(wire.port)
    await talk.say(b"hello\n")
    await talk.hear(b"re: hello\n")
    async with Wire(wire.port) as outer:
        through_two = await dial(outer.port)
        await through_two.say(b"far\n")
        await through_two.hear(b"re: far\n")
        wire.cut()
        assert await through_two.is_reset()
    assert await talk.is_reset()
