"""Row filters: which rows pass, and which filters are refused with which words."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from connector.errors import MapError, Problem
from connector.mapping.columns import Column
from connector.mapping.compiling.compiler import compile_map
from connector.mapping.document import FilterExit, parse_document
from connector.mapping.filters.conditions import compile_filter
from connector.mapping.filters.text import BadFilter
from connector.mapping.values import Side, Value, ValueType
from tests.unit.mapping.live import lookup_columns, problems, table, text

COLUMNS = table(
    text("Name"),
    text("AllowedName"),
    Column("Level", ValueType.INTEGER),
    Column("Cap", ValueType.INTEGER),
    Column("Price", ValueType.DECIMAL),
    Column("Blocked", ValueType.BOOLEAN),
    Column("Tender", ValueType.CHOICE, choices={"AsCard": "AsCard", "None": "None"}),
    Column("Kind", ValueType.CHOICE, choices={1: "One", 2: "Two"}),
    Column("Owner", ValueType.REFERENCE),
    Column("Day", ValueType.DATE),
    Column("At", ValueType.INSTANT),
    Column("Hidden", ValueType.TEXT, readable=False),
)
GUID = "11111111-2222-3333-4444-55555555ABCD"


def admits(filter: str, **row: Value) -> bool:
    compiled = compile_filter(filter, COLUMNS)
    return compiled.admits([row.get(column.name) for column in compiled.columns])


@pytest.mark.parametrize(
    ("filter", "row", "passes"),
    [
        ("Name eq 'Gold'", {"Name": "gold  "}, True),
        ("Name eq 'O''Neil'", {"Name": "o'neil"}, True),
        ("Name eq 'Gold'", {"Name": "Golden"}, False),
        ("'Gold' eq Name", {"Name": "Gold"}, True),
        ("Name ne 'Gold'", {"Name": "Gold"}, False),
        ("Name gt 'b'", {"Name": "C"}, True),
        ("tolower(Name) eq 'GOLD'", {"Name": "Gold"}, True),
        ("contains(Name,'OL')", {"Name": "Gold"}, True),
        ("contains(tolower(Name),'x')", {"Name": "Gold"}, False),
        ("startswith(Name,'go')", {"Name": "Gold"}, True),
        ("endswith(Name,'go')", {"Name": "Gold"}, False),
        ("contains(Name,'OL') eq false", {"Name": "Gold"}, False),
        ("AllowedName eq 'x'", {"AllowedName": "x"}, True),
        ("Level gt 3", {"Level": 4}, True),
        ("3 lt Level", {"Level": 4}, True),
        ("3 ge Level", {"Level": 4}, False),
        ("Level eq 3.0", {"Level": 3}, True),
        ("Level le Cap", {"Level": 3, "Cap": 3}, True),
        ("Level eq Cap", {"Level": 3, "Cap": 4}, False),
        ("Level ne Cap", {"Level": 3, "Cap": 4}, True),
        ("Price lt 1.5", {"Price": Decimal("1.49")}, True),
        ("Price eq -1.50", {"Price": Decimal("-1.5")}, True),
        ("Blocked", {"Blocked": True}, True),
        ("not Blocked", {"Blocked": False}, True),
        ("Blocked eq false", {"Blocked": True}, False),
        ("Tender eq 'ascard'", {"Tender": "AsCard"}, True),
        ("Tender in ('AsCard','None')", {"Tender": "None"}, True),
        ("Tender in ('AsCard')", {"Tender": "None"}, False),
        ("Kind eq 2", {"Kind": 2}, True),
        ("Kind in (1,2)", {"Kind": 3}, False),
        (f"Owner eq {GUID}", {"Owner": GUID.lower()}, True),
        ("Day ge 2026-01-31", {"Day": date(2026, 1, 31)}, True),
        ("At lt 2026-01-31T01:00:00+01:00", {"At": datetime(2026, 1, 30, 23, tzinfo=UTC)}, True),
        ("At ge 2026-01-31", {"At": datetime(2026, 1, 31, tzinfo=UTC)}, True),
        ("Level gt 1 and Level lt 5 or Name eq 'x'", {"Level": 9, "Name": "x"}, True),
        ("Level gt 1 and (Level lt 5 or Name eq 'x')", {"Level": 0, "Name": "x"}, False),
        ("not (Level eq 1) and not contains(Name,'q')", {"Level": 2, "Name": "x"}, True),
        (" or ".join(f"Level eq {n}" for n in range(400)), {"Level": 399}, True),
    ],
)
def test_what_passes(filter: str, row: dict[str, Value], passes: bool) -> None:
    assert admits(filter, **row) is passes


@pytest.mark.parametrize(
    ("filter", "passes"),
    [
        # Only eq, ne and in have an answer for null; the orders say false, functions say null.
        ("Name eq null", True),
        ("Name ne null", False),
        ("Name eq 'x'", False),
        ("Name ne 'x'", True),
        ("Level gt 1", False),
        ("not (Level gt 1)", True),
        ("Level le null", False),
        ("Level ge Cap", False),
        ("Level eq Cap", True),
        ("Name in ('x', null)", True),
        ("Name in ('x','y')", False),
        ("not (Name in ('x','y'))", True),
        # null passes no filter, nor does its negation
        ("contains(Name,'x')", False),
        ("not contains(Name,'x')", False),
        ("Blocked", False),
        ("not Blocked", False),
        ("contains(Name,'x') or Level eq null", True),
        ("contains(Name,'x') or Level eq 1", False),
        ("not (contains(Name,'x') and Level eq 1)", True),
        ("not (contains(Name,'x') and Level eq null)", False),
    ],
)
def test_null(filter: str, passes: bool) -> None:
    assert admits(filter) is passes


@pytest.mark.parametrize(
    ("filter", "code", "says"),
    [
        ("", "filter-syntax", "too early"),
        ("Name eq 'x", "filter-syntax", "`'x`"),
        ("Name eq 'x' nad Level gt 1", "filter-syntax", "nad"),
        ("Name eq @p", "filter-syntax", "@p"),
        ("not " * 60 + "Blocked", "filter-syntax", "deeper"),
        ("Name in 'x'", "filter-syntax", "'x'"),
        ("Nmae eq 'x'", "column-unknown", "`Nmae`"),
        ("Hidden eq 'x'", "column-unreadable", "`Hidden`"),
        ("Name eq 1", "filter-type", "'1' is no value for `Name` (text)"),
        ("Level eq 'x'", "filter-type", "Level"),
        ("Level contains 'x'", "filter-syntax", "contains"),
        ("contains(Level,'x')", "filter-type", "text column"),
        ("contains(Name,Name)", "filter-type", "in quotes"),
        ("tolower(Level) eq 'x'", "filter-type", "text column"),
        ("Tender eq 'Nothing'", "filter-type", "Tender"),
        ("Tender gt 'AsCard'", "filter-type", "no order"),
        ("Blocked gt false", "filter-type", "no order"),
        ("Tender eq Kind", "filter-type", "do not compare"),
        ("Name eq Level", "filter-type", "do not compare"),
        ("1 eq 1", "filter-type", "needs a column"),
        ("Name", "filter-type", "no condition"),
        ("not Level eq 1", "filter-unsupported", ""),
        ("Day eq 2026-02-31", "filter-type", "Day"),
        ("At eq 2026-01-31T00:00:00", "filter-type", "At"),
        ("contains(Name,'x') gt true", "filter-type", "true or false"),
        ("length(Name) eq 3", "filter-unsupported", ""),
        ("substringof('x',Name)", "filter-unsupported", "substringof"),
        ("contains(Name)", "filter-unsupported", "contains"),
        ("Owner/Name eq 'x'", "filter-unsupported", "own table"),
        ("Level add 1 eq 2", "filter-unsupported", ""),
    ],
)
def test_what_is_refused(filter: str, code: str, says: str) -> None:
    with pytest.raises(BadFilter) as refused:
        compile_filter(filter, COLUMNS)
    assert refused.value.code == code, refused.value.message
    assert says in refused.value.message
    assert refused.value.remedy


# ------------------------------------------------------------------ in a map

MAP = """\
map: thing
commerce: {{entity: Things, filter: "{commerce}"}}
dataverse: {{entity: things}}
filter_exit: delete
fields:
  - {{commerce: Name, sync: "=", dataverse: name, key: true}}
  - {{commerce: Level, sync: "=", dataverse: level}}
