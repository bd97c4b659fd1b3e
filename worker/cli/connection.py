"""Where a command finds its Kafka and PostgreSQL: in the environment, else at the `signoff up` of this folder.

`signoff up` leaves its addresses in DIR/running.json while it runs. The worker never reads that file: only commands
that a person types beside a running `signoff up` do.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from worker.settings import Settings, read_settings

DEFAULT_DATA = Path(".signoff")
"""Where `signoff up` keeps its data when it is not told otherwise: in the working folder."""

ADDRESSES = ("SIGNOFF_KAFKA_BOOTSTRAP_SERVERS", "SIGNOFF_DATABASE_URL")


@dataclass(frozen=True, slots=True)
class RunningStack:
    """The addresses and topics of a `signoff up` that runs, and the number of its process."""

    kafka: str
    database: str
    topic_prefix: str
    pid: int

    @classmethod
    def in_folder(cls, data: Path) -> Self | None:
        """None when nobody runs there, however the last one ended."""
        try:
            stack = cls(**json.loads((data / "running.json").read_text()))
            os.kill(stack.pid, 0)
        except PermissionError:
            return stack
        except (OSError, TypeError, ValueError):
            return None
        return stack

    def write(self, data: Path) -> None:
        """Whole or not at all: a reader never sees half of it."""
        half_written = data / "running.json.new"
        half_written.write_text(json.dumps(asdict(self)) + "\n")
        half_written.replace(data / "running.json")

    @staticmethod
    def forget(data: Path) -> None:
        (data / "running.json").unlink(missing_ok=True)

    @property
    def environment(self) -> dict[str, str]:
        """The settings by which any command finds it, wherever it is typed."""
        addresses = dict(zip(ADDRESSES, (self.kafka, self.database), strict=True))
        return addresses | ({"SIGNOFF_TOPIC_PREFIX": self.topic_prefix} if self.topic_prefix else {})


def settings_for_command() -> Settings:
    """The settings of a command for people. Raises SettingsError.

    The environment wins: when it names a broker or a database, `.signoff/` is not looked at.
    """
    stack = None if any(name in os.environ for name in ADDRESSES) else RunningStack.in_folder(DEFAULT_DATA)
    if stack is None:
        return read_settings()
    return read_settings(
        kafka_bootstrap_servers=stack.kafka, database_url=stack.database, topic_prefix=stack.topic_prefix
    )
