"""What people put off is done when it is due, all of it when they hurry, and each thing once."""

import asyncio
from functools import partial

import pytest

from tests.chaos.agenda import Agenda


async def test_what_is_put_off_for_long_is_done_when_there_is_no_time_left() -> None:
    done: list[str] = []
    both = asyncio.Event()

    async def do(what: str) -> None:
        done.append(what)
        if len(done) == 2:
            both.set()

    agenda = Agenda()
    agenda.open()
    agenda.after(7_200, partial(do, "later"))
    agenda.after(3_600, partial(do, "sooner"))
    await asyncio.sleep(0)
    assert done == []
    agenda.all_now()
    await both.wait()
    await agenda.close()
    assert done == ["sooner", "later"]


async def test_what_went_wrong_is_told_at_the_end() -> None:
    tried = asyncio.Event()

    async def fail() -> None:
        tried.set()
        raise ValueError("it cannot be done")

    agenda = Agenda()
    agenda.open()
    agenda.after(0, fail)
    await tried.wait()
    with pytest.raises(ValueError, match="it cannot be done"):
        await agenda.close()
