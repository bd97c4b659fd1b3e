"""A case: our record of one order exception, from its arrival to its one outcome.

      opened ──┬──► waiting ──┬──► executing ──┬──► executed
               │              │        ▲       ├──► failed
               │              │        │       └──► waiting      (it failed too often: a person is asked)
               ├──────────────┼────────┘
               │              ├──► rejected · expired · withdrawn
               └──────────────┴──► executed · failed             (nothing to pay, or nothing to pay it from)

A case whose graph ended with neither a question nor an answer is `stuck`, and waits for an operator.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from schemas.values import FiredRule, OutcomeStatus, PolicyReference, Proposal, Risk, Signature, Value
from worker.domain.errors import IllegalTransition
from worker.domain.order_exception import Facts, OrderException


class CaseState(StrEnum):
    """OPENED is a case in the making: version 0, never stored."""

    OPENED = "opened"
    WAITING = "waiting"
    EXECUTING = "executing"
    STUCK = "stuck"
    EXECUTED = "executed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"

    @property
    def is_terminal(self) -> bool:
        return self in TERMINAL


TERMINAL = frozenset(CaseState(status.value) for status in OutcomeStatus)

_LEGAL: dict[CaseState, frozenset[CaseState]] = {
    CaseState.OPENED: frozenset(
        {
            CaseState.WAITING,
            CaseState.EXECUTING,
            CaseState.EXECUTED,
            CaseState.FAILED,
            CaseState.STUCK,
        }
    ),
    CaseState.WAITING: frozenset(
        {
            CaseState.WAITING,
            CaseState.EXECUTING,
            CaseState.EXECUTED,
            CaseState.FAILED,
            CaseState.REJECTED,
            CaseState.EXPIRED,
            CaseState.WITHDRAWN,
            CaseState.STUCK,
        }
    ),
    CaseState.EXECUTING: frozenset({CaseState.EXECUTED, CaseState.FAILED, CaseState.WAITING, CaseState.STUCK}),
    CaseState.STUCK: frozenset({CaseState.WAITING, CaseState.WITHDRAWN}),
}


class Case(Value):
    """Everything we hold of one exception. `version` rises by one with each commit, and gates every change."""

    case_id: UUID
    version: int
    state: CaseState
    content_hash: str
    facts: Facts
    policy: PolicyReference
    graph_version: str
    risk: Risk
    why: tuple[FiredRule, ...] = ()
    proposal: Proposal
    automatic: bool
    interrupt_id: str | None = None
    signatures: tuple[Signature, ...] = ()
    payment_reference: str | None = None
    reason: str = ""
    opened_at: datetime
    finished_at: datetime | None = None
    audit_head: str = ""

    @property
    def exception(self) -> OrderException:
        return self.facts.exception

    @property
    def round(self) -> int:
        return self.facts.round

    @property
    def idempotency_key(self) -> str:
        """The same for every attempt to execute this round, on any machine, for ever."""
        return f"signoff:{self.case_id}:{self.round}"

    def noted(self, **changes: object) -> "Case":
        """The next version of this case in the same state: something about it was put on record."""
        return self.model_copy(update={"version": self.version + 1, **changes})

    def moved_to(self, state: CaseState, **changes: object) -> "Case":
        """The next version of this case.

        Raises IllegalTransition when its state does not lead there; a terminal one leads nowhere.
        """
        if state not in _LEGAL.get(self.state, frozenset()):
            raise IllegalTransition(
                f"case {self.case_id} ({self.exception.exception_id}) is {self.state} and cannot become {state}"
            )
        return self.model_copy(update={"state": state, "version": self.version + 1, **changes})
