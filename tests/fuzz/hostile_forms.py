"""Hostile decisions whose form is the matter: illegible ones, and answers from other products' screens that contradict
themselves or the question."""

from typing import Any

from tests.builders import Event
from tests.fuzz.hostile import PAYS, at, hostile
from tests.fuzz.hostile_changes import TOOLS
from tests.fuzz.scenes import Scene

_APPROVE, _REJECT = {"type": "approve"}, {"type": "reject", "message": "no"}


def answers(scene: Scene, *decisions: Any, **fields: Any) -> Event:
    """As the middleware answers: wrapped, bare, or under the id of the interrupt."""
    wrapped: list[Any] = [{"decisions": list(decisions)}, list(decisions), {"1a2b": {"decisions": list(decisions)}}]
    return scene.decision(None, response=scene.dice.choice(wrapped), **fields)


def edit(name: Any, args: Any) -> Event:
    return {"type": "edit", "edited_action": {"name": name, "args": args}}


@hostile("INVALID")
def verdict_that_does_not_exist(scene: Scene) -> Event:
    return scene.decision(scene.dice.choice(["approved", "APPROVE", "yes", "", "auto", "approve "]))


@hostile("INVALID")
def no_verdict(scene: Scene) -> Event:
    return scene.decision(None)


@hostile("INVALID")
def question_that_is_not_named(scene: Scene) -> Event:
    return {**scene.decision(), "approval_id": None, "exception_id": None}


@hostile("INVALID")
def reviewer_that_is_none(scene: Scene) -> Event:
    people: list[Any] = [None, "user:maria", {}, {"roles": ["manager"]}, {"id": ""}, {"id": 7}, {"id": "x" * 201}, []]
    return scene.decision(reviewer=scene.dice.choice(people))


@hostile("INVALID")
def roles_that_are_no_list_of_texts(scene: Scene) -> Event:
    roles = scene.dice.choice(["manager", {"manager": True}, [["manager"]], [None], [True]])
    return scene.decision(reviewer={"id": "user:omar", "roles": roles})


@hostile("INVALID")
def request_for_changes_without_a_word(scene: Scene) -> Event:
    return scene.decision("request_changes", comment=scene.dice.choice([None, ""]))


@hostile("INVALID")
def choice_of_nothing(scene: Scene) -> Event:
    return scene.decision("choose", choice=scene.dice.choice([None, "", -1, True, 0.5, [], {}]))


@hostile("INVALID")
def escalation_beside_another_verdict(scene: Scene) -> Event:
    return scene.decision(scene.dice.choice(["approve", "reject"]), escalate_to="legal")


@hostile("INVALID")
def fields_of_wrong_type(scene: Scene) -> Event:
    wrong: list[Event] = [
        {"comment": 7},
        {"review_hash": ["x"]},
        {"level": {}},
        {"comment": "x" * 4_001},
        {"level": ""},
    ]
    return scene.decision(**scene.dice.choice(wrong))


# Screens of other products


@hostile("INVALID")
def response_that_contradicts_the_verdict(scene: Scene) -> Event:
    first, verdict = scene.dice.choice([(_APPROVE, "reject"), (_REJECT, "approve"), (_APPROVE, "escalate")])
    return {**answers(scene, first), "verdict": verdict}


@hostile("INVALID")
def response_that_cannot_be_read(scene: Scene) -> Event:
    wrong: list[Any] = [
        "approve",
        True,
        [],
        {},
        {"decisions": []},
        {"decisions": "approve"},
        [None],
        [{"type": "Approve"}],
        [{"type": ["approve"]}],
        {"a": [_APPROVE], "b": [_APPROVE]},
        {"a": {"b": [_APPROVE]}},
        [_APPROVE] * 101,
        {"type": "edit"},
        {"type": "approve", "edited_action": {"name": "refund", "args": {}}},
    ]
    return scene.decision(None, response=scene.dice.choice(wrong))


@hostile("INVALID", suits=TOOLS)
def response_to_some_actions_only(scene: Scene) -> Event:
    return answers(scene, *scene.dice.choice([[_APPROVE], [_APPROVE] * 2, [_APPROVE] * 4, [_APPROVE, _REJECT]]))


@hostile("INVALID", suits=TOOLS)
def response_that_sends_back_a_part(scene: Scene) -> Event:
    said = [_APPROVE, _REJECT, {"type": "respond", "message": "shorter"}]
    scene.dice.shuffle(said)
    return answers(scene, *said)


@hostile("INVALID", suits=PAYS)
def response_to_actions_that_were_not_asked(scene: Scene) -> Event:
    return answers(scene, _APPROVE, scene.dice.choice([_APPROVE, _REJECT]))


@hostile("INVALID_CHANGES", suits=PAYS)
def screen_that_raises_the_amount(scene: Scene) -> Event:
    amount: Any = scene.dice.choice([scene.most_minor + 1, str(scene.most_minor + 1), "0", 0, "-5", "1e3", "9" * 18])
    return answers(scene, edit("refund", {"amount_minor": amount, "currency": "USD"}))


@hostile("INVALID_CHANGES", suits=PAYS)
def screen_that_edits_what_is_not_editable(scene: Scene) -> Event:
    field = scene.dice.choice(["order_id", "customer_id", "payment_reference", "amount"])
    return answers(scene, edit("refund", {"amount_minor": 500, "currency": "USD", field: "x"}))


@hostile("INVALID_CHANGES", suits=TOOLS)
def screen_that_renames_the_action(scene: Scene) -> Event:
    name = scene.dice.choice(["buy_stock", "Send_Email", "send_email ", "add_note", "rm -rf"])
    return answers(scene, edit(name, {"to": "ann"}), _APPROVE, _APPROVE)


@hostile("INVALID_CHANGES", suits=TOOLS)
def screen_that_makes_a_payment_of_an_action(scene: Scene) -> Event:
    return answers(scene, edit("refund", {"amount_minor": 500, "currency": "USD"}), _APPROVE, _APPROVE)


# Commands that would let somebody answer who may not


@hostile("SELF_APPROVAL", suits=at("single", "second level", "tool calls", "quorum"))
def question_handed_to_its_requester(scene: Scene) -> Event:
    return _command(scene, scene.dice.choice(["reassign", "delegate"]), "user:rick")


@hostile("SELF_APPROVAL", suits=at("single", "second level", "tool calls", "quorum"))
def question_claimed_by_its_requester(scene: Scene) -> Event:
    return {**_command(scene, "claim", None), "by": scene.reviewer("user:rick", scene.approval.role)}


@hostile("SAME_REVIEWER", suits=at("second level"))
def question_handed_to_who_has_signed(scene: Scene) -> Event:
    return _command(scene, scene.dice.choice(["reassign", "delegate"]), "user:maria")


def _command(scene: Scene, command: str, to: str | None) -> Event:
    event = scene.decision(None)
    by = event.pop("reviewer")
    event.pop("review_hash", None)
    return {**event, "command_id": event.pop("decision_id"), "command": command, "by": by, "to": to}
