"""One broker and one database for all that is compared; a fresh database and fresh topics for each repetition."""

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from worker.adapters.embedded.stack import EmbeddedStack
from worker.adapters.kafka.topics import create_missing_topics

PARTITIONS = 6


@dataclass(frozen=True, slots=True)
class Place:
    """What one repetition has for itself. `logs` is a folder for what its workers write."""

    kafka: str
    database: str
    prefix: str
    logs: Path

    @property
    def environment(self) -> dict[str, str]:
        """The settings of every worker, ours or another's."""
        return {
            "SIGNOFF_KAFKA_BOOTSTRAP_SERVERS": self.kafka,
            "SIGNOFF_DATABASE_URL": self.database,
            "SIGNOFF_TOPIC_PREFIX": self.prefix,
            "SIGNOFF_TOPIC_PARTITIONS": str(PARTITIONS),
        }


@contextlib.contextmanager
def running_stack() -> Iterator[EmbeddedStack]:
    """A durable pair in a temporary folder: PostgreSQL with fsync and synchronous commit, Kafka with its defaults."""
    with tempfile.TemporaryDirectory(prefix="signoff-benchmark-") as folder:
        Path(folder).chmod(0o711)  # root runs PostgreSQL as somebody else, who must be able to pass
        with EmbeddedStack(Path(folder), progress=_say) as stack:
            yield stack


@contextlib.contextmanager
def fresh_place(stack: EmbeddedStack, name: str) -> Iterator[Place]:
    """A database and topics that nobody used before; the database is dropped afterwards.

    Topics stay: deleting them costs the broker time in the next repetition, and they are small.
    """
    database = name.replace("-", "_")
    prefix = f"{name}-"
    with psycopg.connect(stack.database, autocommit=True) as admin, tempfile.TemporaryDirectory() as logs:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
        try:
            asyncio.run(create_missing_topics(stack.kafka, prefix, partitions=PARTITIONS, replication=1))
            address = urlsplit(stack.database)._replace(path=f"/{database}").geturl()
            yield Place(stack.kafka, address, prefix, Path(logs))
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
