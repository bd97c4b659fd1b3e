"""A schema of arguments that would check nothing is refused; one that was accepted says where arguments break it."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from worker.adapters.policy.args_problems import LONGEST_EXPECTATION, ArgsCheck
from worker.adapters.policy.args_schemas import FORMATS, KEYWORDS, read_args_schema
from worker.adapters.policy.plain_data import MAX_DEPTH, MAX_SIZE
from worker.adapters.policy.problems import Problems

EMAIL = """\
type: object
required: [to, subject, body]
additionalProperties: false
properties:
  to: {type: string, format: email, maxLength: 200}
  subject: {type: string, minLength: 1}
  body: {type: string}
  copies: {type: array, maxItems: 2, items: {$ref: '#/$defs/copy'}}
$defs:
  copy: {type: object, properties: {to: {enum: [board, legal]}, on: {type: [string, 'null'], format: date}}}
"""


def read(content: str) -> tuple[Any, list[tuple[int, str]]]:
    """The schema, and the line and message of each problem."""
    problems = Problems()
    node = yaml.compose(content, Loader=yaml.SafeLoader)
    assert node is not None
    schema = read_args_schema(node, "action a", problems)
    return schema, [(problem.line, f"{problem.reason}; {problem.advice}") for problem in problems.found]


def problem_with(content: str, args: dict[str, Any]) -> str | None:
    schema, problems = read(content)
    assert problems == []
    return ArgsCheck(schema)(args)


def nested(depth: int) -> str:
    return f"type: object\nnot: {'{not: ' * depth}{{}}{'}' * depth}"


SPOILT = {
    "keyword in another form": ("[to, subject, body]", "to", 2, "is no JSON Schema: 'to' is not of type 'array'; mend"),
    "type that there is not": ("{type: string}", "{type: text}", 7, "is no JSON Schema: 'text' is not valid"),
    "pattern that is none": ("minLength: 1", "pattern: '('", 6, "has a `pattern` that is none: unclosed group"),
    "pattern that looks around": ("minLength: 1", "pattern: '(?=a)b'", 6, "look-around, including look-ahead and"),
    "pattern that grows": ("minLength: 1", "pattern: 'a{1000}{1000}{100}'", 6, "Compiled regex exceeds size limit"),
    "patterns of names": ("required:", "patternProperties: {'^x': {}}\nrequired:", 2, "write `propertyNames: {pattern"),
    "not of objects": ("type: object\nreq", "type: string\nreq", 1, "is not of type object; add `type: object`"),
    "of anything": ("type: object\nreq", "req", 1, "is not of type object"),
    "misspelt keyword": ("required:", "requird:", 2, "an unknown keyword `requird`; did you mean required?"),
    "misspelt within": ("enum:", "enums:", 10, "has an unknown keyword `enums`; did you mean enum?"),
    "format that nobody checks": ("format: date", "format: duration", 10, "not checked: duration; use `pattern`"),
    "another file": ("'#/$defs/copy'", "copy.json", 8, "something outside of it (`$ref`); nothing is fetched"),
    "another machine": ("'#/$defs/copy'", "'https://example.com/#'", 8, "refers to something outside of it (`$ref`)"),
    "a part that is not there": ("'#/$defs/copy'", "'#/$defs/cpy'", 8, "has no schema `#/$defs/cpy`, to which"),
    "an anchor that is not there": ("'#/$defs/copy'", "'#copy'", 8, "has no schema `#copy`, to which it refers"),
    "a part that is no schema": ("'#/$defs/copy'", "'#/required'", 8, "has no schema `#/required`, to which it refers"),
    "names, and no schema": ("'#/$defs/copy'", "'#/properties'", 8, "has no schema `#/properties`, to which it refers"),
    "a name of its own": ("minLength: 1", "$id: 'https://example.com'", 6, "has an `$id`; remove it"),
    "an old draft": ("required:", "$schema: 'http://json-schema.org/draft-07/schema#'\nrequired:", 2, "another draft"),
    "a circle": ("required:", "$ref: '#'\nrequired:", 1, "refers to itself without end; break the circle"),
    "key twice": ("properties:\n", "properties:\n  to: {}\n", 6, "has `to` twice; keep one of them"),
    "key that is none": ("properties:\n", "properties:\n  ? [a]\n  : {}\n", 5, "has a key that is no text"),
    "no JSON number": ("minLength: 1", "minimum: .nan", 6, "has a number that JSON does not have"),
    "no JSON value": ("minLength: 1", "default: !!set {}", 6, "has a value that JSON does not have"),
    "its own type": ("minLength: 1", "default: !own x", 6, "JSON does not have (!own)"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "message"), SPOILT.values(), ids=SPOILT)
def test_one_mistake_is_one_problem_at_its_line(old: str, new: str, line: int, message: str) -> None:
    assert old in EMAIL
    schema, ((place, told),) = read(EMAIL.replace(old, new, 1))
    assert schema is None
    assert told.startswith("`args_schema` of action a ")
    assert message in told
    assert place == line


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("no schema", "is not of type object"),
        ("[]", "is not of type object"),
        ("'true'", "is not of type object"),
        (nested(MAX_DEPTH), f"is nested more than {MAX_DEPTH} deep; make it flatter"),
        (f"type: object\ndescription: {'x' * MAX_SIZE}", "is larger than 16 KiB; shorten it"),
        ("type: object\nnot: &a {not: *a}", f"is nested more than {MAX_DEPTH} deep"),
        (
            "type: object\ndefault: [&a [x, x, x, x], &b [*a, *a, *a, *a, *a, *a], &c [*b, *b, *b, *b, *b, *b],"
            " &d [*c, *c, *c, *c, *c, *c], &e [*d, *d, *d, *d, *d, *d], [*e, *e, *e, *e, *e, *e]]",
            "is larger than 16 KiB",
        ),
        (f"type: object\nminProperties: {'9' * 5000}", "has a number that JSON does not have"),
    ],
    ids=["text", "list", "true", "deep", "large", "holds itself", "grows by aliases", "endless number"],
)
def test_what_is_no_schema_or_too_much_of_one_is_refused(content: str, message: str) -> None:
    schema, ((_, told),) = read(content)
    assert schema is None
    assert message in told


def test_a_sound_schema_is_read_as_json() -> None:
    schema, problems = read(EMAIL)
    assert problems == []
    assert schema == json.loads(json.dumps(schema))
    assert schema["$defs"]["copy"]["properties"]["on"] == {"type": ["string", "null"], "format": "date"}
    assert read("type: object\ndefault: {day: 2026-01-01, n: 1.5, yes: no}")[0]["default"] == {
        "day": "2026-01-01",
        "n": 1.5,
        "yes": False,
    }


def test_a_property_may_be_called_like_a_keyword_of_another_draft() -> None:
    assert read("type: object\nproperties: {$id: {type: string}, definitions: {const: {format: x}}}")[1] == []


GOOD_ARGS = {"to": "ada@example.com", "subject": "Hello", "body": ""}
SAID = {
    "nothing": ({}, "args: `to`, `subject`, `body` are missing (`required`)"),
    "one is missing": ({"to": "a@b", "subject": "x"}, "args: `body` is missing (`required`)"),
    "one too many": (
        {**GOOD_ARGS, "secret": "hunter2"},
        "args: takes nothing but `to`, `subject`, `body`, `copies` (`additionalProperties`)",
    ),
    "another type": ({**GOOD_ARGS, "body": 5}, "args.body: must be of type string (`type`)"),
    "a format": ({**GOOD_ARGS, "to": "ada"}, "args.to: must be written as email (`format`)"),
    "a length": ({**GOOD_ARGS, "subject": ""}, "args.subject: must keep to minLength 1 (`minLength`)"),
    "too many": ({**GOOD_ARGS, "copies": [{}] * 3}, "args.copies: must keep to maxItems 2 (`maxItems`)"),
    "inside": ({**GOOD_ARGS, "copies": [{}, {"to": "x"}]}, 'args.copies[1].to: must be one of "board", "legal"'),
    "either": ({**GOOD_ARGS, "copies": [{"on": 1}]}, "args.copies[0].on: must be of type string or null (`type`)"),
    "a day": ({**GOOD_ARGS, "copies": [{"on": "today"}]}, "args.copies[0].on: must be written as date (`format`)"),
}  # fmt: skip


@pytest.mark.parametrize(("args", "said"), SAID.values(), ids=SAID)
def test_the_sentence_names_the_place_the_keyword_and_what_is_expected(args: dict[str, Any], said: str) -> None:
    told = problem_with(EMAIL, args)
    assert told is not None
    assert told.startswith(said)


def test_arguments_that_fit_are_no_problem() -> None:
    assert problem_with(EMAIL, GOOD_ARGS) is None
    assert problem_with(EMAIL, {**GOOD_ARGS, "copies": [{"to": "legal", "on": None}]}) is None


@pytest.mark.parametrize(
    ("keywords", "args", "said"),
    [
        ("properties: {a: false}", {"a": 1}, "args: has what its schema does not allow"),
        ("properties: {a: {const: {x: ü}}}", {"a": 1}, 'args.a: must be {"x": "ü"} (`const`)'),
        ("anyOf: [{required: [a]}, {required: [b]}]", {}, "args: does not fit what its schema says of it (`anyOf`)"),
        ("not: {required: [a]}", {"a": 1}, "args: does not fit what its schema says of it (`not`)"),
        ("unevaluatedProperties: false", {"a": 1}, "args: takes nothing but what its schema names"),
        ("maxProperties: 0", {"a": 1}, "args: must keep to maxProperties 0 (`maxProperties`)"),
        ("additionalProperties: {type: string}", {"x" * 99: 1}, f"args.{'x' * 39}…: must be of type string (`type`)"),
    ],
)
def test_other_keywords_are_named_as_well(keywords: str, args: dict[str, Any], said: str) -> None:
    told = problem_with(f"type: object\n{keywords}", args)
    assert told is not None
    assert told.startswith(said)


@pytest.mark.parametrize(
    ("keywords", "value", "cause"),
    [("{$ref: '#/properties/a'}", 1, "RecursionError"), ("{multipleOf: 0.1}", 10**400, "OverflowError")],
)
def test_arguments_that_cannot_be_judged_do_not_pass(keywords: str, value: object, cause: str) -> None:
    content = f"type: object\nproperties: {{a: {keywords}}}"
    assert problem_with(content, {}) is None
    assert problem_with(content, {"a": value}) == f"args: cannot be checked against its schema ({cause})"


PATTERN = "type: object\nproperties: {a: {pattern: '^(x+)+$'}}"


@pytest.mark.parametrize("text", ["", "y", "x\n", "x" * 100_000 + "y", "\ud800"])
def test_a_pattern_refuses_any_text_at_once(text: str) -> None:
    assert problem_with(PATTERN, {"a": text}) == "args.a: must match ^(x+)+$ (`pattern`)"


@pytest.mark.parametrize("value", ["x", "x" * 100_000, 5, None])
def test_a_pattern_takes_texts_that_match_and_whatever_is_no_text(value: object) -> None:
    assert problem_with(PATTERN, {"a": value}) is None


def test_every_format_that_may_be_used_is_checked() -> None:
    for name in FORMATS:
        assert problem_with(f"type: object\nproperties: {{a: {{format: {name}}}}}", {"a": "wrong"}) is not None, name


SECRET = "correct horse battery staple"  # noqa: S105 (what the sentence must not repeat)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(SECRET),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["to", "on", "x"]), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["to", "subject", "body", "copies", "x"]), values))
def test_no_value_stands_in_the_sentence(args: dict[str, Any]) -> None:
    told = problem_with(EMAIL, args)
    assert told is not None or {"to", "subject", "body"} <= args.keys()
    assert SECRET not in (told or "")
    assert len(told or "") < LONGEST_EXPECTATION + 100


numbers = st.integers(-3, 3)
words = st.sampled_from(["to", "on", "x", "object", "#", "#/properties/to", "#/$defs/x", "^x", "date", "string"])
parts: st.SearchStrategy[Any] = st.recursive(
    st.booleans() | numbers | words | st.just({}),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(sorted(KEYWORDS)), inner, max_size=3)
        | st.dictionaries(st.sampled_from(["to", "on", "x"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(
    schema=st.dictionaries(st.sampled_from(sorted(KEYWORDS)), parts, max_size=4),
    args=st.dictionaries(st.sampled_from(["to", "on", "x"]), values, max_size=3),
)
def test_no_schema_does_worse_than_being_refused_or_refusing(schema: dict[str, Any], args: dict[str, Any]) -> None:
    accepted, problems = read(json.dumps({**schema, "type": "object"}))
    assert (accepted is None) == bool(problems)
    if accepted is not None:
        told = ArgsCheck(accepted)(args)
        assert told is None or told.startswith("args")
