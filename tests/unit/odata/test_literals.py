"""URL literals against texts written by hand from the OData V4 grammar."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.odata.literals import Guid, Scalar, literal, parse_instant, parse_literal
from connector.odata.malformed import MalformedError

GOLDEN: list[tuple[Scalar, str]] = [
    (None, "null"),
    (True, "true"),
    (False, "false"),
    (0, "0"),
    (-17, "-17"),
    (806380003, "806380003"),
    (Decimal("5000000.0000"), "5000000.0000"),
    (Decimal("-0.25"), "-0.25"),
    ("", "''"),
    ("C-1", "'C-1'"),
    ("O'Brian", "'O''Brian'"),
    ("''", "''''''"),
    ("null", "'null'"),
    ("4711", "'4711'"),
    ("Kärtchen/7 & co", "'Kärtchen/7 & co'"),
    (date(2026, 1, 2), "2026-01-02"),
    (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05Z"),
    (datetime(2026, 1, 2, 3, 4, 5, 250000, tzinfo=UTC), "2026-01-02T03:04:05.250000Z"),
    (Guid("0C2F9B5E-0000-4000-8000-00000000ABCD"), "0c2f9b5e-0000-4000-8000-00000000abcd"),
]


@pytest.mark.parametrize(("value", "text"), GOLDEN, ids=[text for _, text in GOLDEN])
def test_golden_both_ways(value: Scalar, text: str) -> None:
    assert literal(value) == text
    assert parse_literal(text) == value
    assert type(parse_literal(text)) is type(value)


def test_an_instant_is_written_in_utc_and_read_with_any_offset() -> None:
    east = datetime(2026, 1, 2, 5, 4, 5, tzinfo=timezone(timedelta(hours=2)))
    assert literal(east) == "2026-01-02T03:04:05Z"
    assert parse_literal("2026-01-02T05:04:05+02:00") == east
    assert parse_instant("2026-01-02T03:04:05.1234567Z").microsecond == 123456


def test_a_large_decimal_is_not_written_with_an_exponent() -> None:
    assert literal(Decimal("1E+6")) == "1000000"
    assert parse_literal("1e3") == Decimal(1000)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "'a",
        "a'",
        "'a'b'",
        "C-1",
        "2026-13-01",
        "2026-01-02T25:00:00Z",
        "1.",
        ".5",
        "NULL",
        "0x1",
    ],
)
def test_what_is_no_literal_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        parse_literal(text)


@pytest.mark.parametrize("text", ["", "{0c2f9b5e-0000-4000-8000-00000000abcd}", "C-1"])
def test_what_is_no_guid_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        Guid(text)


def test_values_without_a_literal_are_refused() -> None:
    with pytest.raises(MalformedError):
        literal(datetime(2026, 1, 2, 3, 4, 5))  # noqa: DTZ001 - the missing zone is the point
    with pytest.raises(MalformedError):
        literal(Decimal("NaN"))


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(),
    st.dates(min_value=date(1000, 1, 1)),
    st.datetimes(min_value=datetime(1000, 1, 2), timezones=st.just(UTC)),  # noqa: DTZ001
    st.decimals(allow_nan=False, allow_infinity=False, places=4),
    st.uuids().map(lambda u: Guid(str(u))),
)


@given(SCALARS)
def test_round_trip(value: Scalar) -> None:
    back = parse_literal(literal(value))
    assert back == value
    assert isinstance(back, Guid) == isinstance(value, Guid)
