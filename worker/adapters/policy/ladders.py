"""How the levels of a policy hang together: who is asked above whom.

A ladder goes from a level through `escalates_to` upwards. Levels sign in the order of the file, so a ladder goes down
the file; a cycle would ask people for ever.
"""

from collections.abc import Collection, Mapping

from schemas.values import OnTimeout
from worker.adapters.policy.levels import LevelText
from worker.adapters.policy.problems import Problems, did_you_mean
from worker.adapters.policy.quantities import Rates
from worker.domain.approval_policy import Level

Levels = Mapping[str, LevelText]


def ladder(name: str, levels: Mapping[str, Level]) -> tuple[str, ...]:
    """The level and all above it, of levels without a cycle."""
    above = levels[name].escalates_to
    return (name, *(ladder(above, levels) if above is not None else ()))


def check_ladders(levels: Levels, rates: Rates, problems: Problems) -> None:
    """Tells what is unknown, goes in circles or leads nowhere."""
    order = list(levels)
    in_cycles: set[str] = set()
    for name, text in levels.items():
        target = text.escalates_to
        if target is None:
            _check_top(text, is_last=name == order[-1], problems=problems)
        elif target not in levels:
            known = [other for other in order if other != name]
            told = f"`escalates_to` of level {name} names an unknown level `{target}`"
            problems.add(text.lines["escalates_to"], told, did_you_mean(target, known) if known else "remove it")
        elif cycle := _cycle(name, levels):
            if not in_cycles & set(cycle):
                told = f"`escalates_to` goes in a circle: {' → '.join((*cycle, cycle[0]))}"
                problems.add(text.lines["escalates_to"], told, "end it at a level that escalates to nobody")
            in_cycles |= set(cycle)
        elif order.index(target) < order.index(name) and not in_cycles & {name, target}:
            told = f"level {name} escalates to {target}, which signs before it"
            problems.add(text.lines["escalates_to"], told, f"move {target} below {name}: levels sign in this order")
        else:
            _check_ceilings(text, levels[target], rates, problems)


def _cycle(name: str, levels: Levels) -> tuple[str, ...]:
    """The levels of the cycle that this one is part of; empty if it is in none."""
    path = [name]
    while True:
        target = levels[path[-1]].escalates_to
        if target == name:
            return tuple(path)
        if target is None or target not in levels or target in path:
            return ()
        path.append(target)


def _check_top(text: LevelText, *, is_last: bool, problems: Problems) -> None:
    """A level that escalates to nobody must not need somebody above it."""
    if text.level is None:
        return
    name, ceiling = text.name, text.level.ceiling
    if ceiling is not None:
        told = f"level {name} has a ceiling and no `escalates_to`: nobody could sign more than {ceiling}"
        problems.add(text.lines["ceiling"], told, "add `escalates_to: …`, or remove the ceiling of the last one")
    if text.level.on_timeout is OnTimeout.ESCALATE:
        told = f"level {name} escalates when its time is over, and has no `escalates_to`"
        problems.add(text.lines["on_timeout"], told, "add `escalates_to: …`, or write reject")
    if text.allows_escalation and is_last:
        told = f"level {name} allows `escalate`, and no level stands above it"
        problems.add(text.lines["allowed_verdicts"], told, "remove that verdict, or add a level below in the file")


def _check_ceilings(lower: LevelText, higher: LevelText, rates: Rates, problems: Problems) -> None:
    if lower.level is None or higher.level is None or lower.level.ceiling is None or higher.level.ceiling is None:
        return
    small, large = lower.level.ceiling, higher.level.ceiling
    compared = rates.compare(small, large.currency)
    if compared is not None and compared >= large.amount_minor:
        told = f"the ceiling of level {higher.name}, {large}, is not above {small}, that of {lower.name} before it"
        problems.add(higher.lines["ceiling"], told, "raise it, or lower the other one")


def check_reach(levels: Levels, asked: Collection[str], problems: Problems) -> None:
    """Tells the levels that nothing leads to.

    Besides what the rules ask there is the first level, which the built-in rules ask; from a level that is reached,
    its ladder; and all below it in the file where a reviewer may escalate to a level by name.
    """
    order = list(levels)
    reached = {*asked, *order[:1]}
    for name in order:  # both ways lead down the file, so one pass sees all
        if name in reached:
            reached |= {levels[name].escalates_to or name}
            reached |= set(order[order.index(name) :]) if levels[name].allows_escalation else set()
    for name in order:
        if name not in reached:
            told = f"level {name} is never asked: no rule names it and no level escalates to it"
            problems.add(levels[name].line, told, "use it or remove it")
