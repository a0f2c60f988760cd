"""Values of each Edm type: what is read, what is refused, and nothing lost in between."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.endpoints.odata_v2.edm import EPOCH, TYPES, edm_type
from connector.mapping.values import Value

GUID = "0f14d0ab-9605-4a62-a9e4-5ed26688389b"
DAY = edm_type("Edm.DateTime", only_day=True)


@pytest.mark.parametrize(
    ("type", "told", "value"),
    [
        ("Edm.String", "", None),
        ("Edm.String", " ", " "),
        ("Edm.Int64", "9007199254740993", 9007199254740993),
        ("Edm.Int64", "5L", 5),
        ("Edm.Int64", 5, 5),
        ("Edm.Decimal", "0.10", Decimal("0.10")),
        ("Edm.Decimal", "12M", Decimal(12)),
        ("Edm.Decimal", Decimal("0.1"), Decimal("0.1")),
        ("Edm.Double", "1.5d", Decimal("1.5")),
        ("Edm.Double", Decimal("1e21"), Decimal("1e21")),
        ("Edm.Int32", Decimal("1e3"), 1000),
        ("Edm.DateTime", "/Date(0)/", datetime(1970, 1, 1, tzinfo=UTC)),
        ("Edm.DateTime", "2024-02-29T23:59:59.5", datetime(2024, 2, 29, 23, 59, 59, 500000, UTC)),
        ("Edm.DateTime", "/Date(-2208988800000)/", None),
        ("Edm.DateTimeOffset", "/Date(0+0060)/", datetime(1969, 12, 31, 23, tzinfo=UTC)),
        ("Edm.DateTimeOffset", "/Date(0-0090)/", datetime(1970, 1, 1, 1, 30, tzinfo=UTC)),
        ("Edm.Guid", GUID.upper(), GUID),
    ],
)  # fmt: skip
def test_what_services_write_is_read(type: str, told: Any, value: Value) -> None:
    assert TYPES[type].read(told) == value


@pytest.mark.parametrize(
    ("type", "told"),
    [
        ("Edm.String", 5),
        ("Edm.Int64", "5.5"),
        ("Edm.Int32", True),
        ("Edm.Int64", Decimal("5.5")),
        ("Edm.Decimal", 0.1),
        ("Edm.Decimal", "NaN"),
        ("Edm.Decimal", "a lot"),
        ("Edm.Double", "Infinity"),
        ("Edm.Boolean", "true"),
        ("Edm.DateTime", "/Date(999999999999999)/"),
        ("Edm.DateTime", "yesterday"),
        ("Edm.DateTime", 5),
        ("Edm.Guid", "no guid"),
    ],
)
def test_what_is_no_value_is_an_error_and_not_a_guess(type: str, told: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        TYPES[type].read(told)


@pytest.mark.parametrize(
    ("type", "value"),
    [
        ("Edm.Byte", 256),
        ("Edm.Byte", -1),
        ("Edm.SByte", 128),
        ("Edm.Int16", 2**15),
        ("Edm.Int32", 2**31),
        ("Edm.Int64", 2**63),
        ("Edm.Int32", "5"),
        ("Edm.Decimal", Decimal("NaN")),
        ("Edm.Boolean", 1),
        ("Edm.String", 5),
        ("Edm.DateTime", "2024-01-01"),
        ("Edm.DateTimeOffset", datetime(2024, 1, 1)),  # noqa: DTZ001 - that is what is wrong
        ("Edm.Guid", "x"),
        ("Edm.Time", "13:20"),
    ],
)
def test_what_does_not_fit_is_not_sent(type: str, value: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        TYPES[type].write(value)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_no_digit_of_a_decimal_is_lost(value: Decimal) -> None:
    told = TYPES["Edm.Decimal"].write(value)
    assert "E" not in told
    assert TYPES["Edm.Decimal"].read(told) == value


@given(st.integers(-62135000000000, 253402000000000), st.integers(0, 999), st.integers(-720, 720))
def test_every_moment_comes_back_to_the_millisecond(ticks: int, rest: int, minutes: int) -> None:
    zone = timezone(timedelta(minutes=minutes))
    moment = (EPOCH + timedelta(milliseconds=ticks, microseconds=rest)).astimezone(zone)
    for type in ("Edm.DateTime", "Edm.DateTimeOffset"):
        back = TYPES[type].read(TYPES[type].write(moment))
        if back is not None:  # 1900-01-01 is no date
            assert isinstance(back, datetime)
            assert moment - back == timedelta(microseconds=rest)


@given(st.dates())
def test_every_day_comes_back(day: date) -> None:
    assert DAY is not None
    assert DAY.read(DAY.write(day)) == (None if day == date(1900, 1, 1) else day)
