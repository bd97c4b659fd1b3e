"""The `says` of a rule: a sentence with the facts in it, such as "refund of {amount} is over
{limits.refund}".

The placeholders are the names of the conditions. Amounts are written as money, `amount` in the
currency it was asked in. What senders wrote is cut short and stays plain text: it explains to a
person, and commands nobody.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from schemas.values import Money
from worker.adapters.policy.problems import Problems, did_you_mean
from worker.adapters.policy.quantities import Limit
from worker.adapters.policy.vocabulary import VARIABLES, Evidence

MAX_LENGTH = 300
LONGEST_VALUE = 100

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Sentence:
    template: str
    limits: Mapping[str, Limit]

    def __call__(self, evidence: Evidence) -> str:
        return _PLACEHOLDER.sub(lambda match: self._words(match[1], evidence), self.template)

    def _words(self, path: str, evidence: Evidence) -> str:
        if path in _AMOUNTS:
            amount = _amount(path, evidence)
            return str(amount) if amount else "an unknown amount"
        group, _, name = path.partition(".")
        value = self.limits[name] if group == "limits" else evidence.variables[group][name]
        return _shown(path, value)


_AMOUNTS = frozenset(path for path, variable in VARIABLES.items() if variable.is_amount)


def _amount(path: str, evidence: Evidence) -> Money | None:
    """In its own currency, a sum in the base currency; None when it is not known."""
    order = evidence.facts.order
    if path == "amount":
        return evidence.amount
    if path == "order.available":
        return evidence.available
    if path in evidence.sums:
        return evidence.sums[path]
    if order is None:
        return None
    if path == "order.captured":
        return order.captured
    return order.refunded or Money(amount_minor=0, currency=order.captured.currency)


def _shown(path: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        text = ", ".join(str(entry) for entry in value)
    elif VARIABLES.get(path) and VARIABLES[path].words:
        text = str(value).replace("_", " ")
    else:
        text = str(value)
    return cut_short(text)


def cut_short(text: str) -> str:
    """What somebody else wrote, no longer than a sentence can carry."""
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def sentence(template: str, line: int, name: str, limits: Mapping[str, Limit], problems: Problems) -> Sentence | None:
    """The sentence of rule `name`; None, with the problems told, if it must not be used."""
    before = len(problems.found)
    known = [*VARIABLES, *(f"limits.{limit}" for limit in limits)]
    if len(template) > MAX_LENGTH:
        problems.add(line, f"`says` of {name} is longer than {MAX_LENGTH} characters", "shorten it")
    for path in _PLACEHOLDER.findall(template):
        if path not in known:
            problems.add(
                line,
                f"`says` of {name} has an unknown placeholder {{{path}}}",
                did_you_mean(path, known),
            )
    if re.search(r"[{}]", _PLACEHOLDER.sub("", template)):
        problems.add(line, f"`says` of {name} has a single brace", "write {name} with both braces")
    return Sentence(template, limits) if len(problems.found) == before else None
