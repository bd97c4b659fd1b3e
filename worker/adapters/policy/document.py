"""The policy file as plain values: its fields read and checked, nothing compiled yet."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

import yaml

from schemas.values import Money, OnTimeout, Risk, Verdict
from worker.adapters.policy.located_yaml import Mapping as Fields
from worker.adapters.policy.located_yaml import line_of, sequence_of, text_of
from worker.adapters.policy.problems import Problems, did_you_mean
from worker.adapters.policy.quantities import Limit, Rates, duration, limit, rate
from worker.domain.approval_policy import Level

POLICY_FIELDS = ("name", "base_currency", "levels", "rules")
LEVEL_FIELDS = ("role", "due_in", "on_timeout", "allowed_verdicts")
RULE_FIELDS = ("id", "when", "says", "level", "risk")
VERDICTS = (Verdict.APPROVE, Verdict.REJECT, Verdict.MODIFY)

_KEBAB = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", re.ASCII)
_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_NO_LIMIT: Limit = 0
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
Quantity = TypeVar("Quantity")


@dataclass(frozen=True, slots=True)
class RuleText:
    """A rule as written; `line` is the rule's, the others those of the field."""

    id: str
    line: int
    when: str
    when_line: int
    says: str
    says_line: int
    level: str
    risk: Risk


@dataclass(frozen=True, slots=True)
class Document:
    """What stands in a policy file; the problems told say what could not be read."""

    name: str
    rates: Rates
    limits: Mapping[str, Limit]
    limit_lines: Mapping[str, int]
    levels: Mapping[str, Level]
    rules: tuple[RuleText, ...]


def read_document(root: yaml.Node, problems: Problems) -> Document:
    fields = Fields(root, "the policy", problems, required=POLICY_FIELDS, optional=("rates", "limits"))
    base = _word(fields, "base_currency", _CURRENCY, "a code such as USD", problems)
    rates = _quantities(fields, "rates", _CURRENCY, "a code such as EUR", rate, Fraction(1), problems)
    limits = _quantities(fields, "limits", _NAME, "a name such as small_refund", limit, _NO_LIMIT, problems)
    if base in rates:
        problems.add(rates[base][1], f"`rates` has the base currency {base}", "remove it: it is 1")
    for name, (value, line) in limits.items():
        if base and isinstance(value, Money) and value.currency != base:
            problems.add(line, f"limit {name} is not in the base currency", f"give it in {base}")
    levels = _levels(fields, problems)
    return Document(
        name=_word(fields, "name", _KEBAB, "words such as our-shop", problems),
        rates=Rates(base, {code: value for code, (value, _) in rates.items()}),
        limits={name: value for name, (value, _) in limits.items()},
        limit_lines={name: line for name, (_, line) in limits.items()},
        levels={name: level for name, level in levels.items() if level},
        rules=_rules(fields, levels, problems),
    )


def _word(fields: Fields, key: str, pattern: re.Pattern[str], example: str, problems: Problems) -> str:
    """The field's text in the form of `pattern`; empty, with the problem told, if it differs."""
    text = fields.text(key)
    if text is None or pattern.fullmatch(text):
        return text or ""
    problems.add(fields.lines[key], f"`{key}` of {fields.name} is `{text}`", f"write {example}")
    return ""


def _quantities(
    fields: Fields,
    key: str,
    pattern: re.Pattern[str],
    example: str,
    read: Callable[[str], Quantity],
    stand_in: Quantity,
    problems: Problems,
) -> dict[str, tuple[Quantity, int]]:
    """A mapping of names to quantities, each with its line.

    What cannot be read becomes `stand_in`, so that one wrong figure is one problem and not one more
    for each rule that names it.
    """
    node = fields.fields.get(key)
    if node is None:
        return {}
    entries = Fields(node, f"`{key}`", problems, optional=None)
    quantities: dict[str, tuple[Quantity, int]] = {}
    for name in entries.fields:
        line = entries.lines[name]
        if not pattern.fullmatch(name):
            problems.add(line, f"`{key}` has the key `{name}`", f"write {example}")
        quantities[name] = (stand_in, line)
        if (text := entries.text(name)) is not None:
            try:
                quantities[name] = (read(text), line)
            except ValueError as error:
                problems.add(line, f"`{name}` of `{key}`, {text}, {error}", "mend the figure")
    return quantities


def _levels(fields: Fields, problems: Problems) -> dict[str, Level | None]:
    """By name, lowest first; None stands for one with problems, so that rules may still name it."""
    node = fields.fields.get("levels")
    if node is None:
        return {}
    entries = Fields(node, "`levels`", problems, optional=None)
    if isinstance(node, yaml.MappingNode) and not node.value:
        problems.add(line_of(node), "`levels` names no level", "add one: who answers, and by when")
    return {name: _level(name, entries.lines[name], entry, problems) for name, entry in entries.fields.items()}


