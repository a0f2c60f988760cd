"""The steps between the table that is wanted and the one that is there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.mapping.columns import Column, Reference
from connector.mapping.tables.provision import Existing, Step, steps_to
from connector.mapping.tables.wanted import WantedColumn, WantedTable
from connector.mapping.values import ValueType

NUMBER = WantedColumn("ctso_Number", "Number", ValueType.TEXT, length=30)
KIND = WantedColumn("ctso_Kind", "Kind", ValueType.CHOICE, options={1: "Paper", 2: "Plastic"})
PLACE = WantedColumn("ctso_Place", "Place", ValueType.REFERENCE, target="ctso_places")
WANTED = WantedTable(
    "ctso_cards", "ctso_Card", "Card", "Cards", NUMBER, (KIND, PLACE), ("ctso_number",)
)
THERE = Existing(
    logical_name="ctso_card",
    columns={
        "ctso_number": Column("ctso_number", ValueType.TEXT, max_length=30),
        "ctso_kind": Column("ctso_kind", ValueType.CHOICE, choices={1: "P", 2: "Q", 3: "R"}),
        "ctso_place": Column(
            "ctso_place", ValueType.REFERENCE, reference=Reference("ctso_places", "ctso_placeid")
        ),
    },
    keys={frozenset({"ctso_number"}): "Active"},
    tracked=True,
)


def without(name: str) -> Existing:
    return replace(THERE, columns={n: c for n, c in THERE.columns.items() if n != name})


def having(column: Column) -> Existing:
    return replace(THERE, columns={**THERE.columns, column.name: column})


def told(steps: list[Step]) -> list[str]:
    return [str(step) for step in steps]


def test_a_new_table_in_order() -> None:
    steps, problems = steps_to(WANTED, None)
    assert problems == []
    assert told(steps) == [
        "create table ctso_card with ctso_number",
        "create column ctso_kind of ctso_card: choice of Paper, Plastic",
        "create column ctso_place of ctso_card: lookup to ctso_places",
        "create alternate key on ctso_number of ctso_card",
        "wait for the key index of ctso_card",
    ]


def test_what_is_complete_needs_nothing() -> None:
    assert steps_to(WANTED, THERE) == ([], [])


@pytest.mark.parametrize("missing", ["ctso_number", "ctso_kind", "ctso_place"])
def test_a_missing_column_is_made(missing: str) -> None:
    steps, problems = steps_to(WANTED, without(missing))
    assert [step.kind for step in steps] == ["column"]
    assert f"create column {missing} of ctso_card" in told(steps)[0]
    assert problems == []


def test_a_missing_option_is_added_and_none_taken_away() -> None:
    there = having(Column("ctso_kind", ValueType.CHOICE, choices={1: "P", 3: "R"}))
    steps, problems = steps_to(WANTED, there)
    assert told(steps) == ["add option 2 (Plastic) to ctso_kind of ctso_card"]
    assert problems == []


@pytest.mark.parametrize(
    ("state", "steps"),
    [
        (None, ["key", "index"]),
        ("Pending", ["index"]),
        ("InProgress", ["index"]),
        ("Active", []),
        ("Failed", ["retry", "index"]),
    ],
)
def test_the_alternate_key(state: str | None, steps: list[str]) -> None:
    keys = {} if state is None else {frozenset({"ctso_number"}): state}
    found, problems = steps_to(WANTED, replace(THERE, keys=keys))
    assert [step.kind for step in found] == steps
    assert problems == []


def test_rows_that_pair_by_their_id_need_no_key() -> None:
    keyless = replace(WANTED, key=())
    assert not [step for step in told(steps_to(keyless, None)[0]) if "key" in step]
    assert steps_to(keyless, replace(THERE, keys={})) == ([], [])


def test_a_key_on_more_columns_is_another_key() -> None:
    keys = {frozenset({"ctso_number", "ctso_kind"}): "Active"}
    found, _ = steps_to(WANTED, replace(THERE, keys=keys))
    assert [step.kind for step in found] == ["key", "index"]


def test_change_tracking_is_turned_on() -> None:
    found, _ = steps_to(WANTED, replace(THERE, tracked=False))
    assert told(found) == ["turn on change tracking of ctso_card"]


@pytest.mark.parametrize(
    "column",
    [
        Column("ctso_number", ValueType.INTEGER),
        Column("ctso_kind", ValueType.TEXT),
        Column("ctso_place", ValueType.TEXT),
        Column("ctso_place", ValueType.REFERENCE, reference=Reference("accounts", "accountid")),
        Column("ctso_place", ValueType.REFERENCE),
    ],
    ids=["number", "choice", "lookup", "other target", "several targets"],
)
def test_what_differs_is_said_and_left_alone(column: Column) -> None:
    steps, problems = steps_to(WANTED, having(column))
    assert steps == []
    assert [(one.code, one.severity) for one in problems] == [("column-differs", "error")]
    assert problems[0].subject.field == column.name


def test_a_shorter_column_is_a_warning() -> None:
    steps, problems = steps_to(WANTED, having(Column("ctso_number", ValueType.TEXT, max_length=8)))
    assert steps == []
    assert [(one.code, one.severity) for one in problems] == [("column-shorter", "warning")]


@pytest.mark.parametrize(
    ("wanted", "there"),
    [
        (ValueType.INTEGER, ValueType.DECIMAL),
        (ValueType.DECIMAL, ValueType.INTEGER),
        (ValueType.DATE, ValueType.INSTANT),
        (ValueType.INSTANT, ValueType.DATE),
    ],
)
def test_types_a_map_takes_for_each_other_are_left_alone(
    wanted: ValueType, there: ValueType
) -> None:
    table = replace(WANTED, columns=(WantedColumn("ctso_X", "X", wanted), KIND, PLACE))
    assert steps_to(table, having(Column("ctso_x", there))) == ([], [])


def test_a_name_no_new_table_may_have() -> None:
    wanted = replace(WANTED, schema_name="card", set_name="cards")
    steps, problems = steps_to(wanted, None)
    assert steps == []
    assert [one.code for one in problems] == ["table-unprefixed"]
