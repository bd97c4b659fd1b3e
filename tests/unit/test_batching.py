"""What arrives while a batch is under way makes up the next one."""

import asyncio
from collections.abc import Sequence

import pytest

from worker.adapters.postgres.batching import Batcher


class Counter:
    """Doubles numbers, a batch at a time, when it is let."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.open = asyncio.Event()

    async def __call__(self, numbers: list[int]) -> Sequence[int | Exception]:
        self.batches.append(numbers)
        await self.open.wait()
        return [ValueError(f"{number} is odd") if number % 2 else number * 2 for number in numbers]


async def test_an_idle_batcher_serves_at_once_and_a_busy_one_finds_more_when_it_comes_back() -> None:
    counter = Counter()
    double = Batcher[int, int](counter, size=100)
    first = asyncio.create_task(double(2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    rest = [asyncio.create_task(double(number)) for number in (4, 6, 8)]
    await asyncio.sleep(0)
    counter.open.set()
    assert await asyncio.gather(first, *rest) == [4, 8, 12, 16]
    assert counter.batches == [[2], [4, 6, 8]]


async def test_no_batch_is_larger_than_its_size() -> None:
    counter = Counter()
    counter.open.set()
    double = Batcher[int, int](counter, size=3)
    await asyncio.gather(*(double(2 * number) for number in range(10)))
    assert max(len(batch) for batch in counter.batches) == 3
    assert sum(len(batch) for batch in counter.batches) == 10


async def test_one_that_fails_fails_alone() -> None:
    counter = Counter()
    counter.open.set()
    double = Batcher[int, int](counter, size=10)
    answers = await asyncio.gather(double(2), double(3), double(4), return_exceptions=True)
    assert answers[0] == 4
    assert answers[2] == 8
    with pytest.raises(ValueError, match="3 is odd"):
        raise answers[1] if isinstance(answers[1], Exception) else AssertionError(answers)


async def test_a_batch_that_fails_as_a_whole_tells_every_caller_and_the_next_one_is_served() -> None:
    calls: list[int] = []

    async def fail_once(numbers: list[int]) -> list[int]:
        calls.append(len(numbers))
        if len(calls) == 1:
            raise ConnectionError("away")
        return numbers

    same = Batcher[int, int](fail_once, size=10)
    answers = await asyncio.gather(same(1), same(2), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ConnectionError, ConnectionError]
    assert await same(3) == 3


async def test_a_caller_that_went_away_harms_nobody() -> None:
    counter = Counter()
    double = Batcher[int, int](counter, size=10)
    leaver, stayer = asyncio.create_task(double(2)), asyncio.create_task(double(4))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    leaver.cancel()
    counter.open.set()
    assert await stayer == 8
