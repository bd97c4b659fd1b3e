"""Small lies about a run in which all is well; each names the invariant that it breaks and the checker's words."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.checker.judgement import judge
from tests.chaos.correct_run import correct_run
from tests.chaos.told_run import Told

Falsify = Callable[[Told], None]


@dataclass(frozen=True, slots=True)
class Lie:
    invariant: int
    words: str
    tell: Falsify

    def __str__(self) -> str:
        return self.tell.__name__.replace("_", " ")


class Lies(list[Lie]):
    """`@lies.about(3, "more than")` above a function that falsifies a run."""

    def about(self, invariant: int, words: str) -> Callable[[Falsify], Falsify]:
        def enter(tell: Falsify) -> Falsify:
            self.append(Lie(invariant, words, tell))
            return tell

        return enter


def assert_seen_through(lie: Lie, folder: Path) -> None:
    """The checker names the invariant, in its own words, where a run that is right otherwise has been falsified."""
    told = correct_run()
    lie.tell(told)
    found = judge(told.write(folder)).violations
    assert any(each.invariant == lie.invariant and lie.words in each.what for each in found), found
