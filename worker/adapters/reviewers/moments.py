"""Moments as people write them in a register: a day, or a time with its zone."""

import re
from datetime import UTC, datetime

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_CLOCK = r"[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?"
_TIME = re.compile(rf"{_DAY.pattern}{_CLOCK}(?:[Zz]|[+-]\d{{2}}:\d{{2}})", re.ASCII)
_LOCAL_TIME = re.compile(rf"{_DAY.pattern}{_CLOCK}", re.ASCII)


def moment(text: str) -> datetime:
    """`2026-12-20`, which is midnight UTC, or a time of RFC 3339, `2026-12-20T18:00:00+01:00`, in UTC.

    Raises ValueError for anything else: a time without a zone means another moment on another machine.
    """
    if _LOCAL_TIME.fullmatch(text):
        raise ValueError("has no zone; end it with Z or an offset such as +01:00")
    if not _DAY.fullmatch(text) and not _TIME.fullmatch(text):
        raise ValueError("is neither a day such as 2026-12-20 nor a time such as 2026-12-20T18:00:00Z")
    try:
        read = datetime.fromisoformat(text.upper())
        return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("is not in the calendar; check month, day and hour") from error
