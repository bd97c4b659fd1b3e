"""The `messages` of a policy: what customers are told, by kind of exception, verdict and language."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import yaml

from schemas.values import Customer, ExceptionKind, LineItem, Money, PayoutMethod, Proposal, Verdict
from worker.adapters.policy.located_yaml import line_of
from worker.adapters.policy.message_texts import MessageText, languages, read_message_texts
from worker.adapters.policy.problems import Problems
from worker.adapters.policy.template_values import Group, NoText, Rows, UnknownValue, known
from worker.adapters.policy.templates import TooLong, Trouble, Words, compiled, line_of_failure
from worker.domain.approval_policy import Draft
from worker.domain.order_exception import Facts
from worker.domain.resolution import MOVES_MONEY, draft, propose

log = logging.getLogger(__name__)

VARIABLES: Mapping[str, str] = {
    "exception_id": "the requester's id of the exception",
    "kind": "what was asked for, such as refund",
    "order_id": "the shop's id of the order",
    "customer_id": "the shop's id of the customer",
    "amount": "what is paid, such as 150.00 USD",
    "amount_asked": "what was asked for, likewise",
    "method": "how it is paid: original_method, store_credit or bank_transfer",
    "action": "what is done: the kind, or the alternative that a reviewer chose",
    "reason_code": "the requester's code",
    "customer": "customer.name, customer.language, such as de, and customer.tier: standard or vip",
    "items": "what it is about, a list: sku, quantity, name and unit_price of each",
}

_FIELDS: Mapping[str, Sequence[str]] = {**dict.fromkeys(VARIABLES, ()), "customer": ("name", "language", "tier")}

_ALWAYS_KNOWN: Mapping[ExceptionKind, frozenset[str]] = {
    ExceptionKind.REFUND: frozenset({"order_id", "customer_id", "amount", "method", "amount_asked"}),
    ExceptionKind.PRICE_ADJUSTMENT: frozenset({"order_id", "customer_id", "amount", "method", "amount_asked"}),
    ExceptionKind.CANCELLATION: frozenset({"order_id", "customer_id", "amount", "method"}),
    ExceptionKind.ACCOUNT_CHANGE: frozenset({"order_id", "customer_id"}),
    ExceptionKind.ACTION_REQUEST: frozenset(),
}
"""What the event contract promises of each kind. A template need not ask for it, though samples may lack it; where it
is missing after all, the plain draft is said."""


Key = tuple[ExceptionKind, Verdict, str]
"""The third is a language tag in lower case, or DEFAULT."""


@dataclass(frozen=True, slots=True)
class Template:
    name: str
    words: Words


@dataclass(frozen=True, slots=True)
class Messages:
    """A Draft by templates. What has none, and what fails, is said as without a policy: no case stops for its words."""

    templates: Mapping[Key, Template]
    _failed: set[str] = field(default_factory=set)

    def __call__(self, verdict: Verdict, proposal: Proposal, facts: Facts) -> str | None:
        spoken = Verdict.REJECT if verdict is Verdict.REJECT else Verdict.APPROVE
        template = self._template(spoken, facts)
        if template is None or not _is_about(template.words, spoken, proposal, facts):
            return draft(verdict, proposal, facts)
        try:
            return template.words(_values(proposal, facts)) or None
        except Exception as error:  # a template is its author's code: any failure of it is one of words only
            if template.name not in self._failed:
                self._failed.add(template.name)
                log.warning("message %s failed (%s), the plain one is used", template.name, _in_short(error))
            return draft(verdict, proposal, facts)

    def _template(self, verdict: Verdict, facts: Facts) -> Template | None:
        keys = (
            (facts.exception.kind, verdict, language)
            for language in languages(facts.customer.language if facts.customer else None)
        )
        return next((self.templates[key] for key in keys if key in self.templates), None)


def read_messages(node: yaml.Node | None, problems: Problems, samples: Sequence[Facts]) -> Draft:
    """The customer's messages as the policy words them. Each template is tried on the samples of its kind, with
    everything known and with what is known of them."""
    if node is None:
        return draft
    return Messages(
        {
            (text.kind, text.verdict, text.language): Template(text.name, words)
            for text in read_message_texts(node, problems)
            if (words := _words(text, problems, samples))
        }
    )


def meaning_of(node: yaml.Node | None) -> object:
    """Plain data for the policy's version, of messages that were read without a problem."""
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): meaning_of(value) for key, value in node.value}
    return node.value if isinstance(node, yaml.ScalarNode) else None


