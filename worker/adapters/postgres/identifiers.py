"""Ids that come from outside."""

from uuid import UUID


def uuid_or_none(text: str | None) -> UUID | None:
    """One that we cannot have made is unknown, not an error."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
