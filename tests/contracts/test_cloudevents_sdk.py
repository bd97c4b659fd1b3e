"""The official CloudEvents SDK reads what we write, and we read what it writes."""

from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.bindings import kafka
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent as SdkEvent

from schemas.catalogue import EVENTS, TOPICS
from schemas.cloudevents import CloudEvent, decode, encode
from schemas.events import Event
from schemas.generate.examples import published, sent

NOON = datetime(2026, 1, 5, 12, 0, 0, 123456, tzinfo=UTC)
EVERY_TYPE = pytest.mark.parametrize(("type_", "model"), EVENTS.items())


def an_event_of_the_sdk(type_: str, data: Any) -> SdkEvent:
    attributes = {
        "type": type_,
        "source": "/magasin/é",
        "id": "e-1",
        "time": NOON,
        "subject": "ORD-1001",
        "datacontenttype": "application/json",
        "correlationid": "EXC-1001",
        "partitionkey": "ORD-1001",
    }
    return SdkEvent(attributes=attributes, data=data)


def read(message: kafka.KafkaMessage) -> CloudEvent:
    return decode(message.value, list(message.headers.items()))


@EVERY_TYPE
def test_the_sdk_reads_what_we_write(type_: str, model: type[Event]) -> None:
    for example in published(model).values():
        event = model.model_validate(example)
        extensions = {"correlationid": "EXC-1001", "partitionkey": "ORD-1001", "sequence": "0000000001"}
        value, headers = encode(type_, "e-1", "/signoff/é", NOON, "ORD-1001", event.to_json(), extensions)
        heard = kafka.from_kafka(kafka.KafkaMessage(headers=dict(headers), key=b"ORD-1001", value=value), JSONFormat())
        assert heard.get_data() == example
        assert (heard.get_type(), heard.get_id(), heard.get_source()) == (type_, "e-1", "/signoff/é")
        assert (heard.get_time(), heard.get_subject()) == (NOON, "ORD-1001")
        assert {name: heard.get_extension(name) for name in extensions} == extensions


@EVERY_TYPE
@pytest.mark.parametrize("write", [kafka.to_binary_event, kafka.to_structured_event], ids=["binary", "structured"])
def test_we_read_what_the_sdk_writes(type_: str, model: type[Event], write: Any) -> None:
    for example in sent(model).values():
        heard = read(write(an_event_of_the_sdk(type_, example)))
        assert heard.data == example
        assert heard.type == type_
        assert heard.attributes["source"] == "/magasin/é"
        assert heard.attributes["correlationid"] == "EXC-1001"
        assert datetime.fromisoformat(heard.attributes["time"]) == NOON


@EVERY_TYPE
def test_both_modes_lead_to_the_same_model(type_: str, model: type[Event]) -> None:
    (topic,) = [topic for topic in TOPICS if type_ in topic.events]
    for example in sent(model).values():
        event = an_event_of_the_sdk(type_, example)
        heard = [read(kafka.to_binary_event(event)), read(kafka.to_structured_event(event))]
        first, second = [topic.model(one.type).model_validate(one.data) for one in heard]
        assert first == second == model.model_validate(example)


def test_we_read_bytes_that_the_sdk_wrapped_in_base64() -> None:
    event = SdkEvent(attributes={"type": "t.v1", "source": "/shop", "id": "e-1"}, data=b'{"a": 1}')
    assert read(kafka.to_structured_event(event)).data == {"a": 1}
