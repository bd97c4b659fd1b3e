"""Slack: an incoming webhook takes a message of Block Kit blocks.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and /reference/block-kit/blocks. Only links,
no buttons: a button would call back, and nothing here may decide.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from worker.adapters.notifications.card import LINK_TITLE, SHORTENED, Budget, Card, card_of, fitted
from worker.adapters.notifications.posting import HttpsEndpoint
from worker.adapters.notifications.review_link import ReviewLink
from worker.application.notices import Notice

MOST_BLOCKS = 50
LONGEST_TEXT = 3000
"""Characters of a section's text, escaped."""

LONGEST_FIELD = 2000
MOST_FIELDS = 10

Message = dict[str, Any]


class SlackChannel:
    def __init__(self, endpoint: HttpsEndpoint, link: ReviewLink | None) -> None:
        self._endpoint = endpoint
        self._link = link

    async def deliver(self, message_id: UUID, notice: Notice) -> None:
        link = self._link.to(notice) if self._link else None
        body = json.dumps(slack_message(notice, link)).encode()
        await self._endpoint.post(body, {"content-type": "application/json"})

    async def aclose(self) -> None:
        await self._endpoint.aclose()


def slack_message(notice: Notice, link: str | None) -> Message:
    """`text` is what a notification on a telephone shows. Nothing is unfurled: that would call the link."""

    def render(budget: Budget) -> Message:
        card = card_of(notice, link, budget)
        blocks = list(_blocks(card))
        return {"text": escaped(card.title), "blocks": blocks, "unfurl_links": False, "unfurl_media": False}

    return fitted(render, _fits)


def escaped(text: str) -> str:
    """The three characters that begin every mention, link and command of mrkdwn."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _blocks(card: Card) -> Iterator[dict[str, Any]]:
    yield _section(f"*{escaped(card.title)}*")
    fields = [_mrkdwn(f"*{name}*\n{escaped(value)}") for name, value in card.facts]
    yield {"type": "section", "fields": fields}
    if card.why:
        yield from map(_section, _packed(["*Why*", *(f"• {escaped(says)}" for says in card.why)]))
    if card.reason:
        yield _section(f"*The customer's words*\n{escaped(card.reason)}")
    if card.link:
        yield _section(f"<{escaped(card.link)}|{LINK_TITLE}>")
    if card.shortened:
        yield {"type": "context", "elements": [_mrkdwn(SHORTENED)]}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _mrkdwn(text)}


def _mrkdwn(text: str) -> dict[str, Any]:
    """Verbatim: addresses, channels and names in the text are not turned into links."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _packed(lines: Iterable[str]) -> Iterator[str]:
    """As many lines in a text as it may hold."""
    packed = ""
    for line in lines:
        if packed and len(packed) + 1 + len(line) > LONGEST_TEXT:
            yield packed
            packed = line
        else:
            packed = f"{packed}\n{line}" if packed else line
    yield packed


def _fits(message: Message) -> bool:
    blocks: Sequence[dict[str, Any]] = message["blocks"]
    texts = [len(block["text"]["text"]) for block in blocks if "text" in block]
    fields = [len(field["text"]) for block in blocks for field in block.get("fields", ())]
    return len(blocks) <= MOST_BLOCKS and max(texts) <= LONGEST_TEXT and max(fields) <= LONGEST_FIELD
