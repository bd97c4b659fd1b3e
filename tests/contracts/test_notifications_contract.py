"""What every store promises of notifications: they are there with the commit they tell of, and are sent on leases."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

import pytest

from schemas.values import ApprovalChange
from tests.builders import an_approval, an_exception, an_unopened_case, numbered_ids, opening_unit
from tests.contracts.houses import LEASE, MemoryHouse, PostgresHouse
from worker.adapters.memory.notifications import MemoryNotifications
from worker.adapters.memory.store import MemoryStore
from worker.adapters.notifications.routing import Route, Router
from worker.adapters.postgres.case_reader import CaseReader
from worker.adapters.postgres.group_commit import GroupCommit
from worker.adapters.postgres.notification_desk import enable_endpoint
from worker.adapters.postgres.notifications import PostgresNotifications
from worker.adapters.postgres.pool import Pool, borrowed
from worker.adapters.postgres.store import PostgresStore
from worker.application.announcements import Announcement, ApprovalUpdated
from worker.application.notices import DueNotification, NoticeKind, NoticeRouter, Notification, Notifications
from worker.application.ports.store import Store
from worker.application.transition import note
from worker.application.unit_of_work import CaseQuery, Commit, UnitOfWork
from worker.domain.approval import ApprovalRequest, Closing
from worker.domain.exception_case import Case

_NOTHING = CaseQuery()

_ids = numbered_ids(10_000)


def new_router(*to: str) -> Router:
    return Router([Route(to=to)], new_id=lambda: next(_ids))


class NoticeHouse(Protocol):
    @property
    def store(self) -> Store: ...

    @property
    def notifications(self) -> Notifications: ...

    def telling(self, router: NoticeRouter) -> Store: ...

    def another_worker(self) -> Notifications: ...

    async def passes(self, seconds: float) -> None: ...

    async def states(self) -> list[tuple[str, str, str | None]]:
        """Endpoint, state and problem of each, in the order of their commits."""
        ...

    async def enable(self, endpoint: str) -> None: ...


class MemoryNoticeHouse(MemoryHouse):
    def __init__(self) -> None:
        super().__init__()
        self.notifications = MemoryNotifications(self._database, LEASE)
        self.store = self.telling(new_router("managers", "finance"))

    def another_worker(self) -> MemoryNotifications:
        return MemoryNotifications(self._database, LEASE)

    def telling(self, router: NoticeRouter) -> MemoryStore:
        return MemoryStore(self._database, self._announcer, lease=LEASE, notices=router)

    async def states(self) -> list[tuple[str, str, str | None]]:
        return [(row.told.endpoint, row.state, row.problem) for row in self._database.notifications]

    async def enable(self, endpoint: str) -> None:
        self.notifications.enable(endpoint)


class PostgresNoticeHouse(PostgresHouse):
    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self.notifications = PostgresNotifications(pool, lease=LEASE)
        self.store = self.telling(new_router("managers", "finance"))

    def another_worker(self) -> PostgresNotifications:
        return PostgresNotifications(self._pool, lease=LEASE)

    def telling(self, router: NoticeRouter) -> PostgresStore:
        commit = GroupCommit(self._pool, self._announcer, self._publisher, lease=LEASE, notices=router)
        return PostgresStore(CaseReader(self._pool), commit)

    async def passes(self, seconds: float) -> None:
        await super().passes(seconds)
        age = timedelta(seconds=seconds)
        async with borrowed(self._pool) as connection:
            await connection.execute("update notifications set available_at = available_at - %s", [age])
            await connection.execute("update notification_endpoints set failing_since = failing_since - %s", [age])

    async def states(self) -> list[tuple[str, str, str | None]]:
        rows = await self._rows("select endpoint, state, problem from notifications order by notification_id")
        return [(row["endpoint"], row["state"], row["problem"]) for row in rows]

    async def enable(self, endpoint: str) -> None:
        async with borrowed(self._pool) as connection:
            await enable_endpoint(connection, endpoint)


@pytest.fixture
async def memory_desk() -> MemoryNoticeHouse:
    return MemoryNoticeHouse()


@pytest.fixture
async def postgres_desk(postgres_house: PostgresHouse) -> PostgresNoticeHouse:
    return PostgresNoticeHouse(postgres_house._pool)


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.services)])
def desk(request: pytest.FixtureRequest) -> NoticeHouse:
    chosen: NoticeHouse = request.getfixturevalue(f"{request.param}_desk")
    return chosen


async def asked(desk: NoticeHouse, exception_id: str = "EXC-1") -> tuple[Case, ApprovalRequest]:
    """A case waits for a manager, who is told."""
    now = (await desk.store.view(_NOTHING)).now
    case = an_unopened_case(now, an_exception(exception_id))
    approval = an_approval(case, now)
    unit = opening_unit(case, now, approval)
    assert await desk.store.commit(unit) is Commit.DONE
    assert unit.case is not None
    return unit.case, approval


async def announced(
    desk: NoticeHouse, case: Case, approval: ApprovalRequest, *announcements: Announcement
) -> tuple[Case, ApprovalRequest]:
    noted, entry = note(case, actor="system", action="noted", at=case.opened_at)
    unit = UnitOfWork(case=noted, audit=entry, changed_approvals=(approval,), announcements=announcements)
    assert await desk.store.commit(unit) is Commit.DONE
    return noted, approval


async def closed(desk: NoticeHouse, case: Case, approval: ApprovalRequest) -> tuple[Case, ApprovalRequest]:
    done = approval.model_copy(
        update={"closed_as": Closing.APPROVED, "closed_by": "user:maria", "closed_at": case.opened_at}
    )
    return await announced(desk, case, done, ApprovalUpdated(done, ApprovalChange.CLOSED, "user:maria", case.opened_at))


async def reminded(desk: NoticeHouse, case: Case, approval: ApprovalRequest) -> tuple[Case, ApprovalRequest]:
    reminder = ApprovalUpdated(approval, ApprovalChange.REMINDED, "system", case.opened_at)
    return await announced(desk, case, approval, reminder)


def kinds(due: Sequence[DueNotification]) -> list[NoticeKind]:
    return [one.notice.kind for one in due]


async def test_a_commit_that_announces_tells_each_endpoint_once(desk: NoticeHouse) -> None:
    case, approval = await asked(desk)
    for endpoint in ("managers", "finance"):
        [due] = await desk.notifications.take_up(endpoint, 10)
        assert (due.notice.case_id, due.notice.approval_id) == (case.case_id, approval.approval_id)
        assert (due.tries, due.is_closed) == (0, False)
    assert await desk.notifications.take_up("nobody", 10) == []


async def test_a_unit_that_lost_its_race_tells_nobody(desk: NoticeHouse) -> None:
    case, approval = await asked(desk)
    await reminded(desk, case, approval)
    noted, entry = note(case, actor="system", action="noted", at=case.opened_at)
    late = ApprovalUpdated(approval, ApprovalChange.REMINDED, "system", case.opened_at)
    assert await desk.store.commit(UnitOfWork(case=noted, audit=entry, announcements=(late,))) is Commit.CONFLICT
    assert len(await desk.states()) == 4


async def test_one_worker_holds_a_notification_until_its_lease_is_over(desk: NoticeHouse) -> None:
    await asked(desk)
    [first] = await desk.notifications.take_up("managers", 10)
    assert await desk.notifications.take_up("managers", 10) == []
    await desk.passes(31)
    [again] = await desk.notifications.take_up("managers", 10)
    assert again.message_id == first.message_id


async def test_workers_that_look_at_once_share_what_is_due(desk: NoticeHouse) -> None:
    for number in range(20):
        await asked(desk, f"EXC-{number}")
    looks = await asyncio.gather(*(desk.another_worker().take_up("managers", 20) for _ in range(4)))
    taken = [due.message_id for look in looks for due in look]
    assert len(taken) == len(set(taken)) == 20


async def test_no_more_are_taken_than_asked_for_and_the_oldest_come_first(desk: NoticeHouse) -> None:
    for number in range(3):
        await asked(desk, f"EXC-{number}")
    due = await desk.notifications.take_up("managers", 2)
    assert [one.notice.exception_id for one in due] == ["EXC-0", "EXC-1"]


async def test_what_was_delivered_is_not_taken_up_again(desk: NoticeHouse) -> None:
    await asked(desk)
    [due] = await desk.notifications.take_up("managers", 10)
    await desk.notifications.delivered(due)
    await desk.passes(10**6)
    assert await desk.notifications.take_up("managers", 10) == []
    assert await desk.states() == [("managers", "delivered", None), ("finance", "pending", None)]


async def test_a_notification_that_failed_comes_again_when_its_pause_is_over(desk: NoticeHouse) -> None:
    await asked(desk)
    [due] = await desk.notifications.take_up("managers", 10)
    await desk.notifications.postpone(due, 300, "answered 500")
    await desk.passes(290)
    assert await desk.notifications.take_up("managers", 10) == []
    await desk.passes(11)
    [again] = await desk.notifications.take_up("managers", 10)
    assert (again.message_id, again.tries) == (due.message_id, 1)
    assert ("managers", "pending", "answered 500") in await desk.states()


async def test_one_that_was_given_up_stays_and_says_why(desk: NoticeHouse) -> None:
    await asked(desk)
    [due] = await desk.notifications.take_up("managers", 10)
    await desk.notifications.give_up(due, "answered 500")
    await desk.passes(10**6)
    assert await desk.notifications.take_up("managers", 10) == []
    assert ("managers", "failed", "answered 500") in await desk.states()


async def test_failures_are_counted_from_the_first_that_no_success_has_followed(desk: NoticeHouse) -> None:
    await asked(desk)
    [due] = await desk.notifications.take_up("managers", 10)
    assert (await desk.notifications.postpone(due, 0, "answered 500")).failing_for_s == pytest.approx(0, abs=5)
    await desk.passes(86_400)
    [due] = await desk.notifications.take_up("managers", 10)
    assert (await desk.notifications.postpone(due, 0, "answered 502")).failing_for_s == pytest.approx(86_400, abs=5)
    await desk.passes(1)
    [due] = await desk.notifications.take_up("managers", 10)
    await desk.notifications.delivered(due)
    await asked(desk, "EXC-2")
    [due] = await desk.notifications.take_up("managers", 10)
    assert (await desk.notifications.give_up(due, "answered 500")).failing_for_s == pytest.approx(0, abs=5)


async def test_the_second_of_a_case_waits_for_the_first_try_of_the_first(desk: NoticeHouse) -> None:
    case, approval = await asked(desk)
    await reminded(desk, case, approval)
    due = await desk.notifications.take_up("managers", 10)
    assert kinds(due) == [NoticeKind.NEEDED]
    assert await desk.notifications.take_up("managers", 10) == []
    await desk.notifications.delivered(due[0])
    assert kinds(await desk.notifications.take_up("managers", 10)) == [NoticeKind.LAPSING]


async def test_cases_do_not_wait_for_each_other_nor_endpoints(desk: NoticeHouse) -> None:
    case, approval = await asked(desk)
    await asked(desk, "EXC-2")
    assert len(await desk.notifications.take_up("managers", 10)) == 2
    await reminded(desk, case, approval)
    assert kinds(await desk.notifications.take_up("finance", 10)) == [NoticeKind.NEEDED, NoticeKind.NEEDED]


async def test_one_that_failed_does_not_hold_up_what_comes_after_it(desk: NoticeHouse) -> None:
    """Its next try may be a day away."""
    case, approval = await asked(desk)
    [due] = await desk.notifications.take_up("managers", 10)
    await desk.notifications.postpone(due, 86_400, "answered 400")
    await reminded(desk, case, approval)
    assert kinds(await desk.notifications.take_up("managers", 10)) == [NoticeKind.LAPSING]


async def test_a_question_that_was_closed_meanwhile_is_known_to_be(desk: NoticeHouse) -> None:
    case, approval = await asked(desk)
    await closed(desk, case, approval)
    [due] = await desk.notifications.take_up("managers", 10)
    assert due.is_closed
    await desk.notifications.overtaken(due)
    [due] = await desk.notifications.take_up("managers", 10)
    assert due.notice.kind is NoticeKind.CLOSED
    assert ("managers", "overtaken", None) in await desk.states()


async def test_a_disabled_endpoint_keeps_its_notifications_until_it_is_enabled(desk: NoticeHouse) -> None:
    await asked(desk)
    [due] = await desk.notifications.take_up("managers", 10)
    await desk.notifications.postpone(due, 0, "answered 410")
    assert await desk.notifications.disable("managers", "answered 410")
    assert not await desk.notifications.disable("managers", "answered 410 again")
    await asked(desk, "EXC-2")
    await desk.passes(10**6)
    assert await desk.notifications.take_up("managers", 10) == []
    assert len(await desk.notifications.take_up("finance", 10)) == 2
    await desk.enable("managers")
    held = await desk.notifications.take_up("managers", 10)
    assert [one.tries for one in held] == [0, 0]


async def test_what_cannot_be_routed_is_kept_with_its_problem_and_the_case_goes_on(desk: NoticeHouse) -> None:
    class Broken(Router):
        def _route(self, announcement: Announcement) -> list[Notification]:
            raise RuntimeError("a defect")

    now = (await desk.store.view(_NOTHING)).now
    case = an_unopened_case(now)
    store = desk.telling(Broken([], new_id=lambda: next(_ids)))
    assert await store.commit(opening_unit(case, now, an_approval(case, now))) is Commit.DONE
    assert await desk.states() == [("(none)", "failed", "not routed: RuntimeError")]
