"""A URL with places for arguments: `https://erp.example/orders/{args.order_id}/notes`.

Arguments are an agent's words. They may fill a segment of the path or a value of the query, percent-encoded, and
nothing else: never the host, never a step upwards.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from worker.adapters.outgoing.addresses import Place, place_of
from worker.adapters.outgoing.errors import Forbidden

KEY = "idempotency_key"

_PLACE = re.compile(r"\{([^{}]*)\}")
_ARGUMENT = re.compile(r"args(\.[A-Za-z0-9_-]+)+")
_STEP_UP = re.compile(r"(^|[/\\])\.{1,2}($|[/\\;])")
"""Also where it is percent-encoded, once or twice: some servers decode a path before they take it apart. Some drop what
stands behind a semicolon."""

_LONGEST_VALUE = 500


class BadTemplate(ValueError):
    """The configured URL can never be sent to."""


class BadArgument(ValueError):
    """An argument that does not fit into the URL; the message names it, and does not repeat it."""


class UrlTemplate:
    """Raises BadTemplate. `place` is where it leads, whatever the arguments are."""

    def __init__(self, template: str, *, may_hold_key: bool = False) -> None:
        self._template = template
        self._names = _PLACE.findall(template)
        for name in self._names:
            if not _ARGUMENT.fullmatch(name) and not (may_hold_key and name == KEY):
                may_be = f"{{args.name}} or {{{KEY}}}" if may_hold_key else "{args.name}"
                raise BadTemplate(f"{{{name}}} stands for nothing; a place is {may_be}")
        if re.search(r"[{}]", _PLACE.sub("", template)):
            raise BadTemplate("a { or } stands alone")
        try:
            self.place: Place = place_of(_PLACE.sub("0", template))
        except Forbidden as error:
            raise BadTemplate(str(error)) from None
        if _PLACE.search(urlsplit(template).netloc):
            raise BadTemplate("an argument may not name the host")

    @property
    def names_key(self) -> bool:
        return KEY in self._names

    def filled(self, args: Mapping[str, Any], key: str = "") -> str:
        """Raises BadArgument."""
        values = {name: key if name == KEY else _text_of(args, name) for name in self._names}
        return _PLACE.sub(lambda found: quote(values[found[1]], safe=""), self._template)


def argument(args: Mapping[str, Any], path: str) -> Any:
    """The argument at `args.some.where`; None when there is none."""
    found: Any = args
    for name in path.split(".")[1:]:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _text_of(args: Mapping[str, Any], path: str) -> str:
    value = argument(args, path)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadArgument(f"{path}: stands in the URL, and is neither text nor a whole number")
    text = str(value)
    if not 0 < len(text) <= _LONGEST_VALUE or not text.isprintable() or _steps_up(text):
        raise BadArgument(f"{path}: cannot stand in a URL")
    return text


def _steps_up(text: str) -> bool:
    return any(_STEP_UP.search(read) for read in (text, unquote(text)))
