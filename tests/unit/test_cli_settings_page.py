"""docs/settings.md and the settings are the same list."""

from pathlib import Path
from typing import Any, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic.fields import FieldInfo

from worker.settings import PREFIX, Settings

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def rows() -> list[list[str]]:
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def default_of(field: FieldInfo) -> str:
    if field.default in (None, ""):
        return ""
    text = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
    return f"`{text}`"


def range_of(field: FieldInfo) -> str:
    kind: Any = field.annotation
    if kind is bool:
        return "`true`, `false`"
    if get_origin(kind) is not None and all(isinstance(word, str) for word in get_args(kind)):
        return ", ".join(f"`{word}`" for word in get_args(kind))
    at_least = next((bound.ge for bound in field.metadata if isinstance(bound, Ge)), None)
    above = next((bound.gt for bound in field.metadata if isinstance(bound, Gt)), None)
    at_most = next((bound.le for bound in field.metadata if isinstance(bound, Le)), None)
    if at_least is not None:
        return f"{at_least} to {at_most}" if at_most is not None else f"at least {at_least}"
    if above is not None:
        return f"above {above}, at most {at_most}" if at_most is not None else f"above {above}"
    return "path" if Path in (kind, *get_args(kind)) else "text"


def test_every_setting_is_on_the_page_with_its_default_and_range() -> None:
    expected = [
        [f"`{PREFIX}{name.upper()}`", default_of(field), range_of(field)]
        for name, field in Settings.model_fields.items()
    ]
    assert [row[:3] for row in rows()] == expected


def test_every_setting_says_what_it_does() -> None:
    assert [row[0] for row in rows() if len(row) != 4 or not row[3]] == []
