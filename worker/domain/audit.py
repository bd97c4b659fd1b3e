"""The audit trail: one entry for each transition, chained by hash within its case.

Each entry carries the hash of the one before it, so that an entry that is altered, removed or slipped in breaks the
chain from there on. The chain is the case's own: no two cases wait for each other to write theirs.
"""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from schemas.values import Value


class AuditEntry(Value):
    """`actor` is the reviewer, the requester or `system`; `detail` holds no free text and no personal data."""

    case_id: UUID
    number: int
    at: datetime
    actor: str
    action: str
    from_state: str | None
    to_state: str
    detail: dict[str, Any]
    previous_hash: str
    hash: str = ""

    def sealed(self) -> "AuditEntry":
        return self.model_copy(update={"hash": self.computed_hash()})

    def computed_hash(self) -> str:
        """SHA-256, in hex, over this entry and the hash of the one before; the same in whatever zone `at` is given."""
        content = {
            "case_id": str(self.case_id),
            "number": self.number,
            "at": self.at.astimezone(UTC).isoformat(),
            "actor": self.actor,
            "action": self.action,
            "from_state": self.from_state,
            "to_state": self.to_state,
            "detail": self.detail,
            "previous_hash": self.previous_hash,
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
