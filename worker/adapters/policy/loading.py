"""From a policy file to a policy that is known to run, or to every problem it has."""

import hashlib
import json
import re
from importlib.resources import files
from pathlib import Path

from schemas.values import PolicyReference
from worker.adapters.policy.built_in_rules import BUILT_IN_IDS, built_in_rules
from worker.adapters.policy.conditions import condition
from worker.adapters.policy.document import Document, read_document
from worker.adapters.policy.located_yaml import root_of
from worker.adapters.policy.problems import PolicyError, Problem, Problems
from worker.adapters.policy.sample_facts import samples
from worker.adapters.policy.sentences import sentence
from worker.adapters.policy.vocabulary import EvidenceReader
from worker.domain.approval_policy import ApprovalPolicy, Rule

DEFAULT_FILE = "default_policy.yaml"
VERSION_LENGTH = 16
"""Hex digits: 64 bits tell the policies of one shop apart, and a person can read them out."""


def load_policy(path: Path | None = None) -> ApprovalPolicy:
    """The policy in a file, or the default one of this package. Raises PolicyError."""
    if path is None:
        return parse_policy(files(__package__).joinpath(DEFAULT_FILE).read_bytes(), DEFAULT_FILE)
    try:
        content = path.read_bytes()
    except OSError as error:
        what = f"cannot be read: {error.strerror or error}"
        advice = "give the path of a policy file, or none for the default policy"
        raise PolicyError(str(path), [Problem(0, what, advice)]) from error
    return parse_policy(content, str(path))


def parse_policy(content: bytes, file: str) -> ApprovalPolicy:
    """The policy in YAML bytes; `file` is what messages call it. Raises PolicyError."""
    problems = Problems()
    root = root_of(content, problems)
    if root is None:
        raise PolicyError(file, problems.found)
    document = read_document(root, problems)
    read = EvidenceReader(document.rates, document.limits)
    rules = _compile(document, read, problems)
    if problems.found:
        raise PolicyError(file, problems.found)
    return ApprovalPolicy(
        reference=PolicyReference(name=document.name, version=version_of(document)),
        rules=(*rules, *built_in_rules(list(document.levels))),
        levels=document.levels,
        read=read,
    )


def _compile(document: Document, read: EvidenceReader, problems: Problems) -> list[Rule]:
    """The rules that are in order; what is wrong with the others is told."""
    tried_on = samples(read, document.rates.base or "USD")
    rules: list[Rule] = []
    for text in document.rules:
        if text.id in BUILT_IN_IDS:
            problems.add(text.line, f"rule {text.id} is built in", "remove it or rename it")
        name = f"rule {text.id}"
        applies = condition(text.when, text.when_line, name, document.limits, tried_on, problems)
        says = sentence(text.says, text.says_line, name, document.limits, problems)
        if applies and says:
            rules.append(Rule(text.id, applies, says, text.level, text.risk, when=text.when))
    if not problems.found:
        _refuse_unused_limits(document, problems)
    return rules


def _refuse_unused_limits(document: Document, problems: Problems) -> None:
    """A figure that no rule names looks as if it counted, and does not."""
    written = " ".join(f"{text.when} {text.says}" for text in document.rules)
    for limit, line in document.limit_lines.items():
        if not re.search(rf"\blimits\s*\.\s*{limit}\b", written):
            problems.add(line, f"limit {limit} is named by no rule", "use it or remove it")


def version_of(document: Document) -> str:
    """A digest of what the policy means, whatever its comments, layout and order of rules."""
    meaning = {
        "name": document.name,
        "base": document.rates.base,
        "rates": {code: str(worth) for code, worth in document.rates.worth.items()},
        "limits": {name: str(limit) for name, limit in document.limits.items()},
        "levels": [
            [
                level.name,
                level.role,
                level.due_in.total_seconds(),
                level.on_timeout,
                *sorted(level.allowed_verdicts),
            ]
            for level in document.levels.values()
        ],
        "rules": sorted([rule.id, rule.when, rule.says, rule.level, rule.risk] for rule in document.rules),
    }
    canonical = json.dumps(meaning, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:VERSION_LENGTH]
