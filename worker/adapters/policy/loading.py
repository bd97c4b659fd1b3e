"""From a policy file to a policy that is known to run, or to every problem it has."""

import re
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path

from schemas.values import Money, PolicyReference
from worker.adapters.policy.built_in_rules import BUILT_IN_IDS, built_in_rules
from worker.adapters.policy.conditions import condition
from worker.adapters.policy.document import Document, read_document
from worker.adapters.policy.ladders import check_reach, ladder
from worker.adapters.policy.located_yaml import root_of
from worker.adapters.policy.meaning import version_of
from worker.adapters.policy.messages import read_messages
from worker.adapters.policy.problems import PolicyError, Problems, content_of
from worker.adapters.policy.rule_texts import OWN_AMOUNT, RuleText
from worker.adapters.policy.sample_facts import samples
from worker.adapters.policy.sentences import sentence
from worker.adapters.policy.vocabulary import Evidence, EvidenceReader
from worker.domain.approval_policy import ApprovalPolicy, Rule
from worker.domain.order_exception import Facts

DEFAULT_FILE = "default_policy.yaml"


def load_policy(path: Path | None = None) -> ApprovalPolicy:
    """The policy in a file, or the default one of this package. Raises PolicyError."""
    if path is None:
        return parse_policy(files(__package__).joinpath(DEFAULT_FILE).read_bytes(), DEFAULT_FILE)
    advice = "give the path of a policy file, or none for the default policy"
    return parse_policy(content_of(path, PolicyError, advice), str(path))


def parse_policy(content: bytes, file: str) -> ApprovalPolicy:
    """The policy in YAML bytes; `file` is what messages call it. Raises PolicyError."""
    problems = Problems()
    root = root_of(content, problems)
    if root is None:
        raise PolicyError(file, problems.found)
    document = read_document(root, problems)
    read = EvidenceReader(document.rates, document.limits)
    tried_on = samples(document.rates.base)
    rules = _compile(document, read, tried_on, problems)
    draft = read_messages(document.messages, problems, tuple(tried_on.values()))
    if not problems.found:
        _refuse_what_is_never_used(document, problems)
    if problems.found:
        raise PolicyError(file, problems.found)
    first = next(iter(document.levels))
    actions = {text.name: text.terms() for text in document.actions}
    asking = [text.rule() for text in document.actions if not text.passes]
    return ApprovalPolicy(
        reference=PolicyReference(name=document.name, version=version_of(document)),
        rules=(*rules, *asking, *built_in_rules(ladder(first, document.levels), actions)),
        levels=document.levels,
        actions=actions,
        read=read,
        compare=document.rates.compare,
        draft=draft,
        exposure=document.exposure,
        requires_hash=document.requires_hash,
        claim=document.claim,
    )


def _compile(document: Document, read: EvidenceReader, tried_on: Mapping[str, Facts], problems: Problems) -> list[Rule]:
    """The rules that are in order; what is wrong with the others is told."""
    evidence = {described: read(facts) for described, facts in tried_on.items()}
    rules: list[Rule] = []
    for text in document.rules:
        if text.id in BUILT_IN_IDS:
            problems.add(text.line, f"rule {text.id} is built in", "remove it or rename it")
        name = f"rule {text.id}"
        applies = condition(text.when, text.when_line, name, document.limits, evidence, problems)
        says = sentence(text.says, text.says_line, name, document.limits, problems)
        if applies and says:
            rules.append(
                Rule(
                    id=text.id,
                    applies=applies,
                    says=says,
                    levels=text.levels,
                    risk=text.risk,
                    two_step=text.two_step,
                    weighs=_weighing(text.amount),
                    when=text.when,
                )
            )
    return rules


def _weighing(amount: str) -> Callable[[Evidence], Money] | None:
    """The case's own amount is held against every ceiling anyway."""
    return None if amount == OWN_AMOUNT else lambda evidence: evidence.sums[amount]


def _refuse_what_is_never_used(document: Document, problems: Problems) -> None:
    """A figure, a level or a window that nothing names looks as if it counted, and does not."""
    written = " ".join(f"{text.when} {text.says}" for text in document.rules)
    for limit, line in document.limit_lines.items():
        if not re.search(rf"\blimits\s*\.\s*{limit}\b", written):
            problems.add(line, f"limit {limit} is named by no rule", "use it or remove it")
    asked = {level for text in document.rules for level in text.levels}
    asked |= {level for text in document.actions for level in text.levels}
    check_reach(document.level_texts, asked, problems)
    looking = [text for text in document.rules if _looks_at_other_cases(text)]
    if looking and document.exposure is None:
        told = f"rule {looking[0].id} looks at other cases, and the policy does not say how far back"
        problems.add(looking[0].line, told, "add `exposure_window: 30d` to the policy")
    if document.exposure is not None and not looking:
        told = "`exposure_window` is given, and no rule looks at other cases"
        problems.add(document.exposure_line, told, "use an `exposure.…` name in a rule, or remove the window")


def _looks_at_other_cases(rule: RuleText) -> bool:
    written = f"{rule.when} {rule.amount}"
    return "{exposure." in rule.says or re.search(r"(?<![\w.])exposure\s*\.", written) is not None
