"""YAML read as nodes, because plain data has forgotten the lines that error messages need."""

from collections.abc import Collection
from dataclasses import dataclass

import yaml

from worker.adapters.policy.problems import Problems, did_you_mean


@dataclass(frozen=True, slots=True)
class FileKind:
    """How large a file of this kind may be (the parser recurses, so its input has to be bounded), and what is said of
    one that is too large, too deep or empty."""

    max_bytes: int
    when_large: str
    when_deep: str
    when_empty: str


POLICY = FileKind(
    max_bytes=256 * 1024,
    when_large="a policy is a page of rules",
    when_deep="a policy has rules, and rules have plain fields",
    when_empty="start from the default policy, in docs/policy.md",
)

_TEXT_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "timestamp"))


def root_of(content: bytes, problems: Problems, kind: FileKind = POLICY) -> yaml.Node | None:
    """The root of the one document; None, with the problem told, when there is no such thing."""
    if len(content) > kind.max_bytes:
        problems.add(0, f"is larger than {kind.max_bytes // 1024} KiB", kind.when_large)
        return None
    try:
        root = yaml.compose(content.decode("utf-8"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problems.add(line, "is not UTF-8 text", "save the file as UTF-8")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = error.problem or error.context or "cannot be read"
        problems.add(mark.line + 1 if mark else 0, f"is not YAML: {what}", "mend the syntax there")
    except yaml.YAMLError as error:  # control characters: the reader gives a position and no line
        problems.add(0, f"is not YAML: {str(error).splitlines()[0]}", "remove that character")
    except RecursionError:
        problems.add(0, "is nested too deeply", kind.when_deep)
    else:
        if root is None:
            problems.add(0, "is empty", kind.when_empty)
        return root
    return None


def line_of(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


class Mapping:
    """The fields of one YAML mapping; what is missing, unknown or there twice is told at once.

    `name` says in messages what the mapping is: "rule small-refund", "the policy".
    """

    def __init__(
        self,
        node: yaml.Node,
        name: str,
        problems: Problems,
        *,
        required: Collection[str] = (),
        optional: Collection[str] | None = (),
    ) -> None:
        """`optional=None` takes any key: the keys are then names that the author chose."""
        self.name = name
        self.line = line_of(node)
        self.fields: dict[str, yaml.Node] = {}
        self.lines: dict[str, int] = {}
        self._problems = problems
        if not isinstance(node, yaml.MappingNode):
            problems.add(self.line, f"{name} is not a mapping", "write `key: value` lines there")
            return
        known = None if optional is None else [*required, *optional]
        for key, value in node.value:
            self._take(key, value, known)
        for key in required:
            if key not in self.lines:
                problems.add(self.line, f"{name} has no `{key}`", f"add `{key}: …`")

    def _take(self, key: yaml.Node, value: yaml.Node, known: list[str] | None) -> None:
        word, line = text_of(key), line_of(key)
        if word is None:
            self._problems.add(line, f"{self.name} has a key that is no text", "write a plain word")
        elif word in self.lines:
            self._problems.add(
                line,
                f"{self.name} has `{word}` twice, first on line {self.lines[word]}",
                "keep one of them",
            )
        elif known is not None and word not in known:
            self.lines[word] = line
            self._problems.add(line, f"{self.name} has an unknown key `{word}`", did_you_mean(word, known))
        else:
            self.lines[word] = line
            self.fields[word] = value

    def text(self, key: str) -> str | None:
        """The field's text; None when it is missing or, with a problem told, when it is no text."""
        node = self.fields.get(key)
        if node is None:
            return None
        text = text_of(node)
        if text is None:
            self._problems.add(line_of(node), f"`{key}` of {self.name} is not text", _how_to_write_text(node))
        return text


def _how_to_write_text(node: yaml.Node) -> str:
    """What YAML made of an unquoted sentence or condition tells what its author has to do."""
    if isinstance(node, yaml.CollectionNode):
        return 'put it in quotes: a { or [ at the start needs "…"'
    if node.tag.startswith("!") or "python" in node.tag:
        return 'put it in quotes: a ! at the start needs "…"'
    return "write a value"


def text_of(node: yaml.Node) -> str | None:
    """A scalar as it was written, also where YAML sees a number; None when it says nothing."""
    is_text = isinstance(node, yaml.ScalarNode) and node.tag in _TEXT_TAGS
    if is_text and str(node.value).strip():
        return str(node.value).strip()
    return None


def sequence_of(node: yaml.Node, name: str, problems: Problems) -> list[yaml.Node]:
    """The entries of a list, told to be none when it is empty or something else."""
    if isinstance(node, yaml.SequenceNode) and node.value:
        return list(node.value)
    problems.add(line_of(node), f"{name} is not a list with entries", "write `- …` lines there")
    return []
