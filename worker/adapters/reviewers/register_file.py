"""From a file of reviewers to people, or to every mistake that is in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from schemas.values import ExceptionKind, Money
from worker.adapters.policy.located_yaml import FileKind, root_of, sequence_of
from worker.adapters.policy.located_yaml import Mapping as Fields
from worker.adapters.policy.problems import FileRefused, Problem, Problems, content_of
from worker.adapters.reviewers.delegates import Register, by_person, check_delegates
from worker.adapters.reviewers.entries import read_entry
from worker.domain.approval_policy import ApprovalPolicy
from worker.domain.order_exception import Facts, OrderException
from worker.domain.reviewers import Person

WITHOUT_RATE = "currency-without-rate"
"""The built-in rule of every policy that fires for an amount which cannot be compared."""

_START = "write `reviewers:` and a list of people, as in docs/reviewers.md"

REGISTER = FileKind(
    max_bytes=1024 * 1024,  # some 8,000 people
    when_large="a register names the people who sign, and no more",
    when_deep=_START,
    when_empty=_START,
)


class RegisterError(FileRefused):
    """The register cannot be used."""


@dataclass(frozen=True, slots=True)
class RegisterFile:
    """The people in the order of the file. `warnings` do not stop it from being used."""

    people: tuple[Person, ...]
    warnings: tuple[Problem, ...]


def load_register(path: Path, policy: ApprovalPolicy) -> RegisterFile:
    """The people in a file, checked against the policy that they sign for. Raises RegisterError."""
    content = content_of(path, RegisterError, "give the path of a file of reviewers")
    return parse_register(content, str(path), policy)


def parse_register(content: bytes, file: str, policy: ApprovalPolicy) -> RegisterFile:
    """The people in YAML bytes; `file` is what messages call it. Raises RegisterError."""
    problems = Problems()
    register: Register = {}
    root = root_of(content, problems, REGISTER)
    if root is not None:
        fields = Fields(root, "the register", problems, required=("reviewers",))
        listed = fields.fields.get("reviewers")
        nodes = sequence_of(listed, "`reviewers`", problems) if listed is not None else []
        entries = [read_entry(number, node, problems) for number, node in enumerate(nodes, start=1)]
        register = by_person([entry for entry in entries if entry is not None], problems)
        check_delegates(register, problems)
        _check_currencies(register, policy, problems)
    if problems.found:
        raise RegisterError(file, problems.found)
    return RegisterFile(
        people=tuple(entry.person for entry in register.values()),
        warnings=tuple(sorted(_idle_roles(register, policy))),
    )


def _check_currencies(register: Register, policy: ApprovalPolicy, problems: Problems) -> None:
    """A ceiling that no amount can be compared with would refuse every decision of its reviewer."""
    named = {entry.person.ceiling.currency for entry in register.values() if entry.person.ceiling is not None}
    without_rate = {currency for currency in named if not _has_rate(currency, policy)}
    for entry in register.values():
        ceiling = entry.person.ceiling
        if ceiling is not None and ceiling.currency in without_rate:
            problems.add(
                entry.lines["ceiling"],
                f"the ceiling of {entry.person.id} is in {ceiling.currency}, "
                f"for which the policy {policy.reference.name} has no rate",
                "give it in another currency, or add the rate to the policy",
            )


def _has_rate(currency: str, policy: ApprovalPolicy) -> bool:
    """Asked of the policy itself: a rule that no file can take away fires for an amount without a rate."""
    amount = Money(amount_minor=1, currency=currency)
    asked = OrderException(exception_id="-", kind=ExceptionKind.REFUND, requested_by="-", amount=amount)
    findings = policy.examine(Facts(exception=asked, order=None, customer=None))
    return not any(finding.fired and finding.rule.id == WITHOUT_RATE for finding in findings)


def _idle_roles(register: Register, policy: ApprovalPolicy) -> Iterator[Problem]:
    asked = {level.role for level in policy.levels.values()}
    asked |= {step.to for level in policy.levels.values() for step in level.deadlines if step.to is not None}
    for entry in register.values():
        for role in entry.person.roles:
            if role not in asked:
                yield Problem(
                    entry.lines[f"role {role}"],
                    f"no level of the policy {policy.reference.name} asks for the role `{role}` of {entry.person.id}",
                    f"it asks for: {', '.join(sorted(asked))}",
                )
