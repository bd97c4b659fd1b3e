"""Hostile decisions by people who may decide: what they change, choose, seal or escalate to is not theirs to have."""

from typing import Any

from tests.builders import Event
from tests.fuzz.hostile import FREE_TO_MODIFY, PAYS, at, hostile
from tests.fuzz.scenes import Scene

TOOLS = at("tool calls")


def modifies(scene: Scene, **changes: Any) -> Event:
    return scene.decision("modify", changes=changes)


def money(amount_minor: Any, currency: Any = "USD") -> Event:
    return {"amount_minor": amount_minor, "currency": currency}


def edits(*changed: Event) -> list[Event]:
    return [{"args": {"to": "bob"}, **edit} for edit in changed]


# Money


@hostile("INVALID_CHANGES", suits=PAYS)
def amount_above_the_proposal(scene: Scene) -> Event:
    return modifies(scene, amount=money(scene.most_minor + scene.dice.choice([1, 100, 10**9])))


@hostile("INVALID_CHANGES", suits=PAYS)
def amount_of_zero(scene: Scene) -> Event:
    return modifies(scene, amount=money(0))


@hostile("INVALID_CHANGES", suits=PAYS)
def amount_below_zero(scene: Scene) -> Event:
    return modifies(scene, amount=money(-scene.dice.randint(1, 10**9)))


@hostile("INVALID_CHANGES", suits=PAYS)
def amount_in_another_currency(scene: Scene) -> Event:
    return modifies(scene, amount=money(500, scene.dice.choice(["EUR", "JPY", "XXX", "usd", "US", "\uff35SD", None])))


@hostile("INVALID_CHANGES", suits=PAYS)
def amount_that_is_no_integer(scene: Scene) -> Event:
    return modifies(scene, amount=money(scene.dice.choice([1.5, "500", True, None, [], 10**18, "\uff15"])))


@hostile("INVALID_CHANGES", suits=PAYS)
def amount_with_more_in_it(scene: Scene) -> Event:
    return modifies(scene, amount={**money(500), "amount": 900_000})


@hostile("INVALID_CHANGES", suits=TOOLS)
def money_for_what_moves_none(scene: Scene) -> Event:
    wrong: list[Event] = [{"amount": money(100)}, {"method": "store_credit"}]
    return modifies(scene, **scene.dice.choice(wrong))


@hostile("STALE", suits=at("contested"))
def more_than_is_left_by_now(scene: Scene) -> Event:
    sent: list[Event] = [
        scene.decision(),
        modifies(scene, amount=money(scene.most_minor + 1)),
        scene.decision("choose", choice="store_credit"),
    ]
    return scene.dice.choice(sent)


# Other changes


@hostile("INVALID_CHANGES", suits=FREE_TO_MODIFY)
def field_that_is_not_known(scene: Scene) -> Event:
    name = scene.dice.choice(["ammount", "Amount", "order_id", "status", "__class__", "proposal", "method "])
    return modifies(scene, customer_message="hello", **{name: 1})


@hostile("INVALID_CHANGES", suits=FREE_TO_MODIFY)
def changes_that_are_no_object(scene: Scene) -> Event:
    return scene.decision("modify", changes=scene.dice.choice([[], "amount", 7, True, [money(1)]]))


@hostile("INVALID_CHANGES", suits=FREE_TO_MODIFY)
def nothing_changed(scene: Scene) -> Event:
    return scene.decision("modify", changes=scene.dice.choice([{}, None, {"amount": None}, {"method": None}]))


@hostile("INVALID_CHANGES")
def approval_that_changes(scene: Scene) -> Event:
    return scene.decision(changes=scene.dice.choice([{"amount": money(1)}, {"method": "store_credit"}, {"x": 1}]))


@hostile("INVALID_CHANGES")
def rejection_that_pays(scene: Scene) -> Event:
    changes = [{"amount": money(500)}, {"method": "bank_transfer"}, {"approved_actions": [0]}, {"amount": 1}]
    return scene.decision("reject", changes=scene.dice.choice(changes))


@hostile("INVALID_CHANGES", suits=PAYS)
def method_that_does_not_exist(scene: Scene) -> Event:
    return modifies(
        scene, method=scene.dice.choice(["cash", "STORE_CREDIT", "", "original_method ", 0, ["store_credit"]])
    )


@hostile("INVALID_CHANGES", suits=FREE_TO_MODIFY)
def message_that_is_no_text(scene: Scene) -> Event:
    return modifies(scene, customer_message=scene.dice.choice([7, ["x"], {"text": "x"}, "x" * 4_001]))


# Actions


@hostile("INVALID_CHANGES", suits=PAYS)
def actions_of_what_has_none(scene: Scene) -> Event:
    wrong: list[Event] = [{"approved_actions": [0]}, {"edited_actions": edits({"index": 0})}]
    return modifies(scene, **scene.dice.choice(wrong))


@hostile("INVALID_CHANGES", suits=TOOLS)
def approved_actions_out_of_range(scene: Scene) -> Event:
    return modifies(scene, approved_actions=scene.dice.choice([[3], [0, 3], [0, 1, 2, 3], [10**9], [-1], [0, -3]]))


@hostile("INVALID_CHANGES", suits=TOOLS)
def approved_actions_twice(scene: Scene) -> Event:
    return modifies(scene, approved_actions=scene.dice.choice([[0, 0], [0, 1, 1], [2, 0, 2]]))


