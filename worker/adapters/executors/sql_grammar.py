"""PostgreSQL's grammar for the parser, which knows many dialects and takes hundreds of their functions for its own.

To PostgreSQL most of those are names like any other: a function of the house may be called `decrypt` or `apply`. So
the parser knows no function here but those that PostgreSQL's grammar spells out, and every other call keeps its name.
"""

from collections import Counter
from collections.abc import Collection
from itertools import pairwise
from typing import Any, ClassVar

from sqlglot import Parser, exp
from sqlglot.dialects import Dialect
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from worker.adapters.executors.sql_text import DIALECT, BadStatement, place

_DIALECT = Dialect.get_or_raise(DIALECT)
_POSTGRES: type[Parser] = _DIALECT.parser_class

SPELLED_OUT = {
    *("CAST", "EXTRACT", "JSON_OBJECT", "JSON_OBJECTAGG", "JSON_TABLE", "JSON_VALUE", "NORMALIZE", "OVERLAY"),
    *("POSITION", "SUBSTRING", "TRIM", "XMLELEMENT", "XMLTABLE"),
}
"""Calls with words between their arguments (`trim(both from a)`)."""

_WITHOUT_PARENTHESES = {"ANY", "CASE", "VARIADIC"}

_BEFORE_PARENTHESES = """
    all and any array as between both bit by case cast char character check coalesce collate cube dec decimal
    distinct else except exists extract fetch float for from greatest group grouping having ilike in
    intersect interval into json_array json_arrayagg json_exists json_object json_objectagg json_query
    json_scalar json_serialize json_table json_value lateral leading least like limit national nchar normalize
    not nullif numeric offset on only or order overlaps overlay placing position returning rollup
    row select some substring symmetric table then time timestamp timestamptz to trailing treat trim union
    using values varchar variadic when where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest
    xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable
"""
"""Words of PostgreSQL's grammar that may stand before a parenthesis and call nothing: it has them reserved, or they
belong to a clause. https://www.postgresql.org/docs/current/sql-keywords-appendix.html"""

_CALL_NOTHING = frozenset(_BEFORE_PARENTHESES.split())

_GROUPINGS: dict[str, type[exp.Expr]] = {"cube": exp.Cube, "rollup": exp.Rollup}

_NAMES = {TokenType.VAR, TokenType.IDENTIFIER}
_JOINS = {TokenType.LEFT, TokenType.RIGHT, TokenType.FULL, TokenType.INNER, TokenType.OUTER, TokenType.CROSS}
_BEHIND: dict[str, set[TokenType]] = {
    "filter": {TokenType.R_PAREN},
    "join": {TokenType.R_PAREN, TokenType.NATURAL, *_NAMES, *_JOINS},
    "over": {TokenType.R_PAREN},
    "set": {TokenType.UPDATE, TokenType.STAR, *_NAMES},
}
"""Words that may name a function, and what they stand behind where they do not."""


class _Parser(_POSTGRES):  # type: ignore[misc, valid-type]
    FUNCTIONS: ClassVar[dict[str, Any]] = {}
    FUNCTIONS_WITH_ALIASED_ARGS: ClassVar[set[str]] = set()
    FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
        name: each for name, each in _POSTGRES.FUNCTION_PARSERS.items() if name in SPELLED_OUT
    }
    NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
        name: each for name, each in _POSTGRES.NO_PAREN_FUNCTION_PARSERS.items() if name in _WITHOUT_PARENTHESES
    }


def parsed(text: str, tokens: list[Token]) -> list[exp.Expr]:
    """The statements of the text. Raises BadStatement, and RecursionError when it is nested too deeply."""
    try:
        found = _Parser(dialect=_DIALECT).parse(tokens, text)
    except RecursionError:
        raise
    except ParseError as error:
        raise BadStatement(_told(error)) from None
    except (SqlglotError, ValueError) as error:
        raise BadStatement(f"the statement cannot be read: {str(error).splitlines()[0][:200]}") from None
    except Exception as error:  # the parser breaks on some texts, and what it cannot read is not run
        raise BadStatement(f"the statement cannot be read: the parser broke with {type(error).__name__}") from None
    return [each for each in found if each is not None and not isinstance(each, exp.Semicolon)]


def _told(error: ParseError) -> str:
    first = error.errors[0] if error.errors else {}
    near = f" near {first['highlight'][:40]!a}" if first.get("highlight") else ""
    where = f"line {first['line']}, column {first['col']}: " if first.get("line") else ""
    says = first.get("description", "the statement cannot be read").partition(" but got <")[0]
    return f"{where}{says}{near}"


def refuse_hidden_calls(text: str, tokens: list[Token], root: exp.Expr, called: Collection[str]) -> None:
    """A word of other dialects can be the name of a function here: `from apply(1)` calls `apply`. Where such a word
    stands before a parenthesis, the parser must have taken it for a call, too. Raises BadStatement."""
    grouped = Counter(type(each) for each in root.find_all(*_GROUPINGS.values()))
    before: TokenType | None = None
    for token, following in pairwise(tokens):
        word = text[token.start : token.end + 1].lower()
        if following.token_type is TokenType.L_PAREN and word not in called:
            if word in _GROUPINGS:
                grouped[_GROUPINGS[word]] -= 1
            if _may_call(token, word, before) or min(grouped.values(), default=0) < 0:
                raise BadStatement(f"{place(text, token.start)}: {word}( could be a call that cannot be seen")
        before = token.token_type


def _may_call(token: Token, word: str, before: TokenType | None) -> bool:
    if token.token_type is TokenType.IDENTIFIER:
        return word.strip('"').upper() in SPELLED_OUT
    if token.token_type is TokenType.VAR or not word.isidentifier():
        return False
    if word in _BEHIND:
        return before not in _BEHIND[word]
    return before is TokenType.DOT or word not in _CALL_NOTHING
