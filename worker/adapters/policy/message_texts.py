"""The `messages` of a policy as written: by kind of exception and verdict a template, or one for each language."""

from collections.abc import Iterator
from dataclasses import dataclass

import yaml
from pydantic import TypeAdapter, ValidationError

from schemas.values import ExceptionKind, Language, Verdict
from worker.adapters.policy.located_yaml import Mapping as Fields
from worker.adapters.policy.located_yaml import line_of
from worker.adapters.policy.problems import Problems

SPOKEN = (Verdict.APPROVE, Verdict.REJECT)
"""The verdicts that have a message; that of approve is sent with whatever is executed."""

DEFAULT = "default"
"""What stands in the place of a language for customers who are written to in any other, or in none that is known."""

_TAG: TypeAdapter[str] = TypeAdapter(Language)


@dataclass(frozen=True, slots=True)
class MessageText:
    """`language` is a BCP 47 tag in lower case, or DEFAULT. `name` is what messages about it call it."""

    kind: ExceptionKind
    verdict: Verdict
    language: str
    name: str
    node: yaml.ScalarNode


def read_message_texts(node: yaml.Node, problems: Problems) -> Iterator[MessageText]:
    kinds = Fields(node, "`messages`", problems, optional=list(ExceptionKind))
    if isinstance(node, yaml.MappingNode) and not node.value:
        problems.add(line_of(node), "`messages` has no message", "add one, or remove `messages`")
    for kind, entry in kinds.fields.items():
        verdicts = Fields(entry, f"`messages` of {kind}", problems, optional=SPOKEN)
        if not verdicts.lines:
            problems.add(verdicts.line, f"{verdicts.name} has no message", f"add `{SPOKEN[0]}` or `{SPOKEN[1]}`")
        for verdict in verdicts.fields:
            for language, name, text in _by_language(kind, verdict, verdicts, problems):
                yield MessageText(ExceptionKind(kind), Verdict(verdict), language, name, text)


def languages(tag: str | None) -> Iterator[str]:
    """What to look for on behalf of a customer, the best first: the tag, the tag without its last part, and so on down
    to the language alone, then DEFAULT (RFC 4647, section 3.4, "lookup")."""
    parts = tag.lower().split("-") if tag else []
    while parts:
        yield "-".join(parts)
        parts.pop()
        if parts and len(parts[-1]) == 1:  # the singleton that announces an extension means nothing by itself
            parts.pop()
    yield DEFAULT


def _by_language(
    kind: str, verdict: str, verdicts: Fields, problems: Problems
) -> Iterator[tuple[str, str, yaml.ScalarNode]]:
    """The language, the name and the text of each variant; a text without a language is the one for all."""
    entry = verdicts.fields[verdict]
    name = f"{kind}.{verdict}"
    if not isinstance(entry, yaml.MappingNode) or _is_unquoted(entry):
        if verdicts.text(verdict) is not None and isinstance(entry, yaml.ScalarNode):
            yield DEFAULT, name, entry
        return
    variants = Fields(entry, f"message {name}", problems, optional=None)
    if not entry.value:
        problems.add(variants.line, f"{variants.name} has no text", f"add `{DEFAULT}: …`")
    seen: dict[str, int] = {}
    for tag, text in variants.fields.items():
        line = variants.lines[tag]
        if not _is_language(tag):
            told = f"{variants.name} has the key `{tag}`, which is no language"
            problems.add(line, told, f"write a tag such as de or pt-BR, or {DEFAULT}")
        elif (first := seen.setdefault(tag.lower(), line)) != line:
            problems.add(line, f"{variants.name} has {tag} twice, first on line {first}", "keep one of them")
        elif variants.text(tag) is not None and isinstance(text, yaml.ScalarNode):
            yield tag.lower(), f"{name}.{tag}", text


def _is_unquoted(entry: yaml.MappingNode) -> bool:
    """Whether it is what YAML makes of `{{ amount }}` without quotes: a mapping in the place of a key."""
    return any(not isinstance(key, yaml.ScalarNode) for key, _ in entry.value)


def _is_language(tag: str) -> bool:
    try:
        _TAG.validate_python(tag)
    except ValidationError:
        return False
    return True
