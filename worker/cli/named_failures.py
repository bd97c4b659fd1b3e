"""What goes wrong between a command and its services, as sentences that name the address and never a password."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import psycopg
from aiokafka.errors import KafkaConnectionError, KafkaError
from psycopg.conninfo import conninfo_to_dict
from pydantic import ValidationError

from worker.adapters.postgres.pool import DatabaseUnreachable
from worker.cli.failure import Failure
from worker.settings import Settings

PATIENCE_S = 10
"""How long a command waits for a service to answer at all."""


@contextmanager
def named_failures(settings: Settings) -> Iterator[None]:
    """Raises Failure for a broker or database that does not answer, or answers no.

    The Kafka client's own log is silenced: it says at length what the sentence says in one.
    """
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        yield
    except (psycopg.Error, DatabaseUnreachable) as error:
        raise Failure(database_failure(settings, error)) from error
    except ValidationError as error:
        raise Failure(unreadable(settings, error)) from error
    except (KafkaError, TimeoutError, OSError) as error:
        raise Failure(kafka_failure(settings, error)) from error


@asynccontextmanager
async def patiently() -> AsyncIterator[None]:
    """Raises TimeoutError when the services take longer than a person would wait."""
    async with asyncio.timeout(PATIENCE_S):
        yield


def database_failure(settings: Settings, error: Exception) -> str:
    place = f"PostgreSQL at {database_address(settings.database_url)}"
    if isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
        return f"{place} lacks tables of this release; run `signoff migrate` first"
    if isinstance(error, psycopg.ProgrammingError) and error.sqlstate is None:
        return (
            "SIGNOFF_DATABASE_URL cannot be read; give it as postgresql://user:password@host:port/database, "
            "with special characters percent-encoded"
        )
    said = without_password(settings.database_url, str(error).strip().partition("\n")[0])
    if isinstance(error, psycopg.OperationalError | DatabaseUnreachable):
        return f"{place} cannot be used ({said}); check SIGNOFF_DATABASE_URL and that the server runs"
    return f"{place} refused a query ({said})"


def unreadable(settings: Settings, error: ValidationError) -> str:
    """A row of another release, or one that somebody changed by hand. Its content is not repeated."""
    first = error.errors(include_input=False, include_url=False)[0]
    where = ".".join(str(part) for part in (error.title, *first["loc"]))
    return (
        f"PostgreSQL at {database_address(settings.database_url)} holds a row that this release cannot read "
        f"({where}: {first['msg']}); use the release that the workers run"
    )


def kafka_failure(settings: Settings, error: Exception) -> str:
    place = f"Kafka at {settings.kafka_bootstrap_servers}"
    if isinstance(error, TimeoutError):
        return f"{place} does not answer within {PATIENCE_S} s; check SIGNOFF_KAFKA_BOOTSTRAP_SERVERS"
    if isinstance(error, KafkaConnectionError):
        return f"{place} cannot be reached; check SIGNOFF_KAFKA_BOOTSTRAP_SERVERS and that the broker runs"
    said = " ".join(str(error).split()) or type(error).__name__
    return f"{place} cannot be used ({said}); check SIGNOFF_KAFKA_BOOTSTRAP_SERVERS and that the broker runs"


def database_address(url: str) -> str:
    """Host, port and database of a connection string, and nothing secret."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        return "an address that cannot be read"
    host = str(parts.get("host") or "the local socket").rpartition("@")[2]
    return f"{host}:{parts.get('port') or 5432}/{parts.get('dbname') or parts.get('user') or ''}"


def without_password(url: str, text: str) -> str:
    """A server or a library may quote what it was given; the password is never repeated.

    Of a password with an unescaped `@` the end counts as part of the host.
    """
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        return text.replace(url, "…")
    for secret in (parts.get("password"), str(parts.get("host") or "").rpartition("@")[0]):
        text = text.replace(str(secret), "…") if secret else text
    return text
