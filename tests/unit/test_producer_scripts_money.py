import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer_scripts.money import parse_money
from schemas.values import MAX_AMOUNT_MINOR, Money


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("150", "USD", 15000),
        ("150.5", "USD", 15050),
        ("0.07", "USD", 7),
        ("4503599627370.97", "USD", 450359962737097),
        ("1500", "JPY", 1500),
        ("1.234", "KWD", 1234),
    ],
)
def test_major_units_become_minor_units_exactly(amount: str, currency: str, minor: int) -> None:
    assert parse_money(amount, currency) == Money(amount_minor=minor, currency=currency)


@pytest.mark.parametrize("amount", ["", "-1", "+1", "1,50", "1e3", "1.", ".5", "1 ", "NaN", "１５０", "1_000"])  # noqa: RUF001
def test_what_would_need_guessing_is_no_amount(amount: str) -> None:
    with pytest.raises(ValueError, match="is not an amount"):
        parse_money(amount, "USD")


@pytest.mark.parametrize(("amount", "currency"), [("1.005", "USD"), ("1.5", "JPY"), ("1.2345", "KWD")])
def test_what_would_need_rounding_is_refused(amount: str, currency: str) -> None:
    with pytest.raises(ValueError, match=f"digits after the point; {currency} has"):
        parse_money(amount, currency)


@pytest.mark.parametrize("currency", ["usd", "US", "", "EURO"])
def test_a_currency_is_three_capitals(currency: str) -> None:
    with pytest.raises(ValueError, match="is not a currency"):
        parse_money("1", currency)


@given(st.integers(0, MAX_AMOUNT_MINOR), st.sampled_from(["USD", "JPY", "KWD"]))
def test_what_money_shows_is_read_back_as_the_same_money(minor: int, currency: str) -> None:
    money = Money(amount_minor=minor, currency=currency)
    assert parse_money(str(money).split()[0], currency) == money
