"""docs/cli.md describes every command with every option, and no others."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from worker.cli.main import app

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
_SECTION = re.compile(r"^## `(signoff [a-z -]+)`$", re.MULTILINE)


def commands(command: Any, name: str) -> Iterator[tuple[str, set[str]]]:
    """Each command by its full name, and its long options."""
    if hasattr(command, "commands"):
        for part, inner in command.commands.items():
            yield from commands(inner, f"{name} {part}")
        return
    spelled = [spelling for option in command.params for spelling in (*option.opts, *option.secondary_opts)]
    yield name, {spelling for spelling in spelled if spelling.startswith("--")}


def sections() -> dict[str, str]:
    _, *parts = _SECTION.split(PAGE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_every_command_has_its_section_and_every_option_its_word() -> None:
    said = {name: set(re.findall(r"--[a-z][a-z-]*", text)) for name, text in sections().items()}
    assert said == dict(commands(typer.main.get_command(app), "signoff"))
