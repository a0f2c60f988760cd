from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import RecordError
from connector.ledger.journal.amounts import LARGEST, UNIT, points, units


@given(st.integers(-LARGEST, LARGEST))
def test_what_is_kept_comes_back(kept: int) -> None:
    assert units(points(kept)) == kept


@pytest.mark.parametrize(
    ("text", "kept"), [("1", UNIT), ("-0.0001", -1), ("12.50", 125_000), ("1E+2", 1_000_000)]
)
def test_points_are_kept_exactly(text: str, kept: int) -> None:
    assert units(Decimal(text)) == kept


@pytest.mark.parametrize(("kept", "text"), [(0, "0"), (1_000_000, "100"), (125_000, "12.5")])
def test_points_are_shown_without_idle_zeros(kept: int, text: str) -> None:
    assert str(points(kept)) == text


@pytest.mark.parametrize(
    "text",
    ["NaN", "sNaN", "Infinity", "0.00001", "1E+20", "-1E+999999", f"1.{'0' * 40}1", "1E-999999"],
)
def test_what_does_not_fit_is_refused(text: str) -> None:
    with pytest.raises(RecordError) as caught:
        units(Decimal(text))
    assert caught.value.code == "points-invalid"


def test_a_quantity_has_no_parts() -> None:
    assert units(Decimal("3.000"), whole=True) == 3 * UNIT
    with pytest.raises(RecordError) as caught:
        units(Decimal("0.5"), whole=True)
    assert caught.value.code == "points-fractional"
