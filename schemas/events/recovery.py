"""What an operator says about a case that cannot go on by itself."""

from typing import ClassVar

from schemas.events.event import Event
from schemas.values import Identifier, Text


class RecoveryRequested(Event):
    """A case that is parked as stuck is put before a person again, from its facts; any other case is left as it is.

    Nothing is executed by it: what the case proposes wants a new approval. The answer is a `signoff.review.receipt.v1`
    whose `decision_id` is the `recovery_id`: RECORDED when a person is asked now. `reason` is shown to that person.
    """

    TYPE: ClassVar[str] = "signoff.case.recovery.v1"

    recovery_id: Identifier
    exception_id: Identifier
    requested_by: Identifier
    reason: Text = ""
