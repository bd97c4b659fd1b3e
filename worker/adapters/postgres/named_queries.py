"""Loads the named queries of a `.sql` file that stands beside its repository.

SQL stays SQL: editors colour it, `psql` runs it, and a query plan is read for the text in the file.
"""

import re
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType
from typing import LiteralString, cast

_NAME = re.compile(r"^-- name: ([a-z_]+)$", re.MULTILINE)


def load(file_name: str, package: str = __package__) -> Mapping[str, LiteralString]:
    """Each query by the name in its `-- name:` line.

    The cast to a literal holds because the file ships with the code.
    """
    text = (resources.files(package) / file_name).read_text(encoding="utf-8")
    _, *parts = _NAME.split(text)
    named = zip(parts[::2], parts[1::2], strict=True)
    return MappingProxyType({name: cast(LiteralString, sql.strip()) for name, sql in named})
