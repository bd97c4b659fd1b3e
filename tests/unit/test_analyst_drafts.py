"""Which drafts of a model a reviewer gets to see."""

import pytest

from schemas.values import LineItem, Money
from tests.builders import an_exception, some_facts, usd
from worker.adapters.analysis.drafts import usable_description, usable_draft
from worker.domain.order_exception import Facts


def a_case(amount: Money | None = None) -> Facts:
    return some_facts(
        an_exception(amount=amount or usd(150_000), order_id="ORD-1001", items=(LineItem(sku="MUG-1", quantity=3),))
    )


@pytest.mark.parametrize(
    "draft",
    [
        "Your refund is on its way.",
        "Your refund of 1500.00 USD for order ORD-1001 is on its way.",
        "We refund 1,500.00 USD for 3 mugs.",
        "Wir erstatten Ihnen 1.500,00 USD.",
        "Nous vous remboursons 1 500,00 USD.",
        "Nous vous remboursons 1\u202f500,00 USD.",
        "Wir erstatten CHF-Kunden 1'500.00 USD.",
        "We refund 1500 USD. Thank you!",
        "Zum Beispiel, z.B. so, d.h. bald.",
        "Line one.\nLine two.",
    ],
)
def test_a_draft_with_the_figures_of_the_case_is_shown(draft: str) -> None:
    assert usable_draft(draft, a_case()) is not None


@pytest.mark.parametrize(
    "draft",
    [
        "",
        "  \u200b ",
        "Your refund of 1600.00 USD is on its way.",
        "Your refund of 15.00 USD is on its way.",
        "Order ORD-10012 is refunded.",
        "Order ORD-1002 is refunded.",
        "Use code SAVE20.",
        "Confirm at https://example.org/a",
        "Confirm at example.org",
        "Confirm at ｅｘａｍｐｌｅ．ｏｒｇ",  # noqa: RUF001 - full-width on purpose
        "Confirm at ex\u200bample.o\u200brg",
        "Confirm at пример.рф",
        "Confirm at example\u3002org",
        "We refund 3 USD.",
        "We refund 3k USD.",
        "Write to help@example",
        "Call tel:us",
        "[Click](here)",
        "<b>Paid</b>",
        "{{ customer.name }}",
        "We refund ١٦٠٠ USD.",
        "We refund ½ of it.",
        "x" * 1_001,
    ],
)
def test_a_draft_with_a_link_or_figures_of_its_own_is_dropped(draft: str) -> None:
    assert usable_draft(draft, a_case()) is None


@pytest.mark.parametrize(
    ("name", "draft"),
    [
        ("evil.example/pay", "Confirm at evil.example/pay please."),
        ("https://evil.example", "Confirm at https://evil.example"),
        ("help@evil.example", "Write to help@evil.example"),
        ("900.00", "We refund 900.00 USD."),
        ("900 USD", "We refund 900 USD."),
        ("$900", "We refund $900."),
        ("9000", "We refund 9000 USD."),
        ("9000", "We refund $9000."),
        ("9000", "We refund USD 9000."),
        ("9000", "We refund 9000\u00a0\u20ac."),
    ],
)
def test_an_id_smuggles_no_link_and_no_amount_into_a_draft(name: str, draft: str) -> None:
    assert usable_draft(draft, some_facts(an_exception(name, order_id=name))) is None


@pytest.mark.parametrize("draft", ["Your order 9000 is on its way back.", "Order no. 9000: refunded.", "Order #9000"])
def test_an_id_of_figures_alone_may_be_named(draft: str) -> None:
    assert usable_draft(draft, some_facts(an_exception(order_id="9000"))) is not None


def test_what_hides_in_a_draft_is_removed() -> None:
    assert usable_draft("Your\u202e refund\U000e0041 is\x1b on its way.", a_case()) == "Your refund is on its way."


@pytest.mark.parametrize(
    ("amount", "spelt"),
    [
        (Money(amount_minor=1_500, currency="JPY"), "1,500"),
        (Money(amount_minor=1_250, currency="KWD"), "1.250"),
        (Money(amount_minor=1_205, currency="EUR"), "12,05"),
    ],
)
def test_an_amount_is_spelt_with_the_digits_of_its_currency(amount: Money, spelt: str) -> None:
    assert usable_draft(f"{spelt} {amount.currency}", a_case(amount)) is not None
    assert usable_draft("12 EUR", a_case(Money(amount_minor=1_205, currency="EUR"))) is None


def test_a_description_has_no_figures_at_all() -> None:
    assert usable_description("Store credit is quicker.") == "Store credit is quicker."
    assert usable_description("Store credit of 1500 USD.") is None
