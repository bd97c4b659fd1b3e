"""What a notice looks like in each channel: within its limits, and inert whatever strangers wrote into it."""

import json
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.values import Command, ExceptionKind, LevelReference, Money, Verdict
from tests.notices import LINK, MONDAY, a_closed_notice, a_notice
from worker.adapters.notifications.card import BUDGETS, SHORTENED, Budget, card_of
from worker.adapters.notifications.mail import as_html, as_text
from worker.adapters.notifications.review_link import BadLink, ReviewLink
from worker.adapters.notifications.slack import slack_message
from worker.adapters.notifications.teams import teams_message
from worker.adapters.notifications.webhook import webhook_body
from worker.application.notices import Notice, NoticeKind
from worker.domain.approval import Closing

SCREEN = ReviewLink("https://desk.example/approvals/{approval_id}?case={case_id}&exception={exception_id}")
HOSTILE = "<!channel> <@U1> <https://evil.example|Approve> [Approve](https://evil.example) *b* \u202eevorppa\u2066 \x07"
HUGE = a_notice(
    exception_id="\U0001f4a5" * 200,
    order_id="&" * 200,
    why=tuple("<" * 2000 for _ in range(20)),
    reason="\\" * 2000,
    tools=tuple("\U0001f4a5" * 200 for _ in range(10)),
)

LARGEST_OF = {
    letter: a_notice(
        kind=NoticeKind.CLOSED,
        closed_as=Closing.ESCALATED,
        **dict.fromkeys(("exception_id", "order_id", "action", "role", "assignee", "by"), letter * 200),
        level=LevelReference(name=letter * 200, number=99, of=99),
        amount=Money(amount_minor=10**15, currency="USD"),
        tools=(letter * 200,) * 10,
        why=(letter * 2000,) * 20,
        reason=letter * 2000,
    )
    for letter in ("a", "&", "\\", "\x01", "\u20ac", "\U0001f4a5")
}
"""Every field as long as it can be, of letters that grow when they are escaped or encoded."""


