"""What a message template is given: texts and numbers, groups of them, and what is not known.

A customer never reads `None`, `True` or Python's idea of a list: putting one of these into words fails instead.
"""

from collections.abc import Mapping
from typing import Any, NoReturn

from jinja2 import StrictUndefined, Undefined, UndefinedError
from jinja2.exceptions import TemplateRuntimeError


class UnknownValue(UndefinedError):
    """The template puts something into words that is not known of this case."""

    def __init__(self, name: str) -> None:
        super().__init__(f"`{name}` is not known there")
        self.name = name


class NoText(TemplateRuntimeError):
    """What is put into words is neither a text nor a number."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is put into words")


class Unknown(Undefined):
    """A value that exists and is not known here: it is false, it has a `default`, and it cannot be put into words."""

    __slots__ = ()

    def __str__(self) -> str:
        self._refuse()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # as Undefined does: Python asks for these itself
            raise AttributeError(name)
        self._refuse()

    def __getitem__(self, key: object) -> Any:
        self._refuse()

    def __eq__(self, other: object) -> bool:
        return other is None or isinstance(other, Unknown)

    __hash__ = Undefined.__hash__

    def _refuse(self) -> NoReturn:
        raise UnknownValue(str(self._undefined_name))


class Misspelt(StrictUndefined):
    """What nobody knows by that name; the message says which names there are."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint:
            return self._undefined_hint
        if isinstance(self._undefined_obj, Mapping):
            return f"unknown name `{self._undefined_name}`, known are: {', '.join(self._undefined_obj)}"
        whole = "a list" if isinstance(self._undefined_obj, Rows) else "a text"
        return f"{whole} has no `{self._undefined_name}`"


class Group(dict[str, Any]):
    """Values by name, each of which may be put into words, and not the whole."""

    def __str__(self) -> str:
        raise NoText(f"a whole group ({', '.join(self)})")


class Rows(tuple[Group, ...]):
    """Groups to repeat words for."""

    __slots__ = ()

    def __str__(self) -> str:
        raise NoText("a whole list")


def known(name: str, value: object) -> str | int | Unknown:
    """The value as a template sees it: its text, or a number; `name` is what it is called when it is not known."""
    if value is None or value == "":
        return Unknown(name=name)
    return value if isinstance(value, int) else str(value)


def in_words(value: Any) -> str:
    """What `{{ }}` writes. Raises NoText, and UndefinedError for what is not known or misspelt."""
    if isinstance(value, bool):
        raise NoText("a true or false")
    if isinstance(value, str | int | float | Undefined | Group | Rows):
        return str(value)
    raise NoText("nothing (none)" if value is None else "what is no text")
