"""Hostile decisions, by what is wrong with them: each class has a name, the scenes that it suits and the codes with
which it may be refused. Here: what a class is, and those that are about the wrong question or come from the wrong
person."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from schemas.values import ReceiptCode
from tests.builders import Event
from tests.fuzz.scenes import LADDER, REQUESTER, ROLES, Scene

Builder = Callable[[Scene], Event]
Suits = Callable[[Scene], bool]


@dataclass(frozen=True, slots=True)
class Hostile:
    name: str
    codes: frozenset[ReceiptCode]
    build: Builder
    suits: Suits


CLASSES: list[Hostile] = []


def anywhere(_: Scene) -> bool:
    return True


def at(*kinds: str) -> Suits:
    return lambda scene: scene.kind in kinds


def hostile(*codes: str, suits: Suits = anywhere) -> Callable[[Builder], Builder]:
    """Enters a class under the name of its function."""

    def enter(build: Builder) -> Builder:
        CLASSES.append(Hostile(build.__name__, frozenset(map(ReceiptCode, codes)), build, suits))
        return build

    return enter


def is_registered(scene: Scene) -> bool:
    return scene.house.registered


def is_believed(scene: Scene) -> bool:
    return not scene.house.registered


PAYS = at("single", "second level", "claimed")
FREE_TO_MODIFY = at("single", "second level", "claimed", "quorum", "tool calls")


def elsewhere(scene: Scene, name: str, **fields: Any) -> Event:
    """Like a decision of the scene, about another case."""
    event = scene.decision(**fields)
    for key in ("approval_id", "review_hash"):
        event.pop(key, None)
    return {**event, "exception_id": name}


def respelt(scene: Scene, who: str) -> str:
    """The same person, as far as Unicode is concerned."""
    wide = who.replace("u", "\uff55").replace("r", "\uff32")
    return scene.dice.choice([who.upper(), f"  {who} ", who.title(), wide, f"\u00a0{who}\t"])


# The wrong question


@hostile("UNKNOWN_APPROVAL")
def unknown_approval(scene: Scene) -> Event:
    return {**elsewhere(scene, ""), "exception_id": None, "approval_id": f"{scene.dice.getrandbits(64):x}"}


@hostile("UNKNOWN_APPROVAL")
def unknown_exception(scene: Scene) -> Event:
    return elsewhere(scene, f"{scene.name}{scene.dice.choice(['x', '-0', '.', '%', '*'])}")


@hostile("UNKNOWN_APPROVAL")
def forged_approval_id(scene: Scene) -> Event:
    """The id of the case, and ids that nearly are those of the question."""
    real = str(scene.approval.approval_id)
    forged = [str(scene.approval.case_id), f"{real}0", real[:-1], f"{real}' OR '1'='1", f"urn:uuid:x{real}", "*"]
    return {**elsewhere(scene, ""), "exception_id": None, "approval_id": scene.dice.choice(forged)}


@hostile("UNKNOWN_APPROVAL", suits=at("single", "claimed", "tool calls", "quorum", "contested"))
def level_that_is_not_asked(scene: Scene) -> Event:
    asked = scene.approval.question.level.name
    return scene.decision(level=scene.dice.choice([*(name for name in LADDER if name != asked), "ceo", "Manager"]))


@hostile("ALREADY_DECIDED", suits=at("second level"))
def level_that_is_signed(scene: Scene) -> Event:
    event = elsewhere(scene, scene.name, reviewer=scene.reviewer("user:omar", "manager"))
    return {**event, "level": "manager"}


@hostile("ALREADY_DECIDED", "SAME_REVIEWER", "NOT_AUTHORISED", suits=at("second level"))
def request_that_is_closed(scene: Scene) -> Event:
    first = scene.house.desk.database.approvals_of(scene.house.desk.case(scene.name).case_id)[0]
    event = elsewhere(scene, "", reviewer=scene.reviewer("user:omar", "manager"))
    return {**event, "exception_id": None, "approval_id": str(first.approval.approval_id)}


def _ended(how: str, code: str) -> None:
    def decision_about_it(scene: Scene) -> Event:
        verdict = scene.dice.choice(["approve", "reject", "escalate"])
        person = scene.reviewer(scene.dice.choice(["user:omar", "user:mona"]))
        name = scene.house.ended[how]
        seal = scene.house.desk.approval(name).review_hash
        return {**elsewhere(scene, name, verdict=verdict, reviewer=person), "review_hash": seal}

    CLASSES.append(Hostile(f"case_{how}", frozenset({ReceiptCode(code)}), decision_about_it, anywhere))


for _how in ("executed", "rejected", "withdrawn"):
    _ended(_how, "ALREADY_DECIDED")
_ended("expired", "EXPIRED")


@hostile("ALREADY_DECIDED")
def case_that_needed_nobody(scene: Scene) -> Event:
    return elsewhere(scene, scene.house.ended["automatic"])


@hostile("EXPIRED")
def after_the_deadline(scene: Scene) -> Event:
    """The timer has not come yet: the deadline counts all the same."""
    seal = scene.house.desk.approval(scene.house.overdue).review_hash
    event = elsewhere(scene, scene.house.overdue, reviewer=scene.reviewer("user:hana"))
    return {**event, "review_hash": seal}


@hostile("DUPLICATE")
def replay_with_other_content(scene: Scene) -> Event:
    """The id of a decision that took effect, on a question that waits."""
    return scene.decision(decision_id=scene.house.decided)


# The wrong person


@hostile("NOT_AUTHORISED", suits=is_believed)
def no_role(scene: Scene) -> Event:
    who = {"id": scene.dice.choice(["user:zoe", "user:ines", "root"])}
    return scene.decision(reviewer=who if scene.dice.random() < 0.5 else {**who, "roles": []})


@hostile("NOT_AUTHORISED", suits=is_believed)
def wrong_role(scene: Scene) -> Event:
    roles = [*(name for name in LADDER if name != scene.approval.role), "admin", "owner", "*", "%"]
    return scene.decision(reviewer={"id": "user:zoe", "roles": scene.dice.sample(roles, 2)})


@hostile("NOT_AUTHORISED", suits=is_believed)
def role_that_looks_alike(scene: Scene) -> Event:
    role = scene.approval.role
    alike = [role.upper(), role.title(), f" {role}", f"{role}\n", f"{role}\u200b", role.replace("a", "\u0430") + "s"]
    return scene.decision(reviewer={"id": "user:zoe", "roles": [scene.dice.choice(alike), f"{role},admin"]})


@hostile("NOT_AUTHORISED", suits=is_registered)
def role_that_the_register_does_not_give(scene: Scene) -> Event:
    who = next(name for name in ("user:hana", "user:lena", "user:cleo") if scene.approval.role not in ROLES[name])
    return scene.decision(reviewer=scene.reviewer(who, *LADDER))


@hostile("NOT_AUTHORISED", suits=is_registered)
def person_who_is_not_in_the_register(scene: Scene) -> Event:
    who = scene.dice.choice(["user:zoe", "user:marla", "user:maria2", "*", "maria"])
    return scene.decision(reviewer=scene.reviewer(who, *LADDER))


@hostile("NOT_AUTHORISED", suits=is_registered)
def person_who_has_left(scene: Scene) -> Event:
    return scene.decision(reviewer=scene.reviewer("user:gone"))


@hostile(
    "NOT_AUTHORISED",
    suits=lambda scene: is_registered(scene) and scene.kind in ("single", "second level", "quorum", "contested"),
)
def amount_over_the_ceiling(scene: Scene) -> Event:
    return scene.decision(reviewer=scene.reviewer("user:cass"))


@hostile("SELF_APPROVAL")
def requester(scene: Scene) -> Event:
    verdict = scene.dice.choice(["approve", "reject", "escalate"])
    return scene.decision(verdict, reviewer=scene.reviewer(REQUESTER, *LADDER))


@hostile("SELF_APPROVAL")
def requester_spelt_otherwise(scene: Scene) -> Event:
    return scene.decision(reviewer=scene.reviewer(respelt(scene, REQUESTER), *LADDER))


@hostile(
    "SELF_APPROVAL",
    suits=lambda scene: is_registered(scene) and scene.kind in ("single", "second level", "tool calls", "contested"),
)
def delegate_of_the_requester(scene: Scene) -> Event:
    return scene.decision(reviewer=scene.reviewer("user:ines", *LADDER))


@hostile("SAME_REVIEWER", suits=at("second level"))
def same_person_at_two_levels(scene: Scene) -> Event:
    return scene.decision(reviewer=scene.reviewer("user:maria"))


@hostile("SAME_REVIEWER", suits=at("second level"))
def same_person_spelt_otherwise(scene: Scene) -> Event:
    return scene.decision(reviewer={"id": respelt(scene, "user:maria"), "roles": ["director"]})


@hostile("SAME_REVIEWER", suits=at("quorum"))
def same_person_twice_in_a_quorum(scene: Scene) -> Event:
    who = scene.dice.choice(["user:cleo", respelt(scene, "user:cleo")])
    return scene.decision(reviewer={"id": who, "roles": ["clerk"]})


@hostile("NOT_AUTHORISED", suits=at("claimed"))
def question_that_somebody_holds(scene: Scene) -> Event:
    return scene.decision(reviewer=scene.reviewer(scene.dice.choice(["user:maria", "user:mona"])))
