"""Sends decisions and waits for what the worker says to each."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing

from producer_scripts.envelopes import Outgoing
from producer_scripts.kafka import Delivered, Kafka, Reader, open_reader, open_sender
from producer_scripts.received import received
from schemas.catalogue import DECISION_RECEIPTS, REVIEW_DECISIONS
from schemas.events import ReviewReceipt


async def send_and_wait(
    kafka: Kafka, records: Sequence[Outgoing], decision_ids: Sequence[str], wait_s: float
) -> tuple[list[Delivered], list[ReviewReceipt]]:
    """Where the records lie, and the receipts that came in time: one for each decision, when all went well.

    The reader stands at the end of the receipts before anything is sent, so that no answer is missed.
    """
    async with open_reader(kafka, DECISION_RECEIPTS) as reader, open_sender(kafka, REVIEW_DECISIONS) as sender:
        places = await sender.send(REVIEW_DECISIONS, records)
        return places, await _answers(reader, Counter(decision_ids), wait_s)


async def _answers(reader: Reader, awaited: Counter[str], wait_s: float) -> list[ReviewReceipt]:
    receipts: list[ReviewReceipt] = []
    seen: set[str | None] = set()
    try:
        async with asyncio.timeout(wait_s), aclosing(reader.records()) as records:
            async for topic, record in records:
                answer = received(topic, record)
                receipt = answer.event
                if not isinstance(receipt, ReviewReceipt) or not awaited[receipt.decision_id] or answer.id in seen:
                    continue
                seen.add(answer.id)
                receipts.append(receipt)
                awaited[receipt.decision_id] -= 1
                if not awaited.total():
                    break
    except TimeoutError:
        pass
    return receipts