def every_text(node: Any) -> Iterator[str]:
    """All strings in a document."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from every_text(value)
    elif isinstance(node, list):
        for value in node:
            yield from every_text(value)


def slack_text(notice: Notice, link: str | None = LINK) -> str:
    return json.dumps(slack_message(notice, link), ensure_ascii=False)


def teams_text(notice: Notice, link: str | None = LINK) -> str:
    return teams_message(notice, link).decode()


def webhook_text(notice: Notice, link: str | None = LINK) -> str:
    return webhook_body(notice, link).decode()


def mail_text(notice: Notice, link: str | None = LINK) -> str:
    return as_text(card_of(notice, link, BUDGETS[0]))


def html_text(notice: Notice, link: str | None = LINK) -> str:
    return as_html(card_of(notice, link, BUDGETS[0]))


Show = Callable[..., str]
PEOPLE = [slack_text, teams_text, mail_text, html_text]
ALL = [*PEOPLE, webhook_text]


@pytest.mark.parametrize("show", PEOPLE)
def test_a_question_says_what_is_asked_of_whom_why_and_until_when(show: Show) -> None:
    shown = show(a_notice())
    for said in (
        "Approval needed: refund of 150.00 USD, order ORD-1",
        "EXC-1",
        "manager, 1 of 2",
        "medium",
        "2026-01-06 09:00 UTC, then escalate",
        "refund of 150.00 USD is over 100.00 USD",
        LINK,
    ):
        assert said in shown


@pytest.mark.parametrize("show", PEOPLE)
def test_an_end_says_how_and_by_whom(show: Show) -> None:
    shown = show(a_closed_notice())
    assert "Closed: refund" in shown
    assert "approved, by user:maria, 2026-01-05 09:00 UTC" in shown
    assert "Due" not in shown


@pytest.mark.parametrize("show", PEOPLE)
def test_tools_of_an_agent_are_named(show: Show) -> None:
    asked = a_notice(concerns=ExceptionKind.ACTION_REQUEST, amount=None, order_id=None, tools=("send_email", "run_sql"))
    assert "action of an agent (send_email, run_sql), EXC-1" in show(asked)


@pytest.mark.parametrize("show", PEOPLE)
def test_without_a_screen_there_is_no_link(show: Show) -> None:
    assert "Open the question" not in show(a_notice(), None)


@pytest.mark.parametrize("show", ALL)
def test_the_customers_words_are_shown_where_they_are_given(show: Show) -> None:
    assert "arrived broken" in show(a_notice(reason="arrived broken"))


# Inert


@pytest.mark.parametrize("show", PEOPLE)
def test_strangers_cannot_hide_turn_or_link_text(show: Show) -> None:
    shown = show(a_notice(exception_id=HOSTILE, why=(HOSTILE,), reason=HOSTILE))
    assert "https://evil.example" not in shown
    assert not re.search("[\u202e\u2066\x07]", shown)


ADDRESSES = [
    "www.evil.example",
    "evil.example/reset",
    "EVIL.Example",
    "evil\u3002example",
    "evil\uff0eexample",
    "mailto:boss@evil.example",
    "evil.xn--p1ai",
    "evil.\u0440\u0444",
    "evil.\u200bexample",
    "tel:+15550100",
    "javascript:alert(1)",
]


@pytest.mark.parametrize("show", PEOPLE)
@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_without_a_scheme_is_none_that_a_program_finds(show: Show, address: str) -> None:
    """Mail programs make a link of anything that looks like a host or begins with a scheme."""
    shown = show(a_notice(exception_id=address, why=(address,), reason=address), None)
    assert not re.search(r"evil[.\u3002\uff0e]\w|(?:mailto|tel|javascript):", shown)


@pytest.mark.parametrize(
    "text", ["refund of 150.00 USD, 3.5 kg", "Sent. Thanks...", "at 09:00", "user:maria", "v1.2.3"]
)
def test_what_is_no_address_stays_as_it_is(text: str) -> None:
    assert text in mail_text(a_notice(why=(text,)))


def test_slack_sees_no_mention_and_no_link_but_ours() -> None:
    message = slack_message(a_notice(exception_id=HOSTILE, why=(HOSTILE,), reason=HOSTILE), LINK)
    controls = [found for text in every_text(message) for found in re.findall(r"<[^>]*>", text)]
    assert controls == [f"<{LINK}|Open the question>"]
    assert "&lt;!channel&gt;" in str(message["blocks"])
    texts = [block["text"] for block in message["blocks"] if "text" in block]
    texts += [field for block in message["blocks"] for field in block.get("fields", ())]
    assert all(text["verbatim"] for text in texts)
    assert (message["unfurl_links"], message["unfurl_media"]) == (False, False)


def test_teams_gets_the_words_of_others_where_there_is_no_markdown() -> None:
    card = json.loads(teams_message(a_notice(why=(HOSTILE,)), LINK))["attachments"][0]["content"]
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert {run["type"] for block in card["body"] for run in block["inlines"]} == {"TextRun"}


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.links: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src")]


def test_mail_has_no_element_that_a_stranger_wrote() -> None:
    wrote = a_notice(exception_id="<img src=x>", why=("<a href=//evil.example>here</a>",), reason="<script>")
    tags = Tags()
    tags.feed(html_text(wrote))
    assert tags.links == [LINK]
    assert not {"img", "script"} & set(tags.seen)


@settings(max_examples=200)
@given(text=st.text(alphabet=st.characters(codec="utf-8"), max_size=300))
def test_whatever_is_written_slack_finds_no_control_in_it(text: str) -> None:
    message = slack_message(a_notice(exception_id=text or "-", why=(text,), reason=text), None)
    assert not [found for shown in every_text(message) for found in re.findall(r"[<>]", shown)]


# Nothing decides


def opened(document: Any) -> Iterator[str]:
    """Every address in a document."""
    for text in every_text(document):
        yield from re.findall(r"https?://[^|>\s]+", text)


def test_a_card_of_teams_only_opens_an_address() -> None:
    card = json.loads(teams_message(a_notice(), LINK))["attachments"][0]["content"]
    assert card["actions"] == [{"type": "Action.OpenUrl", "title": "Open the question", "url": LINK}]
    assert "selectAction" not in json.dumps(card)


def test_a_message_of_slack_has_no_button() -> None:
    message = slack_message(a_notice(), LINK)
    assert {block["type"] for block in message["blocks"]} <= {"section", "context"}
    assert not [block for block in message["blocks"] if "accessory" in block]


@pytest.mark.parametrize("document", [slack_message(a_notice(), LINK), json.loads(webhook_body(a_notice(), LINK))])
def test_the_only_address_is_that_of_the_screen_and_names_no_verdict(document: Any) -> None:
    assert set(opened(document)) == {LINK}
    assert not re.search(rf"\b({'|'.join([*Verdict, *Command])}|token)\b", LINK)


@pytest.mark.parametrize(
    ("template", "because"),
    [
        ("https://desk.example/approve/{approval_id}", "the word `approve`"),
        ("https://desk.example/{approval_id}?verdict=reject", "the word `reject`"),
        ("https://desk.example/{approval_id}/escalate", "the word `escalate`"),
        ("https://desk.example/{approval_id}?token=abc", "the word `token`"),
        ("http://desk.example/{approval_id}", "is not https"),
        ("javascript:alert({approval_id})", "is no address"),
        ("https://maria:secret@desk.example/{approval_id}", "names a user"),
        ("https://desk.example/", "names no question"),
        ("https://desk.example/{reason}", "unknown field {reason}"),
        ("https://desk.example/{approval_id.__class__}", "unknown field"),
        ("https://desk.example/{approval_id!r}", "has a format"),
        ("https://desk.example/{approval_id", "cannot be read"),
        ("https://desk.example/{approval_id}|<b>", "is no address"),
    ],
)
def test_a_link_that_could_do_more_than_show_is_refused(template: str, because: str) -> None:
    with pytest.raises(BadLink, match=re.escape(because)):
        ReviewLink(template)


def test_ids_are_encoded_into_a_link() -> None:
    link = ReviewLink("http://127.0.0.1:8080/questions?exception={exception_id}&case={case_id}")
    to = link.to(a_notice(exception_id="EXC 1&x=<|>/../approve"))
    assert to.endswith("?exception=EXC%201%26x%3D%3C%7C%3E%2F..%2Fapprove&case=00000000-0000-0000-0000-0000000000c1")


# Too large


def test_slack_is_within_its_limits_however_large_the_notice() -> None:
    message = slack_message(HUGE, LINK)
    assert len(message["blocks"]) <= 50
    for block in message["blocks"]:
        if "text" in block:
            assert 1 <= len(block["text"]["text"]) <= 3000
        assert len(block.get("fields", ())) <= 10
        assert all(len(field["text"]) <= 2000 for field in block.get("fields", ()))
    assert SHORTENED in slack_text(HUGE)


def test_teams_is_within_its_limit_however_large_the_notice() -> None:
    assert len(teams_message(HUGE, LINK)) <= 28_000
    assert SHORTENED in teams_text(HUGE)


def test_a_webhook_is_below_its_limit_however_large_the_notice() -> None:
    body = webhook_body(HUGE, LINK)
    assert len(body) < 20_000
    assert json.loads(body)["data"]["shortened"] is True


@pytest.mark.parametrize("show", ALL)
@pytest.mark.parametrize("notice", LARGEST_OF.values(), ids=map(ascii, LARGEST_OF))
def test_no_notice_is_too_large_to_be_told(show: Show, notice: Notice) -> None:
    assert show(notice, SCREEN.to(notice))


@pytest.mark.parametrize("show", PEOPLE)
def test_what_fits_is_not_called_shortened(show: Show) -> None:
    assert SHORTENED not in show(a_notice())


def test_of_many_reasons_some_are_left_out_and_the_card_says_so() -> None:
    card = card_of(a_notice(why=("a", "b", "c")), None, Budget(reasons=2, characters=10))
    assert (card.why, card.shortened) == (("a", "b"), True)


# The bodies as they are documented


def test_a_message_of_slack_has_the_shape_of_block_kit() -> None:
    message = slack_message(a_notice(), LINK)
    assert message["text"] == "Approval needed: refund of 150.00 USD, order ORD-1"
    section, fields, *_ = message["blocks"]
    assert section == {
        "type": "section",
        "text": {"type": "mrkdwn", "text": f"*{message['text']}*", "verbatim": True},
    }
    assert {field["type"] for field in fields["fields"]} == {"mrkdwn"}


def test_a_message_of_teams_has_the_shape_of_an_adaptive_card() -> None:
    message = json.loads(teams_message(a_notice(), LINK))
    assert message["type"] == "message"
    [attachment] = message["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert card["body"][0]["inlines"][0]["text"] == "Approval needed: refund of 150.00 USD, order ORD-1"


def test_a_webhook_is_for_programs_and_speaks_the_words_of_the_events() -> None:
    body = json.loads(webhook_body(a_closed_notice(reason=None), LINK))
    assert (body["type"], body["timestamp"]) == ("approval.closed", "2026-01-05T09:00:00Z")
    assert body["data"] == {
        "approval_id": "00000000-0000-0000-0000-0000000000a1",
        "case_id": "00000000-0000-0000-0000-0000000000c1",
        "exception_id": "EXC-1",
        "order_id": "ORD-1",
        "kind": "refund",
        "action": "refund",
        "amount": {"amount_minor": 15_000, "currency": "USD"},
        "actions": [],
        "level": {"name": "manager", "number": 1, "of": 2},
        "role": "manager",
        "assignee": None,
        "risk": "medium",
        "why": ["refund of 150.00 USD is over 100.00 USD"],
        "due_at": "2026-01-06T09:00:00Z",
        "on_timeout": "escalate",
        "closed_as": "approved",
        "by": "user:maria",
        "reason": None,
        "url": LINK,
        "shortened": False,
    }


@pytest.mark.parametrize("kind", NoticeKind)
def test_every_kind_has_its_words(kind: NoticeKind) -> None:
    how = Closing.CHANGES_REQUESTED if kind is NoticeKind.CLOSED else None
    notice = a_notice(kind=kind, closed_as=how, by="user:maria", at=MONDAY)
    assert json.loads(webhook_text(notice))["type"] == f"approval.{kind}"
    assert (kind is NoticeKind.CLOSED) == ("changes requested, by user:maria" in mail_text(notice))
