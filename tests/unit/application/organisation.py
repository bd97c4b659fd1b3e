"""An organisation that uses approvals in full: who may sign what, as tables and plain arithmetic.

`organisation_policy` says it to the application; `steps_required` and `authority_problem` say it
once more, and share no code with it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from unicodedata import normalize

from schemas.values import ExceptionKind, Money, OnTimeout
from tests.builders import usd
from tests.policies import level, policy, rule
from worker.adapters.memory.clock import DAWN
from worker.domain.approval_policy import ApprovalPolicy, Cap
from worker.domain.deadlines import DeadlineAction, DeadlineStep
from worker.domain.order_exception import Facts
from worker.domain.resolution import propose
from worker.domain.reviewers import Person

LADDER = ("clerk", "manager", "director", "vp")
CEILINGS_MINOR = {"clerk": 5_000, "manager": 10_000, "director": 14_000}
QUORUM = {"clerk": 2, "manager": 1, "director": 1, "vp": 1}
CAP_MINOR, CAP_WINDOW = 16_000, timedelta(hours=24)
"""Of managers."""

AUTOMATIC_MINOR = 2_000
STRUCTURING_MINOR = 10_000
"""Small refunds of one customer that add up to more."""

DUTY = "duty"
"""The group that a clerk's question goes to after three quarters of its time."""

DAY = timedelta(days=1)

Step = tuple[str, str | None]
"""A level, and which part of it when it is asked in two."""


def _asks_in_small_parts(facts: Facts) -> bool:
    amount = propose(facts).amount
    small = amount is not None and amount.amount_minor < CEILINGS_MINOR["clerk"]
    total = _together(facts)
    return small and total is not None and total.amount_minor > STRUCTURING_MINOR


def _together(facts: Facts) -> Money | None:
    amount = propose(facts).amount
    return amount and usd(amount.amount_minor + sum(one.amount_minor for one in facts.exposure.customer))


def _is_larger_refund(facts: Facts) -> bool:
    amount = facts.exception.amount
    return facts.exception.kind is ExceptionKind.REFUND and amount is not None and amount.amount_minor > AUTOMATIC_MINOR


def _is(kind: ExceptionKind) -> Callable[[Facts], bool]:
    return lambda facts: facts.exception.kind is kind


def organisation_policy(*, requires_hash: bool = False) -> ApprovalPolicy:
    remind = DeadlineStep(at=0.5, do=DeadlineAction.REMIND)
    hand_over = DeadlineStep(at=0.75, do=DeadlineAction.HAND_OVER, to=DUTY)
    escalates = OnTimeout.ESCALATE
    ceilings = {name: usd(minor) for name, minor in CEILINGS_MINOR.items()}
    return policy(
        level(
            "clerk",
            quorum=QUORUM["clerk"],
            ceiling=ceilings["clerk"],
            escalates_to="manager",
            on_timeout=escalates,
            deadlines=(remind, hand_over),
        ),
        level(
            "manager",
            ceiling=ceilings["manager"],
            escalates_to="director",
            on_timeout=escalates,
            deadlines=(remind,),
            cap=Cap(amount=usd(CAP_MINOR), window=CAP_WINDOW),
        ),
        level("director", ceiling=ceilings["director"], escalates_to="vp", on_timeout=escalates),
        level("vp"),
        rules=(
            rule("clerk", when=_is_larger_refund),
            rule("clerk", id="structuring", when=_asks_in_small_parts, weighs=_together),
            rule("manager", id="two-step", when=_is(ExceptionKind.PRICE_ADJUSTMENT), two_step=True),
            rule("director", id="cancels", when=_is(ExceptionKind.CANCELLATION)),
            rule("manager", id="failed", when=lambda facts: facts.failure is not None),
        ),
        exposure=timedelta(days=30),
        requires_hash=requires_hash,
    )


def steps_required(kind: str, amount_minor: int, others_minor: int, *, failed: bool) -> list[Step]:
    """Whom the policy asks, in order: `others_minor` is what other cases of the customer come to."""
    total = amount_minor + others_minor
    small_parts = amount_minor < CEILINGS_MINOR["clerk"] and total > STRUCTURING_MINOR
    asked = {
        "clerk": (kind == "refund" and amount_minor > AUTOMATIC_MINOR) or small_parts,
        "manager": kind == "price_adjustment" or failed,
        "director": kind == "cancellation",
        "vp": False,
    }
    heights = [LADDER.index(name) for name in LADDER if asked[name]]
    names = {LADDER[height] for start in heights for height in range(start, _top(start, amount_minor) + 1)}
    if small_parts:
        names |= {LADDER[height] for height in range(_top(0, total) + 1)}
    in_two = {"manager"} if kind == "price_adjustment" else set()
    return [(name, part) for name in LADDER if name in names for part in parts(two_step=name in in_two)]


def _top(start: int, amount_minor: int) -> int:
    """How high the ladder must be climbed from a rung for this amount."""
    height = start
    while height < len(LADDER) - 1 and amount_minor > CEILINGS_MINOR[LADDER[height]]:
        height += 1
    return height


