"""Microsoft Teams: the webhook of a workflow takes an Adaptive Card.

https://learn.microsoft.com/power-automate/teams/send-a-message-in-teams and https://adaptivecards.io/explorer. All
text of others stands in TextRuns, which know no Markdown; the one action opens an address in a browser.
"""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from worker.adapters.notifications.card import LINK_TITLE, SHORTENED, Budget, Card, card_of, fitted
from worker.adapters.notifications.posting import HttpsEndpoint
from worker.adapters.notifications.review_link import ReviewLink
from worker.application.notices import Notice

LARGEST = 28 * 1000
"""Bytes of a message; Teams drops what is larger."""

VERSION = "1.4"
"""Of the card's schema: the newest that Teams shows on telephones as well."""


class TeamsChannel:
    def __init__(self, endpoint: HttpsEndpoint, link: ReviewLink | None) -> None:
        self._endpoint = endpoint
        self._link = link

    async def deliver(self, message_id: UUID, notice: Notice) -> None:
        body = teams_message(notice, self._link.to(notice) if self._link else None)
        await self._endpoint.post(body, {"content-type": "application/json"})

    async def aclose(self) -> None:
        await self._endpoint.aclose()


def teams_message(notice: Notice, link: str | None) -> bytes:
    def render(budget: Budget) -> bytes:
        message = _message(_adaptive_card(card_of(notice, link, budget)))
        return json.dumps(message, ensure_ascii=False).encode()

    return fitted(render, lambda body: len(body) <= LARGEST)


def _message(card: dict[str, Any]) -> dict[str, Any]:
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _adaptive_card(card: Card) -> dict[str, Any]:
    actions = [{"type": "Action.OpenUrl", "title": LINK_TITLE, "url": card.link}] if card.link else []
    return {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": VERSION,
        "body": list(_elements(card)),
        "actions": actions,
        "msteams": {"width": "Full"},
    }


def _elements(card: Card) -> Iterator[dict[str, Any]]:
    yield _line(_run(card.title, size="Medium", weight="Bolder"))
    for name, value in card.facts:
        yield _line(_run(f"{name}: ", weight="Bolder"), _run(value), spacing="Small")
    if card.why:
        yield _line(_run("Why", weight="Bolder"))
        for says in card.why:
            yield _line(_run(f"• {says}"), spacing="Small")
    if card.reason:
        yield _line(_run("The customer's words: ", weight="Bolder"), _run(card.reason))
    if card.shortened:
        yield _line(_run(SHORTENED, isSubtle=True))


def _line(*runs: dict[str, Any], spacing: str = "Default") -> dict[str, Any]:
    return {"type": "RichTextBlock", "spacing": spacing, "inlines": list(runs)}


def _run(text: str, **look: object) -> dict[str, Any]:
    return {"type": "TextRun", "text": text, **look}
