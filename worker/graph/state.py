"""What a thread remembers, and what its nodes may ask for."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypedDict


class State(TypedDict):
    """One channel of plain JSON data: `facts`, `assessment`, `decision` and `resolution`.

    One, because every channel costs a row and time in each step. A dict, because LangGraph's
    PostgreSQL tables keep a top-level scalar in clear JSONB beside the checkpoint. Plain data,
    because a class would be found by its import path when a later release reads the thread.
    """

    case: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What the application hands to the nodes.

    `assess` turns the facts into `{"proposal", "question", "rest"}`; `question` is None when nobody
    needs to be asked, `rest` are the levels to ask after it. It may look things up, and must change nothing: a run
    may be repeated.
    """

    assess: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
