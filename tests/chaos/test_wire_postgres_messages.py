"""The server's messages are followed by their lengths, wherever the network cuts them."""

import pytest

from tests.chaos.wire_postgres import Answers, Greeting

SSL_REQUEST = bytes.fromhex("00000008 04d2162f")
STARTUP = bytes.fromhex("00000009 00030000 00")


def message(kind: bytes, body: bytes) -> bytes:
    return kind + (len(body) + 4).to_bytes(4, "big") + body


COMMITTED = message(b"C", b"COMMIT\0")
READY = message(b"Z", b"I")
LOOKS_LIKE_A_COMMIT = message(b"D", COMMITTED)


class Losing:
    """Loses the answer to the commit of that number, counted from 1."""

    def __init__(self, number: int) -> None:
        self.commits = 0
        self._number = number

    def __call__(self) -> bool:
        self.commits += 1
        return self.commits == self._number


def passed_on(answers: bytes, losing: Losing, size: int) -> bytes:
    """What the client gets when the server's answers come in pieces of that size."""
    greeting = Greeting()
    greeting.read(SSL_REQUEST + STARTUP)
    reader = Answers(losing)
    passed = b""
    for start in range(0, len(answers), size):
        kept = reader.read(answers[start : start + size], greeting)
        if kept is None:
            break
        passed += kept
    return passed


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_everything_passes_unchanged_while_nothing_is_lost(size: int) -> None:
    answers = b"N" + LOOKS_LIKE_A_COMMIT + message(b"C", b"SELECT 1\0") + READY + COMMITTED + READY
    losing = Losing(2)
    assert passed_on(answers, losing, size) == answers
    assert losing.commits == 1


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_no_byte_of_a_lost_commit_passes(size: int) -> None:
    before = b"N" + LOOKS_LIKE_A_COMMIT + message(b"C", b"SELECT 1\0") + READY
    passed = passed_on(before + COMMITTED + READY, Losing(1), size)
    assert before.startswith(passed)
    assert size > 1 or passed == before


def test_a_write_is_committed_when_the_server_is_idle_again_and_not_before() -> None:
    in_transaction = message(b"C", b"INSERT 0 1\0") + message(b"Z", b"T")
    failed = message(b"C", b"INSERT 0 1\0") + message(b"E", b"SERROR\0\0") + READY
    alone = message(b"C", b"INSERT 0 1\0") + READY
    losing = Losing(2)
    passed_on(b"N" + in_transaction + COMMITTED + READY + failed + alone, losing, 1000)
    assert losing.commits == 2
