"""A policy that could not do what its author meant is refused, with the line and the reason."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.adapters.policy.loading import load_policy, parse_policy
from worker.adapters.policy.problems import PolicyError

GOOD = """\
name: shop
base_currency: USD
rates: {EUR: 1.08}
limits:
  small: 100.00 USD
levels:
  manager:
    role: manager
    due_in: 24h
    on_timeout: reject
    allowed_verdicts: [approve, reject]
rules:
  - id: large
    when: amount > limits.small
    says: "{amount} is over {limits.small}"
    level: manager
    risk: medium
  - id: second
    when: order.known
    says: always
    level: manager
    risk: low
"""

LEVEL = "{role: clerk, due_in: 7d, on_timeout: reject, allowed_verdicts: [approve]}"


def problems_of(content: str | bytes) -> list[tuple[int, str]]:
    """The line and the whole message of each problem."""
    raw = content if isinstance(content, bytes) else content.encode()
    with pytest.raises(PolicyError) as refused:
        parse_policy(raw, "p.yaml")
    error = refused.value
    assert (error.line, error.reason) == (error.problems[0].line, error.problems[0].reason)
    assert len(str(error).splitlines()) == len(error.problems)
    return [(problem.line, f"{problem.reason}; {problem.advice}") for problem in error.problems]


def test_the_policy_that_the_others_are_spoilt_from_is_good() -> None:
    policy = parse_policy(GOOD.encode(), "p.yaml")
    assert [rule.id for rule in policy.rules if not rule.built_in] == ["large", "second"]


SPOILT = {
    "missing name": ("name: shop\n", "", 1, "the policy has no `name`; add `name: …`"),
    "unknown key": ("rates:", "rate:", 3, "an unknown key `rate`; did you mean rates?"),
    "unknown key of a level": ("due_in: 24h", "due_in: 24h\n    quorom: 2", 10, "`quorom`; did you mean quorum?"),
    "key twice": ("rates:", "name: x\nrates:", 3, "`name` twice, first on line 1; keep one"),
    "name in other words": ("shop", "Our Shop", 1, "`Our Shop`; write words such as our-shop"),
    "no base currency code": ("USD\nrates", "dollars\nrates", 2, "`dollars`; write a code"),
    "rate that is no number": ("1.08", "often", 3, "is not a number such as 1.08"),
    "rate of zero": ("1.08", "0", 3, "is not above 0"),
    "rate of the base": ("EUR: 1.08", "USD: 1", 3, "the base currency USD; remove it"),
    "rate of no currency": ("EUR", "euro", 3, "`euro`; write a code such as EUR"),
    "limit without currency": ("100.00 USD", "$100", 5, "neither an amount such as 100.00 USD"),
    "limit in fractions of a cent": ("100.00 USD", "1.001 USD", 5, "more than the 2 digits"),
    "limit in another currency": ("100.00 USD", "100.00 EUR", 5, "give it in USD"),
    "limit that nobody names": ("levels:", "  spare: 3\nlevels:", 6, "spare is named by no rule"),
    "level without role": ("    role: manager\n", "", 8, "level manager has no `role`"),
    "due in a number": ("24h", "24", 9, "not a duration such as 24h, 30m, 90s or 7d"),
    "due at once": ("24h", "0h", 9, "not a duration"),
    "due in years": ("24h", "400d", 9, "longer than a year"),
    "due empty": ("24h", "", 9, "`due_in` of level manager is not text; write a value"),
    "automatic approval": ("reject\n", "approve\n", 10, "nothing is ever approved because nobody"),
    "unknown verdict": ("[approve", "[aprove", 11, "`aprove`; did you mean approve?"),
    "verdict twice": ("[approve", "[reject", 11, "`reject` twice"),
    "no verdict": ("[approve, reject]", "[]", 11, "is not a list with entries"),
    "level name": ("rules:", f"  Clerk: {LEVEL}\nrules:", 12, "words such as store-manager"),
    "unquoted !": ("when: order", "when: !order", 19, "a ! at the start needs"),
    "rules that are no list": (GOOD[GOOD.index("rules:") :], "rules: none", 12, "is not a list"),
    "rule without id": ("- id: large\n    when", "- when", 13, "rule number 1 has no `id`"),
    "rule with a shouted id": ("large", "LARGE", 13, "`LARGE`; write words such as"),
    "two rules of one id": ("second", "large", 18, "rule large exists already, on line 13"),
    "built-in id": ("second", "over-remaining", 18, "rule over-remaining is built in"),
    "unknown level": ("level: manager", "level: manger", 16, "did you mean manager?"),
    "rule without level": ("    level: manager\n", "", 13, "has neither `level` nor `levels`; add `level: …`"),
    "level and levels": (
        "risk: low",
        "risk: low\n    levels: [manager]",
        23,
        "has both `level` and `levels`; keep one",
    ),
    "levels that are no list": ("level: manager\n    risk: low", "levels: manager\n    risk: low", 21, "not a list"),
    "unknown level in levels": (
        "level: manager\n    risk: low",
        "levels: [boss]\n    risk: low",
        21,
        "known are: manager",
    ),
    "level twice": (
        "level: manager\n    risk: low",
        "levels: [manager, manager]\n    risk: low",
        21,
        "`manager` twice",
    ),
    "rule in unknown steps": (
        "risk: low",
        "risk: low\n    confirm: twice",
        23,
        "`twice`; known are: details-then-method",
    ),
    "rule with unknown amount": (
        "risk: low",
        "risk: low\n    amount: total",
        23,
        "unknown amount `total`; known are: amount",
    ),
    "rules alike": (
        "order.known",
        "amount>limits . small",
        18,
        "has the condition and the levels of rule large, on line 13",
    ),
    "seal in other words": (
        "rules:",
        "review_hash: yes\nrules:",
        12,
        "unknown `review_hash` `yes`; known are: required",
    ),
    "claims for ever": (
        "rules:",
        "claims_last: ever\nrules:",
        12,
        "`claims_last` of the policy, ever, is not a duration",
    ),
    "window for nothing": (
        "rules:",
        "exposure_window: 30d\nrules:",
        12,
        "no rule looks at other cases; use an `exposure.…`",
    ),
    "other cases without a window": ("order.known", "exposure.order_cases > 1", 18, "add `exposure_window: 30d`"),
    "sentence about other cases": ("says: always", 'says: "{exposure.order_cases}"', 18, "add `exposure_window: 30d`"),
    "weighing other cases": (
        "risk: low",
        "risk: low\n    amount: exposure.order_total",
        18,
        "add `exposure_window: 30d`",
    ),
    "unused calendar": (
        "rules:",
        "calendars:\n  office: {timezone: UTC, days: [mon], hours: 09:00-17:00}\nrules:",
        13,
        "calendar office is named by no level; use it or remove it",
    ),
    "message that cannot be": ("rules:", "messages: {refund: {approve: '{{ amont }}'}}\nrules:", 12, "amont"),
    "unknown risk": ("medium", "huge", 17, "unknown risk `huge`; known are: low, medium, high"),
    "sentence that is a mapping": ("says: always", "says: {a: b}", 20, "put it in quotes"),
    "unknown placeholder": ("{amount}", "{amont}", 15, "{amont}; did you mean amount?"),
    "single brace": ("always", "al}ways", 20, "has a single brace"),
    "endless sentence": ("always", "x" * 301, 20, "longer than 300 characters"),
    "broken YAML": ("- id: large", "- id: [large", 14, "is not YAML"),
    "python in YAML": ("name: shop", "name: !!python/name:os.system shop", 1, "is not text"),
    "two documents": ("rates:", "---\nrates:", 3, "is not YAML"),
}


@pytest.mark.parametrize(("old", "new", "line", "message"), SPOILT.values(), ids=SPOILT)
def test_one_mistake_is_one_problem_at_its_line(old: str, new: str, line: int, message: str) -> None:
    assert old in GOOD
    ((place, told),) = problems_of(GOOD.replace(old, new, 1))
    assert place == line
    assert message in told


def test_a_misspelt_key_is_told_beside_the_one_that_is_missing() -> None:
    told = problems_of(GOOD.replace("due_in", "due_im"))
    assert told == [
        (8, "level manager has no `due_in`; add `due_in: …`"),
        (9, "level manager has an unknown key `due_im`; did you mean due_in?"),
    ]


CONDITIONS = {
    "amont > 1": "unknown name `amont`; did you mean amount?",
    "exception.kynd == 'refund'": "unknown name `exception.kynd`; did you mean exception.kind?",
    "false && order.typo": "unknown name `order.typo`; known are: order.known,",
    "has(exception.typo)": "unknown name `exception.typo`",
    "amount > limits.large": "unknown name `limits.large`; known are: limits.small",
    "order == null": "uses `order` as a whole; name one of its facts, such as order.known",
    "exception['kind'] == 'refund'": "uses `exception` as a whole",
    "sise(exception.kind) > 1": "unknown function `sise`; did you mean size?",
    "size(exception.kind, 1) > 1": "`size` cannot be called like that",
    "exception.kind == 'refnd'": "with 'refnd', which it can never be; did you mean refund?",
    "'shiped' != order.status": "with 'shiped', which it can never be; did you mean shipped?",
    "customer.tier in ['vip', 'gold']": "with 'gold', which it can never be",
    "exception.kind == 5": "with 5, which it can never be; it is text",
    "amount == '100'": "with '100', which it can never be; it is a whole number",
    "customer.known == 1": "with 1, which it can never be; it is true or false",
    "amount > '1'": "fails for a refund with every field, order paid: an operation between types",
    "amount + 1": "gives a number (1000000000001) for a refund with every field, order paid",
    "exception.kind": "gives text ('refund')",
    "1 +": "is not CEL: mismatched input end of the text at column 4",
    "1 / order.captured > 0": "fails for a refund with few fields: division by zero",
    "exception.compliance_flags[0] == 'aml'": "fails for a refund with few fields: index out",
    "exception.kind.matches('(')": "not a valid regex",
    "[1].exists(amount, amount > 1)": "gives the name `amount` another meaning",
    "true" + " && true" * 200: "longer than 1000 characters",
}


@pytest.mark.parametrize(("condition", "message"), CONDITIONS.items())
def test_a_condition_that_cannot_mean_what_it_says_is_refused(condition: str, message: str) -> None:
    spoilt = GOOD.replace("when: order.known", f'when: "{condition}"')
    ((line, told),) = problems_of(spoilt)
    assert line == 19
    assert told.startswith("`when` of rule second ")
    assert message in told


@pytest.mark.parametrize(
    "condition",
    [
        "true",
        "exception . kind == 'refund'",
        "exception.requested_by == 'order.typo'",
        "amount > 1 // but not exception.typo",
        "exception.kind == r'refund'",
        "exception.compliance_flags.exists(flag, flag == 'aml')",
        "'aml' in exception.compliance_flags",
        "exception.confidence == 1",
        "amount % 100 == 0",
        "amount - 100 == 5 || 5 + amount == 100",
        "order.status != 'paid' ? amount > 1 : false",
        "exception.requested_by.startsWith('agent:')",
        "order.known && order.captured == order.refunded",
    ],
)
def test_a_sound_condition_is_taken(condition: str) -> None:
    policy = parse_policy(GOOD.replace("when: order.known", f'when: "{condition}"').encode(), "p.yaml")
    assert policy.rules[1].when == condition


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    spoilt = GOOD.replace("24h", "soon").replace("risk: low", "risk: tiny").replace("{amount}", "{x}")
    assert [line for line, _ in problems_of(spoilt)] == [9, 15, 22]


def test_a_problem_reads_file_line_what_and_what_to_do() -> None:
    with pytest.raises(PolicyError) as refused:
        parse_policy(GOOD.replace("level: manager", "level: manger", 1).encode(), "shop.yaml")
    assert str(refused.value) == ("shop.yaml:16: rule large names an unknown level `manger`; did you mean manager?")


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (b"", 0, "is empty"),
        (b"# nothing but a comment\n", 0, "is empty"),
        (b"name: shop\nbase: \xff", 2, "is not UTF-8 text"),
        (b"name: \x00", 0, "is not YAML"),
        (b"- a\n", 1, "the policy is not a mapping"),
        (b"[" * 100_000, 0, "is nested too deeply"),
        (b"#" * 300_000, 0, "is larger than 256 KiB"),
    ],
)
def test_what_is_no_policy_at_all_is_refused(content: bytes, line: int, message: str) -> None:
    ((place, told),) = problems_of(content)
    assert place == line
    assert message in told


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "none.yaml"
    with pytest.raises(PolicyError, match=r"none\.yaml: cannot be read: No such file"):
        load_policy(missing)


def test_a_file_is_read_from_its_path(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text(GOOD, encoding="utf-8")
    assert load_policy(path).reference.name == "shop"


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_no_bytes_do_worse_than_being_refused(content: bytes) -> None:
    with pytest.raises(PolicyError):
        parse_policy(content, "p.yaml")


@given(st.text(alphabet="amount.order<>=&|!()[]'\"\\§5 \n", max_size=40))
def test_no_condition_does_worse_than_being_refused(condition: str) -> None:
    quoted = condition.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    with contextlib.suppress(PolicyError):
        parse_policy(GOOD.replace("when: order.known", f'when: "{quoted}"').encode(), "p.yaml")


def version(content: str) -> str:
    return parse_policy(content.encode(), "p.yaml").reference.version


def reordered(text: str) -> str:
    start, second = text.index("  - id: large"), text.index("  - id: second")
    return text[:start] + text[second:] + text[start:second]


@pytest.mark.parametrize(
    "same",
    [
        lambda text: "# a comment\n" + text,
        lambda text: text.replace("[approve, reject]", "\n    - approve\n    - reject"),
        lambda text: text.replace("24h", "1440m"),
        lambda text: text.replace("level: manager", "levels: [manager]"),
        lambda text: text.replace("rules:", "claims_last: 1h\nrules:"),
        lambda text: text.replace("due_in", "quorum: 1\n    due_in"),
        reordered,
    ],
    ids=["comment", "layout", "unit", "list", "claim", "quorum", "order"],
)
def test_what_means_the_same_has_the_same_version(same: Callable[[str], str]) -> None:
    assert version(same(GOOD)) == version(GOOD)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("100.00", "100.01"),
        ("1.08", "1.09"),
        ("24h", "23h"),
        ("role: manager", "role: boss"),
        ("medium", "high"),
        ("order.known", "order.known == false"),
        ("always", "ever"),
        ("[approve, reject]", "[approve]"),
        ("name: shop", "name: store"),
        ("rules:", "review_hash: required\nrules:"),
        ("rules:", "claims_last: 2h\nrules:"),
        ("rules:", "messages: {refund: {approve: Granted.}}\nrules:"),
        ("risk: low", "risk: low\n    confirm: details-then-method"),
        ("due_in", "quorum: 2\n    due_in"),
        ("due_in", "deadlines: [{at: 50%, do: remind}]\n    due_in"),
        ("due_in", "reviewer_cap: 10.00 USD per 1d\n    due_in"),
    ],
)
def test_what_means_something_else_has_another_version(old: str, new: str) -> None:
    assert version(GOOD.replace(old, new, 1)) != version(GOOD)
