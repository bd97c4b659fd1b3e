"""Which topics a text speaks of, by phrases in several languages. The phrases are data, in `phrases.yaml`."""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files

import yaml

from worker.adapters.analysis.plain_text import comparable

_KEY_LENGTH = 3
_STEM = "*"


class Phrases:
    """Finds phrases at the beginnings of words. A phrase that ends in `*` matches any ending of its last word.

    Only phrases that begin with the same three letters are tried at a word, so the cost grows with the text alone.
    """

    def __init__(self, phrases: Mapping[str, Iterable[str]]) -> None:
        self._by_start: dict[str, tuple[tuple[str, str], ...]] = {}
        for topic, wordings in phrases.items():
            for wording in wordings:
                sought = _sought(wording)
                start = sought[:_KEY_LENGTH]
                self._by_start[start] = (*self._by_start.get(start, ()), (sought, topic))

    def topics_in(self, text: str) -> set[str]:
        """The topics of a text that `comparable` made."""
        found: set[str] = set()
        by_start, place = self._by_start, 0
        while 0 <= place < len(text) - 1:
            for sought, topic in by_start.get(text[place + 1 : place + 1 + _KEY_LENGTH], ()):
                if text.startswith(sought, place + 1):
                    found.add(topic)
            place = text.find(" ", place + 1)
        return found


def _sought(wording: str) -> str:
    """What stands in a comparable text, from the first letter of the phrase on; a whole word ends with its space."""
    words = comparable(wording.removesuffix(_STEM)).lstrip()
    sought = words.rstrip() if wording.endswith(_STEM) else words
    if len(sought) < _KEY_LENGTH:
        raise ValueError(f"phrase {wording!r} is too short to be told from other words; give three letters at least")
    return sought


@cache
def shipped_phrases() -> Phrases:
    """The phrases of `phrases.yaml`, of all its languages at once: a text need not say which one it is in."""
    document: dict[str, dict[str, list[str]]] = yaml.safe_load(files(__package__).joinpath("phrases.yaml").read_bytes())
    return Phrases(
        {
            topic: [phrase for phrases in languages.values() for phrase in phrases]
            for topic, languages in document.items()
        }
    )
