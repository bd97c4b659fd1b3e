"""What a notice says in words, whatever shows it: a title, facts, reasons, a link.

The words of strangers stand in it as one line of visible characters: nothing that hides, turns the direction of the
text, or becomes a link of its own accord. Each channel escapes them for its own markup.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from schemas.values import ExceptionKind
from worker.application.notices import Notice, NoticeKind

Rendered = TypeVar("Rendered")

LINK_TITLE = "Open the question"
SHORTENED = "Shortened to fit; the screen shows all of it."


@dataclass(frozen=True, slots=True)
class Budget:
    """How many reasons a card has, and how many characters each text of it."""

    reasons: int
    characters: int


BUDGETS = (Budget(20, 1000), Budget(10, 400), Budget(3, 100))
"""The first that fits is taken; the last fits everywhere, with characters of four bytes as well."""


@dataclass(frozen=True, slots=True)
class Card:
    title: str
    facts: tuple[tuple[str, str], ...]
    why: tuple[str, ...]
    reason: str | None
    link: str | None
    shortened: bool


def fitted(render: Callable[[Budget], Rendered], fits: Callable[[Rendered], bool]) -> Rendered:
    """As much as fits. Raises ValueError when not even the least does."""
    for budget in BUDGETS:
        rendered = render(budget)
        if fits(rendered):
            return rendered
    raise ValueError("the notice is too large, however it is shortened")


def card_of(notice: Notice, link: str | None, budget: Budget) -> Card:
    text = _Shortener(budget.characters)
    title = f"{_OPENINGS[notice.kind]}: {text.of(_subject(notice))}"
    facts = tuple((name, text.of(value)) for name, value in _facts(notice))
    why = tuple(text.of(says) for says in notice.why[: budget.reasons])
    reason = text.of(notice.reason) if notice.reason else None
    shortened = text.has_cut or len(notice.why) > budget.reasons
    return Card(title, facts, why, reason, link, shortened)


_OPENINGS = {
    NoticeKind.NEEDED: "Approval needed",
    NoticeKind.LAPSING: "Still waiting for an answer",
    NoticeKind.ESCALATED: "Escalated",
    NoticeKind.CLOSED: "Closed",
}

_NOUNS = {
    ExceptionKind.REFUND: "refund",
    ExceptionKind.CANCELLATION: "cancellation",
    ExceptionKind.PRICE_ADJUSTMENT: "price adjustment",
    ExceptionKind.ACCOUNT_CHANGE: "account change",
    ExceptionKind.ACTION_REQUEST: "action of an agent",
}


def _subject(notice: Notice) -> str:
    amount = f" of {notice.amount}" if notice.amount else ""
    tools = f" ({', '.join(notice.tools)})" if notice.tools else ""
    about = f"order {notice.order_id}" if notice.order_id else notice.exception_id
    return f"{_NOUNS[notice.concerns]}{amount}{tools}, {about}"


def _facts(notice: Notice) -> Iterator[tuple[str, str]]:
    yield "Exception", notice.exception_id
    level = notice.level
    yield "Level", f"{level.name}, {level.number} of {level.of}" if level.of > 1 else level.name
    yield "Asked", f"{notice.assignee}, as {notice.role}" if notice.assignee else notice.role
    yield "Risk", notice.risk.value
    if notice.closed_as is not None:
        yield "Closed as", f"{notice.closed_as.value.replace('_', ' ')}, by {notice.by}, {_in_utc(notice.at)}"
    else:
        yield "Due", f"{_in_utc(notice.due_at)}, then {notice.on_timeout.value}"


def _in_utc(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")


class _Shortener:
    def __init__(self, longest: int) -> None:
        self._longest = longest
        self.has_cut = False

    def of(self, text: str) -> str:
        line = inert(text)
        if len(line) <= self._longest:
            return line
        self.has_cut = True
        return line[: self._longest - 1] + "…"


_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs"})

_MAKES_A_LINK = re.compile(
    r":(?=//)"
    r"|(?<=\bmailto):|(?<=\btel):|(?<=\bsms):|(?<=\bfile):|(?<=\bdata):|(?<=\bjavascript):|(?<=\bmsteams):"
    r"|(?<=\w)[.\u3002\uff0e\uff61](?=[^\W\d_]{2})",
    re.IGNORECASE,
)
"""What mail and chat programs go by: a scheme, or a dot that a name follows, as in a host. The other dots are what
browsers read as one (UTS 46)."""


def inert(text: str) -> str:
    """One line without invisible characters, in which no program finds an address to turn into a link."""
    visible = "".join(
        " " if character.isspace() else character
        for character in text
        if character.isspace() or unicodedata.category(character) not in _HIDDEN
    )
    return _MAKES_A_LINK.sub(_defanged, " ".join(visible.split()))


def _defanged(found: re.Match[str]) -> str:
    return f"[{found[0]}]"
