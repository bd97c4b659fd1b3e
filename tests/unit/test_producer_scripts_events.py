"""From words to events, and from events to records that the worker and the CloudEvents reader understand."""

import pytest

from producer_scripts import raising
from producer_scripts.deciding import batch_of, choice_of, edited_action, records_of
from producer_scripts.envelopes import Mode, outgoing
from producer_scripts.failure import Failure
from producer_scripts.traffic import Traffic, parse_mix
from schemas.catalogue import REVIEW_DECISIONS
from schemas.cloudevents import decode
from schemas.events import MOST_DECISIONS, ApprovalCommanded, ExceptionRaised, ReviewDecided, decisions_in
from schemas.generate.examples import sent
from schemas.values import ExceptionKind

REFUND = sent(ExceptionRaised)["refund"]
DECISIONS = [{"decision_id": "1", "approval_id": "A"}, {"decision_id": "2", "exception_id": "E"}]


@pytest.mark.parametrize("mode", Mode)
def test_every_mode_is_read_back_as_the_same_data(mode: Mode) -> None:
    record = outgoing(ExceptionRaised.TYPE, REFUND, key="ORD-1001", mode=mode)
    event = decode(record.value, record.headers)
    assert event.data == REFUND
    assert event.type == (None if mode is Mode.PLAIN else ExceptionRaised.TYPE)


@pytest.mark.parametrize("mode", [Mode.BINARY, Mode.STRUCTURED])
def test_the_same_event_sent_again_has_the_same_id_and_another_event_another(mode: Mode) -> None:
    one, again, other = (
        outgoing(ExceptionRaised.TYPE, data, key="ORD-1001", mode=mode)
        for data in (REFUND, dict(REFUND), REFUND | {"reason": "changed"})
    )
    ids = [decode(record.value, record.headers).attributes["id"] for record in (one, again, other)]
    assert ids[0] == ids[1] != ids[2]


def test_unsaid_words_are_left_out_but_zero_is_said() -> None:
    assert raising.given({"confidence": 0.0, "vip": False, "items": [], "order": {}, "reason": None}) == {
        "confidence": 0.0
    }


def test_an_item_is_a_sku_with_a_quantity_even_when_the_sku_has_colons() -> None:
    assert raising.item("MUG-1") == {"sku": "MUG-1", "quantity": 1}
    assert raising.item("shop:MUG-1:2") == {"sku": "shop:MUG-1", "quantity": 2}


def test_an_alternative_may_name_a_method_and_an_amount() -> None:
    assert raising.alternative("refund", "USD") == {"action": "refund"}
    assert raising.alternative("refund:store_credit:20.00", "USD") == {
        "action": "refund",
        "method": "store_credit",
        "amount": {"amount_minor": 2000, "currency": "USD"},
    }


def test_a_tool_call_carries_its_arguments_as_json() -> None:
    assert raising.action('send_email={"to": "ada"}') == {"name": "send_email", "args": {"to": "ada"}}
    assert raising.action("ping") == {"name": "ping", "args": {}}
    with pytest.raises(ValueError, match="no JSON object"):
        raising.action("send_email=ada")


def test_an_edit_names_its_action_by_number_and_gives_all_of_its_arguments() -> None:
    assert edited_action(' 2={"to": "bob"}') == {"index": 2, "args": {"to": "bob"}}
    for text, told in (
        ("to=bob", "is no edit"),
        ("²={}", "is no edit"),
        ("0=bob", "no JSON object"),
        ("0", "is no edit"),
    ):
        with pytest.raises(ValueError, match=told):
            edited_action(text)


def test_changes_are_text_unless_they_are_json() -> None:
    assert raising.changes(["email=ada@example.org", 'address={"city": "Lyon"}']) == {
        "email": "ada@example.org",
        "address": {"city": "Lyon"},
    }
    with pytest.raises(ValueError, match="FIELD=VALUE"):
        raising.changes(["email"])


def test_a_snapshot_of_the_order_needs_what_was_paid() -> None:
    assert raising.order_snapshot(None, None, "USD", None, None) is None
    with pytest.raises(ValueError, match="--captured"):
        raising.order_snapshot(None, "1.00", "USD", None, None)


def test_decisions_travel_each_by_itself_or_as_one_event() -> None:
    single = records_of(DECISIONS, mode=Mode.PLAIN)
    assert [record.key for record in single] == ["A", "E"]
    batch = batch_of(DECISIONS, mode=Mode.BINARY, order_id="ORD-1")
    assert batch.key == "ORD-1"
    event = decode(batch.value, batch.headers)
    assert event.type == ReviewDecided.TYPE
    assert decisions_in(event.data) == tuple(DECISIONS)


@pytest.mark.parametrize("mode", Mode)
def test_a_command_travels_as_one(mode: Mode) -> None:
    [record] = records_of([sent(ApprovalCommanded)["claim"]], mode=mode)
    event = decode(record.value, record.headers)
    assert REVIEW_DECISIONS.model(event.type, event.data) is ApprovalCommanded
    assert event.type == (None if mode is Mode.PLAIN else ApprovalCommanded.TYPE)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ([*DECISIONS, sent(ApprovalCommanded)["claim"]], "holds decisions only"),
        ([*DECISIONS] * MOST_DECISIONS, f"the first {MOST_DECISIONS} of these {2 * MOST_DECISIONS} fit"),
    ],
    ids=["a command", "too many"],
)
def test_what_does_not_fit_into_one_event_is_refused_before_it_is_sent(said: list[dict[str, str]], told: str) -> None:
    with pytest.raises(Failure, match=told):
        batch_of(said, mode=Mode.BINARY)


@pytest.mark.parametrize(("text", "choice"), [("2", 2), ("store_credit", "store_credit"), (None, None), ("²", "²")])
def test_a_choice_is_an_index_or_a_method(text: str | None, choice: int | str | None) -> None:
    assert choice_of(text) == choice


def traffic(**changed: object) -> Traffic:
    settings = {"run": "r", "count": 400, "mix": parse_mix("refund=70,account_change=30"), "over_limit": 0.3, "seed": 1}
    return Traffic(**(settings | changed))  # type: ignore[arg-type]


def test_the_same_seed_makes_the_same_traffic_and_another_another() -> None:
    assert list(traffic().exceptions()) == list(traffic().exceptions())
    assert list(traffic().exceptions()) != list(traffic(seed=2).exceptions())


def test_all_traffic_is_valid_has_its_own_ids_and_keeps_to_the_mix() -> None:
    mix = parse_mix("refund=1,cancellation=1,price_adjustment=1,account_change=1,action_request=1")
    events = [ExceptionRaised.model_validate(data) for data in traffic(mix=mix).exceptions()]
    assert len({event.exception_id for event in events}) == len({event.order_id for event in events}) == 400
    for kind in mix:
        assert 40 < sum(event.kind is kind for event in events) < 120


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_share_over_the_limit_is_kept(share: float) -> None:
    mix = {ExceptionKind.REFUND: 1}
    amounts = [data["amount"]["amount_minor"] for data in traffic(mix=mix, over_limit=share).exceptions()]
    assert all((amount > 100_00) == bool(share) for amount in amounts)


@pytest.mark.parametrize("text", ["refund", "refund=x", "refund=-1", "gift=1", "refund=0", ""])
def test_a_mix_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"mix|weights"):
        parse_mix(text)