def _level(name: str, line: int, node: yaml.Node, problems: Problems) -> Level | None:
    if not _KEBAB.fullmatch(name):
        problems.add(line, f"`levels` has the key `{name}`", "write words such as store-manager")
    before = len(problems.found)
    fields = Fields(node, f"level {name}", problems, required=LEVEL_FIELDS)
    role, due, on_timeout = (fields.text(key) for key in LEVEL_FIELDS[:3])
    verdicts = _verdicts(fields, problems)
    if on_timeout == OnTimeout.ESCALATE:
        problems.add(
            fields.lines["on_timeout"],
            f"`on_timeout` of level {name} is `escalate`, which is not available yet",
            "write reject",
        )
    elif on_timeout not in (None, OnTimeout.REJECT):
        problems.add(
            fields.lines["on_timeout"],
            f"`on_timeout` of level {name} is `{on_timeout}`",
            "write reject: nothing is ever approved because nobody looked",
        )
    try:
        due_in = duration(due) if due is not None else None
    except ValueError as error:
        problems.add(fields.lines["due_in"], f"`due_in` of level {name}, {due}, {error}", "mend it")
        return None
    if role is None or due_in is None or len(problems.found) > before:
        return None
    return Level(name, role, due_in, OnTimeout.REJECT, verdicts)


def _verdicts(level: Fields, problems: Problems) -> tuple[Verdict, ...]:
    node = level.fields.get("allowed_verdicts")
    if node is None:
        return ()
    verdicts: list[Verdict] = []
    for entry in sequence_of(node, f"`allowed_verdicts` of {level.name}", problems):
        word, line = text_of(entry) or "", line_of(entry)
        if word in verdicts:
            problems.add(line, f"{level.name} allows `{word}` twice", "keep one of them")
        elif word in VERDICTS:
            verdicts.append(Verdict(word))
        elif word in list(Verdict):
            problems.add(
                line,
                f"{level.name} allows `{word}`, which is not available yet",
                f"allow some of: {', '.join(VERDICTS)}",
            )
        else:
            problems.add(
                line,
                f"{level.name} allows an unknown verdict `{word}`",
                did_you_mean(word, VERDICTS),
            )
    return tuple(verdicts)


def _rules(fields: Fields, levels: Collection[str], problems: Problems) -> tuple[RuleText, ...]:
    node = fields.fields.get("rules")
    if node is None:
        return ()
    first_lines: dict[str, int] = {}
    rules: list[RuleText] = []
    for number, entry in enumerate(sequence_of(node, "`rules`", problems), start=1):
        rule = _rule(number, entry, levels, problems)
        if rule is None:
            continue
        first = first_lines.setdefault(rule.id, rule.line)
        if first != rule.line:
            problems.add(
                rule.line,
                f"rule {rule.id} exists already, on line {first}",
                "give it an id of its own",
            )
        rules.append(rule)
    return tuple(rules)


def _rule(number: int, node: yaml.Node, levels: Collection[str], problems: Problems) -> RuleText | None:
    fields = Fields(node, _rule_name(number, node), problems, required=RULE_FIELDS)
    id_ = _word(fields, "id", _KEBAB, "words such as refund-over-100", problems)
    when, says, level, risk = (fields.text(key) for key in RULE_FIELDS[1:])
    if level is not None and level not in levels:
        problems.add(
            fields.lines["level"],
            f"{fields.name} names an unknown level `{level}`",
            did_you_mean(level, levels),
        )
    if risk is not None and risk not in list(Risk):
        problems.add(
            fields.lines["risk"],
            f"{fields.name} has an unknown risk `{risk}`",
            did_you_mean(risk, list(Risk)),
        )
        return None
    if not id_ or when is None or says is None or level is None or risk is None:
        return None
    return RuleText(
        id=id_,
        line=fields.lines["id"],
        when=when,
        when_line=fields.lines["when"],
        says=says,
        says_line=fields.lines["says"],
        level=level,
        risk=Risk(risk),
    )


def _rule_name(number: int, node: yaml.Node) -> str:
    """How messages call the rule: by its id where it has one, else by its place in the list."""
    entries = node.value if isinstance(node, yaml.MappingNode) else ()
    ids = [text_of(value) for key, value in entries if text_of(key) == "id"]
    return f"rule {ids[0]}" if ids and ids[0] else f"rule number {number}"
