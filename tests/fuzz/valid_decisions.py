"""Decisions that must take effect: whatever was sent before them about the same question."""

from collections.abc import Mapping
from typing import Any

from tests.builders import Event
from tests.fuzz.hostile_changes import edits, money
from tests.fuzz.scenes import ACTIONS, Scene


def a_final_one(scene: Scene) -> Event:
    """It leaves no question open."""
    if scene.kind == "contested":
        return scene.decision("reject", comment="it was paid already")
    return scene.decision()


def a_valid_one(scene: Scene) -> Event:
    verdict = scene.dice.choice(_VERDICTS[scene.kind])
    fields: Event = {}
    match verdict:
        case "modify":
            fields["changes"] = _changes(scene)
        case "choose":
            fields["choice"] = scene.dice.choice([0, "store_credit"] if scene.kind == "single" else ["bank_transfer"])
        case "request_changes":
            fields["comment"] = "where is the photo?"
        case "approve" | "reject" if scene.dice.random() < 0.3:
            return scene.decision(None, response=_response(scene, verdict))
    return scene.decision(verdict, **fields)


_EVERY = ("approve", "approve", "reject", "modify", "choose", "escalate", "request_changes")
_VERDICTS: Mapping[str, tuple[str, ...]] = {
    "single": _EVERY,
    "claimed": _EVERY,
    "second level": ("approve", "reject", "modify", "choose", "escalate"),
    "tool calls": ("approve", "reject", "modify", "modify", "escalate"),
    "quorum": ("approve", "reject"),
    "legal": ("approve", "reject"),
    "contested": ("reject", "modify"),
}


def _changes(scene: Scene) -> Event:
    if scene.kind != "tool calls":
        return {"amount": money(scene.dice.randint(1, scene.most_minor))}
    kept = sorted(scene.dice.sample(range(len(ACTIONS)), scene.dice.randint(1, 2)))
    edited: Event = {"edited_actions": edits({"index": scene.dice.randrange(2)})}
    return scene.dice.choice([{"approved_actions": kept}, edited])


def _response(scene: Scene, verdict: str) -> dict[str, Any]:
    """An answer for each action, as the middleware gives it."""
    asked = len(ACTIONS) if scene.kind == "tool calls" else 1
    return {"decisions": [{"type": verdict}] * asked}
