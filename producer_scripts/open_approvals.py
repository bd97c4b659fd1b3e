"""The approvals that still wait: all that were asked for, minus those that were closed."""

from contextlib import aclosing

from producer_scripts.kafka import Kafka, open_reader
from producer_scripts.received import received
from schemas.catalogue import APPROVALS
from schemas.events import ApprovalNeeded, ApprovalUpdated
from schemas.values import ApprovalChange


async def open_approvals(kafka: Kafka) -> list[ApprovalNeeded]:
    """Oldest first. Reads the topic from its beginning: a screen of your own would keep what it has seen.

    The two events of one approval share a key, and so a partition: the closing cannot be read before the asking.
    """
    waiting: dict[str, ApprovalNeeded] = {}
    async with (
        open_reader(kafka, APPROVALS, from_beginning=True) as reader,
        aclosing(reader.up_to_now()) as records,
    ):
        async for topic, record in records:
            match received(topic, record).event:
                case ApprovalNeeded() as needed:
                    waiting[needed.approval_id] = needed
                case ApprovalUpdated(approval_id=approval_id, change=ApprovalChange.CLOSED):
                    waiting.pop(approval_id, None)
    return sorted(waiting.values(), key=lambda approval: approval.requested_at)