def parts(*, two_step: bool) -> tuple[str | None, ...]:
    return ("details", "method") if two_step else (None,)


ROLES: dict[str, tuple[str, ...]] = {
    "user:carl": ("clerk",),
    "user:cora": ("clerk",),
    "user:cleo": ("clerk",),
    "user:cyra": ("clerk",),
    "user:gone": ("clerk",),
    "user:dan": (DUTY,),
    "user:dina": (DUTY,),
    "user:maria": ("manager",),
    "user:omar": ("manager",),
    "user:mona": ("manager",),
    "user:ping": ("manager",),
    "user:pong": ("clerk",),
    "user:dora": ("director",),
    "user:dirk": ("director",),
    "user:early": ("director",),
    "user:vera": ("vp",),
    "user:vito": ("vp",),
    "user:max": ("clerk", "manager", "director"),
    "user:rick": ("clerk", "manager"),
    "user:ines": (),
    "user:nora": (),
    "user:olga": (),
}
REQUESTERS = ("agent:web-chat", "user:rick", "user:max")


def _person(name: str, **fields: object) -> Person:
    return Person.model_validate({"id": f"user:{name}", "roles": ROLES[f"user:{name}"], **fields})


def _away(name: str, delegate: str, *, first: int = -1, last: int = 7, **fields: object) -> Person:
    """From the day `first` to the day `last` of the clock."""
    away = {"away_from": DAWN + first * DAY, "away_until": DAWN + last * DAY}
    return _person(name, **away, delegate=f"user:{delegate}", **fields)


_OTHERS = ("cora", "cyra", "dan", "dina", "mona", "dora", "dirk", "vera", "vito", "max", "ines", "olga")

REGISTER: tuple[Person, ...] = (
    _person("carl", ceiling=usd(12_000)),
    _person("maria", ceiling=usd(9_000)),
    _person("gone", valid_until=DAWN + DAY / 4),
    _person("early", valid_from=DAWN + 2 * DAY),
    _away("cleo", "ines"),
    _away("rick", "ines"),
    _away("omar", "nora", first=0, last=3),
    _away("nora", "olga"),
    _away("ping", "pong"),
    _away("pong", "ping"),
    *(_person(name) for name in _OTHERS),
)
"""People who are away hand on to Ines, or over Nora to Olga; Ping and Pong to each other."""


def key(person_id: str) -> str:
    """One person, however they are spelt."""
    return normalize("NFKC", person_id).strip().casefold()


@dataclass(frozen=True, slots=True)
class Delegation:
    """Somebody gave one question to somebody else, by a command that was recorded. `roles` are those they sent."""

    giver: str
    to: str
    roles: tuple[str, ...]
    at: datetime


def authority_problem(
    chain: tuple[str, ...],
    role: str,
    roles_sent: tuple[str, ...],
    amount_minor: int | None,
    at: datetime,
    delegations: Iterable[Delegation],
    register: Iterable[Person] | None,
) -> str | None:
    """What is wrong when the first of `chain` answers on the authority of the last; `amount_minor` is what they sign
    for, None when they do not agree to anything."""
    given = list(delegations)
    links = list(pairwise(chain))
    if register is None:
        by_command = all(any(_is_link(one, link) for one in given) for link in links)
        held = (
            roles_sent
            if not links
            else [role for one in given if key(one.giver) == key(chain[-1]) for role in one.roles]
        )
        return None if by_command and role in held else f"nobody gave {chain} the role {role}"
    people = {key(person.id): person for person in register}
    holder = people.get(key(chain[-1]))
    if any(key(one) not in people or not _is_there(people[key(one)], at) for one in chain):
        return f"somebody of {chain} does not count at {at}"
    if holder is None or role not in holder.roles:
        return f"{chain[-1]} has no role {role}"
    if holder.ceiling is not None and amount_minor is not None and amount_minor > holder.ceiling.amount_minor:
        return f"{amount_minor} is over the ceiling of {holder.id}"
    moments = [at, *(one.at for one in given)]
    for link in links:
        absent = any(_stands_in(people, link, moment) for moment in moments)
        if not absent and not any(_is_link(one, link) for one in given):
            return f"{link[1]} gave {link[0]} nothing"
    return None


def _is_link(delegation: Delegation, link: tuple[str, str]) -> bool:
    return (key(delegation.to), key(delegation.giver)) == (key(link[0]), key(link[1]))


def _stands_in(people: dict[str, Person], link: tuple[str, str], at: datetime) -> bool:
    absent = people[key(link[1])]
    if absent.delegate is None or key(absent.delegate) != key(link[0]):
        return False
    return absent.away_from is not None and absent.away_until is not None and absent.away_from <= at < absent.away_until


def _is_there(person: Person, at: datetime) -> bool:
    begun = person.valid_from is None or person.valid_from <= at
    return begun and (person.valid_until is None or at < person.valid_until)
