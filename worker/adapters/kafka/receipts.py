"""Watches the receipts that come from now on, without a consumer group and without disturbing anybody's."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer

from schemas.catalogue import DECISION_RECEIPTS, topic_name
from worker.domain.approval import Receipt
from worker.translation.deciding import receipt_in


class ReceiptWatch:
    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer

    async def receipt_of(self, decision_ids: Collection[str]) -> Receipt:
        """The next receipt of any of these. Waits for as long as it takes; the caller sets the limit."""
        while True:
            record = await self._consumer.getone()
            receipt = receipt_in(record.value, list(record.headers))
            if receipt is not None and receipt.decision_id in decision_ids:
                return receipt


@asynccontextmanager
async def receipts_from_now(bootstrap_servers: str, topic_prefix: str) -> AsyncIterator[ReceiptWatch]:
    """Stands at the end of each partition once it is entered: what is decided after that is not missed."""
    # Without a group the consumer has all partitions of the topic, and commits nothing.
    consumer = AIOKafkaConsumer(
        topic_name(topic_prefix, DECISION_RECEIPTS),
        bootstrap_servers=bootstrap_servers,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="latest",
    )
    try:
        await consumer.start()
        await consumer.seek_to_end()
        for partition in consumer.assignment():
            # The end is looked up when the position is asked for, and not later than that.
            await consumer.position(partition)
        yield ReceiptWatch(consumer)
    finally:
        await consumer.stop()
