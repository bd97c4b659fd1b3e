"""The link of a notice: to a screen that shows the question. It never decides anything.

Previews of chat programs and scanners of mail follow every link, and whoever is forwarded a message can. So it is
nothing but an address: it holds no token, and no verdict.
"""

import re
import string
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from schemas.values import Command, Verdict
from worker.adapters.mail.smtp import is_loopback
from worker.application.notices import Notice

FIELDS = ("approval_id", "case_id", "exception_id")

_DECIDING = frozenset({*Verdict, *Command, "decide", "decision", "verdict", "deny", "token", "accept"})
_PLAIN = re.compile(r"[!-~]+", re.ASCII)


class BadLink(ValueError):
    """It cannot be the link of a notice; the message says why."""


@dataclass(frozen=True, slots=True)
class ReviewLink:
    """`template` is an address in which `{approval_id}`, `{case_id}` and `{exception_id}` are filled in."""

    template: str

    def __post_init__(self) -> None:
        """Raises BadLink."""
        named = _fields_of(self.template)
        if unknown := named - set(FIELDS):
            raise BadLink(f"has an unknown field {{{min(unknown)}}}: there are {', '.join(FIELDS)}")
        if not named:
            raise BadLink(f"names no question: put {{{FIELDS[0]}}} into it")
        parts = urlsplit(self.template)
        if parts.username is not None or parts.password is not None:
            raise BadLink("names a user: everybody who gets a notice would see it")
        if not parts.hostname or not _PLAIN.fullmatch(self.template) or set(self.template) & set('<>"|\\'):
            raise BadLink("is no address")
        if not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))):
            raise BadLink("is not https")
        words = set(re.findall(r"[a-z_]+", f"{parts.path} {parts.query} {parts.fragment}".lower()))
        if deciding := words & _DECIDING:
            raise BadLink(f"has the word `{min(deciding)}`: a link shows the question, it must not decide it")

    def to(self, notice: Notice) -> str:
        return self.template.format(
            approval_id=notice.approval_id,
            case_id=notice.case_id,
            exception_id=quote(notice.exception_id, safe="", errors="replace"),
        )


def _fields_of(template: str) -> set[str]:
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError as error:
        raise BadLink(f"cannot be read: {error}") from None
    if any(specification or conversion for _, _, specification, conversion in parsed):
        raise BadLink("has a format in a field: write the field's name alone")
    return {name for _, name, _, _ in parsed if name is not None}
