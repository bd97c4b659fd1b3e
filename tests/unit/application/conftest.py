"""A desk of its own for each story."""

import pytest

from tests.unit.application.desk import Desk


@pytest.fixture
async def desk() -> Desk:
    return Desk()