@hostile("INVALID_CHANGES", suits=TOOLS)
def approved_actions_none(scene: Scene) -> Event:
    return modifies(scene, approved_actions=[])


@hostile("INVALID_CHANGES", suits=TOOLS)
def approved_actions_of_wrong_type(scene: Scene) -> Event:
    wrong: list[Any] = ["0", 0, {"0": True}, [True], ["0"], [0.0], [None], ["send_email"], [[0]]]
    return modifies(scene, approved_actions=scene.dice.choice(wrong))


@hostile("INVALID_CHANGES", suits=TOOLS)
def edit_of_an_action_that_is_not_there(scene: Scene) -> Event:
    index = scene.dice.choice([3, 99, -1, "0", True, None, 0.0])
    return modifies(scene, edited_actions=edits({"index": index}))


@hostile("INVALID_CHANGES", suits=TOOLS)
def edit_under_another_name(scene: Scene) -> Event:
    other = scene.dice.choice([{"name": "drop_table"}, {"action": "buy_stock"}, {"id": "1"}])
    return modifies(scene, edited_actions=edits({"index": 0, **other}))


@hostile("INVALID_CHANGES", suits=TOOLS)
def edit_against_the_schema(scene: Scene) -> Event:
    args: list[Any] = [{}, {"to": 7}, {"to": None}, {"to": ["ann"]}, {"too": "bob"}, [], "to", None]
    return modifies(scene, edited_actions=[{"index": scene.dice.randrange(2), "args": scene.dice.choice(args)}])


@hostile("INVALID_CHANGES", suits=TOOLS)
def edit_into_another_kind(scene: Scene) -> Event:
    args = {"to": "ann", "kind": scene.dice.choice(["bulk", "ddl", "delete", "PLAIN"])}
    return modifies(scene, edited_actions=[{"index": scene.dice.randrange(2), "args": args}])


@hostile("INVALID_CHANGES", suits=TOOLS)
def edit_without_a_schema(scene: Scene) -> Event:
    return modifies(scene, edited_actions=[{"index": 2, "args": {"symbol": "EVIL", "pieces": 10**6}}])


@hostile("INVALID_CHANGES", suits=TOOLS)
def edit_of_what_is_left_out(scene: Scene) -> Event:
    return modifies(scene, approved_actions=[1, 2], edited_actions=edits({"index": 0}))


@hostile("INVALID_CHANGES", suits=TOOLS)
def edit_twice(scene: Scene) -> Event:
    return modifies(scene, edited_actions=edits({"index": 0}, {"index": 0, "args": {"to": "eve"}}))


# Choices, verdicts, escalations, seals


@hostile("INVALID_CHANGES", suits=at("single", "second level", "claimed"))
def choice_out_of_range(scene: Scene) -> Event:
    return scene.decision("choose", choice=scene.dice.choice([2, 7, 10**12, "2", "99", "\u0664"]))


@hostile("INVALID_CHANGES", suits=at("single", "second level", "claimed", "quorum"))
def choice_that_was_not_offered(scene: Scene) -> Event:
    return scene.decision(
        "choose", choice=scene.dice.choice(["cash", "replacement", "STORE_CREDIT", "gift card", "-1"])
    )


@hostile("INVALID_CHANGES", suits=at("single"))
def choice_that_pays_more(scene: Scene) -> Event:
    return scene.decision("choose", choice=scene.dice.choice([1, "1"]))


@hostile("INVALID_CHANGES", suits=TOOLS)
def choice_of_a_method_for_what_pays_nothing(scene: Scene) -> Event:
    return scene.decision("choose", choice=scene.dice.choice(["store_credit", "original_method", 0]))


@hostile("VERDICT_NOT_ALLOWED", suits=at("legal"))
def verdict_that_is_not_allowed(scene: Scene) -> Event:
    more: list[Event] = [
        scene.decision("modify", changes={"customer_message": "hello"}),
        scene.decision("choose", choice="store_credit"),
        scene.decision("escalate"),
        scene.decision("request_changes", comment="where is the form?"),
    ]
    return scene.dice.choice(more)


@hostile("VERDICT_NOT_ALLOWED", suits=at("single", "second level", "tool calls", "quorum"))
def escalation_that_does_not_rise(scene: Scene) -> Event:
    """To a lower level, to its own, or to one that the policy does not have."""
    to = scene.dice.choice(["hasty", scene.approval.question.level.name, "ceo", "Director", "\u202elegal"])
    return scene.decision("escalate", escalate_to=to)


@hostile("STALE")
def seal_of_something_else(scene: Scene) -> Event:
    seal = scene.approval.review_hash
    others = [scene.house.desk.approval(scene.house.ended["executed"]).review_hash, "0" * 64, seal.upper(), seal[:-1]]
    wrong = [other for other in others if other != seal]
    return scene.decision(review_hash=scene.dice.choice([*wrong, f" {seal}", "x"]))


@hostile("STALE", suits=at("second level"))
def seal_of_the_level_before(scene: Scene) -> Event:
    first = scene.house.desk.database.approvals_of(scene.house.desk.case(scene.name).case_id)[0]
    return scene.decision(review_hash=first.approval.review_hash)


@hostile("STALE", suits=lambda scene: scene.house.requires_hash)
def no_seal_where_one_is_needed(scene: Scene) -> Event:
    return scene.decision(review_hash=None)
