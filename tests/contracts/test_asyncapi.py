"""The committed AsyncAPI document says all that the catalogue says, and its examples are true."""

from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from schemas.catalogue import EVENTS, TOPICS, Direction, Topic
from schemas.events import ReviewBatch
from schemas.generate.__main__ import ROOT

DOCUMENT: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "asyncapi.yaml").read_text(encoding="utf-8"))


def resolved(reference: dict[str, str]) -> Any:
    found: Any = DOCUMENT
    for step in reference["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return found


def channel_of(topic: Topic) -> dict[str, Any]:
    (channel,) = [channel for channel in DOCUMENT["channels"].values() if channel["address"] == topic.name]
    assert isinstance(channel, dict)
    return channel


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_a_topic_has_its_channel_with_its_types_and_one_operation(topic: Topic) -> None:
    channel = channel_of(topic)
    assert channel["bindings"]["kafka"] == {"topic": topic.name, "bindingVersion": "0.5.0"}
    assert {resolved(message)["name"] for message in channel["messages"].values()} == set(topic.events)
    (operation,) = [one for one in DOCUMENT["operations"].values() if resolved(one["channel"]) == channel]
    assert operation["action"] == ("receive" if topic.direction is Direction.IN else "send")
    assert ("groupId" in operation.get("bindings", {}).get("kafka", {})) == (topic.direction is Direction.IN)


def test_an_approval_is_answered_by_a_decision_and_a_decision_by_a_receipt() -> None:
    operations = DOCUMENT["operations"]
    assert resolved(operations["sendApprovals"]["reply"]["channel"])["address"] == "review-decisions"
    assert resolved(operations["receiveReviewDecisions"]["reply"]["channel"])["address"] == "decision-receipts"


def test_every_reference_leads_somewhere() -> None:
    def check(node: Any) -> int:
        if isinstance(node, list):
            return sum(check(held) for held in node)
        if not isinstance(node, dict):
            return 0
        if "$ref" in node:
            assert resolved(node)
            return 1
        return sum(check(held) for held in node.values())

    assert check(DOCUMENT) > len(EVENTS)


@pytest.mark.parametrize("name", DOCUMENT["components"]["messages"])
def test_a_message_is_one_object_and_its_examples_validate(name: str) -> None:
    message = DOCUMENT["components"]["messages"][name]
    assert resolved(message["payload"])["type"] == "object"
    payload = Draft7Validator({**message["payload"], "components": DOCUMENT["components"]})
    assert message["examples"]
    for example in message["examples"]:
        payload.validate(example["payload"])
        assert not payload.is_valid({})
    assert message["headers"]["allOf"][1]["properties"]["ce_type"]["const"] in EVENTS
    assert message["bindings"]["kafka"]["key"]["type"] == "string"


def test_a_correlation_id_points_at_a_field_of_its_payload() -> None:
    correlated = 0
    for message in DOCUMENT["components"]["messages"].values():
        if "correlationId" in message:
            field = message["correlationId"]["location"].removeprefix("$message.payload#/")
            assert field in resolved(message["payload"])["properties"]
            correlated += 1
    # A batch has one for each member, and a dead letter answers nothing.
    assert correlated == len(DOCUMENT["components"]["messages"]) - 2
    assert ReviewBatch.__name__ in DOCUMENT["components"]["messages"]
