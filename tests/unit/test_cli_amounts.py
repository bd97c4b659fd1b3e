"""Amounts are read exactly as typed, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.values import MAX_AMOUNT_MINOR, Money
from worker.cli.amounts import AmountProblem, parse_amount


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("120.00", "USD", 12000),
        ("120", "USD", 12000),
        (" 0.01 ", "USD", 1),
        ("0", "USD", 0),
        ("007.50", "EUR", 750),
        ("120", "JPY", 120),
        ("1.234", "KWD", 1234),
        ("10000000000000.00", "USD", MAX_AMOUNT_MINOR),
    ],
)
def test_an_amount_becomes_minor_units(text: str, currency: str, minor: int) -> None:
    assert parse_amount(text, currency) == Money(amount_minor=minor, currency=currency)


@given(st.integers(min_value=0, max_value=MAX_AMOUNT_MINOR), st.sampled_from(["USD", "JPY", "KWD"]))
def test_what_we_write_we_read_back(minor: int, currency: str) -> None:
    money = Money(amount_minor=minor, currency=currency)
    assert parse_amount(str(money).removesuffix(f" {currency}"), currency) == money


@pytest.mark.parametrize(
    ("text", "currency", "said"),
    [
        ("120.5", "USD", "'120.5' has 1 decimals, USD has 2; write it like 120.00"),
        ("120.005", "USD", "has 3 decimals, USD has 2"),
        ("120.00", "JPY", "has 2 decimals, JPY has 0; write it like 120"),
        ("120.00", "KWD", "has 2 decimals, KWD has 3; write it like 120.000"),
        ("1,20", "USD", "is no amount"),
        ("-1.00", "USD", "is no amount"),
        ("+1.00", "USD", "is no amount"),
        ("1e2", "USD", "is no amount"),
        (".50", "USD", "is no amount"),
        ("1.", "USD", "is no amount"),
        ("NaN", "USD", "is no amount"),
        ("1_000.00", "USD", "is no amount"),
        ("120.00 USD", "USD", "is no amount"),
        ("\u0967\u0968.\u0966\u0966", "USD", "is no amount"),
        ("", "USD", "is no amount"),
        ("10000000000000.01", "USD", "is more than any order"),
        ("9" * 5000, "USD", "is more than any order"),
    ],
)
def test_what_is_not_exact_is_refused_with_an_example(text: str, currency: str, said: str) -> None:
    with pytest.raises(AmountProblem) as refused:
        parse_amount(text, currency)
    assert said in str(refused.value)
