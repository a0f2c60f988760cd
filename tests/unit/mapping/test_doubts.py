"""What a map that runs may still meet, told by running it over what its columns can hold."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from connector.errors import Problem
from connector.mapping.checks.doubts import doubts
from connector.mapping.columns import Column, Reference
from connector.mapping.compiling.compiler import compile_map
from connector.mapping.document import parse_document, read_document
from connector.mapping.values import Side, ValueType
from tests.unit.mapping.live import (
    MAPPINGS,
    Columns,
    choice,
    commerce_cards,
    commerce_points,
    dataverse_cards,
    dataverse_points,
    integer,
    lookup_columns,
    options,
    table,
    text,
)

HEAD = """map: thing
commerce: {entity: Things}
dataverse: {entity: things}
fields:
  - {commerce: Id, sync: "=", dataverse: id, key: true}
"""
KEYS = (text("Id", 10), text("id", 10))


def found(row: str, commerce: Columns, dataverse: Columns, head: str = HEAD) -> list[Problem]:
    """What is said of a map with this row beside its key."""
    document = parse_document(head + (f"  - {{{row}}}\n" if row else ""))
    live: Mapping[Side, Columns] = {
        Side.COMMERCE: {**table(KEYS[0]), **commerce},
        Side.DATAVERSE: {**table(KEYS[1]), **dataverse},
    }
    compiled = compile_map(document, live[Side.COMMERCE], live[Side.DATAVERSE], lookup_columns)
    return list(doubts(compiled, live))


def told(row: str, commerce: Column, dataverse: Column) -> list[tuple[str, str]]:
    """Code and severity of what is said of one row."""
    problems = found(row, table(commerce), table(dataverse))
    assert all(problem.subject.line == 6 for problem in problems), problems
    return [(problem.code, problem.severity) for problem in problems]


PLAIN = "commerce: A, sync: '=', dataverse: a"
RIGHT = "commerce: A, sync: '>', dataverse: a"
MADE = "commerce: A, sync: '><', dataverse: a, "
DECIMAL = ValueType.DECIMAL


@pytest.mark.parametrize(
    ("row", "commerce", "dataverse", "codes"),
    [
        (PLAIN, text("A", 40), text("a", 40), []),
        (RIGHT, text("A", 40), text("a", 30), ["length-narrower"]),
        (RIGHT, text("A", 30), text("a", 40), []),
        (PLAIN, text("A", 30), text("a", 40), ["length-narrower"]),
        (MADE + "transform: [{truncate: 30}]", text("A", 40), text("a", 30), []),
        (RIGHT, Column("A", ValueType.TEXT), text("a", 30), []),
        (RIGHT, integer("A", maximum=2**63 - 1), integer("a"), ["range-narrower"]),
        (PLAIN, integer("A"), integer("a", minimum=1), ["range-narrower"]),
        (PLAIN, integer("A"), integer("a"), []),
        (RIGHT, Column("A", DECIMAL, scale=4), Column("a", DECIMAL, scale=2), ["scale-narrower"]),
        (RIGHT, Column("A", DECIMAL, scale=2), Column("a", DECIMAL, scale=2), []),
        (RIGHT, Column("A", DECIMAL), integer("a"), ["scale-narrower"]),
        (RIGHT, Column("A", DECIMAL, scale=0), integer("a"), []),
    ],
)
def test_a_column_that_takes_less(
    row: str, commerce: Column, dataverse: Column, codes: list[str]
) -> None:
    assert told(row, commerce, dataverse) == [(code, "note") for code in codes]


GRADES = {"Gold": 1, "Silver": 2}
THREE = {**GRADES, "Bronze": 3}
TABLE = "values: {Gold: 1, Silver: 2}"


@pytest.mark.parametrize(
    ("row", "commerce", "dataverse", "codes"),
    [
        (MADE + TABLE, GRADES, GRADES, []),
        (MADE + TABLE, THREE, GRADES, ["choice-unmapped"]),
        (MADE + TABLE, GRADES, THREE, ["choice-unmapped"]),
        (MADE + TABLE, THREE, THREE, ["choice-unmapped"] * 2),
        ("commerce: A, sync: '>>', dataverse: a, " + TABLE, GRADES, THREE, []),
        (MADE + TABLE + ", unmatched: {commerce: fail}", GRADES, THREE, []),
        (MADE + TABLE + ", unmatched: {commerce: fail}", THREE, GRADES, ["choice-unmapped"]),
        # A stand-in for the others: Bronze becomes Silver for good at the next edit in CRM.
        (MADE + TABLE + ", unmatched: {dataverse: 2}", THREE, GRADES, ["values-not-round-trip"]),
        ("commerce: A, sync: '>>', dataverse: a, " + TABLE + ", unmatched: {dataverse: 2}",
         THREE, GRADES, []),
    ],
)  # fmt: skip
def test_choices_that_have_no_counterpart(
    row: str, commerce: dict[str, int], dataverse: dict[str, int], codes: list[str]
) -> None:
    said = told(row, choice("A", commerce), options("a", dataverse))
    assert said == [(code, "warning") for code in codes]


def test_the_choices_left_out_are_named() -> None:
    (problem,) = found(MADE + TABLE, table(choice("A", GRADES)), table(options("a", THREE)))
    assert "3 (Bronze)" in problem.message
    assert "towards commerce" in problem.message
    assert problem.subject.field == "A"


@pytest.mark.parametrize(
    ("row", "nullable", "required", "codes"),
    [
        (RIGHT, True, True, ["required-from-empty"]),
        (RIGHT, False, True, []),
        (RIGHT, True, False, []),
        ("commerce: A, sync: '>>', dataverse: a, default: {dataverse: x}", True, True, []),
    ],
)
def test_a_required_column_that_may_get_nothing(
    row: str, nullable: bool, required: bool, codes: list[str]
) -> None:
    source = Column("A", ValueType.TEXT, nullable=nullable)
    target = Column("a", ValueType.TEXT, required=required)
    assert told(row, source, target) == [(code, "note") for code in codes]


def test_a_required_lookup_that_may_get_nothing() -> None:
    currency = Reference("transactioncurrencies", "transactioncurrencyid")
    target = Column("a", ValueType.REFERENCE, required=True, reference=currency)
    said = told("commerce: A, sync: '>', dataverse: a.isocurrencycode", text("A"), target)
    assert said == [("required-from-empty", "note")]


def test_a_filter_nothing_passes_is_told_at_its_line() -> None:
    head = HEAD.replace(
        "{entity: Things}", "{entity: Things, filter: \"Id eq 'x' and Id eq null\"}"
    )
    (problem,) = found("", {}, {}, head)
    assert (problem.code, problem.severity) == ("filter-nothing-passes", "warning")
    assert problem.subject.line == 2


@pytest.mark.parametrize(
    "row",
    [
        "join: {columns: [A, B], by: '-'}, sync: '>>', dataverse: a",
        "join: {columns: [A, B], by: '-'}, sync: '><', dataverse: a",
        "lookup: {isocurrencycode: A, currencyname: B}, sync: '=', dataverse: currencyid",
    ],
)
def test_joined_columns_leave_no_doubt(row: str) -> None:
    currency = Reference("transactioncurrencies", "transactioncurrencyid")
    right = table(text("a"), Column("currencyid", ValueType.REFERENCE, reference=currency))
    assert found(row, table(text("A"), text("B")), right) == []


COMPANY = Column("msdyn_company", ValueType.REFERENCE, reference=Reference("cdm_companies", "id"))


@pytest.mark.parametrize(
    ("commerce", "dataverse", "filter", "codes"),
    [
        (text("dataAreaId"), None, None, ["company-one-sided"]),
        (None, COMPANY, None, ["company-one-sided"]),
        (text("dataAreaId"), COMPANY, None, ["key-without-company"]),
        (text("dataAreaId"), COMPANY, "dataAreaId eq 'usmf'", ["key-without-company"]),
        (text("dataAreaId"), None, "dataAreaId eq 'usmf'", []),
        (None, None, None, []),
    ],
)
def test_one_side_belongs_to_companies(
    commerce: Column | None, dataverse: Column | None, filter: str | None, codes: list[str]
) -> None:
    head = HEAD
    if filter is not None:
        head = HEAD.replace("{entity: Things}", f'{{entity: Things, filter: "{filter}"}}')
    left = table(commerce) if commerce is not None else {}
    right = table(dataverse) if dataverse is not None else {}
    assert [problem.code for problem in found("", left, right, head)] == codes


def test_a_key_with_its_company_leaves_no_doubt_and_the_row_proposed_is_that_one() -> None:
    (problem,) = found("", table(text("dataAreaId")), table(COMPANY), HEAD)
    row = re.search(r"add the row `\{(.*)\}`", problem.remedy)
    assert row is not None
    assert row[1].endswith("dataverse: msdyn_company.cdm_companycode, key: true")
    assert found(row[1], table(text("dataAreaId")), table(COMPANY), HEAD) == []


@pytest.mark.parametrize(
    ("name", "commerce", "dataverse"),
    [
        ("loyalty-card", commerce_cards(), dataverse_cards()),
        ("loyalty-reward-points", commerce_points(), dataverse_points()),
    ],
)
def test_the_shipped_maps_leave_no_doubt_but_narrower_columns(
    name: str, commerce: Columns, dataverse: Columns
) -> None:
    document = read_document(MAPPINGS / f"{name}.yaml")
    compiled = compile_map(document, commerce, dataverse, lookup_columns)
    live = {Side.COMMERCE: commerce, Side.DATAVERSE: dataverse}
    problems = list(doubts(compiled, live))
    assert {problem.severity for problem in problems} == {"note"}
    assert {p.code for p in problems} <= {"length-narrower", "range-narrower"}
