"""One field of a policy as a value: a word of some form, one of a few words, or a quantity."""

import re
from collections.abc import Callable, Collection
from typing import TypeVar

from worker.adapters.policy.located_yaml import Mapping as Fields
from worker.adapters.policy.problems import Problems, did_you_mean

KEBAB = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", re.ASCII)

Quantity = TypeVar("Quantity")


def word(fields: Fields, key: str, pattern: re.Pattern[str], example: str, problems: Problems) -> str:
    """The field's text in the form of `pattern`; empty, with the problem told, if it differs."""
    text = fields.text(key)
    if text is None or pattern.fullmatch(text):
        return text or ""
    problems.add(fields.lines[key], f"`{key}` of {fields.name} is `{text}`", f"write {example}")
    return ""


def one_of(fields: Fields, key: str, known: Collection[str], what: str, problems: Problems) -> str | None:
    """The field's text if it is known; `what` says in messages what it would be: "an unknown level"."""
    text = fields.text(key)
    if text is None or text in known:
        return text
    problems.add(fields.lines[key], f"{fields.name} {what} `{text}`", did_you_mean(text, known))
    return None


def quantity(fields: Fields, key: str, read: Callable[[str], Quantity], problems: Problems) -> Quantity | None:
    """What `read` makes of the field's text; None, with the problem told, where it raises ValueError."""
    text = fields.text(key)
    if text is None:
        return None
    try:
        return read(text)
    except ValueError as error:
        problems.add(fields.lines[key], f"`{key}` of {fields.name}, {text}, {error}", "mend it")
        return None


def quantities(
    fields: Fields,
    key: str,
    pattern: re.Pattern[str],
    example: str,
    read: Callable[[str], Quantity],
    stand_in: Quantity,
    problems: Problems,
) -> dict[str, tuple[Quantity, int]]:
    """A mapping of names to quantities, each with its line.

    What cannot be read becomes `stand_in`, so that one wrong figure is one problem and not one more
    for each rule that names it.
    """
    node = fields.fields.get(key)
    if node is None:
        return {}
    entries = Fields(node, f"`{key}`", problems, optional=None)
    found: dict[str, tuple[Quantity, int]] = {}
    for name in entries.fields:
        line = entries.lines[name]
        if not pattern.fullmatch(name):
            problems.add(line, f"`{key}` has the key `{name}`", f"write {example}")
        found[name] = (stand_in, line)
        if (text := entries.text(name)) is not None:
            try:
                found[name] = (read(text), line)
            except ValueError as error:
                problems.add(line, f"`{name}` of `{key}`, {text}, {error}", "mend the figure")
    return found
