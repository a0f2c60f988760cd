"""The look at a row right before it is written, where a side takes every write."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.endpoints.base import (
    Applied,
    Capabilities,
    Create,
    Delete,
    Exists,
    Missing,
    Outcome,
    Stale,
    Update,
)
from connector.engine.beforehand import Look
from connector.mapping.columns import Column
from connector.mapping.values import Side, ValueType
from tests.integration.engine.scripted import ScriptedEndpoint, Table
from tests.unit.engine.building import both, compiled

MAP = compiled(both("A"))
ABLE = Capabilities("none", "once", False, False, False, 10, "key")
COLUMNS = MAP.column_names(Side.COMMERCE)


@pytest.fixture
def side() -> ScriptedEndpoint:
    """A side with one row, `r`, that holds `x`."""
    columns = tuple(Column(name, ValueType.TEXT) for name in COLUMNS)
    made = ScriptedEndpoint("commerce", {"Things": Table(columns, "Id")}, sees_creates=True)
    made.put("Things", "r", Id="K", A="x")
    return made


def looked(side: ScriptedEndpoint, able: Capabilities = ABLE) -> Look:
    look = Look.needed(side, MAP, Side.COMMERCE, able)
    assert look is not None
    return look


def kinds(outcomes: list[Outcome]) -> list[type]:
    return [type(outcome) for outcome in outcomes]


@pytest.mark.parametrize("preconditions", ["version", "compare"])
def test_a_side_that_refuses_by_itself_needs_no_look(
    side: ScriptedEndpoint, preconditions: str
) -> None:
    able = replace(ABLE, preconditions=preconditions)  # type: ignore[arg-type]
    assert Look.needed(side, MAP, Side.COMMERCE, able) is None


def test_a_row_that_is_as_it_is_known_is_written(side: ScriptedEndpoint) -> None:
    known = {"r": ("K", "x")}
    (outcome,) = looked(side).write([Update("r", "1", {"A": "y"})], known)
    assert isinstance(outcome, Applied)
    assert side.rows["Things"]["r"].values["A"] == "y"


def test_a_row_that_changed_is_left_alone_and_others_are_written(side: ScriptedEndpoint) -> None:
    side.put("Things", "s", Id="L", A="x")
    known = {"r": ("K", "older"), "s": ("L", "x")}
    outcomes = looked(side).write(
        [
            Update("r", None, {"A": "y"}),
            Delete("r", None),
            Update("gone", None, {"A": "y"}),
            Update("s", "2", {"A": "y"}),
            Create("new", {"Id": "M"}),
        ],
        known,
    )
    assert kinds(outcomes) == [Stale, Stale, Missing, Applied, Applied]
    assert side.rows["Things"]["r"].values["A"] == "x"
    assert [one.id for one in side.written] == ["s", "new"]


def test_a_create_that_would_double_a_row_meets_it(side: ScriptedEndpoint) -> None:
    able = replace(ABLE, preconditions="version", create="at-least-once", ids="allotted")
    side.unique = False
    outcomes = looked(side, able).write([Create("p1", {"Id": "k "}), Create("p2", {"Id": "N"})], {})
    assert outcomes[0] == Exists("r")
    assert kinds(outcomes) == [Exists, Applied]
    assert len(side.rows["Things"]) == 2
