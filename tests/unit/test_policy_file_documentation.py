"""The page that authors of policies read says what the code does."""

from pathlib import Path

import pytest

from worker.adapters.policy.built_in_rules import BUILT_IN_IDS
from worker.adapters.policy.expressions import FUNCTIONS
from worker.adapters.policy.loading import load_policy, parse_policy
from worker.adapters.policy.problems import PolicyError
from worker.adapters.policy.vocabulary import VARIABLES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
DEFAULT = ROOT / "worker" / "adapters" / "policy" / "default_policy.yaml"


def table(heading: str) -> dict[str, str]:
    """The rows under a heading: first cell, without backquotes, to the rest."""
    section = PAGE.split(f"{heading}\n", 1)[1].split("\n#", 1)[0]
    rows = [line.split("|", 2) for line in section.splitlines() if line.startswith("| `")]
    return {cell.strip().strip("`"): rest for _, cell, rest in rows}


def test_the_page_lists_every_name_and_every_word_a_rule_may_use() -> None:
    documented = table("### What a rule may look at")
    assert documented.keys() == {*VARIABLES, "limits.NAME"}
    for name, variable in VARIABLES.items():
        assert all(f"`{word}`" in documented[name] for word in variable.words), name


def test_the_page_lists_the_built_in_rules_and_the_functions() -> None:
    assert table("## Built in, whatever the file says").keys() == BUILT_IN_IDS
    assert all(f"`{function}`" in PAGE for function in FUNCTIONS)


def test_the_example_of_a_refusal_is_what_a_policy_author_sees() -> None:
    shown = next(line for line in PAGE.splitlines() if line.startswith("shop.yaml:"))
    spoilt = DEFAULT.read_bytes().replace(b'customer.tier == "vip"', b'customer.tier == "gold"')
    with pytest.raises(PolicyError) as refused:
        parse_policy(spoilt, "shop.yaml")
    assert str(refused.value) == shown


def test_the_default_policy_of_the_package_is_the_file_that_the_page_names() -> None:
    assert load_policy().reference == load_policy(DEFAULT).reference
