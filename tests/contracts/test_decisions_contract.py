"""What every store promises of decisions and approval requests: one answer for each id, one decision of a person with
effect, one open question of a case."""

import asyncio

from schemas.values import Command, ReceiptCode, Reviewer, Signature, Verdict
from tests.builders import (
    a_command,
    a_decision,
    a_level,
    a_question,
    a_receipt,
    an_approval,
    refusing_unit,
)
from tests.contracts.houses import House
from tests.contracts.waiting_cases import BY_EXCEPTION, opened, seen
from worker.application.transition import note, transition
from worker.application.unit_of_work import CaseQuery, Commit, UnitOfWork
from worker.domain.approval import Closing
from worker.domain.exception_case import CaseState


async def test_an_id_of_a_decision_is_answered_once(house: House) -> None:
    decision = a_decision()
    answers = await asyncio.gather(*(house.store.commit(refusing_unit(decision)) for _ in range(5)))
    assert sorted(answers) == [*[Commit.CONFLICT] * 4, Commit.DONE]
    assert len(await house.events()) == 1


async def test_a_reviewer_has_one_decision_with_effect_on_a_request(house: House) -> None:
    _, _, approval = await opened(house)
    first, second = a_decision(approval), a_decision(approval)
    units = [UnitOfWork(decision=(each, a_receipt(each, approval))) for each in (first, second)]
    assert [await house.store.commit(unit) for unit in units] == [Commit.DONE, Commit.CONFLICT]


async def test_a_spelling_does_not_make_a_second_reviewer(house: House) -> None:
    _, _, approval = await opened(house)
    first, second = a_decision(approval), a_decision(approval, reviewer=Reviewer(id="USER:Maria"))
    units = [UnitOfWork(decision=(each, a_receipt(each, approval))) for each in (first, second)]
    assert [await house.store.commit(unit) for unit in units] == [Commit.DONE, Commit.CONFLICT]


async def test_two_reviewers_sign_one_request(house: House) -> None:
    _, _, approval = await opened(house)
    decisions = [a_decision(approval), a_decision(approval, reviewer=Reviewer(id="user:jonas"))]
    units = [UnitOfWork(decision=(each, a_receipt(each, approval, ReceiptCode.RECORDED))) for each in decisions]
    assert [await house.store.commit(unit) for unit in units] == [Commit.DONE, Commit.DONE]


async def test_a_decision_without_effect_leaves_its_reviewer_another(house: House) -> None:
    _, _, approval = await opened(house)
    decisions = [a_decision(approval) for _ in range(3)]
    codes = [ReceiptCode.STALE, ReceiptCode.INVALID_CHANGES, ReceiptCode.ACCEPTED]
    units = [
        UnitOfWork(decision=(each, a_receipt(each, approval, code)))
        for each, code in zip(decisions, codes, strict=True)
    ]
    assert [await house.store.commit(unit) for unit in units] == [Commit.DONE] * 3


async def test_a_command_is_answered_once_and_leaves_its_sender_their_decision(house: House) -> None:
    _, _, approval = await opened(house)
    claim, release = a_command(approval), a_command(approval, command=Command.RELEASE)
    decision = a_decision(approval)
    said = [(each, a_receipt(each, approval, ReceiptCode.RECORDED)) for each in (claim, release, decision)]
    assert [await house.store.commit(UnitOfWork(decision=each)) for each in said] == [Commit.DONE] * 3
    assert await house.store.commit(UnitOfWork(decision=said[0])) is Commit.CONFLICT
    view = await house.store.view(CaseQuery(exception_id="EXC-1", decision_id=claim.command_id))
    assert view.earlier == said[0][1]


async def test_a_request_that_changed_is_seen_as_it_is_now(house: House) -> None:
    """A vote, a claim and a reminder leave it open."""
    view, case, approval = await opened(house)
    vote = Signature(level="manager", reviewer="user:jonas", verdict=Verdict.APPROVE, at=view.now)
    changed = approval.model_copy(update={"votes": (vote,), "assignee": "user:maria", "role": "duty-manager"})
    noted, entry = note(case, actor="user:jonas", action="signed", at=view.now)
    unit = UnitOfWork(case=noted, audit=entry, changed_approvals=(changed,))
    assert await house.store.commit(unit) is Commit.DONE
    for query in (BY_EXCEPTION, CaseQuery(approval_id=str(approval.approval_id))):
        assert (await seen(house, query))[1:] == (noted, changed)


async def test_one_request_is_closed_and_the_next_is_opened_in_one_unit(house: House) -> None:
    view, case, manager = await opened(house)
    again, entry = transition(case, CaseState.WAITING, actor="user:maria", action="approved", at=view.now)
    closed = manager.model_copy(
        update={"closed_as": Closing.APPROVED, "closed_by": "user:maria", "closed_at": view.now, "timers": ()}
    )
    director = an_approval(again, view.now, a_question(a_level(name="director", role="director")))
    unit = UnitOfWork(case=again, audit=entry, changed_approvals=(closed,), new_approval=director)
    assert await house.store.commit(unit) is Commit.DONE
    assert (await seen(house))[1:] == (again, director)
    assert (await seen(house, CaseQuery(approval_id=str(manager.approval_id))))[2] == closed


async def test_a_case_has_one_open_request_at_a_time(house: House) -> None:
    view, case, _ = await opened(house)
    again = case.moved_to(CaseState.WAITING)
    unit = UnitOfWork(case=again, new_approval=an_approval(again, view.now))
    assert await house.store.commit(unit) is Commit.CONFLICT
    assert (await seen(house))[1] == case
