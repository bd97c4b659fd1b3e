"""A part of a policy that is plain data, such as a JSON Schema: YAML nodes as what JSON would make of them.

The data are bounded while they are read, because an alias (`*name`) can repeat a part over and over, or hold itself.
"""

import math
from collections.abc import Sequence

import yaml

from worker.adapters.policy.located_yaml import line_of

MAX_SIZE = 16 * 1024
"""Characters of all keys and values together, and one for each of them."""

MAX_DEPTH = 32

_CONSTRUCTED = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("int", "float", "bool", "null"))
_AS_WRITTEN = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "timestamp"))


class NotPlain(Exception):
    """What stands on `line` is no plain data, or is too much of it; `advice` says what to do."""

    def __init__(self, line: int, reason: str, advice: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason
        self.advice = advice


def plain(node: yaml.Node) -> object:
    """The node as dicts, lists, texts, numbers, true, false and None. Raises NotPlain."""
    return _Reader().read(node, MAX_DEPTH)


def node_at(node: yaml.Node, path: Sequence[str | int]) -> yaml.Node:
    """The node to which the path leads, or the last one on the way that exists."""
    for part in path:
        if isinstance(node, yaml.MappingNode):
            inner = next((value for key, value in node.value if key.value == part), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            inner = node.value[part]
        else:
            inner = None
        if inner is None:
            return node
        node = inner
    return node


class _Reader:
    def __init__(self) -> None:
        self._left = MAX_SIZE

    def read(self, node: yaml.Node, depth: int) -> object:
        if depth == 0:
            raise NotPlain(line_of(node), f"is nested more than {MAX_DEPTH} deep", "make it flatter")
        self._take(node)
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        if node.tag == "tag:yaml.org,2002:seq":
            return [self.read(entry, depth - 1) for entry in node.value]
        if node.tag == "tag:yaml.org,2002:map":
            return self._mapping(node, depth)
        raise _no_json(node)

    def _mapping(self, node: yaml.Node, depth: int) -> dict[str, object]:
        found: dict[str, object] = {}
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else None
            if name is None or key.tag == "tag:yaml.org,2002:merge":
                raise NotPlain(line_of(key), "has a key that is no text", "write a plain word")
            if name in found:
                raise NotPlain(line_of(key), f"has `{name}` twice", "keep one of them")
            self._take(key)
            found[name] = self.read(value, depth - 1)
        return found

    def _take(self, node: yaml.Node) -> None:
        self._left -= 1 + (len(node.value) if isinstance(node, yaml.ScalarNode) else 0)
        if self._left < 0:
            raise NotPlain(line_of(node), f"is larger than {MAX_SIZE // 1024} KiB", "shorten it")


def _scalar(node: yaml.ScalarNode) -> object:
    if node.tag in _AS_WRITTEN:  # JSON has no dates
        return str(node.value)
    if node.tag in _CONSTRUCTED:
        try:
            value = yaml.SafeLoader("").construct_object(node)
        except ValueError:
            value = math.nan
        if not isinstance(value, float) or math.isfinite(value):
            return value
        raise NotPlain(line_of(node), "has a number that JSON does not have", "write an ordinary number")
    raise _no_json(node)


def _no_json(node: yaml.Node) -> NotPlain:
    return NotPlain(line_of(node), f"has a value that JSON does not have ({node.tag})", "write plain data")
