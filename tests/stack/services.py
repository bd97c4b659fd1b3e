"""What the tests ask of a broker and a database, wherever these come from."""

import os
import shutil
import subprocess
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, cast

CHOICE = "SIGNOFF_TEST_STACK"
ENGINE_ANSWER_SECONDS = 10


class Services(Protocol):
    """A real Apache Kafka and a real PostgreSQL."""

    @property
    def kafka(self) -> str:
        """Bootstrap address, `127.0.0.1:port`."""

    @property
    def database(self) -> str:
        """`postgresql://` address of a database whose user may create others."""


def engine_answers() -> bool:
    """True when a container engine is there and lets us in."""
    docker = shutil.which("docker")
    if docker is None:
        return False
    try:
        asked = subprocess.run(
            [docker, "info", "--format", "{{.ServerVersion}}"],
            capture_output=True,
            check=False,
            timeout=ENGINE_ANSWER_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


def chosen_stack() -> str:
    """`containers` or `embedded`: as SIGNOFF_TEST_STACK says, else containers where an engine
    answers.
    """
    choice = os.environ.get(CHOICE) or ("containers" if engine_answers() else "embedded")
    if choice not in {"containers", "embedded"}:
        raise ValueError(f"{CHOICE} is {choice!r}; it can be 'containers' or 'embedded'")
    return choice


def open_services(choice: str, directory: Path) -> AbstractContextManager[Services]:
    """The services as a context manager: they run inside it, and nothing is left after it."""
    # Imported when chosen: containers need no jars, and the embedded pair needs no engine.
    if choice == "containers":
        from tests.stack.containers import ContainerStack  # noqa: PLC0415

        return ContainerStack()
    from worker.adapters.embedded.stack import EmbeddedStack  # noqa: PLC0415

    return cast("AbstractContextManager[Services]", EmbeddedStack(directory, throw_away=True))
