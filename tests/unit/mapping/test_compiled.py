"""What a compiled map does with keys, values, groups and creates."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from connector.mapping.compiling.compiled import NO_KEY
from connector.mapping.references import TargetMissing
from connector.mapping.transforms.translate import Untranslatable
from connector.mapping.values import Side, Value
from tests.unit.mapping.things import compiled, field


def test_commerce_names_match_without_case_and_keep_the_live_spelling() -> None:
    made = compiled("commerce: NAME, sync: '=', dataverse: name")
    assert made.column_names(Side.COMMERCE) == ("Id", "Name")
    assert made.column_names(Side.DATAVERSE) == ("id", "name")
    assert made.fields[1].name == "NAME"


def test_columns_and_keys_follow_the_rows() -> None:
    made = compiled(
        "sync: '>>', dataverse: active, constant: true",
        "commerce: Count, sync: '=', dataverse: count, key: true",
    )
    assert made.column_names(Side.COMMERCE) == ("Id", "Count")
    assert made.column_names(Side.DATAVERSE) == ("id", "active", "count")
    assert made.keys == {Side.COMMERCE: (0, 1), Side.DATAVERSE: (0, 2)}
    assert made.key_of(Side.COMMERCE, ("A ", 7)) == "a\x1f7"
    assert made.key_of(Side.DATAVERSE, ("A", True, None)) is None
    assert made.spelled_key(Side.COMMERCE, ("A ", 7)) == "A  / 7"
    assert made.spelled_key(Side.DATAVERSE, ("A", True, None)) == NO_KEY


@pytest.mark.parametrize(
    ("row", "commerce", "dataverse"),
    [
        ("commerce: Name, sync: '=', dataverse: name", "abc", "abc"),
        ("commerce: Name, sync: '=', dataverse: count", "7", 7),
        ("commerce: Count, sync: '=', dataverse: name", 7, "7"),
        ("commerce: Amount, sync: '=', dataverse: count", Decimal(7), 7),
        ("commerce: Count, sync: '=', dataverse: amount", 7, Decimal("7.00")),
        ("commerce: Day, sync: '=', dataverse: day", date(2024, 1, 2), date(2024, 1, 2)),
        (
            "commerce: Day, sync: '=', dataverse: moment",
            date(2024, 1, 2),
            datetime(2024, 1, 2, tzinfo=UTC),
        ),
        (
            "commerce: Status, sync: '><', dataverse: active, values: {Open: true, Closed: false}",
            "Open",
            True,
        ),
        (
            "commerce: Active, sync: '><', dataverse: status, values: {true: 10, false: 20}",
            False,
            20,
        ),
    ],
)
def test_values_travel_both_ways(row: str, commerce: Value, dataverse: Value) -> None:
    made = field(row)
    assert made.forward(commerce) == dataverse
    assert type(made.forward(commerce)) is type(dataverse)
    assert made.backward(dataverse) == commerce
    assert made.same(commerce, dataverse)
    assert made.forward(None) is None
    assert made.backward(None) is None
    assert made.same(None, None)
    assert not made.same(None, dataverse)
    assert not made.same(commerce, None)


def test_what_a_target_rounds_is_the_same_and_what_it_cannot_take_is_refused() -> None:
    amount = field("commerce: Amount, sync: '=', dataverse: amount")
    assert amount.same(Decimal("1.005"), Decimal("1.00"))
    assert not amount.same(Decimal("1.005"), Decimal("1.01"))
    name = field("commerce: Name, sync: '=', dataverse: name")
    with pytest.raises(Untranslatable):
        name.forward("too long")
    assert not name.same("too long", "too l")


@pytest.mark.parametrize(
    "row",
    [
        "commerce: Moment, sync: '=', dataverse: day",
        "commerce: Moment, sync: '=', dataverse: moment, type: date",
        "commerce: Day, sync: '=', dataverse: moment",
    ],
)
def test_dates_compare_by_date_only(row: str) -> None:
    made = field(row)
    values: list[Value] = [date(2024, 1, 2)]
    if "Moment" in row:
        values = [datetime(2024, 1, 2, 9, tzinfo=UTC), datetime(2024, 1, 2, 23, 59, tzinfo=UTC)]
    others: list[Value] = [date(2024, 1, 2)]
    if "dataverse: moment" in row:
        others = [datetime(2024, 1, 2, tzinfo=UTC), datetime(2024, 1, 2, 17, tzinfo=UTC)]
    assert all(made.same(value, other) for value in values for other in others)
    assert not made.same(values[0], made.forward(date(2024, 1, 3)))


def test_instants_keep_their_time_without_a_type() -> None:
    made = field("commerce: Moment, sync: '=', dataverse: moment")
    assert not made.same(datetime(2024, 1, 2, 9, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC))


def test_defaults_and_constants() -> None:
    made = field(
        "commerce: Count, sync: '><', dataverse: count, default: {commerce: 1, dataverse: 2}"
    )
    assert (made.forward(None), made.forward(7)) == (2, 7)
    assert (made.backward(None), made.backward(7)) == (1, 7)
    assert made.same(None, 2)
    assert made.same(1, None)
    fixed = field("sync: '<<', commerce: Day, constant: 2024-01-02")
    assert fixed.backward(None) == date(2024, 1, 2)
    assert fixed.same(date(2024, 1, 2), None)
    assert not fixed.same(None, None)
    assert fixed.travels_to(Side.COMMERCE)
    assert not fixed.travels_to(Side.DATAVERSE)


def test_a_lookup_translates_by_the_text_of_its_row() -> None:
    made = compiled("commerce: Currency, sync: '=', dataverse: currencyid.isocurrencycode")
    (lookup,) = made.lookups
    assert (lookup.entity, lookup.column) == ("transactioncurrencies", "isocurrencycode")
    currency = made.fields[1]
    with pytest.raises(TargetMissing):
        currency.forward("EUR")
    assert not currency.same("EUR", "guid-1")
    lookup.add("guid-1", "EUR")
    assert currency.forward("EUR") == "guid-1"
    assert currency.backward("guid-1") == "EUR"
    assert currency.same("EUR", "guid-1")


def test_a_lookup_of_a_number_comes_back_as_a_number() -> None:
    made = compiled("commerce: Count, sync: '=', dataverse: currencyid.isocurrencycode")
    made.lookups[0].add("guid-1", "978")
    assert made.fields[1].forward(978) == "guid-1"
    assert made.fields[1].backward("guid-1") == 978


def test_groups_keep_the_order_of_their_first_field() -> None:
    made = compiled(
        "commerce: Count, sync: '=', dataverse: count, together: g, conflict: latest",
        "commerce: Name, sync: '=', dataverse: name",
        "commerce: Day, sync: '=', dataverse: day, together: g, conflict: latest",
    )
    assert [(g.name, [f.name for f in g.fields]) for g in made.groups] == [
        ("Id", ["Id"]),
        ("g", ["Count", "Day"]),
        ("Name", ["Name"]),
    ]
    assert [group.policy.value for group in made.groups] == ["manual", "latest", "manual"]


def test_a_create_carries_what_travels_there_and_may_be_set_then() -> None:
    made = compiled(
        "commerce: Name, sync: '>', dataverse: name",
        "commerce: Count, sync: '<', dataverse: count",
        "commerce: Currency, sync: '=', dataverse: later",
    )
    carried = {
        side: [group.name for group in creation.groups] for side, creation in made.creations.items()
    }
    assert carried == {
        Side.DATAVERSE: ["Id", "Name"],
        Side.COMMERCE: ["Id", "Count", "Currency"],
    }
    assert not any(creation.whole for creation in made.creations.values())
    assert compiled().creations[Side.DATAVERSE].whole


def test_another_master_for_one_load_is_the_same_map() -> None:
    made = compiled()
    turned = made.with_master(Side.DATAVERSE)
    assert (made.master, turned.master) == (Side.COMMERCE, Side.DATAVERSE)
    assert turned.groups == made.groups
