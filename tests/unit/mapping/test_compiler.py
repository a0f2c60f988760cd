"""A document against live columns: every finding, and what the compiled map then does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from connector.errors import MapError, Problem
from connector.mapping.columns import Column, Reference
from connector.mapping.compiled import CompiledMap, Field
from connector.mapping.compiler import compile_map
from connector.mapping.document import parse_document
from connector.mapping.references import TargetMissing
from connector.mapping.translate import Untranslatable
from connector.mapping.values import Side, Value, ValueType
from tests.unit.mapping.live import Columns, choice, lookup_columns, options, problems, table, text

SYMBOLS: dict[str, Value] = {"Open": 10, "Closed": 20}

COMMERCE = table(
    text("Id", 20, required=True),
    text("Name", 10),
    Column("Amount", ValueType.DECIMAL, scale=3),
    Column("Count", ValueType.INTEGER),
    Column("Day", ValueType.DATE),
    Column("Moment", ValueType.INSTANT),
    choice("Status", SYMBOLS),
    Column("Active", ValueType.BOOLEAN),
    Column("Computed", ValueType.TEXT, creatable=False, updatable=False),
    text("Currency", 3),
)
DATAVERSE = table(
    text("id", 20, required=True),
    text("name", 5),
    Column("amount", ValueType.DECIMAL, scale=2, minimum=0, maximum=1000),
    Column("count", ValueType.INTEGER, minimum=0, maximum=9),
    Column("day", ValueType.DATE),
    Column("moment", ValueType.INSTANT),
    options("status", SYMBOLS),
    Column("active", ValueType.BOOLEAN),
    Column("once", ValueType.TEXT, updatable=False),
    Column("later", ValueType.TEXT, creatable=False),
    Column("hidden", ValueType.TEXT, secured=True),
    Column("unreadable", ValueType.TEXT, readable=False),
    Column(
        "currencyid",
        ValueType.REFERENCE,
        reference=Reference("transactioncurrencies", "transactioncurrencyid"),
    ),
    Column("ownerid", ValueType.REFERENCE),
)
HEAD = """\
map: thing
commerce: {entity: Things}
dataverse: {entity: things}
fields:
  - {commerce: Id, sync: "=", dataverse: id, key: true}
