"""The course of one case: from its facts to a question for a person, or to a resolution.

A run decides and does nothing else: it reads no database, calls no service and moves no money. It
is given the stored thread and gives back the rows to store, so a run whose commit was lost is
simply repeated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from worker.application.threads import StoredThread, ThreadWrites

PlainData = dict[str, Any]
"""What JSON can say and nothing more: the next release must be able to read the threads of this."""


@dataclass(frozen=True, slots=True)
class Paused:
    """The thread waits for a person's answer to `question`; only `interrupt_id` resumes it."""

    interrupt_id: str
    question: PlainData
    assessment: PlainData
    writes: ThreadWrites


@dataclass(frozen=True, slots=True)
class Finished:
    """The thread has ended. `automatic` says that no person was asked."""

    resolution: PlainData
    assessment: PlainData
    automatic: bool
    writes: ThreadWrites


class StuckThread(Exception):
    """The run ended with neither a question nor a resolution: its step is gone from this release.

    The thread in the database is untouched. A person has to look at the case.
    """

    def __init__(self, thread_id: str) -> None:
        super().__init__(
            f"thread {thread_id} ended with neither a question nor a resolution: "
            "a release whose graph differs paused it; park the case and compare the graph versions"
        )
        self.thread_id = thread_id


class UnknownInterrupt(Exception):
    """The thread does not wait at this interrupt: it was answered already, or never asked."""

    def __init__(self, thread_id: str, interrupt_id: str, pending: Sequence[str]) -> None:
        waiting = ", ".join(pending) or "nothing"
        super().__init__(f"thread {thread_id} waits for {waiting}, not for {interrupt_id}")
        self.thread_id = thread_id
        self.interrupt_id = interrupt_id
        self.pending = tuple(pending)


class CaseWorkflow(Protocol):
    """Runs threads in memory. The caller commits `writes` against the case's version."""

    async def start(self, thread_id: str, facts: PlainData) -> Paused | Finished:
        """Run a new thread until it asks or ends.

        Raises StuckThread when it did neither.
        """
        ...

    async def resume(self, thread: StoredThread, interrupt_id: str, decision: PlainData) -> Paused | Finished:
        """Answer the pending question with an `Answer` as plain data, and go on.

        Raises UnknownInterrupt when the thread does not wait for `interrupt_id`, StuckThread when
        the run ended with neither a question nor a resolution.
        """
        ...
