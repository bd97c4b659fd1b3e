"""An exception from words on a command line. Each function raises ValueError with a sentence."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import uuid4

from producer_scripts.money import parse_money

_ITEM = re.compile(r"(?P<sku>.+?)(?::(?P<quantity>[0-9]{1,9}))?")


def new_exception_id() -> str:
    return f"EXC-{uuid4().hex[:16]}"


def money(amount: str | None, currency: str) -> dict[str, Any] | None:
    return None if amount is None else parse_money(amount, currency).model_dump()


def item(text: str) -> dict[str, Any]:
    """`MUG-1:2` are two of MUG-1; `MUG-1` is one."""
    match = _ITEM.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no item; write SKU:QUANTITY")
    return {"sku": match["sku"], "quantity": int(match["quantity"] or 1)}


def alternative(text: str, currency: str) -> dict[str, Any]:
    """`refund:store_credit:20.00`: an action, how the money goes, how much."""
    action, method, amount = [*text.split(":", 2), "", ""][:3]
    return given({"action": action, "method": method or None, "amount": money(amount or None, currency)})


def action(text: str) -> dict[str, Any]:
    """`send_email={"to": "ada"}`: the name of a tool, and its arguments as JSON."""
    name, _, given = text.partition("=")
    return {"name": name, "args": arguments(given or "{}", name)}


def arguments(text: str, of: str) -> dict[str, Any]:
    """A JSON object; `of` is what to call the action that it belongs to."""
    try:
        read = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise ValueError(f'the arguments of {of!r} are no JSON object; write {{"key": "value"}}')
    return read


def changes(texts: Iterable[str]) -> dict[str, Any] | None:
    """`email=ada@example.org`: a field of the account and what it shall be, or is now; JSON where it is JSON."""
    return dict(_change(text) for text in texts) or None


def given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Without what was not said: no value, no flag, nothing in a list."""
    return {name: value for name, value in fields.items() if not _is_unsaid(value)}


def order_snapshot(
    captured: str | None, refunded: str | None, currency: str, status: str | None, payment_method: str | None
) -> dict[str, Any] | None:
    """What is known of the order, or None when nothing is said of it: the worker then asks the shop."""
    if captured is None:
        if refunded or status or payment_method:
            raise ValueError("a snapshot of the order needs --captured: what was paid")
        return None
    snapshot = {"captured": money(captured, currency), "refunded": money(refunded, currency)}
    return given({**snapshot, "status": status, "payment_method": payment_method})


def _change(text: str) -> tuple[str, Any]:
    field, equals, value = text.partition("=")
    if not field or not equals:
        raise ValueError(f"{text!r} is no change; write FIELD=VALUE")
    try:
        return field, json.loads(value)
    except json.JSONDecodeError:
        return field, value


def _is_unsaid(value: object) -> bool:
    return value is None or value is False or value in ([], (), {})
