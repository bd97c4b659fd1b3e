"""What the use cases need of the world, as protocols; adapters implement them, and `Ports` carries them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from worker.application.ports.analysis import Analyst
from worker.application.ports.executors import Executors
from worker.application.ports.orders import Orders
from worker.application.ports.payments import Books, Payments
from worker.application.ports.store import Store
from worker.application.ports.workflow import CaseWorkflow
from worker.domain.approval_policy import ApprovalPolicy


@dataclass(frozen=True, slots=True)
class Patience:
    """How long things are waited for.

    `early`: a decision or withdrawal whose case is not known yet. `shop`: an exception whose order must be asked of a
    shop, or of an executor, that does not answer. `executor`: an approved action whose executor is not reached, before
    a person is asked. `attempts`: how often a message that fails for no reason of its own is tried before it becomes
    a dead letter. `execution_attempts`: how often what was approved and not executed goes back to a person. `lease`:
    how long a worker may hold an intent without a word.
    """

    early: timedelta = timedelta(minutes=5)
    shop: timedelta = timedelta(days=1)
    executor: timedelta = timedelta(days=1)
    attempts: int = 5
    execution_attempts: int = 3
    lease: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Ports:
    """`books` is there when the ledger lives in the store: then `payments` is not called."""

    store: Store
    orders: Orders
    payments: Payments
    executors: Executors
    analyst: Analyst
    workflow: CaseWorkflow
    policy: ApprovalPolicy
    graph_version: str
    new_id: Callable[[], UUID]
    monotonic: Callable[[], float]
    books: Books | None = None
    patience: Patience = Patience()
    keep_threads: bool = False
