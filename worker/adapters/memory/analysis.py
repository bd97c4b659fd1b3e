"""An analyst that says what it is told to say."""

from worker.domain.analysis import Opinion
from worker.domain.order_exception import Facts


class MemoryAnalyst:
    """`asked` are the facts that it was asked about, in order."""

    def __init__(self, opinion: Opinion | None = None) -> None:
        self.opinion = opinion or Opinion(by="nobody")
        self.asked: list[Facts] = []

    async def analyse(self, facts: Facts) -> Opinion:
        self.asked.append(facts)
        return self.opinion
