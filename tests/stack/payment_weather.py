"""Faults that come by chance, from a seed, until they are told to stop."""

from collections.abc import Mapping
from random import Random

from tests.stack.payment_ledger import Fault

USUAL: Mapping[Fault, float] = {
    Fault.TIMEOUT: 2,
    Fault.TIMEOUT_AFTER: 4,
    Fault.ERROR: 3,
    Fault.ERROR_AFTER: 3,
    Fault.RESET: 2,
    Fault.RESET_AFTER: 4,
    Fault.RATE_LIMITED: 3,
    Fault.IN_PROGRESS: 1,
    Fault.DECLINED: 4,
    Fault.GARBAGE: 2,
    Fault.WRONG_AMOUNT: 2,
    Fault.PENDING_THEN_SUCCEEDED: 2,
    Fault.PENDING_THEN_FAILED: 4,
    Fault.SLOW: 1,
}
"""How often each comes, out of the sum of all: rather those that hide what happened."""

OF_LOOK_UPS = (Fault.TIMEOUT, Fault.ERROR, Fault.RESET, Fault.RATE_LIMITED, Fault.GARBAGE)


class ByChance:
    """`probabilities` are of one request for a refund. A look-up fails half as often, in the ways in which one can."""

    def __init__(self, seed: int | str, probabilities: Mapping[Fault, float]) -> None:
        self._dice = Random(f"payments {seed}")  # noqa: S311 - a schedule, not a secret
        self._probabilities = dict(probabilities)

    def of_payment(self) -> Fault | None:
        drawn = self._dice.random()
        for fault, probability in self._probabilities.items():
            if drawn < probability:
                return fault
            drawn -= probability
        return None

    def of_look_up(self) -> Fault | None:
        share = sum(self._probabilities.values()) / 2
        return self._dice.choice(OF_LOOK_UPS) if self._dice.random() < share else None

    def change(self, probabilities: Mapping[Fault, float]) -> None:
        """From the next request on; `{}` is calm."""
        self._probabilities = dict(probabilities)


def at_a_rate(rate: float) -> dict[Fault, float]:
    """The usual faults, so that `rate` of all requests meet one. Raises ValueError."""
    if not 0 <= rate <= 1:
        raise ValueError(f"a rate of faults is between 0 and 1, not {rate}")
    whole = sum(USUAL.values())
    return {fault: rate * weight / whole for fault, weight in USUAL.items()}


def parse_faults(text: str) -> dict[Fault, float]:
    """`timeout-after=0.05,error=0.03`. Raises ValueError, which says what is wrong."""
    found = {}
    for part in filter(None, text.split(",")):
        name, _, probability = part.partition("=")
        try:
            found[Fault(name.strip())] = float(probability)
        except ValueError as error:
            raise ValueError(f"{part!r} is no FAULT=PROBABILITY; faults are {', '.join(Fault)}") from error
    if any(each < 0 for each in found.values()) or sum(found.values()) > 1:
        raise ValueError("probabilities of faults are above 0, and add up to 1 at most")
    return found
