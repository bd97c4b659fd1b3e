"""Reads the text of a statement with PostgreSQL's eyes: what two readers could read differently is refused.

The parser that judges a statement and the server that runs it are two programs. Each rule here closes a place where
they could disagree about where a string, a name or a comment ends, and with it about what the statement does.
"""

import re
from itertools import pairwise

from sqlglot import Dialect, tokenize
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

DIALECT = "postgres"

LONGEST_STATEMENT = 10_000
"""Characters. A reviewer reads it, and the parser takes some 10 ms for every thousand."""

_DEEPEST_TYPES = 5
"""How deeply `array[...]`, `char(...)` and other words for types may be nested. Each level doubles the parser's time:
it first reads a type, and then, when it was none, a value."""

_OPENING, _CLOSING = {TokenType.L_PAREN, TokenType.L_BRACKET}, {TokenType.R_PAREN, TokenType.R_BRACKET}
_TYPES = Dialect.get_or_raise(DIALECT).parser_class.TYPE_TOKENS

_BETWEEN = re.compile(r"(?:[ \t\n]|--[^\n]*(?:\n|\Z)|/\*[^*/]*\*/)*")
"""Blanks and comments. A comment inside a comment is nested for some readers and not for others."""

_ALONE = {
    TokenType.HEREDOC_STRING: "a dollar-quoted string; write it in single quotes",
    TokenType.UNICODE_STRING: "a U&'...' string; write its characters themselves",
}
_QUOTED = {
    TokenType.STRING: re.compile(r"'(?:[^']|'')*'"),
    TokenType.BYTE_STRING: re.compile(r"[eE]'(?:[^'\\]|\\[^\n]|'')*'"),
    TokenType.NATIONAL_STRING: re.compile(r"[nN]'[^'\\]*'"),
    TokenType.BIT_STRING: re.compile(r"[bB]'[01]*'"),
    TokenType.HEX_STRING: re.compile(r"[xX]'[0-9a-fA-F]*'"),
    TokenType.IDENTIFIER: re.compile(r'"(?:[^"]|"")+"'),
}
_BARE = re.compile(r"[ \t\n!#%&()*+,./0-9:;<=>?@A-Z\[\]^_`a-z|~{}-]+")
"""Whatever stands outside quotes: ASCII, and neither a quote nor a dollar nor a backslash. A keyword may be several
words (`order by`) with blanks between them."""

_BEGINNINGS = {"SELECT", "WITH", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "(", ";"}

_COMMENT_MARK = re.compile(r"/\*|\*/|--")


class BadStatement(ValueError):
    """It is not run. Says what in it, where, and what to write instead."""


def place(text: str, position: int) -> str:
    """`line 2, column 14`, counted from 1."""
    before = text[:position]
    return f"line {before.count(chr(10)) + 1}, column {position - before.rfind(chr(10))}"


def tokens_of(text: str) -> tuple[str, list[Token]]:
    """The text as it is run, with Unix line ends, and its tokens. Raises BadStatement."""
    text = _plain(text)
    try:
        tokens = tokenize(text, read=DIALECT)
    except SqlglotError as error:
        raise BadStatement(f"the statement cannot be read: {str(error).splitlines()[0][:200]}") from None
    if tokens:
        _refuse_beginning(text, tokens[0])
    end = 0
    for token in tokens:
        _refuse_gap(text, end, token.start)
        _refuse_token(text, token)
        end = token.end + 1
    _refuse_gap(text, end, len(text))
    for token, following in pairwise(tokens):
        _refuse_pair(text, token, following)
    _refuse_depth(text, tokens)
    if tokens and tokens[-1].token_type is TokenType.PARAMETER:
        raise _unclear(text, tokens[-1].start, "a parameter without a number")
    return text, tokens


def _plain(text: str) -> str:
    text = text.replace("\r\n", "\n")
    if len(text) > LONGEST_STATEMENT:
        raise BadStatement(f"the statement has {len(text)} characters; at most {LONGEST_STATEMENT} are read")
    for position, character in enumerate(text):
        if (character < " " and character not in "\t\n") or character == "\x7f" or "\ud800" <= character <= "\udfff":
            raise _unclear(text, position, "a control character")
    return text


def _refuse_beginning(text: str, token: Token) -> None:
    word = text[token.start : token.end + 1].upper()
    if word not in _BEGINNINGS:
        raise BadStatement(f"it begins with {word[:30]!a}; only select, insert, update and delete are run")


def _refuse_gap(text: str, start: int, end: int) -> None:
    if _BETWEEN.fullmatch(text, start, end) is None:
        raise _unclear(text, start, "something between two words that is neither a blank nor a plain comment")


def _refuse_token(text: str, token: Token) -> None:
    written = text[token.start : token.end + 1]
    if (reason := _ALONE.get(token.token_type)) is not None:
        raise _unclear(text, token.start, reason)
    if (shape := _QUOTED.get(token.token_type)) is not None:
        before = text[token.start - 1 : token.start]
        if shape.fullmatch(written) is None:
            raise _unclear(text, token.start, "a quotation that does not end where it seems to")
        if before and (before.isalnum() or before in "_$&"):
            raise _unclear(text, token.start, "a quotation right behind a word or &; put a space before it")
    elif token.token_type is TokenType.PARAMETER and written == "$":
        before = text[token.start - 1 : token.start]
        if before and (before.isalnum() or before in '_"'):
            raise _unclear(text, token.start, "a $ inside a name")
    elif _BARE.fullmatch(written) is None or _COMMENT_MARK.search(written):
        raise _unclear(text, token.start, "a character that may stand only in quotes")


def _refuse_pair(text: str, token: Token, following: Token) -> None:
    if token.token_type is TokenType.PARAMETER:
        number = text[following.start : following.end + 1]
        if text[token.start] != "$" or following.start != token.end + 1 or not number.isdecimal():
            raise _unclear(text, token.start, "a parameter that is not written as $1, $2, ...")
    if _is_string(token) and _is_string(following):
        raise _unclear(text, following.start, "a string right behind another, which joins them; write one")


def _refuse_depth(text: str, tokens: list[Token]) -> None:
    opened: list[bool] = []
    for before, token in pairwise(tokens):
        if token.token_type in _OPENING:
            opened.append(before.token_type in _TYPES)
            if sum(opened) > _DEEPEST_TYPES:
                raise _unclear(text, token.start, "arrays or types that are nested too deeply")
        elif token.token_type in _CLOSING and opened:
            opened.pop()


def _is_string(token: Token) -> bool:
    return token.token_type in _QUOTED and token.token_type is not TokenType.IDENTIFIER


def _unclear(text: str, position: int, what: str) -> BadStatement:
    return BadStatement(f"{place(text, position)}: {what}")
