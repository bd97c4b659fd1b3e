"""What is wrong with a policy file, told all at once and with the line."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """`line` counts from 1; 0 means the file as a whole."""

    line: int
    reason: str
    advice: str


class PolicyError(Exception):
    """The policy cannot be used. `line` and `reason` are those of the first of `problems`."""

    def __init__(self, file: str, problems: Iterable[Problem]) -> None:
        self.file = file
        self.problems = tuple(sorted(problems))
        self.line = self.problems[0].line
        self.reason = self.problems[0].reason
        super().__init__("\n".join(self._sentence(problem) for problem in self.problems))

    def _sentence(self, problem: Problem) -> str:
        place = f"{self.file}:{problem.line}" if problem.line else self.file
        return f"{place}: {problem.reason}; {problem.advice}"


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
