"""The `rules` of a policy as written: read and checked one by one, nothing compiled yet."""

from collections.abc import Collection
from dataclasses import dataclass

import yaml

from schemas.values import Risk
from worker.adapters.policy.condition_words import words_of, written
from worker.adapters.policy.field_values import KEBAB, one_of, word
from worker.adapters.policy.located_yaml import Mapping as Fields
from worker.adapters.policy.located_yaml import line_of, sequence_of, text_of
from worker.adapters.policy.problems import Problems, did_you_mean

REQUIRED = ("id", "when", "says", "risk")
OPTIONAL = ("level", "levels", "confirm", "amount")

OWN_AMOUNT = "amount"
AMOUNTS = (OWN_AMOUNT, "exposure.customer_total", "exposure.order_total")
"""What the ceilings of a rule's levels may be held against."""

DETAILS_THEN_METHOD = "details-then-method"


@dataclass(frozen=True, slots=True)
class RuleText:
    """A rule as written; `line` is the rule's, the others those of the field."""

    id: str
    line: int
    when: str
    when_line: int
    says: str
    says_line: int
    levels: tuple[str, ...]
    risk: Risk
    two_step: bool
    amount: str


def read_rules(node: yaml.Node | None, levels: Collection[str], problems: Problems) -> tuple[RuleText, ...]:
    if node is None:
        return ()
    ids: dict[str, int] = {}
    alike: dict[tuple[str, frozenset[str]], RuleText] = {}
    rules: list[RuleText] = []
    for number, entry in enumerate(sequence_of(node, "`rules`", problems), start=1):
        rule = _rule(number, entry, levels, problems)
        if rule is None:
            continue
        first_line = ids.setdefault(rule.id, rule.line)
        first = alike.setdefault((_plain(rule.when), frozenset(rule.levels)), rule)
        if first_line != rule.line:
            told = f"rule {rule.id} exists already, on line {first_line}"
            problems.add(rule.line, told, "give it an id of its own")
        elif first is not rule:
            told = f"rule {rule.id} has the condition and the levels of rule {first.id}, on line {first.line}"
            problems.add(rule.line, told, "keep one of them")
        rules.append(rule)
    return tuple(rules)


def _plain(condition: str) -> str:
    """The same for conditions that differ in their layout only."""
    words = words_of(condition)
    return condition if words is None else written(words)


def _rule(number: int, node: yaml.Node, levels: Collection[str], problems: Problems) -> RuleText | None:
    fields = Fields(node, _rule_name(number, node), problems, required=REQUIRED, optional=OPTIONAL)
    id_ = word(fields, "id", KEBAB, "words such as refund-over-100", problems)
    when, says = fields.text("when"), fields.text("says")
    asked = signing_levels(fields, levels, problems)
    risk = one_of(fields, "risk", list(Risk), "has an unknown risk", problems)
    confirm = one_of(fields, "confirm", [DETAILS_THEN_METHOD], "has an unknown `confirm`", problems)
    amount = one_of(fields, "amount", AMOUNTS, "weighs an unknown amount", problems)
    if not id_ or when is None or says is None or not asked or risk is None:
        return None
    return RuleText(
        id=id_,
        line=fields.lines["id"],
        when=when,
        when_line=fields.lines["when"],
        says=says,
        says_line=fields.lines["says"],
        levels=asked,
        risk=Risk(risk),
        two_step=confirm is not None,
        amount=amount or OWN_AMOUNT,
    )


def signing_levels(rule: Fields, known: Collection[str], problems: Problems) -> tuple[str, ...]:
    """The names of `level` or of `levels`, unknown ones too, so that the rest of the rule, or the action, is still
    checked."""
    if "level" in rule.lines and "levels" in rule.lines:
        problems.add(rule.lines["levels"], f"{rule.name} has both `level` and `levels`", "keep one of them")
        return ()
    if "level" in rule.lines:
        name = rule.text("level")
        found = [] if name is None else [(name, rule.lines["level"])]
    elif (node := rule.fields.get("levels")) is not None:
        entries = sequence_of(node, f"`levels` of {rule.name}", problems)
        found = [(text_of(entry) or "", line_of(entry)) for entry in entries]
    else:
        problems.add(rule.line, f"{rule.name} has neither `level` nor `levels`", "add `level: …`, who must sign")
        return ()
    for place, (name, line) in enumerate(found):
        if name not in known:
            problems.add(line, f"{rule.name} names an unknown level `{name}`", did_you_mean(name, known))
        elif name in [other for other, _ in found[:place]]:
            problems.add(line, f"{rule.name} names the level `{name}` twice", "keep one of them")
    return tuple(dict.fromkeys(name for name, _ in found))


def _rule_name(number: int, node: yaml.Node) -> str:
    """How messages call the rule: by its id where it has one, else by its place in the list."""
    entries = node.value if isinstance(node, yaml.MappingNode) else ()
    ids = [text_of(value) for key, value in entries if text_of(key) == "id"]
    return f"rule {ids[0]}" if ids and ids[0] else f"rule number {number}"
