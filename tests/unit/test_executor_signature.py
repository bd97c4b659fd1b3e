"""Webhook signatures: what the official library accepts is the measure."""

import base64
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from worker.adapters.outgoing.signature import PREFIX, BadSecret, key_of, sign

OLD = "whsec_" + base64.b64encode(b"o" * 24).decode()
NEW = "whsec_" + base64.b64encode(b"n" * 64).decode()
BODY = '{"to": "Jürgen"}'.encode()


def test_the_specification_s_own_example_gets_the_signature_that_it_names() -> None:
    headers = sign(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1614265330, UTC),
        b'{"test": 2432232314}',
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize("known", [OLD, NEW])
def test_while_secrets_are_rotated_a_receiver_that_knows_either_accepts(known: str) -> None:
    headers = sign([NEW, OLD], "case-1:0", datetime.now(UTC), BODY)
    assert Webhook(known).verify(BODY, headers) == {"to": "Jürgen"}


def test_a_body_that_was_changed_on_its_way_is_not_accepted() -> None:
    headers = sign([OLD], "case-1:0", datetime.now(UTC), BODY)
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(BODY + b" ", headers)


@pytest.mark.parametrize(
    ("secret", "says"),
    [
        ("hunter2hunter2hunter2", "starts with whsec_"),
        ("whsec_not base64!", "is base64"),
        ("whsec_aHVudGVyMg==", "24 to 64 bytes, and not 7"),
        ("whsec_", "24 to 64 bytes, and not 0"),
    ],
)
def test_a_bad_secret_is_named_for_what_is_wrong_and_never_repeated(secret: str, says: str) -> None:
    with pytest.raises(BadSecret, match=says) as refused:
        key_of(secret)
    assert secret.removeprefix(PREFIX) == "" or secret not in str(refused.value)


def test_nothing_is_signed_without_a_secret() -> None:
    with pytest.raises(BadSecret, match="no webhook secret"):
        sign([], "case-1:0", datetime.now(UTC), BODY)


@pytest.mark.parametrize("message_id", ["", "a.b", "a\r\nx: y", "ä", "a b", "x" * 256])
def test_an_id_that_could_be_read_in_two_ways_is_not_signed(message_id: str) -> None:
    with pytest.raises(ValueError, match="visible ASCII"):
        sign([OLD], message_id, datetime.now(UTC), BODY)
