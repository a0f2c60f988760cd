"""Filters that no row can pass, and those that only look so."""

from __future__ import annotations

import pytest

from connector.mapping.columns import Column
from connector.mapping.filters.conditions import compile_filter
from connector.mapping.filters.passable import both_passable, nothing_passes
from connector.mapping.values import ValueType
from tests.unit.mapping.live import table, text

COLUMNS = table(
    text("Name", 5),
    Column("Code", ValueType.TEXT, nullable=False),
    Column("Level", ValueType.INTEGER, minimum=1, maximum=9),
    Column("Price", ValueType.DECIMAL, scale=2),
    Column("Free", ValueType.DECIMAL),
    Column("Blocked", ValueType.BOOLEAN, nullable=False),
    Column("Kind", ValueType.CHOICE, choices={1: "One", 2: "Two"}),
    Column("Day", ValueType.DATE, nullable=False),
    Column("At", ValueType.INSTANT),
    Column("Owner", ValueType.REFERENCE),
)


def nothing(filter: str) -> bool:
    return nothing_passes(compile_filter(filter, COLUMNS))


@pytest.mark.parametrize(
    "filter",
    [
        "Level gt 9",
        "Level lt 1",
        "Level gt 3 and Level lt 4",
        "Name eq 'A' and Name eq 'B'",
        "Name eq 'longer'",
        "Code eq null",
        "Blocked eq true and Blocked eq false",
        "Kind ne 1 and Kind ne 2 and Kind ne null",
        "Price gt 1.00 and Price lt 1.01",
        "Day lt 2026-01-01 and Day gt 2026-01-01",
        "At gt 2026-01-02T00:00:00Z and At lt 2026-01-01T00:00:00Z",
        "Level eq 3 and not (Level eq 3)",
    ],
)
def test_a_filter_nothing_can_pass(filter: str) -> None:
    assert nothing(filter)


@pytest.mark.parametrize(
    "filter",
    [
        "Level ge 9",
        "Level gt 3 and Level lt 5",
        "Name ge 'A' and Name lt 'B'",
        "Name gt 'A' and Name lt 'AB'",
        "Name eq null",
        "Name eq 'fiver'",
        "Code ne null",
        "Blocked",
        "Kind in (1, 2)",
        "Kind ne 1",
        "Price gt 1.00 and Price lt 1.02",
        "Free gt 1.00 and Free lt 1.01",
        "Free gt 9223372036854775807",
        "Day ne null",
        "Day lt 2026-01-01",
        "Day ge 1900-01-01",
        "Day le 9999-12-31",
        "At gt 2026-01-01T00:00:00Z and At lt 2026-01-02T00:00:00Z",
        "Owner ne null",
        "Owner ne '11111111-2222-3333-4444-555555555555'",
        # More than can be tried, or than a list of values answers.
        "contains(Name, 'x') and Name eq 'A'",
        "Name eq Code and Name eq 'A' and Code eq 'B'",
        " and ".join(f"Name ne '{n}' and Level ne {n % 9} and Code ne '{n}'" for n in range(90)),
    ],
)
def test_a_filter_something_may_pass(filter: str) -> None:
    assert not nothing(filter)


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        ("Name eq 'north'", "Name eq 'south'", False),
        ("Name eq 'north'", "Name eq 'NORTH '", True),
        ("Name eq 'north'", "Name ne 'south'", True),
        ("Name eq 'north' and Level eq 3", "Level ne 3", False),
        ("Kind eq 1", "Kind in (1, 2)", True),
        ("Level lt 5", "Level ge 5", False),
        ("Name eq 'north'", "Level eq 3", True),
        ("Name eq 'north'", "startswith(Name, 's')", True),
    ],
)
def test_two_filters_part_the_rows_where_none_can_pass_both(
    first: str, second: str, both: bool
) -> None:
    """What cannot be told counts as passable, as `startswith` here."""
    filters = [compile_filter(text, COLUMNS) for text in (first, second)]
    assert both_passable(*filters) is both
    assert both_passable(*reversed(filters)) is both
