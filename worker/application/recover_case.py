"""An operator lets a stuck case go on: it is judged anew from its facts, and a person is asked before anything happens.

A stuck case has no intent that may still be settled: a case is parked when its question is answered, or by the very
commit that concludes its intent. So what is approved anew is done under the key of a new round, and nothing else is
under way.
"""

import logging
from dataclasses import replace

from schemas.values import ReceiptCode
from worker.application.announcements import ReceiptGiven
from worker.application.follow_run import ask, available_of
from worker.application.messages import Recovery
from worker.application.park_case import with_question_closed
from worker.application.ports import Ports
from worker.application.ports.store import CaseView
from worker.application.ports.workflow import Paused, StuckThread
from worker.application.receipts import receipt_for_recovery
from worker.application.transition import note
from worker.application.unit_of_work import CaseQuery, UnitOfWork
from worker.domain.exception_case import Case, CaseState
from worker.domain.order_exception import Facts

log = logging.getLogger(__name__)


def query(recovery: Recovery) -> CaseQuery:
    return CaseQuery(exception_id=recovery.exception_id)


async def recover_case(recovery: Recovery, view: CaseView, ports: Ports) -> UnitOfWork:
    """Only a stuck case is touched; whoever asked gets a receipt in any case."""
    case = view.case
    if case is None:
        return _answered(recovery, ReceiptCode.UNKNOWN_APPROVAL, "no case has this exception id; check it", None)
    if case.state is not CaseState.STUCK:
        return _answered(
            recovery, ReceiptCode.STALE, f"the case is {case.state}, not stuck: there is nothing to recover", case
        )
    again = case.model_copy(
        update={
            "facts": _facts_after_recovery(case, recovery, view),
            "policy": ports.policy.reference,
            "graph_version": ports.graph_version,
        }
    )
    try:
        run = await ports.workflow.start(str(case.case_id), again.facts.model_dump(mode="json"))
    except StuckThread as stuck:
        return _still_stuck(case, recovery, view, str(stuck))
    if not isinstance(run, Paused):
        return _still_stuck(case, recovery, view, "the policy asks nobody about it")
    unit = ask(again, run, ports, at=view.now, actor=recovery.requested_by, action="recovered", reason="")
    if view.approval is not None and view.approval.is_open:
        unit = with_question_closed(unit, view.approval, recovery.requested_by, view)
    asked = unit.new_approval.role if unit.new_approval else "a person"
    answer = _answered(recovery, ReceiptCode.RECORDED, f"recovered: {asked} is asked, and nothing runs before", case)
    # The old thread goes: a worker whose clock was ahead may have left checkpoints that look newer than these.
    return replace(unit, announcements=(*unit.announcements, *answer.announcements), forget_thread=case.case_id)


def _facts_after_recovery(case: Case, recovery: Recovery, view: CaseView) -> Facts:
    """What the next round is judged by. What could not be executed before still stands there for the reviewer."""
    by = f"recovered by {recovery.requested_by}" + (f" ({recovery.reason})" if recovery.reason else "")
    told = (case.facts.failure, f"its course could not go on: {case.reason}", by)
    return case.facts.model_copy(
        update={
            "failure": "; ".join(part for part in told if part),
            "round": case.round + 1,
            "available": available_of(case.facts, view),
        }
    )


def _still_stuck(case: Case, recovery: Recovery, view: CaseView, problem: str) -> UnitOfWork:
    log.error("case %s is still stuck: %s", case.case_id, problem)
    noted, entry = note(case, actor=recovery.requested_by, action="recovery failed", at=view.now, reason=problem)
    answer = _answered(recovery, ReceiptCode.STALE, f"the case is still stuck: {problem}", case)
    return replace(answer, case=noted, audit=entry)


def _answered(recovery: Recovery, code: ReceiptCode, said: str, case: Case | None) -> UnitOfWork:
    receipt = receipt_for_recovery(recovery, code, said, case)
    return UnitOfWork(announcements=(ReceiptGiven(receipt, case.exception.order_id if case else None),))
