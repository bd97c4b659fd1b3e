"""The `when` of a rule: a CEL expression, checked before it may judge money.

CEL here has no static types, and `==` between different types is simply false, so several nets catch
a mistake: `expressions.py` and `contradictions.py` read the text, the expression runs against sample
facts, and a failure on real facts counts as fired (`ApprovalPolicy` sees to that).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import cel

from worker.adapters.policy.contradictions import why_never
from worker.adapters.policy.expressions import check_words
from worker.adapters.policy.problems import Problems
from worker.adapters.policy.quantities import Limit
from worker.adapters.policy.vocabulary import Evidence

MAX_LENGTH = 1000
"""Longer conditions are several rules."""

_POSITION = re.compile(r"<input>:(\d+):(\d+): (?:Syntax error: )?(.*)")

_NO_SUCH_CALL = re.compile(r"Undefined variable or function: '(\w+)'")


@dataclass(frozen=True, slots=True)
class Condition:
    """Whether a rule applies. Raises whatever the expression does; TypeError for no yes or no."""

    source: str
    program: cel.Program

    def __call__(self, evidence: Evidence) -> bool:
        answer = self.program.execute(evidence.context)
        if not isinstance(answer, bool):
            raise TypeError(f"`{self.source}` gave {answer!r}, which is not true or false")
        return answer


def condition(
    source: str,
    line: int,
    name: str,
    limits: Mapping[str, Limit],
    samples: Mapping[str, Evidence],
    problems: Problems,
) -> Condition | None:
    """The condition of rule `name`; None, with the problems told, if it must not be used."""
    if len(source) > MAX_LENGTH:
        problems.add(line, f"`when` of {name} is longer than {MAX_LENGTH} characters", "split it")
        return None
    try:
        program = cel.compile(source)
    except ValueError as error:
        problems.add(line, f"`when` of {name} is not CEL: {_syntax(str(error))}", "mend it there")
        return None
    before = len(problems.found)
    check_words(
        source,
        program,
        limits,
        lambda reason, advice: problems.add(line, f"`when` of {name} {reason}", advice),
    )
    if len(problems.found) > before:
        return None
    checked = Condition(source, program)
    trouble = _try(checked, samples) or _never(source, limits)
    if trouble is None:
        return checked
    problems.add(line, f"`when` of {name} {trouble[0]}", trouble[1])
    return None


def _never(source: str, limits: Mapping[str, Limit]) -> tuple[str, str] | None:
    reason = why_never(source, limits)
    return (f"can never be true: {reason}", "mend it, or remove the rule") if reason else None


def _syntax(message: str) -> str:
    """The parser's first complaint, without the forty tokens that it would rather have seen."""
    match = _POSITION.search(message)
    if match is None:
        return message.splitlines()[0]
    line, column, complaint = match.groups()
    complaint = re.sub(r" expecting \{.*", "", complaint).replace("'<EOF>'", "end of the text")
    place = f"column {column}" if line == "1" else f"its line {line}, column {column}"
    return f"{complaint} at {place}"


def _try(condition: Condition, samples: Mapping[str, Evidence]) -> tuple[str, str] | None:
    """What goes wrong with sample facts, and what to do: the first failure says enough."""
    for described, evidence in samples.items():
        try:
            answer = condition.program.execute(evidence.context)
        except Exception as error:  # the expression's own failure, of whatever type
            return (
                f"fails for {described}: {_cause(error)}",
                "compare like with like, and guard what may be empty",
            )
        if not isinstance(answer, bool):
            return f"gives {_noun(answer)} for {described}", "it must say true or false"
    return None


def _cause(error: Exception) -> str:
    if isinstance(error, TypeError):
        return "an operation between types that do not go together"
    if match := _NO_SUCH_CALL.match(str(error)):
        return f"`{match[1]}` cannot be called like that"
    return str(error).split(". ")[0].splitlines()[0]


def _noun(answer: object) -> str:
    nouns: dict[type, str] = {int: "a number", float: "a number", str: "text", list: "a list"}
    return f"{nouns.get(type(answer), 'something else')} ({answer!r})"
