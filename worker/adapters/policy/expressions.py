"""The words of a CEL expression: are its names, functions and compared values ones that exist?

Sample facts cannot show that `order.status == "shiped"` never holds, and `false && order.typo`
hides the misspelt name from them. Both would be a rule that silently never fires, so they are
looked for in the text.
"""

import re
from collections.abc import Callable, Iterator, Mapping

import cel

from schemas.values import Money
from worker.adapters.policy.problems import did_you_mean
from worker.adapters.policy.quantities import Limit
from worker.adapters.policy.vocabulary import VARIABLES, Variable

Report = Callable[[str, str], None]
"""Takes what is wrong, and what to do."""

FUNCTIONS = ("size", "contains", "startsWith", "endsWith", "matches", "int", "double", "string")
GROUPS = ("exception", "order", "customer", "exposure", "limits")

_LITERAL = re.compile(r"""//[^\n]*|[rR](?:"[^"\n]*"|'[^'\n]*')|[bB]?(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')""")
_BOUND = re.compile(r"\.\s*(?:all|exists|exists_one|map|filter)\s*\(\s*(\w+)\s*,")
_GROUP = re.compile(rf"(?<![\w.])({'|'.join(GROUPS)})\b(?:\s*\.\s*(\w+))?")
_PATH = rf"(?<![\w.])((?:{'|'.join(GROUPS)})\s*\.\s*\w+|amount)(?![\w(]|\s*[.\[(+*/%-])"
_VALUE = r"(§\d+|-?\d+(?:\.\d+)?|true|false)\b"
_COMPARED = (
    re.compile(rf"{_PATH}\s*[!=]=\s*{_VALUE}"),
    re.compile(rf"(?<![-\w+*/%.])(?P<value>{_VALUE})\s*[!=]=\s*(?P<path>{_PATH})"),
    re.compile(rf"{_PATH}\s+in\s+\[([^\[\]]*)\]"),
)


def check_words(source: str, program: cel.Program, limits: Mapping[str, Limit], report: Report) -> None:
    """Reports every unknown name, unknown function and comparison that can never hold."""
    known = {**VARIABLES, **{f"limits.{name}": _variable(limit) for name, limit in limits.items()}}
    literals: list[str] = []
    text = _without_literals(source, literals)
    bound = set(_BOUND.findall(text))
    for name in program.variables():
        if name not in bound and name not in GROUPS and name != "amount":
            report(f"uses an unknown name `{name}`", did_you_mean(name, known))
    for name in sorted(bound & {*GROUPS, "amount"}):
        report(f"gives the name `{name}` another meaning", "choose another name there")
    for name in program.functions():
        if name.isidentifier() and not name.startswith("_") and name not in FUNCTIONS:
            report(f"calls an unknown function `{name}`", did_you_mean(name, FUNCTIONS))
    _check_fields(text, known, report)
    for path, value in _comparisons(text):
        if path in known:
            shown = f"'{literals[int(value[1:])]}'" if value.startswith("§") else value
            _check_comparison(path, known[path], _literal(value, literals), shown, report)


def _variable(limit: Limit) -> Variable:
    return Variable(int if isinstance(limit, Money) else type(limit), "")


def _without_literals(source: str, literals: list[str]) -> str:
    """The expression's own words: its texts become §0, §1, …, and its comments blanks."""

    def keep(match: re.Match[str]) -> str:
        if match[0].startswith("//"):
            return " "
        literals.append(match[0].lstrip("rRbB")[1:-1])
        return f"§{len(literals) - 1}"

    return _LITERAL.sub(keep, source)


def _check_fields(text: str, known: Mapping[str, Variable], report: Report) -> None:
    for group, name in dict.fromkeys(_GROUP.findall(text)):
        path = f"{group}.{name}"
        if not name:
            report(f"uses `{group}` as a whole", f"name one of its facts, such as {_first(group)}")
        elif path not in known:
            report(f"uses an unknown name `{path}`", did_you_mean(path, known))


def _first(group: str) -> str:
    return next((path for path in VARIABLES if path.startswith(f"{group}.")), f"{group}.…")


def _comparisons(text: str) -> Iterator[tuple[str, str]]:
    """Every comparison of a known name with a literal, as (name, literal)."""
    forward, backward, membership = _COMPARED
    for match in forward.finditer(text):
        yield _plain(match[1]), match[2]
    for match in backward.finditer(text):
        yield _plain(match["path"]), match["value"]
    for match in membership.finditer(text):
        for value in match[2].split(","):
            if re.fullmatch(_VALUE, value.strip()):
                yield _plain(match[1]), value.strip()


def _plain(path: str) -> str:
    return re.sub(r"\s", "", path)


def _literal(value: str, literals: list[str]) -> str | float | bool:
    if value.startswith("§"):
        return literals[int(value[1:])]
    return value == "true" if value in ("true", "false") else float(value)


def _check_comparison(path: str, variable: Variable, value: str | float | bool, shown: str, report: Report) -> None:
    never = f"compares `{path}` with {shown}, which it can never be"
    if type(value) is not (float if variable.type is int else variable.type):
        report(never, f"it is {_TYPES[variable.type]}")
    elif variable.words and value not in variable.words:
        report(never, did_you_mean(str(value), sorted(variable.words)))


_TYPES: Mapping[type, str] = {
    int: "a whole number",
    float: "a number",
    str: "text",
    bool: "true or false",
    list: "a list of texts",
}
