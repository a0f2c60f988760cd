from __future__ import annotations

import pytest

from connector.ledger.currencies import CODES, decimals


@pytest.mark.parametrize(
    ("code", "places"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("RWF", 0), ("???", 2), (None, 2)]
)
def test_a_currency_has_its_decimals(code: str | None, places: int) -> None:
    assert decimals(code) == places


def test_codes_are_of_money_people_pay_with() -> None:
    assert {"EUR", "USD", "HUF", "XOF"} <= CODES
    assert CODES.isdisjoint({"EUX", "XXX", "XTS", "XAU", "eur"})
