"""The analysis port: a first look at an exception, by rules or by a model."""

from typing import Protocol

from worker.domain.analysis import Opinion
from worker.domain.order_exception import Facts


class Analyst(Protocol):
    """Never raises, and answers in bounded time: what a model cannot say, rules do. Asked again about the same facts it
    should answer alike, for a case that lost a race is computed anew."""

    async def analyse(self, facts: Facts) -> Opinion: ...
