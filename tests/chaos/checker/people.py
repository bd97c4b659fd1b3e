"""Who is who, by the shop's truth: never by what a decision says of itself, nor by display names."""

from typing import Any
from unicodedata import normalize


class People:
    """`reviewers.json`: every spelling of an account with the person behind it and the roles that person holds."""

    def __init__(self, truth: dict[str, dict[str, Any]]) -> None:
        self._entries = {spelling: (str(held["person"]), frozenset(held["roles"])) for spelling, held in truth.items()}
        self._folded = {_folded(spelling): entry for spelling, entry in self._entries.items()}

    def person(self, spelling: str) -> str:
        """Somebody who is not in the truth is a person of their own, under whatever spelling."""
        entry = self._entry(spelling)
        return entry[0] if entry else _folded(spelling)

    def roles(self, spelling: str) -> frozenset[str]:
        entry = self._entry(spelling)
        return entry[1] if entry else frozenset()

    def _entry(self, spelling: str) -> tuple[str, frozenset[str]] | None:
        return self._entries.get(spelling) or self._folded.get(_folded(spelling))


def _folded(spelling: str) -> str:
    return normalize("NFKC", normalize("NFKC", spelling).casefold()).strip()
