"""The small language of messages: Jinja texts with values, `if`, one `for` at a time, and filters.

It is small so that every template ends, and soon: nothing calls, counts up, repeats within a repetition or grows by
its own result. Jinja's sandbox is the second fence, not the first.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from traceback import walk_tb
from typing import Any

from jinja2 import Template, TemplateSyntaxError, nodes
from jinja2.exceptions import TemplateRuntimeError
from jinja2.filters import FILTERS as JINJA_FILTERS
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import TESTS as JINJA_TESTS

from worker.adapters.policy.problems import did_you_mean
from worker.adapters.policy.template_values import Misspelt, in_words

MAX_LENGTH = 4000
"""Characters of a template, and of what it gives: `customer_message` of the contract holds no more."""

FILTERS = (
    "capitalize", "default", "first", "join", "last", "length", "lower", "map", "replace", "title", "trim", "truncate",
    "upper",
)  # fmt: skip
TESTS = ("defined", "eq", "equalto", "ge", "gt", "in", "le", "lt", "ne", "undefined")

_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For,
    nodes.Name, nodes.Const, nodes.List, nodes.Tuple, nodes.CondExpr, nodes.Getattr, nodes.Getitem, nodes.Slice,
    nodes.Filter, nodes.Test, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Concat,
    nodes.Keyword,
)  # fmt: skip
_LANGUAGE = "write texts, {{ values }} with filters, {% if %}, and {% for %} without another one inside"
_AS_WRITTEN = {
    "add": "+", "assign": "set", "assignblock": "set", "callblock": "call", "dict": "{…}", "div": "/",
    "filterblock": "filter", "floordiv": "//", "fromimport": "from", "mod": "%", "mul": "*", "neg": "-", "pow": "**",
    "sub": "-",
}  # fmt: skip
"""What authors write, by what Jinja calls it, where the two differ."""


class TooLong(TemplateRuntimeError):
    """The message, or a part of it, has more characters than a message may have."""

    def __init__(self) -> None:
        super().__init__(f"gives more than {MAX_LENGTH} characters")


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a template; `line` counts within it, from 1."""

    line: int
    reason: str
    advice: str


@dataclass(frozen=True, slots=True)
class Words:
    """A template that may be used. `names` are the variables it looks at."""

    template: Template
    names: frozenset[str]

    def __call__(self, values: Mapping[str, Any]) -> str:
        """The text, without space around it. Raises TemplateError, and whatever else a template can fail with."""
        parts: list[str] = []
        length = 0
        for part in self.template.generate(values):
            length += len(part)
            if length > MAX_LENGTH:
                raise TooLong
            parts.append(part)
        return "".join(parts).strip()


def compiled(source: str, variables: Mapping[str, Sequence[str]]) -> Words | list[Trouble]:
    """The template, or what is wrong with it. `variables` are the names it may use, with the fields of each."""
    if len(source) > MAX_LENGTH:
        return [Trouble(1, f"is longer than {MAX_LENGTH} characters", "shorten it: a customer reads it")]
    try:
        return _compiled(source, variables)
    except TemplateSyntaxError as error:
        return [Trouble(error.lineno, f"is not a template: {error.message}", "mend the syntax there")]
    except (RecursionError, MemoryError, SyntaxError):  # of Python, which Jinja turns templates into
        return [Trouble(1, "is nested too deeply", _LANGUAGE)]


def line_of_failure(error: BaseException) -> int | None:
    """The line of the template, from 1, at which rendering failed."""
    lines = [line for frame, line in walk_tb(error.__traceback__) if frame.f_code.co_filename == "<template>"]
    return lines[-1] if lines else None


def _compiled(source: str, variables: Mapping[str, Sequence[str]]) -> Words | list[Trouble]:
    tree = _ENVIRONMENT.parse(source)
    trouble = list(_outside_of_the_language(tree))
    if trouble:  # Jinja cannot say which names it uses
        return trouble
    names = frozenset(find_undeclared_variables(tree))
    trouble = list(_misspelt(tree, names, variables))
    return trouble or Words(_ENVIRONMENT.from_string(tree), names)


def _outside_of_the_language(node: nodes.Node) -> Iterable[Trouble]:
    """The outermost of what messages do not have: what stands inside is not told as well."""
    trouble = _trouble_with(node)
    if trouble:
        yield Trouble(node.lineno, *trouble)
    else:
        for child in node.iter_child_nodes():
            yield from _outside_of_the_language(child)


def _trouble_with(node: nodes.Node) -> tuple[str, str] | None:
    """The reason and the advice; None for a node that is in order."""
    if isinstance(node, nodes.Call):
        return "calls a function", f"use a filter: {', '.join(FILTERS)}"
    if not isinstance(node, _ALLOWED):
        kind = type(node).__name__.lower()
        return f"uses `{_AS_WRITTEN.get(kind, kind)}`, which messages do not have", _LANGUAGE
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        return f"uses an unknown filter `{node.name}`", did_you_mean(node.name, FILTERS)
    if isinstance(node, nodes.Test) and node.name not in TESTS:
        return f"uses an unknown test `{node.name}`", did_you_mean(node.name, TESTS)
    if isinstance(node, nodes.For) and (node.recursive or any(node.find_all(nodes.For))):
        return "repeats within a repetition", "write one `for` without another one inside"
    if isinstance(node, nodes.CondExpr) and node.expr2 is None:
        return "has an `if` without `else` inside {{ }}", "say what stands there otherwise, such as else ''"
    return None


def _misspelt(tree: nodes.Template, names: Iterable[str], variables: Mapping[str, Sequence[str]]) -> Iterable[Trouble]:
    for name in sorted(set(names) - variables.keys()):
        uses = [node.lineno for node in tree.find_all(nodes.Name) if node.name == name]
        yield Trouble(min(uses, default=1), f"uses an unknown name `{name}`", did_you_mean(name, variables))
    for node in tree.find_all(nodes.Getattr):
        group = node.node.name if isinstance(node.node, nodes.Name) else ""
        paths = [f"{group}.{field}" for field in variables.get(group, ())]
        path = f"{group}.{node.attr}"
        if paths and path not in paths:
            yield Trouble(node.lineno, f"uses an unknown name `{path}`", did_you_mean(path, paths))


def _bounded(apply: Callable[..., Any]) -> Callable[..., Any]:
    """A filter whose text is no longer than a message: `join` and `replace` make more of what they get."""

    @wraps(apply)
    def bounded(*arguments: Any, **named: Any) -> Any:
        result = apply(*arguments, **named)
        if isinstance(result, str) and len(result) > MAX_LENGTH:
            raise TooLong
        return result

    return bounded


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(undefined=Misspelt, finalize=in_words, autoescape=False)
    environment.globals.clear()
    environment.filters = {name: _bounded(JINJA_FILTERS[name]) for name in FILTERS}
    environment.tests = {name: JINJA_TESTS[name] for name in TESTS}
    return environment


_ENVIRONMENT = _environment()
