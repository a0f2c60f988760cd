"""Each translation, and that what can be translated comes back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.mapping.columns import Column
from connector.mapping.references import Lookup, TargetMissing
from connector.mapping.transforms import translate
from connector.mapping.transforms.translate import Untranslatable
from connector.mapping.values import Side, Value, ValueType

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
DAY = date(2024, 5, 1)


def refusal(translation: Callable[[Value], Value], value: Value) -> Untranslatable:
    with pytest.raises(Untranslatable) as caught:
        translation(value)
    assert caught.value.remedy
    return caught.value


# ------------------------------------------------------------------ value maps

UNITS: dict[Value, Value] = {"Day": 806380000, "Month": 806380001, "Year": 806380002}


def test_a_value_map_translates_symbols_without_case() -> None:
    forward = translate.value_map(UNITS, True, translate.unknown_choice("Day, Month, Year"))
    assert [forward(symbol) for symbol in ("Day", "day", "YEAR", None)] == [
        806380000,
        806380000,
        806380002,
        None,
    ]


@pytest.mark.parametrize(("fold", "value"), [(True, "Week"), (False, 806380009), (False, "Day")])
def test_an_unknown_choice_is_named_and_nothing_is_guessed(fold: bool, value: Value) -> None:
    table = UNITS if fold else {number: symbol for symbol, number in UNITS.items()}
    error = refusal(
        translate.value_map(table, fold, translate.unknown_choice("Day, Month, Year")), value
    )
    assert error.code == "choice-unknown"
    assert repr(value) in error.message
    assert "Day, Month, Year" in error.remedy


@given(
    st.dictionaries(
        st.text(st.characters(categories=["Lu", "Nd"]), min_size=1),
        st.integers(),
        min_size=1,
    ).filter(lambda table: len(set(table.values())) == len(table))
)
def test_a_one_to_one_value_map_comes_back(table: dict[Value, Value]) -> None:
    forward = translate.value_map(table, True, translate.unknown_choice(""))
    backward = translate.value_map(
        {right: left for left, right in table.items()}, False, translate.unknown_choice("")
    )
    for left, right in table.items():
        assert backward(forward(left)) == left
        assert forward(str(left).lower()) == right


# ------------------------------------------------------------------ defaults and chains


def test_a_default_fills_null_only() -> None:
    fill = translate.default(0)
    assert (fill(None), fill(5), fill(0), fill("")) == (0, 5, 0, "")
    assert translate.constant("EUR")("anything") == "EUR"


def test_a_chain_leaves_identity_out() -> None:
    assert translate.chain(translate.identity, translate.identity) is translate.identity
    assert translate.chain(translate.identity, translate.as_text) is translate.as_text


@pytest.mark.parametrize("length", [2, 3, 4])
def test_a_chain_runs_in_order(length: int) -> None:
    steps = [lambda value, digit=digit: f"{value}{digit}" for digit in range(length)]
    assert translate.chain(*steps)("") == "0123"[:length]


# ------------------------------------------------------------------ references


def test_lookups_both_ways() -> None:
    lookup = Lookup(Side.DATAVERSE, "transactioncurrencies", "isocurrencycode")
    lookup.add("guid-1", "EUR")
    to, back = translate.to_reference(lookup), translate.from_reference(lookup)
    assert (to("EUR"), to(None), back("guid-1"), back(None)) == ("guid-1", None, "EUR", None)


def test_a_missing_target_says_what_is_missed() -> None:
    lookup = Lookup(Side.DATAVERSE, "transactioncurrencies", "isocurrencycode")
    with pytest.raises(TargetMissing) as by_text:
        translate.to_reference(lookup)("XXX")
    assert (by_text.value.lookup, by_text.value.value, by_text.value.by_id) == (
        lookup,
        "XXX",
        False,
    )
    with pytest.raises(TargetMissing) as by_id:
        translate.from_reference(lookup)("guid-9")
    assert (by_id.value.lookup, by_id.value.value, by_id.value.by_id) == (lookup, "guid-9", True)


def test_an_ambiguous_target_is_not_guessed() -> None:
    lookup = Lookup(Side.DATAVERSE, "transactioncurrencies", "isocurrencycode")
    lookup.add("guid-1", "EUR")
    lookup.add("guid-2", "EUR")
    error = refusal(translate.to_reference(lookup), "EUR")
    assert error.code == "reference-ambiguous"
    assert "isocurrencycode" in error.message


# ------------------------------------------------------------------ dates


def test_dates_and_instants() -> None:
    assert translate.as_date(NOON) == DAY
    assert translate.as_date(DAY) == DAY
    assert translate.as_date(None) is None
    assert translate.as_instant(DAY) == datetime(2024, 5, 1, tzinfo=UTC)
    assert translate.as_instant(NOON) == NOON
    assert translate.as_instant(None) is None


@given(st.dates())
def test_a_date_comes_back_through_an_instant(day: date) -> None:
    assert translate.as_date(translate.as_instant(day)) == day


# ------------------------------------------------------------------ numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("a", "a"),
        (7, "7"),
        (Decimal("1.50"), "1.50"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-7"), "0.0000001"),
    ],
)
def test_text_of_numbers(value: Value, text: str | None) -> None:
    assert translate.as_text(value) == text


@pytest.mark.parametrize(
    ("value", "number"),
    [(None, None), (7, 7), ("7", 7), (" 7 ", 7), ("-7.0", -7), (Decimal("7.00"), 7), ("1e3", 1000)],
)
def test_whole_numbers(value: Value, number: int | None) -> None:
    made = translate.as_integer(value)
    assert made == number
    assert made is None or type(made) is int


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("7.5", "number-not-whole"),
        (Decimal("0.1"), "number-not-whole"),
        ("seven", "number-malformed"),
        ("", "number-malformed"),
        ("1_000", "number-malformed"),
        ("٣", "number-malformed"),
        ("NaN", "number-malformed"),
        ("Infinity", "number-malformed"),
        (True, "number-malformed"),
        ("1e9999", "number-out-of-range"),
        ("1" * 40, "number-out-of-range"),
        ("1e999999999", "number-malformed"),
    ],
)
def test_what_is_no_whole_number(value: Value, code: str) -> None:
    assert refusal(translate.as_integer, value).code == code


@given(st.integers(-(2**63), 2**63 - 1))
def test_whole_numbers_come_back_through_text_and_decimal(number: int) -> None:
    assert translate.as_integer(translate.as_text(number)) == number
    assert translate.as_integer(translate.as_decimal(number)) == number


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12
    )
)
def test_decimals_come_back_through_text(number: Decimal) -> None:
    assert translate.as_decimal(translate.as_text(number)) == number


# ------------------------------------------------------------------ facets

RANGE = "number-out-of-range"


def test_scale_rounds_half_to_even() -> None:
    cents = translate.fit(Column("c", ValueType.DECIMAL, scale=2))
    assert [cents(Decimal(text)) for text in ("1.005", "1.015", "1.0051", "-1.005")] == [
        Decimal("1.00"),
        Decimal("1.02"),
        Decimal("1.01"),
        Decimal("-1.00"),
    ]
    assert cents(None) is None


@given(
    st.integers(0, 6),
    st.decimals(
        allow_nan=False, allow_infinity=False, places=8, min_value=-(10**9), max_value=10**9
    ),
)
def test_a_fitted_decimal_fits(scale: int, number: Decimal) -> None:
    fit = translate.fit(Column("c", ValueType.DECIMAL, scale=scale))
    once = fit(number)
    assert isinstance(once, Decimal)
    assert fit(once) == once
    assert abs(once - number) <= Decimal(1).scaleb(-scale) / 2


@pytest.mark.parametrize(
    ("target", "good", "bad", "code"),
    [
        (Column("c", ValueType.TEXT, max_length=3), "abc", "abcd", "text-too-long"),
        (Column("c", ValueType.TEXT, max_length=3), "a\U0001f600", "ab\U0001f600", "text-too-long"),
        (Column("c", ValueType.INTEGER, minimum=0, maximum=9), 9, 10, RANGE),
        (Column("c", ValueType.INTEGER, minimum=0), 0, -1, RANGE),
        (Column("c", ValueType.INTEGER, maximum=9), -5, 10, RANGE),
        (Column("c", ValueType.DECIMAL, scale=1, maximum=9), Decimal(9), Decimal("9.1"), RANGE),
        (Column("c", ValueType.DECIMAL, scale=10), Decimal(1), Decimal("1e30"), RANGE),
        (Column("c", ValueType.CHOICE, choices={1: "A"}), 1, 2, "choice-unknown"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_not_cut(
    target: Column, good: Value, bad: Value, code: str
) -> None:
    fit = translate.fit(target)
    assert fit(good) == good
    assert fit(None) is None
    assert refusal(fit, bad).code == code


def test_a_column_without_facets_takes_everything() -> None:
    for type_ in ValueType:
        assert translate.fit(Column("c", type_)) is translate.identity


def test_an_instant_keeps_its_time_where_both_sides_have_one() -> None:
    later = NOON + timedelta(hours=3)
    assert translate.as_instant(later) == later
