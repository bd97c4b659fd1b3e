"""The policy file as plain values: its fields read and checked, nothing compiled yet."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

import yaml

from schemas.values import Money
from worker.adapters.policy.action_terms import ActionText, read_actions
from worker.adapters.policy.built_in_rules import BUILT_IN_IDS
from worker.adapters.policy.calendars import read_calendars
from worker.adapters.policy.field_values import KEBAB, one_of, quantities, quantity, word
from worker.adapters.policy.ladders import check_ladders
from worker.adapters.policy.levels import LevelText, read_levels
from worker.adapters.policy.located_yaml import Mapping as Fields
from worker.adapters.policy.problems import Problems
from worker.adapters.policy.quantities import Limit, Rates, duration, limit, rate
from worker.adapters.policy.rule_texts import RuleText, read_rules
from worker.domain.approval_policy import Level

REQUIRED = ("name", "base_currency", "levels", "rules")
OPTIONAL = ("rates", "limits", "calendars", "actions", "messages", "review_hash", "claims_last", "exposure_window")

A_CLAIM = timedelta(hours=1)
"""How long a reviewer may hold a question where the policy does not say."""

_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_NO_LIMIT: Limit = 0
_STAND_IN_CURRENCY = "USD"


@dataclass(frozen=True, slots=True)
class Document:
    """What stands in a policy file; the problems told say what could not be read."""

    name: str
    rates: Rates
    limits: Mapping[str, Limit]
    limit_lines: Mapping[str, int]
    level_texts: Mapping[str, LevelText]
    rules: tuple[RuleText, ...]
    actions: tuple[ActionText, ...]
    messages: yaml.Node | None
    requires_hash: bool
    claim: timedelta
    exposure: timedelta | None
    exposure_line: int

    @property
    def levels(self) -> Mapping[str, Level]:
        """Those that are in order, in the order in which they sign."""
        return {name: text.level for name, text in self.level_texts.items() if text.level is not None}


def read_document(root: yaml.Node, problems: Problems) -> Document:
    fields = Fields(root, "the policy", problems, required=REQUIRED, optional=OPTIONAL)
    rates = _rates(fields, problems)
    limits = quantities(fields, "limits", _NAME, "a name such as small_refund", limit, _NO_LIMIT, problems)
    for name, (value, line) in limits.items():
        if isinstance(value, Money) and value.currency != rates.base:
            problems.add(line, f"limit {name} is not in the base currency", f"give it in {rates.base}")
    calendars = read_calendars(fields.fields.get("calendars"), problems)
    levels = read_levels(fields.fields.get("levels"), rates, calendars, problems)
    check_ladders(levels, rates, problems)
    _refuse_unused_calendars(fields.fields.get("calendars"), levels, problems)
    rules = read_rules(fields.fields.get("rules"), levels, problems)
    return Document(
        name=word(fields, "name", KEBAB, "words such as our-shop", problems),
        rates=rates,
        limits={name: value for name, (value, _) in limits.items()},
        limit_lines={name: line for name, (_, line) in limits.items()},
        level_texts=levels,
        rules=rules,
        actions=read_actions(fields.fields.get("actions"), levels, rules, BUILT_IN_IDS, problems),
        messages=fields.fields.get("messages"),
        requires_hash=one_of(fields, "review_hash", ["required"], "has an unknown `review_hash`", problems) is not None,
        claim=quantity(fields, "claims_last", duration, problems) or A_CLAIM,
        exposure=quantity(fields, "exposure_window", duration, problems),
        exposure_line=fields.lines.get("exposure_window", 0),
    )


def _rates(fields: Fields, problems: Problems) -> Rates:
    base = word(fields, "base_currency", _CURRENCY, "a code such as USD", problems)
    rates = quantities(fields, "rates", _CURRENCY, "a code such as EUR", rate, Fraction(1), problems)
    if base in rates:
        problems.add(rates[base][1], f"`rates` has the base currency {base}", "remove it: it is 1")
    return Rates(base or _STAND_IN_CURRENCY, {code: value for code, (value, _) in rates.items()})


def _refuse_unused_calendars(node: yaml.Node | None, levels: Mapping[str, LevelText], problems: Problems) -> None:
    """A calendar that no level names looks as if its hours counted, and they do not."""
    if node is None:
        return
    lines = Fields(node, "`calendars`", Problems(), optional=None).lines
    for name in lines.keys() - {text.calendar for text in levels.values()}:
        problems.add(lines[name], f"calendar {name} is named by no level", "use it or remove it")
