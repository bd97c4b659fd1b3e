"""The page that authors of policies read says what the code does."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from schemas.values import Action, ApprovalPart, ExceptionKind
from tests.builders import an_exception, eur, some_facts, usd
from tests.unit.policy_files import a_refund, chain
from worker.adapters.policy import (
    action_terms,
    args_schemas,
    deadline_steps,
    document,
    levels,
    plain_data,
    rule_texts,
)
from worker.adapters.policy.built_in_rules import BUILT_IN_IDS
from worker.adapters.policy.expressions import FUNCTIONS
from worker.adapters.policy.loading import load_policy, parse_policy
from worker.adapters.policy.problems import PolicyError
from worker.adapters.policy.rule_texts import AMOUNTS, DETAILS_THEN_METHOD, OWN_AMOUNT
from worker.adapters.policy.vocabulary import VARIABLES
from worker.domain.approval_policy import ApprovalPolicy, Cap
from worker.domain.deadlines import DeadlineAction, DeadlineStep
from worker.domain.exposure import Exposure
from worker.domain.order_exception import Facts

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
DEFAULT = ROOT / "worker" / "adapters" / "policy" / "default_policy.yaml"
EXAMPLES = {
    match[1]: match[0]
    for match in re.finditer(r"(?<=^```yaml\n)name: (\S+)\n.*?(?=^```$)", PAGE, re.DOTALL | re.MULTILINE)
}


def table(heading: str) -> dict[str, str]:
    """The rows under a heading: first cell, without backquotes, to the rest."""
    section = PAGE.split(f"{heading}\n", 1)[1].split("\n#", 1)[0]
    rows = [line.split("|", 2) for line in section.splitlines() if line.startswith("| `")]
    return {cell.strip().replace("`", ""): rest for _, cell, rest in rows}


def example(name: str) -> ApprovalPolicy:
    return parse_policy(EXAMPLES[name].encode(), f"{name}.yaml")


def of_kind(kind: ExceptionKind, *actions: str) -> Facts:
    exception = an_exception(kind=kind, actions=tuple(Action(name=name) for name in actions))
    return some_facts(exception if not actions else exception.model_copy(update={"amount": None}))


def flagged(*flags: str) -> Facts:
    return some_facts(an_exception(compliance_flags=flags))


def after_others(*minor: int) -> Facts:
    exposure = Exposure(customer=(usd(sum(minor)),), customer_cases=len(minor))
    return a_refund(usd(9_000)).model_copy(update={"exposure": exposure})


JUDGED = [
    ("tiers", a_refund(usd(10_000)), []),
    ("tiers", a_refund(usd(15_000)), ["manager"]),
    ("tiers", a_refund(usd(150_000)), ["manager", "director"]),
    ("tiers", a_refund(usd(1_500_000)), ["manager", "director", "vp"]),
    ("tiers", a_refund(eur(92_592)), ["manager"]),
    ("tiers", a_refund(eur(92_593)), ["manager", "director"]),
    ("technical-then-business", of_kind(ExceptionKind.ACCOUNT_CHANGE), ["technical", "business"]),
    ("destructive-actions", of_kind(ExceptionKind.ACTION_REQUEST, "drop_table"), ["engineer", "dba", "legal"]),
    ("destructive-actions", of_kind(ExceptionKind.ACTION_REQUEST, "send_email"), ["on-call"]),
    ("tool-calls", of_kind(ExceptionKind.ACTION_REQUEST, "search_orders"), []),
    ("tool-calls", of_kind(ExceptionKind.ACTION_REQUEST, "send_email"), ["support"]),
    ("tool-calls", of_kind(ExceptionKind.ACTION_REQUEST, "run_sql"), ["support", "dba"]),
    ("tool-calls", of_kind(ExceptionKind.ACTION_REQUEST, "search_orders", "buy_stock"), ["finance"]),
    ("tool-calls", of_kind(ExceptionKind.ACTION_REQUEST, "wire_money"), ["support"]),
    ("tool-calls", of_kind(ExceptionKind.ACTION_REQUEST, "wire_money", "buy_stock"), ["support", "finance"]),
    ("two-of-three", flagged("aml"), ["board"]),
    ("two-of-three", flagged(), []),
    ("two-steps", of_kind(ExceptionKind.CANCELLATION), ["manager", "manager"]),
    ("with-deadlines", of_kind(ExceptionKind.PRICE_ADJUSTMENT), ["manager"]),
    ("structuring", a_refund(usd(9_000)), []),
    ("structuring", after_others(9_000), ["manager"]),
    ("structuring", after_others(*[9_000] * 10), ["manager"]),
    ("structuring", after_others(*[9_000] * 11), ["manager", "director"]),
    ("sealed", some_facts(an_exception(confidence=0.79)), ["manager"]),
    ("capped", a_refund(usd(1)), ["manager"]),
]


@pytest.mark.parametrize(("name", "facts", "asked"), JUDGED)
def test_an_example_asks_whom_the_page_says(name: str, facts: Facts, asked: list[str]) -> None:
    assert chain(example(name), facts) == asked


def test_every_example_is_shown_to_work_and_every_block_is_an_example() -> None:
    assert EXAMPLES.keys() == {name for name, _, _ in JUDGED}
    assert PAGE.count("```yaml\n") == len(EXAMPLES)


def test_the_examples_have_the_quorum_the_seal_the_cap_and_the_claims_that_the_page_says() -> None:
    assert example("two-of-three").levels["board"].quorum == 2
    assert example("capped").levels["manager"].cap == Cap(amount=usd(1_000_000), window=timedelta(days=1))
    assert (example("sealed").requires_hash, example("sealed").claim) == (True, timedelta(minutes=30))
    assert example("structuring").exposure == timedelta(days=30)


def test_the_two_steps_of_the_example_are_details_and_method() -> None:
    asked = example("two-steps").judge(of_kind(ExceptionKind.CANCELLATION)).chain
    assert [level.part for level in asked] == [ApprovalPart.DETAILS, ApprovalPart.METHOD]


def test_the_deadlines_of_the_example_are_those_of_the_page() -> None:
    manager = example("with-deadlines").levels["manager"]
    assert manager.deadlines == (
        DeadlineStep(at=0.5, do=DeadlineAction.REMIND),
        DeadlineStep(at=0.75, do=DeadlineAction.HAND_OVER, to="duty-managers"),
    )
    assert manager.calendar is not None
    assert manager.calendar.timezone == "Europe/Berlin"


def test_an_unsure_agent_of_the_example_waits_with_everything() -> None:
    asked = of_kind(ExceptionKind.ACTION_REQUEST, "search_orders").exception
    sure, unsure = (asked.model_copy(update={"confidence": confidence}) for confidence in (0.5, 0.4))
    assert chain(example("tool-calls"), some_facts(sure)) == []
    assert chain(example("tool-calls"), some_facts(unsure)) == ["support"]
    assert not example("tool-calls").judge(some_facts(unsure)).per_action


def test_the_purchase_of_the_example_waits_alone() -> None:
    mixed = of_kind(ExceptionKind.ACTION_REQUEST, "search_orders", "buy_stock")
    assert example("tool-calls").judge(mixed).per_action


def test_arguments_are_refused_in_the_words_of_the_page() -> None:
    check = example("tool-calls").actions["buy_stock"].problem_with
    assert check({"symbol": "ACME", "quantity": 100}) is None
    assert f"``{check({'symbol': 'ACME', 'quantity': 101})}``" in PAGE


def test_the_page_names_the_formats_that_are_checked() -> None:
    assert f"a `format` other than {', '.join(f'`{name}`' for name in args_schemas.FORMATS)} are" in PAGE
    assert f"{plain_data.MAX_SIZE // 1024} KiB and {plain_data.MAX_DEPTH} levels" in PAGE


def test_the_page_lists_every_field() -> None:
    assert table("## The file").keys() == {*document.REQUIRED, *document.OPTIONAL}
    assert table("## A level").keys() == {*levels.REQUIRED, *levels.OPTIONAL}
    action = {key for cell in table("## An action") for key in cell.split(", or ")}
    assert action == {*action_terms.FIELDS}
    rule = table("## A rule")
    assert {key for cell in rule for key in cell.split(", or ")} == {*rule_texts.REQUIRED, *rule_texts.OPTIONAL}
    assert DETAILS_THEN_METHOD in rule["confirm"]
    assert all(f"`{amount}`" in rule["amount"] for amount in AMOUNTS if amount != OWN_AMOUNT)
    assert all(f"do: {step}" in table("## A level")["deadlines"] for step in deadline_steps.STEPS)


def test_the_page_lists_every_name_and_every_word_a_rule_may_use() -> None:
    documented = table("### What a rule may look at")
    assert documented.keys() == {*VARIABLES, "limits.NAME"}
    for name, variable in VARIABLES.items():
        assert all(f"`{word}`" in documented[name] for word in variable.words), name


def test_the_page_lists_the_built_in_rules_and_whom_they_ask() -> None:
    documented = table("## Built in, whatever the file says")
    assert documented.keys() == BUILT_IN_IDS
    for rule in load_policy().rules:
        if rule.built_in:
            whom = "and all above it" if len(rule.levels) > 1 else "if nobody else is asked" if rule.fallback else ""
            assert documented[rule.id].rstrip(" |").endswith(f"the first level{',' * rule.fallback} {whom}".rstrip())


def test_the_page_lists_the_functions() -> None:
    assert all(f"`{function}`" in PAGE for function in FUNCTIONS)


SPOILT = (
    (b'customer.tier == "vip"', b'customer.tier == "gold"'),
    (b"escalates_to: vp", b"escalates_to: manager"),
    (b"exception.quantity > limits.pieces", b"exception.quantity < 0 && limits.pieces > 0"),
)


def test_the_examples_of_refusals_are_what_a_policy_author_sees() -> None:
    shown = [line for line in PAGE.splitlines() if line.startswith("shop.yaml:")]
    told = []
    for changes in (SPOILT[:1], SPOILT[1:]):
        content = DEFAULT.read_bytes()
        for old, new in changes:
            assert content.count(old) == 1
            content = content.replace(old, new)
        with pytest.raises(PolicyError) as refused:
            parse_policy(content, "shop.yaml")
        told += str(refused.value).splitlines()
    assert told == shown


def test_the_default_policy_of_the_package_is_the_file_that_the_page_names() -> None:
    assert load_policy().reference == load_policy(DEFAULT).reference
