"""Instances of the published JSON Schemas as hypothesis-jsonschema draws them, with canaries among their texts."""

import json
import subprocess
import sys
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz.material import CANARY, Data

REPOSITORY = Path(__file__).parents[2]

_ONE_IN_CANARY = 4

Instances = Mapping[str, list[Data]]
"""By event type."""


@cache
def instances(each: int, seed: int) -> Instances:
    """So many of each schema. They are everybody's: change a copy."""
    program = [sys.executable, "-m", "tests.fuzz.draw_instances", "--each", str(each), "--seed", str(seed)]
    drawn = subprocess.run(program, cwd=REPOSITORY, stdout=subprocess.PIPE, check=True)
    found: dict[str, list[Data]] = {}
    for line in drawn.stdout.splitlines():
        instance = json.loads(line)
        found.setdefault(instance["type"], []).append(instance["data"])
    return found


def instance_of(event_type: str, drawn: Instances, dice: Random) -> Data:
    marked: Data = _with_canaries(deepcopy(dice.choice(drawn[event_type])), dice)
    return marked


def _with_canaries(data: Any, dice: Random) -> Any:
    match data:
        case dict():
            return {name: _with_canaries(held, dice) for name, held in data.items()}
        case list():
            return [_with_canaries(held, dice) for held in data]
        case str() if not dice.randrange(_ONE_IN_CANARY):
            return CANARY * dice.choice([1, 1, 1, 50])
    return data
