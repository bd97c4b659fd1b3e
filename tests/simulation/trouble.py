"""What goes wrong: each kind of fault, how likely it is among the others, and how it ends."""

import random
from collections import Counter, deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.simulation.plan import FAULTS
from worker.adapters.memory.executors import Mishap
from worker.adapters.memory.payments import Fault
from worker.domain.exception_case import CaseState

if TYPE_CHECKING:
    from tests.simulation.processes import SimulatedWorker
    from tests.simulation.world import World

DAY_S = 86_400.0
MOST = 2
"""Faults that lie ahead of the next calls."""


class Trouble:
    """`strike` does one thing of those that the plan allows; `end` takes back all that goes on."""

    def __init__(self, world: "World", choice: random.Random) -> None:
        self._world, self._random = world, choice
        self.database_is_down = False
        self._to_come: Counter[str] = Counter()
        """What meets the next who asks, by its kind."""
        possible: dict[str, tuple[int, Callable[[], None]]] = {
            "crashes": (8, self._crash),
            "freezes": (5, self._freeze),
            "payments": (14, self._upset_provider),
            "executors": (6, self._upset_executors),
            "shop": (3, self._close_shop),
            "clock": (1, self._leap),
            "rewinds": (2, world.cluster.rewind),
            "rebalances": (3, world.cluster.rebalance),
            "database": (10, self._disturb_database),
            "broker": (6, self._disturb_broker),
            "threads": (1, self._lose_thread),
        }
        assert {*possible, "replays"} == set(FAULTS)
        self._possible = [(name, *possible[name]) for name in possible if name in world.plan.faults]
        self._weights = [weight for _, weight, _ in self._possible]

    def strike(self) -> None:
        if self._possible:
            ((name, _, do),) = self._random.choices(self._possible, self._weights)
            self._world.met[name] += 1
            do()

    def end(self) -> None:
        world = self._world
        self.database_is_down = world.cluster.is_away = False
        self._to_come.clear()
        world.house.desk.orders.problem = None
        payments, executors = world.provider, world.house.desk.executors
        payments.faults.clear()
        executors.mishaps.clear()
        payments.blind = executors.away = False
        for key in list(payments.pending):
            payments.settle(key, succeeds=self._random.random() < 0.5)
        for worker in world.workers:
            world.turns.thaw(worker.name)

    # What others ask: whether it is their turn to be hit

    def befalls_promise(self, process: str) -> None:
        """The process has committed to move money or to run actions, and has not heard of it yet."""
        if self._takes_one("freezes"):
            self._stop(process, self._random.choice([40.0, 400.0]))

    def loses_answer(self) -> bool:
        return self._takes_one("lost answers")

    def refuses_record(self) -> bool:
        return self._takes_one("refused records")

    def settles_later(self) -> bool:
        return self._takes_one("delayed payments")

    def _takes_one(self, name: str) -> bool:
        left = self._to_come[name]
        if left:
            self._to_come[name] = left - 1
        return left > 0

    # The kinds

    def _crash(self) -> None:
        world = self._world
        victim = self._random.choice(self._at_work())
        world.met["killed at work"] += victim.is_at_work
        world.kill(victim)

    def _at_work(self) -> "list[SimulatedWorker]":
        """Or all, when nobody is."""
        workers = self._world.workers
        return [worker for worker in workers if worker.is_at_work] or workers

    def _freeze(self) -> None:
        """SIGSTOP, and SIGCONT some time later: now, or where it hurts."""
        if self._random.random() < 0.5:
            self._to_come["freezes"] = 1
        else:
            self._stop(self._random.choice(self._at_work()).name, self._random.choice([5.0, 40.0, 400.0]))

    def _stop(self, process: str, seconds: float) -> None:
        """Past its leases, and past its session in the group perhaps."""
        world = self._world
        if world.turns.is_frozen(process):
            return
        world.turns.freeze(process)
        world.after(seconds, lambda: world.turns.thaw(process))
        if seconds > world.SESSION_S:
            world.after(world.SESSION_S, lambda: world.cluster.leave(process))

    def _upset_provider(self) -> None:
        payments, luck = self._world.provider, self._random.random()
        if luck < 0.15:
            payments.blind = True
            self._world.after(self._random.choice([10.0, 600.0, 7_200.0]), self._open_eyes)
        elif luck < 0.35:
            self._to_come["delayed payments"] = 1
        elif luck < 0.6:
            for key in list(payments.pending):
                payments.settle(key, succeeds=self._random.random() < 0.5)
        else:
            payments.faults.append(self._random.choice(list(Fault)))
            payments.faults = deque(payments.faults, MOST)

    def _open_eyes(self) -> None:
        self._world.provider.blind = self._world.house.desk.executors.away = False

    def _upset_executors(self) -> None:
        executors = self._world.house.desk.executors
        if self._random.random() < 0.1:
            executors.away = True
            self._world.after(self._random.choice([10.0, 600.0, 7_200.0]), self._open_eyes)
        else:
            executors.mishaps.append(self._random.choice(list(Mishap)))
            executors.mishaps = deque(executors.mishaps, MOST)

    def _close_shop(self) -> None:
        orders = self._world.house.desk.orders
        orders.problem = "the shop is closed"
        self._world.after(self._random.choice([10.0, 600.0, 7_200.0]), self._open_shop)

    def _open_shop(self) -> None:
        self._world.house.desk.orders.problem = None

    def _leap(self) -> None:
        """Time that nobody saw go by."""
        self._world.advance(self._random.choice([30.0, 3_600.0, DAY_S]))

    def _disturb_database(self) -> None:
        """Away for a while, restarted, or an answer that is lost after the commit took effect."""
        luck = self._random.random()
        if luck < 0.2:
            self.database_is_down = True
            self._world.relay_lock.break_connection()
            self._world.after(self._random.choice([1.0, 10.0, 120.0]), self._bring_database_back)
        elif luck < 0.3:
            self._world.relay_lock.break_connection()
        else:
            self._to_come["lost answers"] = 1

    def _bring_database_back(self) -> None:
        self.database_is_down = False

    def _disturb_broker(self) -> None:
        cluster = self._world.cluster
        if self._random.random() < 0.5:
            cluster.is_away = True
            self._world.after(self._random.choice([1.0, 10.0, 300.0]), self._bring_broker_back)
        else:
            self._to_come["refused records"] = 1

    def _bring_broker_back(self) -> None:
        self._world.cluster.is_away = False

    def _lose_thread(self) -> None:
        """As if a release had lost the step in which a thread waits."""
        database = self._world.database
        waiting = [row.case_id for row in database.questions.values()]
        if waiting:
            database.threads.forget(str(self._random.choice(waiting)))
            self._world.met[f"thread lost while {CaseState.WAITING}"] += 1
