"""A program of the house: a message by Standard Webhooks 1.0.0, signed, below 20 kB.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from worker.adapters.notifications.card import Budget, fitted
from worker.adapters.notifications.posting import HttpsEndpoint
from worker.adapters.notifications.review_link import ReviewLink
from worker.adapters.outgoing.signature import sign
from worker.application.notices import Notice

LARGEST = 20 * 1000
"""Bytes of a body: what the specification recommends at most."""


class WebhookChannel:
    """`secrets` sign each message, all of them: a receiver accepts any, so that one can be replaced without a gap."""

    def __init__(
        self, endpoint: HttpsEndpoint, link: ReviewLink | None, secrets: Sequence[str], now: Callable[[], datetime]
    ) -> None:
        self._endpoint = endpoint
        self._link = link
        self._secrets = tuple(secrets)
        self._now = now

    async def deliver(self, message_id: UUID, notice: Notice) -> None:
        """The id and the body are the same at every try, the timestamp and so the signature are not: a receiver
        refuses what is minutes old."""
        body = webhook_body(notice, self._link.to(notice) if self._link else None)
        signed = sign(self._secrets, str(message_id), self._now(), body)
        await self._endpoint.post(body, {"content-type": "application/json", **signed})

    async def aclose(self) -> None:
        await self._endpoint.aclose()


def webhook_body(notice: Notice, link: str | None) -> bytes:
    def render(budget: Budget) -> bytes:
        message = {
            "type": f"approval.{notice.kind.value}",
            "timestamp": notice.model_dump(mode="json", include={"at"})["at"],
            "data": _data(notice, link, budget),
        }
        return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()

    return fitted(render, lambda body: len(body) < LARGEST)


def _data(notice: Notice, link: str | None, budget: Budget) -> dict[str, Any]:
    """In the words of the event contract where it has the same thing. A program reads it: texts are not made inert."""
    fields = notice.model_dump(mode="json", exclude={"kind", "at", "concerns", "tools", "why", "reason"})
    actions = [name[: budget.characters] for name in notice.tools]
    why = [says[: budget.characters] for says in notice.why[: budget.reasons]]
    reason = notice.reason and notice.reason[: budget.characters]
    return {
        **fields,
        "kind": notice.concerns.value,
        "actions": actions,
        "why": why,
        "reason": reason,
        "url": link,
        "shortened": (actions, why, reason) != (list(notice.tools), list(notice.why), notice.reason),
    }
