"""An audit entry means the same wherever it is read."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

from worker.domain.audit import AuditEntry

ENTRY = AuditEntry(
    case_id=UUID(int=1),
    number=1,
    at=datetime(2026, 1, 5, 9, 0, tzinfo=UTC),
    actor="user:maria",
    action="approved",
    from_state="waiting",
    to_state="executing",
    detail={"policy": "0"},
    previous_hash="",
)


def test_the_hash_is_of_the_moment_and_not_of_the_time_zone_it_is_written_in() -> None:
    """A database that keeps another time zone gives the same moment back in that one."""
    in_berlin = ENTRY.at.astimezone(timezone(timedelta(hours=1)))
    assert ENTRY.model_copy(update={"at": in_berlin}).computed_hash() == ENTRY.computed_hash()


def test_the_same_content_has_the_same_hash_in_each_release() -> None:
    """Trails outlive releases: whoever changes the form of the hash breaks them all."""
    assert ENTRY.sealed().hash == "88994c7a9536730275ee07b26b943fda8772b836320660cb44482f310d15e22c"