"""


def yaml(*rows: str) -> str:
    return HEAD + "".join(f"  - {{{row}}}\n" for row in rows)


def compiled(
    *rows: str, commerce: Columns = COMMERCE, dataverse: Columns = DATAVERSE
) -> CompiledMap:
    return compile_map(parse_document(yaml(*rows)), commerce, dataverse, lookup_columns)


def field(row: str) -> Field:
    """The field a row becomes."""
    return compiled(row).fields[1]


def found(row: str, commerce: Columns = COMMERCE, dataverse: Columns = DATAVERSE) -> Problem:
    """The one finding of a map with this row."""
    (problem,) = problems(yaml(row), commerce, dataverse)
    assert problem.remedy
    assert problem.subject.map == "thing"
    return problem


# ------------------------------------------------------------------ findings


@pytest.mark.parametrize(
    ("row", "code", "says"),
    [
        ("commerce: Nmae, sync: '=', dataverse: name", "column-unknown", "`Name`"),
        ("commerce: Name, sync: '=', dataverse: nam", "column-unknown", "`name`"),
        ("commerce: Name, sync: '=', dataverse: Name", "column-unknown", "`name`"),
        ("commerce: Zzz, sync: '=', dataverse: name", "column-unknown", "columns of the table"),
        ("commerce: Name, sync: '=', dataverse: day", "type-mismatch", "text"),
        ("commerce: Status, sync: '=', dataverse: status", "type-mismatch", "values"),
        ("commerce: Status, sync: '=', dataverse: name", "type-mismatch", "choice"),
        ("commerce: Name, sync: '=', dataverse: currencyid", "type-mismatch", "lookup"),
        ("commerce: Active, sync: '=', dataverse: count", "type-mismatch", "boolean"),
        ("commerce: Name, sync: '=', dataverse: name, type: date", "type-mismatch", "date"),
        ("commerce: Name, sync: '=', dataverse: name, type: integer", "type-mismatch", "integer"),
        ("commerce: Computed, sync: '=', dataverse: name", "column-read-only", "`>`"),
        ("commerce: Computed, sync: '<', dataverse: name", "column-read-only", "`>`"),
        ("commerce: Name, sync: '=', dataverse: unreadable", "column-unreadable", "readable"),
        ("commerce: Currency, sync: '=', dataverse: name.code", "lookup-not-a-reference", "dot"),
        ("commerce: Currency, sync: '=', dataverse: ownerid.code", "lookup-not-a-reference", "dot"),
        (
            "commerce: Currency, sync: '=', dataverse: currencyid.isocurrencycod",
            "column-unknown",
            "`isocurrencycode`",
        ),
        ("commerce: Active, sync: '=', dataverse: currencyid.isocurrencycode", "type-mismatch", ""),
        (
            "commerce: Status, sync: '><', dataverse: status, values: {Opne: 10}",
            "choice-missing",
            "Open, Closed",
        ),
        (
            "commerce: Status, sync: '><', dataverse: status, values: {Open: 11}",
            "choice-missing",
            "10, 20",
        ),
        (
            "commerce: Status, sync: '><', dataverse: active, values: {Open: 1}",
            "value-wrong-type",
            "boolean",
        ),
        (
            "commerce: Name, sync: '><', dataverse: count, values: {Open: one}",
            "value-wrong-type",
            "integer",
        ),
        ("sync: '>>', dataverse: name, constant: 7", "value-wrong-type", "in quotes"),
        ("sync: '>>', dataverse: name, constant: ''", "value-wrong-type", "in quotes"),
        ("sync: '>>', dataverse: count, constant: true", "value-wrong-type", "integer"),
        ("sync: '>>', dataverse: amount, constant: .inf", "value-wrong-type", "decimal"),
        ("sync: '>>', dataverse: day, constant: 2024-13-01", "value-wrong-type", "date"),
        (
            "sync: '>>', dataverse: moment, constant: 2024-01-01T00:00",
            "value-wrong-type",
            "instant",
        ),
        ("sync: '>>', dataverse: currencyid, constant: EUR", "value-wrong-type", "reference"),
        (
            "commerce: Name, sync: '><', dataverse: name, default: {dataverse: 1}",
            "value-wrong-type",
            "in quotes",
        ),
    ],
)
def test_a_row_that_cannot_run(row: str, code: str, says: str) -> None:
    problem = found(row)
    assert problem.code == code
    assert problem.severity == "error"
    assert says in problem.message + problem.remedy
    assert problem.subject.line == 6
    with pytest.raises(MapError) as caught:
        compiled(row)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("commerce: Name, sync: '=', dataverse: hidden", "column-secured"),
        ("commerce: Name, sync: '=', dataverse: once", "column-create-only"),
    ],
)
def test_a_warning_stops_nothing(row: str, code: str) -> None:
    problem = found(row)
    assert (problem.code, problem.severity) == (code, "warning")
    assert compiled(row).name == "thing"


def test_a_one_way_row_may_read_what_cannot_be_written() -> None:
    assert not problems(yaml("commerce: Computed, sync: '>', dataverse: name"), COMMERCE, DATAVERSE)


def test_all_findings_are_told_and_the_first_stops_the_map() -> None:
    rows = ("commerce: A, sync: '=', dataverse: name", "commerce: B, sync: '=', dataverse: day")
    assert [p.code for p in problems(yaml(*rows), COMMERCE, DATAVERSE)] == ["column-unknown"] * 2
    with pytest.raises(MapError, match="1 more: `dualwrite check`"):
        compiled(*rows)


@pytest.mark.parametrize("row", ["commerce: Day, sync: '=', dataverse: name", ""])
def test_a_required_column_needs_a_row_that_fills_it(row: str) -> None:
    dataverse = {**DATAVERSE, "due": Column("due", ValueType.DATE, required=True)}
    codes = {p.code: p for p in problems(yaml(*[row] if row else []), COMMERCE, dataverse)}
    assert "`due`" in codes["column-required"].message
    assert codes["column-required"].subject.line == 3


@pytest.mark.parametrize(
    ("row", "filled"),
    [
        ("commerce: Day, sync: '=', dataverse: due", True),
        ("commerce: Day, sync: '>', dataverse: due", True),
        ("sync: '>>', dataverse: due, constant: 2024-01-01", True),
        ("commerce: Day, sync: '<', dataverse: due", False),
    ],
)
def test_only_a_row_that_travels_there_fills_a_required_column(row: str, filled: bool) -> None:
    dataverse = {**DATAVERSE, "due": Column("due", ValueType.DATE, required=True)}
    codes = [problem.code for problem in problems(yaml(row), COMMERCE, dataverse)]
    assert codes == ([] if filled else ["column-required"])


def test_a_map_that_creates_nothing_there_needs_no_required_column() -> None:
    one_way = yaml().replace('sync: "="', 'sync: ">"')
    commerce = {**COMMERCE, "Extra": text("Extra", required=True)}
    assert not problems(one_way, commerce, DATAVERSE)
    assert [p.code for p in problems(yaml(), commerce, DATAVERSE)] == ["column-required"]


@pytest.mark.parametrize(
    ("type_", "good"),
    [
        (ValueType.TEXT, True),
        (ValueType.INTEGER, True),
        (ValueType.DECIMAL, False),
        (ValueType.INSTANT, False),
        (ValueType.REFERENCE, False),
    ],
)
def test_a_key_pairs_only_where_equal_keys_look_equal(type_: ValueType, good: bool) -> None:
    dataverse = {**DATAVERSE, "id": replace(DATAVERSE["id"], type=type_, max_length=None)}
    codes = [problem.code for problem in problems(yaml(), COMMERCE, dataverse)]
    assert ("key-type" not in codes) is good


# ------------------------------------------------------------------ inactive

INACTIVE = (
    "map: thing\ncommerce: {{entity: Things}}\n"
    "dataverse: {{entity: things, inactive: {{column: {column}, value: {value}}}}}\n"
    "deletes: {{commerce: deactivate}}\nfields:\n"
    '  - {{commerce: Id, sync: "=", dataverse: id, key: true}}\n'
    '  - {{commerce: Name, sync: "=", dataverse: name}}\n'
)


@pytest.mark.parametrize(
    ("column", "value", "index", "mark"),
    [("status", "20", 2, 20), ("name", "gone", 1, "gone"), ("active", "false", 2, False)],
)
def test_the_inactive_mark_has_its_place_in_the_image(
    column: str, value: str, index: int, mark: Value
) -> None:
    document = parse_document(INACTIVE.format(column=column, value=value))
    made = compile_map(document, COMMERCE, DATAVERSE, lookup_columns)
    assert made.inactive == {Side.DATAVERSE: (index, mark)}
    assert made.column_names(Side.DATAVERSE)[index] == column


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("state", "1", "no column `state`"),
        ("status", "21", "no choice"),
        ("count", "one", "no value"),
        ("once", "gone", "cannot be updated"),
    ],
)
def test_an_inactive_mark_that_does_not_fit(column: str, value: str, says: str) -> None:
    (problem,) = problems(INACTIVE.format(column=column, value=value), COMMERCE, DATAVERSE)
    assert problem.code == "inactive-wrong"
    assert says in problem.message
    assert problem.subject.line == 3


# ------------------------------------------------------------------ what a compiled map does


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