def _words(text: MessageText, problems: Problems, samples: Sequence[Facts]) -> Words | None:
    """The template of one message; None, with the problems told, if it must not be used."""
    words = compiled(str(text.node.value), _FIELDS)
    trouble = words if isinstance(words, list) else _try(words, text.kind, text.verdict, samples)
    for what in dict.fromkeys(trouble):  # a mistake that is made twice on a line is told once
        line, where = _place(text.node, what.line)
        problems.add(line, f"message {text.name} {what.reason}{where}", what.advice)
    return None if isinstance(words, list) or trouble else words


def _place(text: yaml.ScalarNode, line: int) -> tuple[int, str]:
    """The line of the file; where YAML folds lines, that of the whole text, and words for the one within it."""
    if text.style == "|":
        return line_of(text) + line, ""
    return line_of(text), f" (line {line} of the template)" if line > 1 else ""


def _try(words: Words, kind: ExceptionKind, verdict: Verdict, samples: Sequence[Facts]) -> list[Trouble]:
    """The first trouble that the template has with a sample."""
    for facts in (variant for sample in samples for variant in (_with_everything(sample), sample)):
        if facts.exception.kind is not kind:
            continue
        for proposal in _proposals(facts):
            if not _is_about(words, verdict, proposal, facts):
                continue
            try:
                words(_values(proposal, facts))
            except Exception as error:  # as when it is used
                if not (isinstance(error, UnknownValue) and error.name in _ALWAYS_KNOWN[kind]):
                    return [_trouble(error)]
    return []


def _trouble(error: Exception) -> Trouble:
    line = line_of_failure(error) or 1
    if isinstance(error, UnknownValue):
        return Trouble(
            line,
            f"needs `{error.name}`, which may be unknown",
            f"write {error.name} or '…' with other words, or ask {{% if {error.name} %}}",
        )
    if isinstance(error, TooLong):
        return Trouble(line, str(error), "shorten it: a customer reads it")
    if isinstance(error, NoText):
        return Trouble(line, f"fails: {error}", "name a text or a number, such as item.name in a `for`")
    return Trouble(line, f"fails: {_in_short(error)}", "mend it there, or ask with {% if %} first")


def _in_short(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0] or type(error).__name__


def _is_about(words: Words, verdict: Verdict, proposal: Proposal, facts: Facts) -> bool:
    """Whether the message speaks of this resolution: one that never asks for `action` means what was asked for, and
    would promise a refund to somebody who gets a replacement."""
    return verdict is Verdict.REJECT or proposal.action == facts.exception.kind or "action" in words.names


def _values(proposal: Proposal, facts: Facts) -> dict[str, object]:
    exception = facts.exception
    plain = {
        "exception_id": exception.exception_id,
        "kind": exception.kind,
        "order_id": exception.order_id,
        "customer_id": exception.customer_id,
        "amount": proposal.amount,
        "amount_asked": exception.amount,
        "method": proposal.method,
        "action": proposal.action,
        "reason_code": exception.reason_code,
    }
    return {
        **{name: known(name, value) for name, value in plain.items()},
        "customer": _customer(facts.customer),
        "items": Rows(_item(item, facts) for item in exception.items),
    }


def _customer(customer: Customer | None) -> Group:
    return Group(
        name=known("customer.name", customer.name if customer else None),
        language=known("customer.language", customer.language if customer else None),
        tier=known("customer.tier", customer.tier if customer else None),
    )


def _item(item: LineItem, facts: Facts) -> Group:
    """What the event leaves out about an item may stand in the order."""
    ordered = next((other for other in facts.order.items if other.sku == item.sku), item) if facts.order else item
    return Group(
        sku=item.sku,
        quantity=item.quantity,
        name=known("item.name", item.name or ordered.name),
        unit_price=known("item.unit_price", item.unit_price or ordered.unit_price),
    )


def _with_everything(facts: Facts) -> Facts:
    """The sample with all that a message may look at, so that no part of a template stays untried for want of it."""
    price = Money(amount_minor=12_345, currency="USD")
    fields = {
        "order_id": "ORD-1",
        "customer_id": "CUST-1",
        "reason_code": "sample",
        "amount": price,
        "items": (LineItem(sku="A", name="Mug", unit_price=price), LineItem(sku="B", name="Cup", unit_price=price)),
    }
    return facts.model_copy(
        update={
            "exception": facts.exception.model_copy(update=fields),
            "customer": Customer(name="Maria Rossi", language="it"),
        }
    )


def _proposals(facts: Facts) -> Iterator[Proposal]:
    """All that may become of the sample: each method of payment, and another action in its place."""
    asked = propose(facts)
    if facts.exception.kind not in MOVES_MONEY:
        yield asked
    else:
        yield from (asked.model_copy(update={"method": method}) for method in PayoutMethod)
    yield Proposal(action="sample")
