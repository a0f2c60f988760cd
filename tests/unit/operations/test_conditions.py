"""`--where`: conditions over what is listed and over the columns of both sides."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connector.errors import UsageError
from connector.mapping.values import Value, ValueType
from connector.operations.conditions import compile_condition
from connector.store.record import Presence, Record, SideState
from tests.unit.operations.test_giving import compiled

LISTED = {"key": ValueType.TEXT, "record": ValueType.INTEGER, "opened": ValueType.INSTANT}


def admits(text: str) -> bool:
    """Whether a condition holds for one record."""
    map = compiled()
    record = Record(7, "kinds", "k1")
    commerce: dict[str, Value] = {"Number": "K1", "Kind": "Amount", "Name": None}
    image = tuple(commerce.get(column.name) for column in map.columns[next(iter(map.columns))])
    record.commerce = SideState(Presence.PRESENT, image=image)
    listed: dict[str, Value] = {
        "key": "K1",
        "record": 7,
        "opened": datetime(2026, 3, 1, 12, tzinfo=UTC),
    }
    return compile_condition(text, map, LISTED).admits(listed, record)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("key eq 'k1'", True),
        ("record gt 7", False),
        ("opened lt 2026-03-01T12:00:01Z", True),
        ("commerce_Kind eq 'Amount'", True),
        ("COMMERCE_KIND eq 'Amount'", True),
        ("commerce_Kind eq 'Quantity'", False),
        ("commerce_Name eq null", True),
        ("dataverse_name eq null", True),
        ("dataverse_kind eq 1", False),
        ("commerce_Kind eq 'Amount' and not (key eq 'k2')", True),
    ],
)
def test_a_condition_sees_the_list_and_both_sides(text: str, holds: bool) -> None:
    assert admits(text) is holds


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Kind eq 'Amount'", "column-unknown"),
        ("commerce_Kind eq", "filter-syntax"),
        ("record eq 'seven'", "filter-type"),
    ],
)
def test_a_bad_condition_is_a_usage_error(text: str, code: str) -> None:
    with pytest.raises(UsageError) as refused:
        admits(text)
    assert refused.value.code == code
    assert refused.value.exit_code == 2