"""
DATAVERSE = table(text("name"), Column("level", ValueType.INTEGER))


def test_a_filter_reads_columns_the_map_does_not_bring() -> None:
    document = parse_document(MAP.format(commerce="blocked eq false and LEVEL gt 1"))
    assert document.filter_exit is FilterExit.DELETE
    compiled = compile_map(document, COLUMNS, DATAVERSE, lookup_columns)
    assert compiled.column_names(Side.COMMERCE) == ("Name", "Level", "Blocked")
    row_filter = compiled.filters[Side.COMMERCE]
    assert row_filter.admits(("K", 2, False))
    assert not row_filter.admits(("K", 2, True))
    assert Side.DATAVERSE not in compiled.filters


def finding(filter: str) -> Problem:
    (problem,) = problems(MAP.format(commerce=filter), COLUMNS, DATAVERSE)
    return problem


def test_a_wrong_filter_is_found_at_its_place() -> None:
    problem = finding("Nmae eq 'x'")
    assert (problem.code, problem.severity) == ("column-unknown", "error")
    assert (problem.subject.line, problem.subject.column) == (2, 28)
    assert problem.remedy == "write `Name`"
    with pytest.raises(MapError, match="Nmae"):
        compile_map(
            parse_document(MAP.format(commerce="Nmae eq 1")), COLUMNS, DATAVERSE, lookup_columns
        )


def test_a_filter_over_a_secured_column_is_doubtful() -> None:
    secured = {**COLUMNS, "Name2": Column("Name2", ValueType.TEXT, secured=True)}
    (problem,) = problems(MAP.format(commerce="Name2 eq 'x'"), secured, DATAVERSE)
    assert (problem.code, problem.severity) == ("column-secured", "warning")
