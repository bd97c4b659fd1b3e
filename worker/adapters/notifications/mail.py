"""E-mail: plain text and the same as HTML, one message to all recipients of an endpoint."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from html import escape
from uuid import UUID

from worker.adapters.mail.message import LONGEST_SUBJECT, compose
from worker.adapters.mail.smtp import Mailer, MailRefused, MailUnavailable, MailUncertain
from worker.adapters.notifications.card import BUDGETS, LINK_TITLE, SHORTENED, Card, card_of
from worker.adapters.notifications.channel import Undelivered
from worker.adapters.notifications.review_link import ReviewLink
from worker.application.notices import Notice


class MailChannel:
    def __init__(self, mailer: Mailer, to: Sequence[str], link: ReviewLink | None, now: Callable[[], datetime]) -> None:
        self._mailer = mailer
        self._to = tuple(to)
        self._link = link
        self._now = now

    async def deliver(self, message_id: UUID, notice: Notice) -> None:
        """A server that refuses is asked again: mailboxes are emptied, and passwords mended. Where it is not known
        whether the message was taken, a second copy has the same Message-ID."""
        card = card_of(notice, self._link.to(notice) if self._link else None, BUDGETS[0])
        message = compose(
            sender=self._mailer.from_address,
            to=self._to,
            subject=_cut(card.title),
            text=as_text(card),
            html=as_html(card),
            key=str(message_id),
            at=self._now(),
        )
        try:
            await self._mailer.send(message)
        except (MailRefused, MailUnavailable, MailUncertain) as error:
            raise Undelivered(str(error)) from error

    async def aclose(self) -> None:
        """Each message has a connection of its own: there is none to close."""


def as_text(card: Card) -> str:
    return "\n".join(_text_lines(card)) + "\n"


def as_html(card: Card) -> str:
    rows = (f"<tr><th align=left>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in card.facts)
    parts = [f"<h3>{escape(card.title)}</h3><table>{''.join(rows)}</table>"]
    if card.why:
        parts.append("<p>Why</p><ul>" + "".join(f"<li>{escape(says)}</li>" for says in card.why) + "</ul>")
    if card.reason:
        parts.append(f"<p>The customer's words: {escape(card.reason)}</p>")
    if card.link:
        parts.append(f'<p><a href="{escape(card.link)}">{LINK_TITLE}</a></p>')
    if card.shortened:
        parts.append(f"<p>{SHORTENED}</p>")
    return f"<!doctype html><html><body>{''.join(parts)}</body></html>"


def _text_lines(card: Card) -> Iterator[str]:
    yield card.title
    yield ""
    yield from (f"{name}: {value}" for name, value in card.facts)
    if card.why:
        yield from ("", "Why:", *(f"- {says}" for says in card.why))
    if card.reason:
        yield from ("", f"The customer's words: {card.reason}")
    if card.link:
        yield from ("", f"{LINK_TITLE}: {card.link}")
    if card.shortened:
        yield from ("", SHORTENED)


def _cut(title: str) -> str:
    return title if len(title) <= LONGEST_SUBJECT else title[: LONGEST_SUBJECT - 1] + "…"
