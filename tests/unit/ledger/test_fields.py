"""What a field accepts, and how text becomes its value."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import RecordError
from connector.ledger.fields import Field, Kind, Value, fold
from connector.ledger.schema import CARDS, REWARD_POINTS

NUMBER = CARDS.field("CardNumber")
TENDER = CARDS.field("CardTenderType")
ENROLLED = CARDS.field("LoyaltyEnrollmentDate")
TIME = CARDS.field("LoyaltyEnrollmentTime")
RANKING = REWARD_POINTS.field("RedeemRanking")
MAXIMUM = REWARD_POINTS.field("MaximumLoyaltyRewardPoints")
EAST = timezone(timedelta(hours=2))
POINTS = Field("Points", "points", Kind.DECIMAL)
FEW = Field("Points", "points", Kind.DECIMAL, minimum=-5, maximum=5)
AT = Field("At", "at", Kind.INSTANT)
LINES = Field("Why", "why", Kind.TEXT, lines=True)


@pytest.mark.parametrize(
    ("field", "given_value", "stored"),
    [
        (NUMBER, "55001  ", "55001"),
        (NUMBER, " 55001", " 55001"),
        (NUMBER, "", None),
        (NUMBER, "   ", None),
        (NUMBER, None, None),
        (NUMBER, "Ä" * 30, "Ä" * 30),
        (TENDER, "blocked", "Blocked"),
        (TENDER, "ASCARDTENDER ", "AsCardTender"),
        (TENDER, "", None),
        (ENROLLED, date(2020, 2, 29), date(2020, 2, 29)),
        (ENROLLED, date(1900, 1, 1), None),
        (ENROLLED, date(2154, 12, 31), date(2154, 12, 31)),
        (RANKING, 0, 0),
        (RANKING, 2**31 - 1, 2**31 - 1),
        (MAXIMUM, 2**63 - 1, 2**63 - 1),
        (TIME, 86_399, 86_399),
        (POINTS, Decimal("-2.5001"), Decimal("-2.5001")),
        (POINTS, Decimal("1.230000"), Decimal("1.23")),
        (POINTS, 7, Decimal(7)),
        (POINTS, Decimal(10) ** 11, Decimal(10) ** 11),
        (FEW, Decimal(-5), Decimal(-5)),
        (AT, datetime(2026, 1, 1, 1, tzinfo=EAST), datetime(2025, 12, 31, 23, tzinfo=UTC)),
        (LINES, "one\r\n\ttwo", "one\r\n\ttwo"),
    ],
)
def test_accepted_values_are_stored_without_commerce_spelling(
    field: Field, given_value: object, stored: Value
) -> None:
    assert field.accept(given_value) == stored


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        (NUMBER, "1" * 31, "text-too-long"),
        (NUMBER, "5500\x001", "text-invalid"),
        (NUMBER, "5500\n1", "text-invalid"),
        (NUMBER, "5500\udc80", "text-invalid"),
        (NUMBER, 55001, "type-mismatch"),
        (TENDER, "Platinum", "choice-unknown"),
        (TENDER, 3, "type-mismatch"),
        (ENROLLED, "2020-01-01", "type-mismatch"),
        (ENROLLED, datetime(2020, 1, 1, tzinfo=UTC), "type-mismatch"),
        (ENROLLED, date(1899, 12, 31), "date-out-of-range"),
        (ENROLLED, date(2155, 1, 1), "date-out-of-range"),
        (RANKING, -1, "number-out-of-range"),
        (RANKING, 2**31, "number-out-of-range"),
        (RANKING, True, "type-mismatch"),
        (RANKING, Decimal(1), "type-mismatch"),
        (MAXIMUM, 2**63, "number-out-of-range"),
        (TIME, 86_400, "number-out-of-range"),
        (POINTS, Decimal("0.00001"), "number-invalid"),
        (POINTS, Decimal("NaN"), "number-out-of-range"),
        (POINTS, Decimal("Infinity"), "number-out-of-range"),
        (POINTS, Decimal(10) ** 11 + 1, "number-out-of-range"),
        (POINTS, 1.5, "type-mismatch"),
        (POINTS, True, "type-mismatch"),
        (FEW, Decimal("5.01"), "number-out-of-range"),
        (AT, datetime(2026, 1, 1), "type-mismatch"),  # noqa: DTZ001  that is the mistake
        (AT, date(2026, 1, 1), "type-mismatch"),
        (LINES, "one\x00two", "text-invalid"),
    ],
)
def test_a_refusal_names_the_field_and_what_to_do(field: Field, value: object, code: str) -> None:
    with pytest.raises(RecordError) as caught:
        field.accept(value)
    assert caught.value.code == code
    assert caught.value.subject.field == field.name
    assert caught.value.remedy


def test_an_unknown_choice_is_named_with_the_known_ones() -> None:
    with pytest.raises(RecordError) as caught:
        TENDER.accept("Platinum")
    assert "Platinum" in caught.value.message
    assert "AsCardTender, AsContactTender, NoTender, Blocked" in caught.value.remedy


def test_a_card_number_that_is_too_long_is_not_repeated_in_the_error() -> None:
    with pytest.raises(RecordError) as caught:
        NUMBER.accept("4" * 31)
    assert "4444" not in str(caught.value)


@pytest.mark.parametrize(
    ("field", "text", "parsed"),
    [
        (ENROLLED, "2016-2", date(2016, 2, 1)),
        (ENROLLED, "2016-02-29", date(2016, 2, 29)),
        (ENROLLED, "2016/2/9", date(2016, 2, 9)),
        (ENROLLED, "2016.02.09", date(2016, 2, 9)),
        (ENROLLED, "2016-02-09T12:00:00Z", date(2016, 2, 9)),
        (ENROLLED, "1900-01-01T12:00:00Z", None),
        (ENROLLED, "", None),
        (TENDER, " blocked ", "Blocked"),
        (RANKING, " 7 ", 7),
        (POINTS, " -2.5 ", Decimal("-2.5")),
        (AT, "2026-01-31T14:05:00+02:00", datetime(2026, 1, 31, 12, 5, tzinfo=UTC)),
        (NUMBER, " 55001\t", "55001"),
        (NUMBER, " \t", None),
    ],
)
def test_text_is_parsed(field: Field, text: str, parsed: Value) -> None:
    assert field.parse(text) == parsed


@pytest.mark.parametrize(
    ("field", "text", "code"),
    [
        (ENROLLED, "2016-13", "date-invalid"),
        (ENROLLED, "2015-02-29", "date-invalid"),
        (ENROLLED, "09/02/2016", "date-invalid"),
        (ENROLLED, "2016", "date-invalid"),
        (ENROLLED, "-", "date-invalid"),
        (ENROLLED, "2016-01-01 or so", "date-invalid"),
        (RANKING, "7.5", "number-invalid"),
        (POINTS, "1,5", "number-invalid"),
        (POINTS, "nan", "number-out-of-range"),
        (AT, "yesterday", "date-invalid"),
        (AT, "2026-01-31T14:05:00", "type-mismatch"),
        (RANKING, "1e3", "number-invalid"),
        (RANKING, "9" * 30, "number-invalid"),
        (RANKING, "-1", "number-out-of-range"),
    ],
)
def test_text_that_is_no_value_is_refused(field: Field, text: str, code: str) -> None:
    with pytest.raises(RecordError) as caught:
        field.parse(text)
    assert caught.value.code == code


def test_a_named_date_format_replaces_the_usual_ones() -> None:
    assert ENROLLED.parse("09.02.2016", "%d.%m.%Y") == date(2016, 2, 9)
    with pytest.raises(RecordError) as caught:
        ENROLLED.parse("2016-02-09", "%d.%m.%Y")
    assert "%d.%m.%Y" in caught.value.remedy


@given(st.text(max_size=30))
def test_whatever_text_is_accepted_is_accepted_again_as_stored(text: str) -> None:
    try:
        stored = NUMBER.accept(text)
    except RecordError as error:
        assert error.code == "text-invalid"  # noqa: PT017  length cannot be the reason here
        return
    assert NUMBER.accept(stored) == stored


@given(st.dates())
def test_a_date_survives_being_written_and_parsed(day: date) -> None:
    in_range = date(1900, 1, 1) < day <= date(2154, 12, 31)
    if in_range:
        assert ENROLLED.parse(day.isoformat()) == day
    elif day == date(1900, 1, 1):
        assert ENROLLED.parse(day.isoformat()) is None
    else:
        with pytest.raises(RecordError):
            ENROLLED.parse(day.isoformat())


def test_folding_ignores_case_and_trailing_blanks_only() -> None:
    assert fold("Straße ") == fold("STRASSE")
    assert fold(" a") != fold("a")
