"""The AsyncAPI 3 document: topics, messages and operations, as the worker sees them.

It describes single messages, with the Kafka binding 0.5.0. Definitions are those of the JSON Schemas, moved to
`components/schemas`, because AsyncAPI resolves references from the root of the document.
"""

from typing import Any

from pydantic.json_schema import models_json_schema

from schemas.catalogue import (
    APPROVALS,
    DECISION_RECEIPTS,
    REVIEW_DECISIONS,
    TOPICS,
    Direction,
    Topic,
)
from schemas.cloudevents import EXTENSIONS
from schemas.events import Event
from schemas.generate.examples import published, sent
from schemas.generate.json_schema import JsonSchema, WithoutFieldTitles, messages_of, mode_of

BINDING_VERSION = "0.5.0"
CONSUMER_GROUP = "signoff"

_REQUIRED_HEADERS = ("ce_specversion", "ce_id", "ce_source", "ce_type", "content-type")
_HEADERS: JsonSchema = {
    "type": "object",
    "description": "CloudEvents 1.0 in binary mode: attributes are headers, the data is the record value.",
    "properties": {
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_id": {"type": "string", "description": "The same for every redelivery of one event."},
        "ce_source": {"type": "string", "format": "uri-reference"},
        "ce_type": {"type": "string"},
        "ce_time": {"type": "string", "format": "date-time"},
        "ce_subject": {"type": "string", "description": "What the event is about: the order or the exception."},
        "content-type": {"type": "string", "const": "application/json"},
    }
    | {f"ce_{name}": {"type": "string"} for name in sorted(EXTENSIONS)},
}
_KEY: JsonSchema = {"type": "string", "description": "The order_id; the exception_id where there is no order."}

_ASKED_AND_ANSWERED = {APPROVALS: REVIEW_DECISIONS, REVIEW_DECISIONS: DECISION_RECEIPTS}
_CORRELATED_BY = {
    "ApprovalNeeded": "approval_id",
    "ApprovalUpdated": "approval_id",
    "ApprovalCommanded": "approval_id",
    "ReviewDecided": "approval_id",
    "ReviewReceipt": "decision_id",
    "ExceptionRaised": "exception_id",
    "ExceptionWithdrawn": "exception_id",
    "PaymentFailed": "idempotency_key",
    "RecoveryRequested": "recovery_id",
    "ResolutionOutcome": "exception_id",
}


def document(version: str) -> dict[str, Any]:
    """The whole document; `version` is the one of the contract, not of the software."""
    references, definitions = _schemas()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Signoff",
            "version": version,
            "description": (
                "Order exceptions in, approvals and outcomes out. Events are CloudEvents 1.0, JSON, UTF-8. On the"
                " topics that are read, structured mode and plain JSON records are accepted as well. Topic names are"
                " the default ones; a prefix is configurable. Delivery is at least once: a redelivery has the same"
                " CloudEvents id and the same bytes."
            ),
        },
        "defaultContentType": "application/json",
        "channels": {_id(topic): _channel(topic) for topic in TOPICS},
        "operations": {_operation_id(topic): _operation(topic) for topic in TOPICS},
        "components": {
            "messages": {
                form.__name__: _message(topic, form, references[form]) for topic in TOPICS for form in _forms(topic)
            },
            "schemas": {"CloudEventHeaders": _HEADERS, **definitions},
        },
    }


def _schemas() -> tuple[dict[type[Event], JsonSchema], dict[str, JsonSchema]]:
    """The reference to each message's payload, and all definitions these lead to."""
    modes = [(form, mode_of(topic.direction)) for topic in TOPICS for form in _forms(topic)]
    references, definitions = models_json_schema(
        modes, ref_template="#/components/schemas/{model}", schema_generator=WithoutFieldTitles
    )
    return {form: references[form, mode] for form, mode in modes}, definitions["$defs"]


def _forms(topic: Topic) -> list[type[Event]]:
    return [form for model in topic.events.values() for form in messages_of(model)]


def _id(topic: Topic) -> str:
    first, *rest = topic.name.split("-")
    return first + "".join(word.capitalize() for word in rest)


def _operation_id(topic: Topic) -> str:
    name = _id(topic)
    return f"{_action(topic)}{name[0].upper()}{name[1:]}"


def _action(topic: Topic) -> str:
    return "receive" if topic.direction is Direction.IN else "send"


def _channel(topic: Topic) -> dict[str, Any]:
    return {
        "address": topic.name,
        "description": topic.about,
        "messages": {form.__name__: _reference("components", "messages", form.__name__) for form in _forms(topic)},
        "bindings": {"kafka": {"topic": topic.name, "bindingVersion": BINDING_VERSION}},
    }


def _operation(topic: Topic) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "action": _action(topic),
        "channel": _reference("channels", _id(topic)),
        "summary": topic.about,
        "messages": _channel_messages(topic),
    }
    if topic.direction is Direction.IN:
        group = {"type": "string", "enum": [CONSUMER_GROUP]}
        operation["bindings"] = {"kafka": {"groupId": group, "bindingVersion": BINDING_VERSION}}
    if answer := _ASKED_AND_ANSWERED.get(topic):
        operation["reply"] = {
            "channel": _reference("channels", _id(answer)),
            "messages": _channel_messages(answer),
        }
    return operation


def _channel_messages(topic: Topic) -> list[dict[str, str]]:
    return [_reference("channels", _id(topic), "messages", form.__name__) for form in _forms(topic)]


def _message(topic: Topic, form: type[Event], payload: JsonSchema) -> dict[str, Any]:
    headers: JsonSchema = {"properties": {"ce_type": {"const": form.TYPE}}}
    if topic.direction is Direction.OUT:
        headers["required"] = list(_REQUIRED_HEADERS)
    examples = published(form) if topic.direction is Direction.OUT else sent(form)
    message: dict[str, Any] = {
        "name": form.TYPE,
        "title": form.__name__,
        "contentType": "application/json",
        "headers": {"type": "object", "allOf": [_reference("components", "schemas", "CloudEventHeaders"), headers]},
        "payload": payload,
        "bindings": {"kafka": {"key": _KEY, "bindingVersion": BINDING_VERSION}},
        "examples": [{"name": name, "payload": example} for name, example in examples.items()],
    }
    if field := _CORRELATED_BY.get(form.__name__):
        message["correlationId"] = {"location": f"$message.payload#/{field}"}
    return message


def _reference(*path: str) -> dict[str, str]:
    return {"$ref": "#/" + "/".join(path)}
