"""The file of endpoints and routes: what it may say, and every mistake with its line. No secret is ever repeated."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from schemas.values import Risk
from tests.builders import usd
from tests.notices import LINK, MESSAGE, a_notice
from worker.adapters.memory.database import MemoryDatabase
from worker.adapters.memory.notifications import MemoryNotifications
from worker.adapters.notifications.configuration import (
    Configuration,
    NotificationsError,
    load_notifications,
    parse_notifications,
)
from worker.adapters.notifications.endpoints import HttpsOptions, MailOptions, SmtpOptions
from worker.adapters.notifications.notifier import LEASE, make_notifier
from worker.adapters.notifications.routing import Route
from worker.adapters.notifications.webhook import webhook_body
from worker.adapters.outgoing.signature import sign
from worker.application.notices import NoticeKind

PAGE = (Path(__file__).parents[2] / "docs" / "notifications.md").read_text(encoding="utf-8")
SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"  # noqa: S105 - the specification's own example
ENVIRONMENT = {
    "SLACK_MANAGERS_URL": "https://hooks.slack.example/services/T000/B000/CANARY",
    "TEAMS_FINANCE_URL": "https://teams.example/workflows/CANARY?sig=CANARY",
    "DESK_SECRET": SECRET,
    "SMTP_USER": "signoff",
    "SMTP_PASSWORD": "CANARY",
}


def block(language: str) -> str:
    """The first block of the page in this language."""
    found = re.search(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert found
    return found[1]


def parse(text: str, **options: Any) -> Configuration:
    return parse_notifications(text.encode(), "notifications.yaml", environment=ENVIRONMENT, **options)


def problems(text: str, **options: Any) -> list[str]:
    with pytest.raises(NotificationsError) as refused:
        parse(text, **options)
    assert "CANARY" not in str(refused.value)
    return str(refused.value).splitlines()


def endpoint(fields: str) -> str:
    return f"endpoints:\n  desk: {{{fields}}}\nroutes:\n  - {{to: [desk]}}\n"


WEBHOOK = "use: webhook, url: https://desk.example/hooks, secrets: [env:DESK_SECRET]"
MAIL = "use: email, to: [ops@shop.example]"


def route(fields: str) -> str:
    return f"endpoints:\n  desk: {{{WEBHOOK}}}\nroutes:\n  - {{{fields}}}\n"


# The page


async def test_the_example_of_the_page_is_read_as_it_says() -> None:
    read = parse(block("yaml"), levels=["manager"])
    assert list(read.endpoints) == ["managers", "finance", "desk", "on-call"]
    assert [options.use for options in read.endpoints.values()] == ["slack", "teams", "webhook", "email"]
    assert read.routes == (
        Route(to=("managers",), levels=frozenset({"manager"}), min_risk=Risk.MEDIUM),
        Route(to=("finance",), levels=frozenset({"manager"}), over=usd(100_000)),
        Route(to=("on-call",), on=frozenset({NoticeKind.LAPSING, NoticeKind.ESCALATED}), min_risk=Risk.HIGH),
        Route(to=("desk",)),
    )
    assert read.link is not None
    assert read.link.to(a_notice()) == LINK
    notifier = make_notifier(read, MemoryNotifications(MemoryDatabase(lambda: datetime.now(UTC)), LEASE))
    assert set(notifier.endpoints) == set(read.endpoints)
    await notifier.aclose()


def test_the_receiver_of_the_page_takes_what_is_sent_once_and_refuses_a_forgery(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DESK_SECRET", SECRET)
    page: dict[str, Any] = {}
    exec(block("python"), page)  # noqa: S102 - our own documentation
    body = webhook_body(a_notice(), LINK)
    headers = sign([SECRET], str(MESSAGE), datetime.now(UTC), body)
    assert [page["receive"](headers, body) for _ in range(2)] == [204, 204]
    assert capsys.readouterr().out == f"approval.needed EXC-1 {LINK}\n"
    with pytest.raises(WebhookVerificationError):
        page["receive"](headers, body.replace(b"EXC-1", b"EXC-2"))


def test_the_message_of_the_page_has_the_fields_that_are_sent() -> None:
    shown, sent = json.loads(block("json")), json.loads(webhook_body(a_notice(), LINK))
    assert (set(shown), set(shown["data"])) == (set(sent), set(sent["data"]))


def test_the_page_names_every_option() -> None:
    named = set(re.findall(r"`([a-z_]+)`", PAGE.split("### Options of endpoints")[1].split("##")[0]))
    there = set(HttpsOptions.model_fields) | set(MailOptions.model_fields) | {"secrets"}
    there |= {field.alias or name for name, field in SmtpOptions.model_fields.items()}
    assert there - named == set()


# What is meant


def test_nothing_secret_is_shown_of_what_was_read() -> None:
    read = parse(block("yaml"))
    assert "CANARY" not in repr(read)
    assert SECRET not in repr(read)


def test_only_an_endpoint_that_says_so_sees_the_customers_words() -> None:
    assert parse(block("yaml")).endpoints["desk"].reason == "shown"
    assert parse(endpoint(WEBHOOK)).endpoints["desk"].reason == "hidden"


def test_an_empty_route_takes_everything() -> None:
    assert parse(route("to: [desk]")).routes == (Route(to=("desk",)),)


@pytest.mark.parametrize("address", ["https://10.0.0.7/hooks", "https://desk.intern.example:8443/hooks"])
def test_an_endpoint_of_the_house_is_allowed_by_name(address: str) -> None:
    fields = f"use: webhook, url: '{address}', secrets: [env:DESK_SECRET], in_house: true"
    options = parse(endpoint(fields)).endpoints["desk"]
    assert isinstance(options, HttpsOptions)
    assert options.in_house


# What is wrong


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ("use: fax", "2: endpoint desk: `use` says no kind of endpoint; known are: slack, teams, webhook, email"),
        ("url: https://desk.example", "2: endpoint desk: `use` says no kind of endpoint; known are"),
        ("use: slack", "2: endpoint desk: `url`: field required"),
        ("use: slack, url: http://desk.example/CANARY", "2: endpoint desk: `url`: the URL is http; only https is sent"),
        ("use: slack, url: CANARY", "2: endpoint desk: `url`: the URL is without a scheme"),
        ("use: teams, url: https://u:CANARY@desk.example", "2: endpoint desk: `url`: the URL names a user"),
        ("use: slack, url: https://a.example, colour: red", "2: endpoint desk: `colour` is no option of this kind"),
        ("use: slack, url: env:NOT_SET", "2: endpoint desk: `url`: the environment has no NOT_SET"),
        ("use: slack, url: https://a.example, reason: yes please", "2: endpoint desk: `reason`: input should be"),
        (
            "use: slack, url: https://a.example, ca_file: /none.pem",
            "2: endpoint desk: `ca_file`: no certificates can be",
        ),
        ("use: webhook, url: https://a.example", "2: endpoint desk: `secrets`: field required"),
        (
            "use: webhook, url: https://a.example, secrets: []",
            "2: endpoint desk: `secrets`: tuple should have at least 1",
        ),
        (
            "use: webhook, url: https://a.example, secrets: [whsec_CANARY]",
            "2: endpoint desk: `secrets.0` is written out; write env:NAME, and put it there",
        ),
        (
            "use: webhook, url: https://a.example, secrets: [env:SMTP_PASSWORD]",
            "2: endpoint desk: `secrets.0`: a webhook secret starts with whsec_",
        ),
        (f"{MAIL}, smtp: {{host: mail.example}}", "2: endpoint desk: `smtp.from`: field required"),
        (
            f"{MAIL}, smtp: {{host: mail.example, from: a@b.example, tls: none}}",
            "2: endpoint desk: `smtp`: tls: mail to mail.example would go over the network unencrypted",
        ),
        (
            f"{MAIL}, smtp: {{host: mail.example, from: a@b.example, username: me}}",
            "2: endpoint desk: `smtp`: username, password: a server asks for both or for neither",
        ),
        (
            f"{MAIL}, smtp: {{host: mail.example, from: a@b.example, username: me, password: CANARY}}",
            "2: endpoint desk: `smtp.password` is written out",
        ),
        (
            "use: email, to: [nobody], smtp: {host: mail.example, from: a@b.example}",
            "2: endpoint desk: `to.0`: address: 'nobody' is no e-mail address",
        ),
    ],
)
def test_a_wrong_endpoint_is_refused_with_its_line(fields: str, line: str) -> None:
    [said] = problems(endpoint(fields))
    assert said.startswith(f"notifications.yaml:{line}")
    assert "; " in said


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ("on: [needed]", "4: route 1 has no `to`"),
        ("to: []", "4: `to` of route 1 is not a list with entries"),
        ("to: [desk, desks]", "4: `to` of route 1 names an unknown `desks`; did you mean desk?"),
        ("to: [desk], on: [neded]", "4: `on` of route 1 names an unknown `neded`; did you mean needed?"),
        ("to: [desk], levels: [boss]", "4: `levels` of route 1 names an unknown `boss`; known are: manager"),
        ("to: [desk], min_risk: huge", "4: `min_risk` of route 1 is no risk: `huge`; known are: low, medium, high"),
        ("to: [desk], over: 100", "4: `over` of route 1 is not an amount such as 1000.00 USD"),
        ("to: [desk], if: always", "4: route 1 has an unknown key `if`"),
    ],
)
def test_a_wrong_route_is_refused_with_its_line(fields: str, line: str) -> None:
    said = problems(route(fields), levels=["manager"])
    assert said[0].startswith(f"notifications.yaml:{line}")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "notifications.yaml: is empty; "),
        ("[1]", "notifications.yaml:1: the file is not a mapping"),
        ("endpoints: {}\nroutes: [{to: [x]}]", "notifications.yaml:1: `endpoints` has none"),
        ("a: b: c", "notifications.yaml:1: is not YAML"),
        (f"review_url: http://desk.example/x\n{route('to: [desk]')}", "notifications.yaml:1: `review_url` names no"),
        (route("to: [desk]").replace("desk", "Desk 1"), "notifications.yaml:2: 'Desk 1' cannot be the name"),
        (
            route("to: [desk]").replace("routes", f"  spare: {{{WEBHOOK}}}\nroutes"),
            "notifications.yaml:3: no route leads to the endpoint spare; add a route, or take it out",
        ),
    ],
)
def test_a_wrong_file_is_refused(text: str, line: str) -> None:
    assert problems(text)[0].startswith(line)


def test_all_mistakes_are_told_at_once() -> None:
    text = "endpoints:\n  desk: {use: fax}\n  managers: {use: slack}\nroutes:\n  - {to: [desk], on: [never]}\n"
    assert [said.split(":")[1] for said in problems(text)] == ["2", "3", "5"]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotificationsError, match=r"notifications\.yaml: cannot be read: No such file.*SIGNOFF_NOTIF"):
        load_notifications(tmp_path / "notifications.yaml")
