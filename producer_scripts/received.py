"""What a consumer makes of a record: the event it holds, or why it holds none that we know."""

from dataclasses import dataclass
from typing import Any

from aiokafka import ConsumerRecord
from pydantic import ValidationError

from producer_scripts.validation import problem_of
from schemas.catalogue import Topic
from schemas.cloudevents import Refused, decode
from schemas.events import Event


@dataclass(frozen=True, slots=True)
class Received:
    """`id` is the CloudEvents id, the same for every redelivery: who must not act twice remembers it.

    `event` is None when the record is not what this topic carries; `problem` then says why.
    """

    topic: Topic
    partition: int
    offset: int
    type: str | None = None
    id: str | None = None
    data: Any = None
    event: Event | None = None
    problem: str = ""


def received(topic: Topic, record: ConsumerRecord) -> Received:
    """Never raises: one strange record must not stop a reader."""
    try:
        carried = decode(record.value, record.headers)
        model = topic.model(carried.type)
    except Refused as refused:
        return Received(topic, record.partition, record.offset, problem=refused.detail)
    event, problem = None, ""
    try:
        event = model.model_validate(carried.data)
    except ValidationError as error:
        problem = problem_of(error)
    return Received(
        topic,
        record.partition,
        record.offset,
        type=carried.type or topic.plain,
        id=carried.attributes.get("id"),
        data=carried.data,
        event=event,
        problem=problem,
    )
