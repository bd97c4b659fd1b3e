"""One route of the file: the fields read and checked."""

from collections.abc import Collection, Iterable

import yaml

from schemas.values import Money, Risk
from worker.adapters.notifications.routing import Route
from worker.adapters.policy.located_yaml import Mapping as Fields
from worker.adapters.policy.located_yaml import line_of, sequence_of, text_of
from worker.adapters.policy.problems import Problems, did_you_mean
from worker.adapters.policy.quantities import money
from worker.application.notices import NoticeKind

CONDITIONS = ("on", "levels", "min_risk", "over")


def read_route(
    number: int, node: yaml.Node, endpoints: Collection[str], levels: Collection[str] | None, problems: Problems
) -> Route | None:
    """None, with the problems told, when it cannot be used."""
    name = f"route {number}"
    before = len(problems.found)
    fields = Fields(node, name, problems, required=("to",), optional=CONDITIONS)
    to = _words(fields, "to", name, endpoints, problems)
    on = _words(fields, "on", name, list(NoticeKind), problems)
    named = _words(fields, "levels", name, levels, problems)
    risk = _risk(fields, name, problems)
    over = _over(fields, name, problems)
    if len(problems.found) > before or to is None:
        return None
    return Route(
        to=tuple(dict.fromkeys(to)),
        on=frozenset(map(NoticeKind, on)) if on else frozenset(NoticeKind),
        levels=frozenset(named) if named else None,
        min_risk=risk,
        over=over,
    )


def _words(fields: Fields, key: str, name: str, known: Collection[str] | None, problems: Problems) -> list[str] | None:
    """The words of a list; None when there is no such field. `known` None takes any."""
    node = fields.fields.get(key)
    if node is None:
        return None
    words = []
    for entry in sequence_of(node, f"`{key}` of {name}", problems):
        word = text_of(entry)
        if word is None:
            problems.add(line_of(entry), f"`{key}` of {name} has an entry that is no text", "write a plain word")
        elif known is not None and word not in known:
            problems.add(line_of(entry), f"`{key}` of {name} names an unknown `{word}`", _near(word, known))
        else:
            words.append(word)
    return words


def _near(word: str, known: Iterable[str]) -> str:
    known = list(known)
    return did_you_mean(word, known) if known else "there are none"


def _risk(fields: Fields, name: str, problems: Problems) -> Risk:
    text = fields.text("min_risk")
    if text is None:
        return Risk.LOW
    if text not in list(Risk):
        problems.add(fields.lines["min_risk"], f"`min_risk` of {name} is no risk: `{text}`", did_you_mean(text, Risk))
        return Risk.LOW
    return Risk(text)


def _over(fields: Fields, name: str, problems: Problems) -> Money | None:
    text = fields.text("over")
    if text is None:
        return None
    try:
        return money(text)
    except ValueError as error:
        problems.add(fields.lines["over"], f"`over` of {name} {error}", "write an amount such as 100.00 USD")
        return None
