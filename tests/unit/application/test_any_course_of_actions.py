"""Whatever becomes of actions that want a signature, the witness finds nothing wrong; and every sort of it is met."""

from collections import Counter
from typing import ClassVar

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.unit.application.actions_course import AnyCourseOfActions

REACHED = (
    *("a worker died", "a call by a stale worker", "repeated under its key", "asked again"),
    *("asked about an unknown result", "passing beside what is asked about", "second level"),
    *("said approve", "said modify", "edited", "approved in part"),
    *("result approved", "result executed", "result failed", "result refused", "result unknown"),
    *("outcome executed", "outcome expired", "outcome failed"),
)
"""What every run comes by, most of it dozens of times."""

IN_FULL = settings(max_examples=160, stateful_step_count=40, deadline=None, report_multiple_bugs=False)


def test_nothing_is_wrong_in_any_course_of_actions_and_every_sort_of_course_is_met() -> None:
    met: Counter[str] = Counter()

    class Counted(AnyCourseOfActions):
        seen: ClassVar[Counter[str]] = met

    run_state_machine_as_test(Counted, settings=IN_FULL)
    assert [state for state in REACHED if met[state] == 0] == []
