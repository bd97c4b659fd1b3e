"""Edits of actions as another product's screen sends them: each names its action, and what was typed is text."""

from collections.abc import Iterable, Mapping
from typing import Any

from schemas.strict_json import Refused, parse_json
from schemas.values import Action, Changes, EditedAction, Proposal
from worker.domain.errors import InvalidChanges
from worker.domain.order_exception import ActionFindings

_OF_TYPE: Mapping[str, tuple[type, ...]] = {
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "null": (type(None),),
    "number": (int, float),
    "object": (dict,),
}


def as_meant(changes: Changes, names: Iterable[str], proposal: Proposal, findings: Iterable[ActionFindings]) -> Changes:
    """The changes with typed arguments. `names` are what the screen calls the edited actions, edit by edit.

    Raises InvalidChanges for an edit that makes another action of the one that was shown: that is a new request.
    """
    shown = dict(enumerate(proposal.actions or ()))
    schemas = {finding.id: finding.args_schema for finding in findings}
    edits = []
    for edit, name in zip(changes.edited_actions or (), names, strict=True):
        action = shown.get(edit.index)
        if action is not None:
            _check_name(edit, name, action)
            typed = coerced(edit.args, schemas.get(action.id or "") or {})
            edits.append(edit.model_copy(update={"args": typed}))
        else:
            edits.append(edit)
    return changes.model_copy(update={"edited_actions": tuple(edits)})


def coerced(args: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with the value for each text that stands for one.

    A form gives back as text whatever was typed into it. `"12"` is taken for 12 where the JSON Schema of the
    arguments says integer and does not take a text; anything else stays as it is, for the schema to judge.
    """
    properties = schema.get("properties")
    known = properties if isinstance(properties, Mapping) else {}
    return {name: _typed(value, known.get(name)) for name, value in args.items()}


def _check_name(edit: EditedAction, name: str, action: Action) -> None:
    if name != action.name:
        raise InvalidChanges(
            f"`response`: action {edit.index} was shown as {action.name}, and is edited under another name; "
            "send its name back as it was shown, or reject it"
        )


def _typed(value: object, schema: object) -> object:
    if not isinstance(value, str) or not isinstance(schema, Mapping):
        return value
    wanted = _types(schema.get("type"))
    if not wanted or "string" in wanted:
        return value
    try:
        read = parse_json(value.encode(errors="surrogatepass"))
    except Refused:
        return value
    return read if any(_is_of(word, read) for word in wanted) else value


def _types(said: object) -> tuple[str, ...]:
    if isinstance(said, str):
        return (said,)
    return tuple(word for word in said if isinstance(word, str)) if isinstance(said, list | tuple) else ()


def _is_of(word: str, value: object) -> bool:
    """Python counts a truth among the integers, and JSON does not."""
    return isinstance(value, _OF_TYPE.get(word, ())) and (word == "boolean" or not isinstance(value, bool))
