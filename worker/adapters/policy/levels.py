"""The `levels` of a policy, each by itself; how they hang together is checked in `ladders.py`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import yaml

from schemas.values import Money, OnTimeout, Verdict
from worker.adapters.policy.deadline_steps import read_deadlines
from worker.adapters.policy.field_values import KEBAB, one_of, quantity
from worker.adapters.policy.located_yaml import Mapping as Fields
from worker.adapters.policy.located_yaml import line_of, sequence_of, text_of
from worker.adapters.policy.problems import Problems, did_you_mean
from worker.adapters.policy.quantities import Rates, cap, duration, money, quorum, written_duration
from worker.domain.approval_policy import Level
from worker.domain.business_calendar import BusinessCalendar

REQUIRED = ("role", "due_in", "on_timeout", "allowed_verdicts")
OPTIONAL = ("quorum", "ceiling", "escalates_to", "deadlines", "calendar", "reviewer_cap")


@dataclass(frozen=True, slots=True)
class LevelText:
    """A level as written: `lines` are those of its fields. `level` is None for one with problems, so that rules and
    other levels may still name it; `calendar` is the name of one."""

    name: str
    line: int
    lines: Mapping[str, int]
    level: Level | None
    escalates_to: str | None
    calendar: str | None
    allows_escalation: bool


def read_levels(
    node: yaml.Node | None, rates: Rates, calendars: Mapping[str, BusinessCalendar], problems: Problems
) -> Mapping[str, LevelText]:
    """By name, in the order in which they sign."""
    if node is None:
        return {}
    entries = Fields(node, "`levels`", problems, optional=None)
    if isinstance(node, yaml.MappingNode) and not node.value:
        problems.add(line_of(node), "`levels` names no level", "add one: who answers, and by when")
    levels = {}
    for name, entry in entries.fields.items():
        if not KEBAB.fullmatch(name):
            problems.add(entries.lines[name], f"`levels` has the key `{name}`", "write words such as store-manager")
        levels[name] = _level(name, entries.lines[name], entry, rates, calendars, problems)
    return levels


def _level(
    name: str,
    line: int,
    node: yaml.Node,
    rates: Rates,
    calendars: Mapping[str, BusinessCalendar],
    problems: Problems,
) -> LevelText:
    before = len(problems.found)
    fields = Fields(node, f"level {name}", problems, required=REQUIRED, optional=OPTIONAL)
    role = fields.text("role")
    due_in = quantity(fields, "due_in", duration, problems)
    on_timeout = _on_timeout(fields, problems)
    verdicts = _verdicts(fields, problems)
    escalates_to = fields.text("escalates_to")
    calendar = one_of(fields, "calendar", calendars, "names an unknown calendar", problems)
    if due_in is not None and calendar is not None:
        _check_time(fields, due_in, calendar, calendars[calendar], problems)
    ceiling = quantity(fields, "ceiling", money, problems)
    reviewer_cap = quantity(fields, "reviewer_cap", cap, problems)
    _check_currency(fields, "ceiling", ceiling, rates, problems)
    _check_currency(fields, "reviewer_cap", reviewer_cap.amount if reviewer_cap else None, rates, problems)
    deadlines = read_deadlines(fields, role, problems)
    people = quantity(fields, "quorum", quorum, problems)
    level = None
    if role is not None and due_in is not None and on_timeout is not None and len(problems.found) == before:
        level = Level(
            name=name,
            role=role,
            due_in=due_in,
            on_timeout=on_timeout,
            allowed_verdicts=verdicts,
            quorum=people or 1,
            ceiling=ceiling,
            escalates_to=escalates_to,
            deadlines=deadlines,
            calendar=calendars[calendar] if calendar is not None else None,
            cap=reviewer_cap,
        )
    return LevelText(name, line, fields.lines, level, escalates_to, calendar, Verdict.ESCALATE in verdicts)


def _on_timeout(fields: Fields, problems: Problems) -> OnTimeout | None:
    text = fields.text("on_timeout")
    if text is None or text in list(OnTimeout):
        return OnTimeout(text) if text is not None else None
    problems.add(
        fields.lines["on_timeout"],
        f"`on_timeout` of {fields.name} is `{text}`",
        "write reject or escalate: nothing is ever approved because nobody looked",
    )
    return None


def _check_time(fields: Fields, due_in: timedelta, name: str, calendar: BusinessCalendar, problems: Problems) -> None:
    """A deadline must come: there has to be as much working time ahead, whenever the question is asked."""
    if due_in > calendar.longest:
        told = f"`due_in` of {fields.name}, {written_duration(due_in)}, is too much working time of calendar {name}"
        problems.add(fields.lines["due_in"], told, "shorten it: a calendar counts working time only")


def _check_currency(level: Fields, key: str, amount: Money | None, rates: Rates, problems: Problems) -> None:
    if amount is not None and not rates.knows(amount.currency):
        told = f"`{key}` of {level.name} is in {amount.currency}, which has no rate"
        problems.add(level.lines[key], told, f"give it in {rates.base}, or add the rate")


def _verdicts(level: Fields, problems: Problems) -> tuple[Verdict, ...]:
    node = level.fields.get("allowed_verdicts")
    if node is None:
        return ()
    verdicts: list[Verdict] = []
    for entry in sequence_of(node, f"`allowed_verdicts` of {level.name}", problems):
        word, line = text_of(entry) or "", line_of(entry)
        if word in verdicts:
            problems.add(line, f"{level.name} allows `{word}` twice", "keep one of them")
        elif word in list(Verdict):
            verdicts.append(Verdict(word))
        else:
            problems.add(line, f"{level.name} allows an unknown verdict `{word}`", did_you_mean(word, list(Verdict)))
    return tuple(verdicts)
