"""Fixtures that all folders of tests share: the services, an empty database, names that nobody else
uses.
"""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from tests.stack.services import Services, chosen_stack, open_services

TESTS = Path(__file__).parent
SERVICE_FOLDERS = {"integration", "acceptance", "migrations"}
"""Folders whose tests may use a broker or a database; the others' tests are fast and need neither.
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by what they ask for: `services` when they use the stack, `slow` in the folders of
    whole programs.
    """
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        folder = item.path.relative_to(TESTS).parts[0] if item.path.is_relative_to(TESTS) else ""
        if folder in SERVICE_FOLDERS or "stack" in fixtures:
            item.add_marker(pytest.mark.services)
        if folder in {"acceptance", "packaging"}:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """A real Kafka and a real PostgreSQL for the whole run: `.kafka` and `.database` (which may
    create databases).
    """
    with open_services(chosen_stack(), tmp_path_factory.mktemp("stack")) as services:
        yield services


@pytest.fixture
def database(stack: Services) -> Iterator[str]:
    """The address of a fresh empty database of this test's own, dropped after it."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(stack.database, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield in_database(stack.database, name)
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def topic_prefix() -> str:
    """A prefix for topics and groups that no other test uses: the broker is shared, its names are
    not.
    """
    return f"test-{uuid4().hex[:12]}-"


def in_database(address: str, name: str) -> str:
    """The same server and user, another database."""
    return urlsplit(address)._replace(path=f"/{name}").geturl()
