"""The `actions` of a policy: which tool calls want a signature, whose, and what their arguments must look like."""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from schemas.values import Risk
from worker.adapters.policy.args_problems import ArgsCheck
from worker.adapters.policy.args_schemas import read_args_schema
from worker.adapters.policy.field_values import one_of
from worker.adapters.policy.located_yaml import Mapping as Fields
from worker.adapters.policy.located_yaml import line_of
from worker.adapters.policy.problems import Problems
from worker.adapters.policy.rule_texts import RuleText, signing_levels
from worker.adapters.policy.vocabulary import Evidence
from worker.domain.approval_policy import ActionTerms, Rule

FIELDS = ("signature", "level", "levels", "risk", "args_schema")
NO_SIGNATURE = "none"
LONGEST_NAME = 200
"""Characters: the event contract takes no longer names."""

_NOT_KEBAB = re.compile(r"[^a-z0-9]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class ActionText:
    """An action as written; without `levels` it wants no signature. `rule_id` is that of the rule that asks them."""

    name: str
    line: int
    rule_id: str
    levels: tuple[str, ...]
    risk: Risk
    args_schema: Mapping[str, Any] | None

    @property
    def passes(self) -> bool:
        return not self.levels

    def terms(self) -> ActionTerms:
        if self.args_schema is None:
            return ActionTerms(passes=self.passes)
        return ActionTerms(self.passes, self.args_schema, ArgsCheck(self.args_schema))

    def rule(self) -> Rule:
        """The rule that asks for the signatures, of an action that wants some."""
        return Rule(
            id=self.rule_id,
            applies=lambda evidence: self.name in evidence.actions,
            says=self._says,
            levels=self.levels,
            risk=self.risk,
            per_action=True,
            when=f"{json.dumps(self.name, ensure_ascii=False)} in exception.actions",
        )

    def _says(self, evidence: Evidence) -> str:
        times = evidence.actions.count(self.name)
        repeated = f", {times} times" if times > 1 else ""
        return f"{evidence.facts.exception.requested_by} asks to run {self.name}{repeated}"


def read_actions(
    node: yaml.Node | None,
    levels: Collection[str],
    rules: Iterable[RuleText],
    built_in_ids: Collection[str],
    problems: Problems,
) -> tuple[ActionText, ...]:
    """In the order of the file. An action with problems is among them if its name and levels can be told."""
    if node is None:
        return ()
    entries = Fields(node, "`actions`", problems, optional=None)
    if isinstance(node, yaml.MappingNode) and not node.value:
        problems.add(line_of(node), "`actions` names no action", "add one, or remove `actions`")
    ids = _rule_ids(entries.fields, built_in_ids)
    for rule in rules:
        for name in (name for name, id_ in ids.items() if id_ == rule.id):
            told = f"rule {rule.id} has the id of the rule that asks for signatures of the action {name}"
            problems.add(rule.line, told, "rename it")
    found = []
    for name, entry in entries.fields.items():
        if len(name) > LONGEST_NAME:
            told = f"`actions` has a name of more than {LONGEST_NAME} characters"
            problems.add(entries.lines[name], told, "no action is called that")
        found.append(_action(name, entries.lines[name], ids[name], entry, levels, problems))
    return tuple(text for text in found if text is not None)


def _rule_ids(names: Iterable[str], taken: Collection[str]) -> dict[str, str]:
    """`action-send-email` for send_email and for sendEmail; where two come out alike, the later one gets a number."""
    ids: dict[str, str] = {}
    for name in names:
        words = _NOT_KEBAB.sub("-", _HUMP.sub("-", name).lower()).strip("-")
        id_, number = f"action-{words}".rstrip("-"), 2
        plain = id_
        while id_ in taken or id_ in ids.values():
            id_, number = f"{plain}-{number}", number + 1
        ids[name] = id_
    return ids


def _action(
    name: str, line: int, rule_id: str, node: yaml.Node, levels: Collection[str], problems: Problems
) -> ActionText | None:
    fields = Fields(node, f"action {name}", problems, optional=FIELDS)
    schema = None
    if (written := fields.fields.get("args_schema")) is not None:
        schema = read_args_schema(written, fields.name, problems)
    if "signature" in fields.lines:
        return ActionText(name, line, rule_id, (), Risk.LOW, schema) if _passes(fields, problems) else None
    signing = signing_levels(fields, levels, problems)
    risk = one_of(fields, "risk", list(Risk), "has an unknown risk", problems)
    if "risk" not in fields.lines:
        problems.add(fields.line, f"{fields.name} has no `risk`", "add `risk: …`")
    if not signing or risk is None:
        return None
    return ActionText(name, line, rule_id, signing, Risk(risk), schema)


def _passes(fields: Fields, problems: Problems) -> bool:
    """Whether an action that has a `signature` is one without; it says that in one way or the other, not in both."""
    beside = [key for key in ("level", "levels", "risk") if key in fields.lines]
    for key in beside:
        told = f"{fields.name} has both `signature` and `{key}`"
        problems.add(fields.lines[key], told, "keep `signature: none` alone, or say who signs")
    text = fields.text("signature")
    if text is not None and text != NO_SIGNATURE:
        told = f"`signature` of {fields.name} is `{text}`"
        problems.add(fields.lines["signature"], told, "write none, or `level: …` in its place")
    return text == NO_SIGNATURE and not beside
