"""What all events have in common: a versioned CloudEvents type, and one way to become bytes."""

from datetime import UTC, datetime
from typing import Annotated, ClassVar

from pydantic import AfterValidator, AwareDatetime

from schemas.values import Value


def _in_utc(time: datetime) -> datetime:
    return time.astimezone(UTC)


Time = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""RFC 3339, in UTC on the wire."""


class Event(Value):
    """The data of one event.

    A change that breaks a consumer gets a new `.v2` type beside the old one.
    """

    TYPE: ClassVar[str]

    def to_json(self) -> bytes:
        """The same event gives the same bytes. Every field is there; what is not known is null."""
        return self.model_dump_json().encode()
