"""Values of single columns, both ways."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects.mssql import MONEY
from sqlalchemy.types import TypeEngine

from connector.endpoints.dynamicweb.fields import (
    SCALE,
    boolean,
    decimal,
    decimal_of,
    field_of,
    instant,
    integer,
    text,
)
from connector.errors import RecordError
from connector.mapping.values import Value, ValueType
from tests.unit.endpoints.dynamicweb.shop import noon

NAME, COUNT, FLAG, POINTS, AT = (
    text("Name", 50),
    integer("Count"),
    boolean("Flag"),
    decimal("Points"),
    instant("At"),
)


def refusal(field: object, value: Value) -> RecordError:
    with pytest.raises(RecordError) as raised:
        field.accept(value)  # type: ignore[attr-defined]
    assert raised.value.subject.field == field.name  # type: ignore[attr-defined]
    return raised.value


@given(st.decimals(places=SCALE, min_value=-999_999_999, max_value=999_999_999))
def test_a_decimal_of_fifteen_digits_comes_back_as_it_went(number: Decimal) -> None:
    assert POINTS.read(POINTS.accept(number)) == number


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
def test_a_decimal_comes_back_as_it_went_or_is_refused(number: Decimal) -> None:
    try:
        held = POINTS.accept(number)
    except RecordError:
        return
    assert POINTS.read(held) == number


@pytest.mark.parametrize("number", ["0.0000001", "12345678901234567.5", "99999999999999999"])
def test_what_a_float_cannot_hold_is_refused(number: str) -> None:
    assert refusal(POINTS, Decimal(number)).code == "number-inexact"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_what_is_read_of_a_float_stays_when_it_is_written_back(number: float) -> None:
    read = POINTS.read(number)
    assert isinstance(read, Decimal)
    assert POINTS.read(POINTS.accept(read)) == read
    assert abs(read - Decimal(number)) <= max(
        Decimal(1).scaleb(-SCALE) / 2, abs(Decimal(number)) * Decimal("1e-15")
    )


def test_what_sums_of_floats_add_is_rounded_off() -> None:
    assert POINTS.read(0.1 + 0.2) == Decimal("0.3")
    assert POINTS.read(2.5e-7) == 0
    assert str(POINTS.read(100.0)) in ("100", "1E+2")


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_reads_as_empty(number: float) -> None:
    assert POINTS.read(number) is None
    assert decimal_of(number) is None


def test_nothing_is_cut_off() -> None:
    assert NAME.accept("x" * 50) == "x" * 50
    assert refusal(NAME, "x" * 51).code == "text-too-long"


def test_length_is_counted_as_the_database_does() -> None:
    assert NAME.accept("😀" * 25) == "😀" * 25
    assert refusal(NAME, "😀" * 26).code == "text-too-long"


@pytest.mark.parametrize("bad", ["a\x00b", "a\x1fb", "\x7f", "\ud800"])
def test_broken_text_is_refused(bad: str) -> None:
    assert refusal(NAME, bad).code == "text-invalid"


def test_empty_is_null() -> None:
    assert NAME.read("") is None
    assert [field.read(None) for field in (NAME, COUNT, FLAG, POINTS, AT)] == [None] * 5
    assert [field.accept(None) for field in (NAME, COUNT, FLAG, POINTS)] == [None] * 4


def test_a_date_that_was_never_set_is_null() -> None:
    assert AT.read(noon(1900, 1, 1).replace(hour=0)) is None
    assert AT.read(noon(2024, 5, 1)) == datetime(2024, 5, 1, 12, tzinfo=UTC)


def test_numbers_beyond_32_bits_are_refused() -> None:
    assert COUNT.accept(2**31 - 1) == 2**31 - 1
    assert refusal(COUNT, 2**31).code == "number-out-of-range"
    assert refusal(COUNT, -(2**31) - 1).code == "number-out-of-range"


@pytest.mark.parametrize(
    ("field", "value"), [(NAME, 5), (COUNT, "5"), (COUNT, True), (FLAG, 1), (POINTS, 5)]
)
def test_a_value_of_another_type_is_refused(field: object, value: Value) -> None:
    assert refusal(field, value).code == "type-mismatch"


def test_columns_of_a_table_that_is_only_read() -> None:
    kinds: list[tuple[TypeEngine[Any], ValueType]] = [
        (sa.Unicode(40), ValueType.TEXT),
        (sa.Boolean(), ValueType.BOOLEAN),
        (sa.BigInteger(), ValueType.INTEGER),
        (sa.Numeric(9, 2), ValueType.DECIMAL),
        (sa.Float(53), ValueType.DECIMAL),
        (MONEY(), ValueType.DECIMAL),
        (sa.DateTime(), ValueType.INSTANT),
        (sa.Date(), ValueType.DATE),
    ]
    for kind, expected in kinds:
        field = field_of(sa.Column("X", kind))
        assert field is not None
        assert (field.type, field.writable) == (expected, False)
    assert field_of(sa.Column("X", sa.LargeBinary())) is None
    assert decimal("P").column.scale == SCALE


@pytest.mark.parametrize(
    ("kind", "scale"),
    [(sa.Numeric(38, 9), 9), (sa.Numeric(), None), (MONEY(), 4), (sa.REAL(), SCALE)],
)
def test_a_column_that_keeps_every_digit_is_read_with_every_digit(
    kind: TypeEngine[Any], scale: int | None
) -> None:
    field = field_of(sa.Column("Credit", kind))
    assert field is not None
    assert field.column.scale == scale
    number = Decimal("12345678901234567890123456789.123456789")
    assert str(field.read(number)) == str(number)
    assert field.read(Decimal("NaN")) is None
    assert str(field.read(Decimal("-0"))) == "0"


def test_times_with_a_zone_and_days_are_read() -> None:
    zone = timezone(timedelta(hours=2))
    assert AT.read(datetime(2024, 5, 1, 12, tzinfo=zone)) == datetime(2024, 5, 1, 10, tzinfo=UTC)
    day = field_of(sa.Column("Since", sa.Date()))
    assert day is not None
    assert day.read(date(2154, 12, 31)) == date(2154, 12, 31)
    assert day.read(date(1900, 1, 1)) is None
