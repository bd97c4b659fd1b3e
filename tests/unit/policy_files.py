"""Small policy files, so that a test shows the lines it is about and no others."""

from schemas.values import Money
from tests.builders import an_exception, an_order, some_facts, usd
from worker.adapters.policy.loading import parse_policy
from worker.domain.approval_policy import ApprovalPolicy
from worker.domain.order_exception import Facts

FIRST_LEVEL_LINE = 4
"""Where the first level of `a_file` begins."""


def a_level(
    name: str, *fields: str, role: str = "", on_timeout: str = "reject", verdicts: str = "approve, reject"
) -> str:
    """A level that is asked for a day; each of `fields` is one more line."""
    lines = [
        f"  {name}:",
        f"    role: {role or name}",
        "    due_in: 24h",
        f"    on_timeout: {on_timeout}",
        f"    allowed_verdicts: [{verdicts}]",
        *(f"    {field}" for field in fields),
    ]
    return "\n".join(lines)


def a_rule(*fields: str, id_: str = "any-money", when: str = "amount > 0") -> str:
    lines = [f"  - id: {id_}", f"    when: {when}", "    says: somebody looks", "    risk: low"]
    return "\n".join([*lines, *(f"    {field}" for field in fields)])


def a_file(*levels: str, rules: tuple[str, ...] = (), top: tuple[str, ...] = ()) -> str:
    """Without rules of its own there is one that asks the first level for any money. `top` are further fields."""
    first = levels[0].split(":")[0].strip()
    return "\n".join(
        [
            "name: shop",
            "base_currency: USD",
            "levels:",
            *levels,
            "rules:",
            *(rules or (a_rule(f"level: {first}"),)),
            *top,
            "",
        ]
    )


def a_policy(*levels: str, rules: tuple[str, ...] = (), top: tuple[str, ...] = ()) -> ApprovalPolicy:
    return parse_policy(a_file(*levels, rules=rules, top=top).encode(), "shop.yaml")


def a_refund(amount: Money | None = None) -> Facts:
    """A refund of 150.00 USD, of an order of 100,000.00 in the same currency: nothing else is to be said of it."""
    amount = amount or usd(15_000)
    return some_facts(an_exception(amount=amount), an_order(amount.model_copy(update={"amount_minor": 10_000_000})))


def chain(policy: ApprovalPolicy, facts: Facts) -> list[str]:
    return [level.name for level in policy.judge(facts).chain]
