"""When somebody looks at a question again, and what is known by then of who cannot answer it."""

import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from math import inf

from tests.chaos.agenda import Agenda
from tests.chaos.screens import Question

LOOK_AGAIN_S = 10.0
"""Until somebody looks whether a question that was answered is still open."""

LOOK_AGAIN_IN_A_HURRY_S = 12.0
LONGEST_S = 30.0
LONGER = 1.3
"""Each time by so much: a worker that is away must not be buried under answers."""

HEARD_AT_LAST_S = 60.0
"""In a hurry nobody answers again before that, while nothing came of what they said last: it is still being read."""


@dataclass
class Course:
    """How people fare with one question: who cannot answer it or has tried, whether it can be signed as it stands, and
    the number of the visit that is planned."""

    unfit: set[str] = field(default_factory=set)
    answers: int = 0
    is_stale: bool = False
    visit: int = 0
    due: float = inf
    unheard_until: float = 0.0
    """By `time.monotonic`: what was answered last has had no receipt."""

    def answered(self) -> None:
        self.answers += 1
        self.unheard_until = time.monotonic() + HEARD_AT_LAST_S

    def heard(self) -> None:
        self.unheard_until = 0.0


class Visits:
    """One visit to a question is planned at a time: an earlier one takes the place of a later. Each of them answers,
    and plans the next while the question is open."""

    def __init__(self, agenda: Agenda, answer: Callable[[Question], Awaitable[None]]) -> None:
        self._agenda, self._answer = agenda, answer
        self._courses: dict[str, Course] = defaultdict(Course)
        self.is_in_a_hurry = False

    def course(self, question: Question) -> Course:
        return self._courses[question.approval_id]

    def plan(self, question: Question, wait: float) -> None:
        """`wait` in seconds."""
        course, due = self.course(question), time.monotonic() + wait
        if due < course.due:
            course.visit, course.due = course.visit + 1, due
            self._agenda.after(wait, partial(self._visit, question, course.visit))

    async def _visit(self, question: Question, number: int) -> None:
        course = self.course(question)
        if number != course.visit:
            return
        course.due = inf
        if not self.is_in_a_hurry or course.unheard_until < time.monotonic():
            await self._answer(question)
        if question.is_open:
            least = LOOK_AGAIN_IN_A_HURRY_S if self.is_in_a_hurry else LOOK_AGAIN_S
            self.plan(question, min(least * LONGER**course.answers, LONGEST_S))
