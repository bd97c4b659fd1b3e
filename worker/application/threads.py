"""What is stored of a case's thread, as the application carries it: unopened, between the store and the workflow."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class StoredThread:
    """A thread as the database holds it: carried from the reader of cases to `resume`, unopened.

    `latest` is None when nothing is stored under the id.
    """

    thread_id: str
    latest: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class ThreadWrites:
    """The rows one run wants stored: carried to the unit of work, unopened."""

    checkpoints: list[Row] = field(default_factory=list)
    blobs: list[Row] = field(default_factory=list)
    pending: list[Row] = field(default_factory=list)
