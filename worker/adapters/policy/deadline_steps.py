"""The `deadlines` of a level: what happens at parts of its time while nobody answers."""

from worker.adapters.policy.field_values import quantity
from worker.adapters.policy.located_yaml import Mapping as Fields
from worker.adapters.policy.located_yaml import line_of, sequence_of
from worker.adapters.policy.problems import Problems, did_you_mean
from worker.adapters.policy.quantities import fraction
from worker.domain.deadlines import DeadlineAction, DeadlineStep

STEPS = (DeadlineAction.REMIND, DeadlineAction.HAND_OVER)
"""What a step may do. Escalating and rejecting come at the end of the time: they are `on_timeout`."""


def read_deadlines(level: Fields, role: str | None, problems: Problems) -> tuple[DeadlineStep, ...]:
    """In the order of time. `role` is the level's own."""
    node = level.fields.get("deadlines")
    if node is None:
        return ()
    lines: dict[DeadlineStep, int] = {}
    for number, entry in enumerate(sequence_of(node, f"`deadlines` of {level.name}", problems), start=1):
        step = _step(
            Fields(entry, f"deadline {number} of {level.name}", problems, required=("at", "do"), optional=("to",)),
            role,
            problems,
        )
        if step is None:
            continue
        if step in lines:
            told = f"deadline {number} of {level.name} is the one on line {lines[step]} again"
            problems.add(line_of(entry), told, "keep one of them")
        lines.setdefault(step, line_of(entry))
    return tuple(sorted(lines, key=lambda step: step.at))


def _step(fields: Fields, role: str | None, problems: Problems) -> DeadlineStep | None:
    at = quantity(fields, "at", fraction, problems)
    do, to = fields.text("do"), fields.text("to")
    if do is None or at is None:
        return None
    if do not in STEPS:
        at_the_end = do in (DeadlineAction.ESCALATE, DeadlineAction.REJECT)
        advice = f"write `on_timeout: {do}`, which ends the time" if at_the_end else did_you_mean(do, STEPS)
        problems.add(fields.lines["do"], f"{fields.name} does `{do}`", advice)
        return None
    hands_over = do == DeadlineAction.HAND_OVER
    if hands_over and "to" not in fields.lines:
        problems.add(fields.line, f"{fields.name} hands over to nobody", "add `to: …`, the role that is asked then")
        return None
    if to is not None and not hands_over:
        problems.add(fields.lines["to"], f"{fields.name} has `to`, and does `{do}`", "`to` goes with hand_over only")
        return None
    if hands_over and to == role:
        problems.add(fields.lines["to"], f"{fields.name} hands over to the level's own role `{to}`", "name another one")
        return None
    return DeadlineStep(at=at, do=DeadlineAction(do), to=to)
