"""One run: trouble while people work, then peace, then everything once more from the first record; and what is left."""

import asyncio
import random
import time
from collections.abc import Iterator
from pathlib import Path

from tests.chaos.crowd import Crowd
from tests.chaos.dumps import dump
from tests.chaos.house import House
from tests.chaos.plan import Fault, Plan
from tests.chaos.quiet import Ends, Quiet, events
from tests.chaos.recovery import Recovery
from tests.chaos.supervisor import Supervisor
from tests.chaos.trouble import Trouble

STEP = 5
"""Exceptions that are raised at a time."""

PAUSE_S = 0.05

EVENTS_OF_A_CASE = 2.0
"""That must have been committed for each case that is raised, before the next fault comes: half of what one makes."""

LONGEST_STEP_S = 5.0
STEP_PAUSE_S = 0.3


async def run(plan: Plan, folder: Path) -> None:
    """Leaves in the folder what the checker judges. Raises Standstill when the work does not come to an end."""
    dice = random.Random(f"trouble {plan.seed}")  # noqa: S311 - a schedule, not a secret
    async with House(plan, folder) as house:
        ends = Ends(house.broker.direct, house.prefix, house.group)
        quiet = Quiet(house.database.direct, ends, folder / "standstill", house.ask_tasks)
        recovery = Recovery(ends, house.database.direct, house.history)
        async with Supervisor(house.workers, recovery, dice) as supervisor:
            trouble = Trouble(house, supervisor, ends, recovery, dice)
            async with Crowd(house) as crowd:
                await Course(house, crowd, trouble, recovery).run()
                supervisor.calm()
                await house.heal()
                began = time.monotonic()
                await crowd.hurry()
                await quiet.wait()
                house.history.tell("converged", seconds=round(time.monotonic() - began, 3))
                await recovery.close()
            await quiet.wait()  # for what people had put off, and said as they left
            await _dump(house, "dump")
            house.history.tell("replay-began")
            await trouble.reset_offsets()
            await quiet.wait()
            await _dump(house, "replayed")
        ends.close()


async def _dump(house: House, name: str) -> None:
    await asyncio.to_thread(dump, house.folder / name, house.broker.direct, house.database.direct, house.prefix)


class Course:
    """The faults of the plan, some side by side, and the exceptions spread over them. A fault comes when enough has
    been done since the one before: what nobody works in is not tried."""

    def __init__(self, house: House, crowd: Crowd, trouble: Trouble, recovery: Recovery) -> None:
        self._plan, self._house, self._crowd = house.plan, house, crowd
        self._trouble, self._recovery = trouble, recovery
        self._step = EVENTS_OF_A_CASE * self._plan.cases / max(1, self._plan.faults)
        self._over = 0

    async def run(self) -> None:
        faults = self._plan.schedule()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._raise())
            for _ in range(self._plan.side_by_side):
                group.create_task(self._befall(faults))

    async def _befall(self, faults: Iterator[Fault]) -> None:
        for fault in faults:
            await self._trouble.befall(fault)
            await self._something_done()
            if self._plan.apart:
                await self._recovery.close()
            self._over += 1

    async def _something_done(self) -> None:
        """Or time enough has passed: the fault may be that nothing gets done."""
        until = time.monotonic() + LONGEST_STEP_S
        began = await asyncio.to_thread(events, self._house.database.direct)
        while time.monotonic() < until:
            await asyncio.sleep(STEP_PAUSE_S)
            if await asyncio.to_thread(events, self._house.database.direct) >= began + self._step:
                return

    async def _raise(self) -> None:
        """Ahead of the faults by those that last now; what is left comes when the last fault is over."""
        raised = 0
        while raised < self._plan.cases:
            under_way = self._over + self._plan.side_by_side
            share = min(1.0, under_way / self._plan.faults) if self._plan.faults else 1.0
            step = min(STEP, round(self._plan.cases * share) - raised)
            if step > 0:
                await self._crowd.raise_some(step)
                raised += step
            else:
                await asyncio.sleep(PAUSE_S)
