"""The version of a policy: a digest of what it means, whatever its comments, layout and order of rules."""

import hashlib
import json
from typing import Any

from worker.adapters.policy.action_terms import ActionText
from worker.adapters.policy.document import Document
from worker.adapters.policy.messages import meaning_of
from worker.adapters.policy.rule_texts import RuleText
from worker.domain.approval_policy import Level

VERSION_LENGTH = 16
"""Hex digits: 64 bits tell the policies of one shop apart, and a person can read them out."""


def version_of(document: Document) -> str:
    meaning = {
        "name": document.name,
        "base": document.rates.base,
        "rates": {code: str(worth) for code, worth in document.rates.worth.items()},
        "limits": {name: str(limit) for name, limit in document.limits.items()},
        "levels": [_level(level) for level in document.levels.values()],
        "rules": sorted(map(_rule, document.rules)),
        "messages": meaning_of(document.messages),
        "requires_hash": document.requires_hash,
        "claim": document.claim.total_seconds(),
        "exposure": document.exposure.total_seconds() if document.exposure else None,
    }
    if document.actions:  # a policy from before there were any keeps its version
        meaning["actions"] = sorted(map(_action, document.actions))
    canonical = json.dumps(meaning, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:VERSION_LENGTH]


def _level(level: Level) -> dict[str, Any]:
    """A calendar counts by what it says; its name is the author's own business."""
    return {**level.model_dump(mode="json"), "allowed_verdicts": sorted(level.allowed_verdicts)}


def _action(action: ActionText) -> list[str]:
    """Its levels are those that a rule would name, and a schema means the same in whatever order its keys stand."""
    schema = json.dumps(action.args_schema, sort_keys=True)
    return [action.name, ",".join(sorted(action.levels)), action.risk, schema]


def _rule(rule: RuleText) -> list[str]:
    """Levels sign in the order of the file, in whatever order a rule names them."""
    confirm = "two steps" if rule.two_step else ""
    return [rule.id, rule.when, rule.says, ",".join(sorted(rule.levels)), rule.risk, rule.amount, confirm]
