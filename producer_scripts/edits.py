"""Asks a person at a terminal which actions run, and with which arguments."""

from typing import Any

import typer

from producer_scripts.raising import arguments
from schemas.events import ApprovalNeeded


def changed_actions(approval: ApprovalNeeded) -> dict[str, Any]:
    """What is left empty stays as proposed."""
    shown = approval.proposal.actions or ()
    changes = _kept(len(shown)) if len(shown) > 1 else {}
    kept = changes.get("approved_actions", range(len(shown)))
    edited = [edit for index in kept if index < len(shown) for edit in _edited(index, shown[index].name)]
    return {**changes, **({"edited_actions": edited} if edited else {})}


def optional(question: str) -> str:
    return str(typer.prompt(question, default="", show_default=False)).strip()


def _kept(count: int) -> dict[str, Any]:
    while True:
        answer = optional("Actions to run, by number with commas between them (empty: all)")
        numbers = [number.strip() for number in answer.split(",")] if answer else []
        if all(number.isascii() and number.isdecimal() for number in numbers):
            return {"approved_actions": [int(number) for number in numbers]} if numbers else {}
        typer.echo(f"numbers from 0 to {count - 1}")


def _edited(index: int, name: str) -> list[dict[str, Any]]:
    while True:
        answer = optional(f"All arguments of action {index}, as JSON (empty: as proposed)")
        if not answer:
            return []
        try:
            return [{"index": index, "args": arguments(answer, name)}]
        except ValueError as error:
            typer.echo(str(error))
