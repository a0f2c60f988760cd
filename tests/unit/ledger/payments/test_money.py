"""Amounts that can be paid, and those that cannot."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connector.errors import RecordError
from connector.ledger.payments.money import money, payable, stored


@pytest.mark.parametrize(
    ("text", "currency", "shown"),
    [
        ("12.5", "EUR", "12.50"),
        ("7", "JPY", "7"),
        ("0.125", "KWD", "0.125"),
        ("1E2", "USD", "100.00"),
    ],
)
def test_an_amount_has_the_decimals_of_its_currency(text: str, currency: str, shown: str) -> None:
    amount = payable(Decimal(text), currency)
    assert str(amount) == shown
    assert str(money(stored(amount), currency)) == shown


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("0", "EUR"),
        ("-1", "EUR"),
        ("0.001", "EUR"),
        ("0.5", "JPY"),
        ("NaN", "EUR"),
        ("1E20", "EUR"),
        ("1E999999", "EUR"),
    ],
)
def test_what_is_no_amount_is_refused(text: str, currency: str) -> None:
    with pytest.raises(RecordError) as refused:
        payable(Decimal(text), currency)
    assert refused.value.code == "amount-invalid"
