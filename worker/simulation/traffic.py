"""Traffic: one exception a line, and when it came."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from schemas.catalogue import ORDER_EXCEPTIONS
from schemas.cloudevents import Refused, parse_json
from worker.translation.inbound import Accepted, Record, read

TOLD = 20
"""Bad lines that are named at once."""


@dataclass(frozen=True, slots=True)
class Arrival:
    at: datetime
    event: dict[str, Any]


class TrafficError(Exception):
    """Lines of the file cannot be used; the message names each with its number."""


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid")

    at: AwareDatetime
    event: dict[str, Any]


def load_traffic(path: Path) -> Sequence[Arrival]:
    """In the order of time. Raises TrafficError for lines that are none, or that the worker would refuse."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        advice = "give a file with a line for each exception"
        raise TrafficError(f"{path}: cannot be read: {error.strerror or error}; {advice}") from error
    arrivals, problems = [], []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            arrivals.append(_arrival(line))
        except ValueError as error:
            problems.append(f"{path}:{number}: {error}")
    if problems:
        more = [f"… and {len(problems) - TOLD} more"] if len(problems) > TOLD else []
        raise TrafficError("\n".join([*problems[:TOLD], *more]))
    if not arrivals:
        raise TrafficError(f"{path}: holds no exception; give one a line")
    return sorted(arrivals, key=lambda arrival: arrival.at)


def _arrival(line: bytes) -> Arrival:
    """Raises ValueError with what is wrong."""
    try:
        found = _Line.model_validate(parse_json(line))
    except Refused as refused:
        raise ValueError(refused.detail) from refused
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        advice = 'write {"at": "2026-01-05T09:00:00Z", "event": {…}}'
        raise ValueError(f"{where}: {first['msg']}; {advice}") from error
    (part,) = read(Record(ORDER_EXCEPTIONS.name, 0, 0, None, json.dumps(found.event).encode(), ()))
    if not isinstance(part, Accepted):
        raise ValueError(f"event: the worker would refuse it: {part.reason}: {part.detail}")
    return Arrival(found.at, found.event)
