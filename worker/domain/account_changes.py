"""A change of an account, field by field: what is there now, and what would be."""

from collections.abc import Iterator, Mapping
from typing import Any


def difference(account: Mapping[str, Any] | None, changes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One `{"field", "from", "to"}` for each field that would change; a field within another is named by its path,
    such as `address.city`. `from` is left out where nobody said what the account says now."""
    return list(_differences("", account, changes))


def _differences(path: str, account: Any, changes: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    known = account if isinstance(account, Mapping) else {}
    for name, value in changes.items():
        field = f"{path}{name}"
        if isinstance(value, Mapping) and isinstance(known.get(name, {}), Mapping):
            yield from _differences(f"{field}.", known.get(name), value)
        elif name not in known:
            yield {"field": field, "to": value}
        elif known[name] != value:
            yield {"field": field, "from": known[name], "to": value}
