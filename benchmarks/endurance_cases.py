"""The cases of an endurance run: some need nobody, most are approved by a person, some are refused.

Which is which follows from the case's number, so that every run has the same cases in the same turn.
"""

import json
from enum import StrEnum

from benchmarks.events import KafkaRecord, decision, exception_raised

CUSTOMERS = 20_000
"""They come back: in an hour at 60 cases a second each has about eleven cases, which the policy adds up."""

AUTOMATIC_MINOR = 2_000
"""Of USD, and up to 3,999: under the default policy's limits, for one case and next to other cases."""

SHORTEST_WAIT_S = 2.0
LONGEST_WAIT_S = 8.0
WAITS = 61
"""How many different waits there are, spread evenly. A prime, so that every kind of case has every wait."""


class Kind(StrEnum):
    AUTOMATIC = "automatic"
    APPROVED = "approved"
    REJECTED = "rejected"

    @property
    def status(self) -> str:
        """What the outcome must say."""
        return "rejected" if self is Kind.REJECTED else "executed"


_TURNS = (
    *(Kind.AUTOMATIC, Kind.APPROVED, Kind.APPROVED, Kind.AUTOMATIC, Kind.APPROVED),
    *(Kind.REJECTED, Kind.AUTOMATIC, Kind.APPROVED, Kind.AUTOMATIC, Kind.APPROVED),
)
"""Of ten cases four need nobody, five are approved and one is refused."""


def kind_of(number: int) -> Kind:
    return _TURNS[number % len(_TURNS)]


def wait_s(number: int) -> float:
    """Seconds that a person takes to answer for this case."""
    return SHORTEST_WAIT_S + (LONGEST_WAIT_S - SHORTEST_WAIT_S) * (number % WAITS) / (WAITS - 1)


def raised(number: int) -> KafkaRecord:
    key, value, headers = exception_raised(number)
    body = json.loads(value)
    body["customer_id"] = f"CUST-{number % CUSTOMERS:08d}"
    if kind_of(number) is Kind.AUTOMATIC:
        body["amount"]["amount_minor"] = AUTOMATIC_MINOR + number % AUTOMATIC_MINOR
    return key, json.dumps(body).encode(), headers


def decided(number: int, approval_id: str) -> KafkaRecord:
    key, value, headers = decision(number, approval_id)
    if kind_of(number) is Kind.REJECTED:
        value = json.dumps(json.loads(value) | {"verdict": "reject", "comment": "not our lamp"}).encode()
    return key, value, headers
