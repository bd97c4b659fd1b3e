"""What is wrong with a file that somebody wrote for us, told all at once and with the line."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """`line` counts from 1; 0 means the file as a whole."""

    line: int
    reason: str
    advice: str


class FileRefused(Exception):
    """The file cannot be used, for all the reasons in `problems`."""

    def __init__(self, file: str, problems: Iterable[Problem]) -> None:
        self.file = file
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(told(file, problem) for problem in self.problems))


class PolicyError(FileRefused):
    """The policy cannot be used. `line` and `reason` are those of the first of `problems`."""

    @property
    def line(self) -> int:
        return self.problems[0].line

    @property
    def reason(self) -> str:
        return self.problems[0].reason


def told(file: str, problem: Problem) -> str:
    place = f"{file}:{problem.line}" if problem.line else file
    return f"{place}: {problem.reason}; {problem.advice}"


def content_of(path: Path, refused: type[FileRefused], advice: str) -> bytes:
    """What stands in the file. Raises `refused`, with the advice, when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise refused(str(path), [Problem(0, f"cannot be read: {error.strerror or error}", advice)]) from error


@dataclass(slots=True)
class Problems:
    """Collects problems, so that an author mends a file in one go and not by one error a run."""

    found: list[Problem] = field(default_factory=list)

    def add(self, line: int, reason: str, advice: str) -> None:
        self.found.append(Problem(line, reason, advice))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Advice for a word that nobody knows: the nearest known one, or all of them.

    Of dotted names only those of the same group are near: `order.typo` is not meant as `amount`.
    """
    group, dot, name = word.rpartition(".")
    words = [other for other in known if other.startswith(f"{group}{dot}")]
    ends = {other.removeprefix(f"{group}{dot}"): other for other in words or known}
    near = get_close_matches(name, ends, n=1, cutoff=0.6)
    return f"did you mean {ends[near[0]]}?" if near else f"known are: {', '.join(ends.values())}"
