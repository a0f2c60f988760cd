"""A document against live columns: every finding."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.errors import MapError, Problem
from connector.mapping.columns import Column, Reference
from connector.mapping.compiling.compiler import compile_map, findings
from connector.mapping.document import parse_document
from connector.mapping.values import Side, Value, ValueType
from tests.unit.mapping.live import Columns, lookup_columns, problems, text
from tests.unit.mapping.things import COMMERCE, DATAVERSE, compiled, yaml


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
            "10 (Open), 20",
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
        (
            "sync: '>>', dataverse: day, constant: 2024-13-01",
            "value-wrong-type",
            "as 2026-01-31",
        ),
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


@pytest.mark.parametrize(
    ("row", "codes"),
    [
        ("commerce: Name, sync: '=', dataverse: forbidden", ["column-forbidden"]),
        ("commerce: Name, sync: '<', dataverse: forbidden", ["column-forbidden"]),
        ("commerce: Name, sync: '>', dataverse: forbidden", ["column-forbidden"]),
        ("commerce: Name, sync: '=', dataverse: shown", ["column-forbidden"]),
        ("commerce: Name, sync: '>', dataverse: shown", ["column-forbidden"]),
        ("commerce: Name, sync: '<', dataverse: shown", []),
    ],
)
def test_a_secured_column_has_to_be_permitted_for_what_the_row_does(
    row: str, codes: list[str]
) -> None:
    found = problems(yaml(row), COMMERCE, DATAVERSE)
    assert [problem.code for problem in found] == codes
    assert all(problem.severity == "error" for problem in found)


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


def test_a_required_column_the_system_fills_itself_needs_no_row() -> None:
    own = Column("versionnumber", ValueType.INTEGER, required=True, creatable=False)
    assert not problems(yaml(), COMMERCE, {**DATAVERSE, "versionnumber": own})


def test_a_choice_whose_values_nobody_tells_takes_symbols_and_numbers_only() -> None:
    dataverse = {**DATAVERSE, "kind": Column("kind", ValueType.CHOICE)}
    assert not problems(yaml("sync: '>>', dataverse: kind, constant: 7"), COMMERCE, dataverse)
    (problem,) = problems(yaml("sync: '>>', dataverse: kind, constant: true"), COMMERCE, dataverse)
    assert problem.code == "value-wrong-type"


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


def test_a_default_team_needs_the_column_of_the_company_that_names_it() -> None:
    text = (
        "map: levels\ncommerce: {entity: Levels}\n"
        "dataverse: {entity: levels, owner: {company: default}}\nfields:\n"
        "  - {commerce: Id, sync: '=', dataverse: id, key: true}\n"
        "  - {commerce: dataAreaId, sync: '=', dataverse: company.cdm_companycode, key: true}\n"
    )
    company = Column("company", ValueType.REFERENCE, reference=Reference("cdm_companies", "id"))
    dataverse = {"id": Column("id", ValueType.TEXT), "company": company, "ownerid": company}
    commerce = {name: Column(name, ValueType.TEXT) for name in ("Id", "dataAreaId")}
    columns = {"cdm_companycode": Column("cdm_companycode", ValueType.TEXT)}
    document = parse_document(text)
    (problem,) = findings(document, commerce, dataverse, lambda _: columns)
    assert (problem.code, problem.subject.line) == ("owner-without-company", 3)
    assert "cdm_defaultowningteam" in problem.message
    columns["cdm_defaultowningteam"] = company
    assert not findings(document, commerce, dataverse, lambda _: columns)


def test_a_table_that_belongs_to_the_organization_takes_no_owner() -> None:
    text = yaml().replace("{entity: things}", "{entity: things, owner: {team: Desk}}")
    columns = {name: column for name, column in DATAVERSE.items() if name != "ownerid"}
    document = parse_document(text)
    (problem,) = findings(document, COMMERCE, columns, lookup_columns)
    assert (problem.code, problem.subject.line) == ("owner-unowned", 3)
    assert findings(document, COMMERCE, DATAVERSE, lookup_columns) == []
