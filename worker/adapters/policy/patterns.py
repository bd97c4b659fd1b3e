"""Regular expressions over texts that anybody may have sent, in time linear to the text.

They are those of CEL, by way of its own `matches` (https://docs.rs/regex): without look-around and back references,
which is what makes Python's take for ever on the wrong text.
"""

import cel

_MATCHES = cel.compile("text.matches(pattern)")


class NoPattern(Exception):
    """It is no regular expression of this kind; the message says why, in one line."""


def check_pattern(pattern: str) -> None:
    """Raises NoPattern."""
    try:
        matches(pattern, "")
    except (RuntimeError, ValueError) as error:
        lines = str(error).split(" Check function ")[0].splitlines()
        raise NoPattern(lines[-1].removeprefix("error: ").rstrip(". ")) from error


def matches(pattern: str, text: str) -> bool:
    """Whether the pattern is found anywhere in the text. Raises RuntimeError for what is no pattern, and ValueError for
    a text that is no Unicode, such as half of a surrogate pair."""
    return _MATCHES.execute(cel.Context({"text": text, "pattern": pattern})) is True
