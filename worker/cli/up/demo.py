"""Plays the scenarios as real events, and decides some of them as a reviewer would; the others wait."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

from schemas.catalogue import ORDER_EXCEPTIONS, REVIEW_DECISIONS, Topic, topic_name
from schemas.cloudevents import encode
from schemas.events import ApprovalNeeded, Event, ExceptionRaised, ResolutionOutcome, ReviewDecided
from schemas.values import Reviewer
from worker.adapters.kafka.sending import Sender, Sending, sender
from worker.adapters.orders.tables import OrderTables
from worker.adapters.postgres.pool import make_pool
from worker.cli.up.scenarios import CUSTOMERS, SCENARIOS, Answer, Scenario
from worker.cli.up.watch import Watch
from worker.settings import Settings

SOURCE = "/signoff/demo"
AGENT = "agent:web-chat"
REVIEWER = Reviewer(id="user:demo-manager", roles=("manager",))
PATIENCE_S = 30.0
"""For the worker's answer to one event: somebody may be killing it to see what happens."""

_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32, which has no letters that look like digits."""


class Demo:
    """One run of all scenarios, with ids that no other run has used."""

    def __init__(self, settings: Settings, watch: Watch, titles: dict[str, str], say: Callable[[str], None]) -> None:
        self._settings = settings
        self._watch = watch
        self._titles = titles
        self._say = say
        self._run = run_name(int(time.time()))

    async def play(self) -> None:
        """Returns when each scenario has ended or waits for a person."""
        await self._seed()
        async with sender(self._settings.kafka_bootstrap_servers) as producer:
            for number, scenario in enumerate(SCENARIOS, start=1):
                try:
                    await asyncio.wait_for(self._act(producer, scenario, number), PATIENCE_S)
                except TimeoutError:
                    self._say(f"{scenario.title}: no answer yet, it will come; going on")

    async def _seed(self) -> None:
        """The shop knows all orders and customers, those too that come with their event."""
        orders = {self._order_id(number): scenario.order for number, scenario in enumerate(SCENARIOS, start=1)}
        async with make_pool(self._settings.database_url, size=1, name="signoff-demo") as pool:
            await OrderTables(pool).store(orders, CUSTOMERS)

    async def _act(self, producer: Sender, scenario: Scenario, number: int) -> None:
        raised = self._raised(scenario, number)
        self._titles[raised.exception_id] = scenario.title
        answered = self._watch.expect(raised.exception_id, ApprovalNeeded, ResolutionOutcome)
        await self._send(producer, ORDER_EXCEPTIONS, raised, key=raised.record_key)
        answer = await answered
        if scenario.answer and isinstance(answer, ApprovalNeeded):
            ended = self._watch.expect(raised.exception_id, ResolutionOutcome)
            decided = _decided(answer, scenario.answer)
            await self._send(producer, REVIEW_DECISIONS, decided, key=raised.record_key)
            await ended

    def _raised(self, scenario: Scenario, number: int) -> ExceptionRaised:
        snapshots = {"order": scenario.order, "customer": CUSTOMERS[scenario.customer]} if scenario.in_event else {}
        return ExceptionRaised(
            exception_id=f"EXC-{self._run}-{number}",
            kind=scenario.kind,
            order_id=self._order_id(number),
            customer_id=scenario.customer,
            requested_by=AGENT,
            **scenario.asks,
            **snapshots,
        )

    def _order_id(self, number: int) -> str:
        return f"ORD-{self._run}-{number}"

    async def _send(self, producer: Sender, topic: Topic, event: Event, *, key: str) -> None:
        value, headers = encode(type(event).TYPE, str(uuid4()), SOURCE, datetime.now(UTC), key, event.to_json())
        name = topic_name(self._settings.topic_prefix, topic)
        await producer.send(Sending(name, key.encode(), value, headers))


def _decided(asked: ApprovalNeeded, answer: Answer) -> ReviewDecided:
    return ReviewDecided(
        decision_id=str(uuid4()),
        approval_id=asked.approval_id,
        exception_id=asked.exception_id,
        verdict=answer.verdict,
        reviewer=REVIEWER,
        changes=answer.changes,
        comment=answer.comment,
        review_hash=asked.review_hash,
    )


def run_name(seconds: int) -> str:
    """The second a run began, short enough to be read out: two runs on the same data never share one."""
    digits = ""
    while seconds:
        seconds, digit = divmod(seconds, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits
