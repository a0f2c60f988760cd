"""Whose a Dataverse row is, where several ledgers share the table."""

from __future__ import annotations

import pytest

from connector.engine.ownership import CODE, of_another, owners
from connector.engine.plan import plan
from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.values import Value
from tests.unit.engine.building import DATAVERSE, both, compiled, record

FILTER = ", filter: \"b eq 'south'\""


def owned(filter: str = FILTER) -> CompiledMap:
    """A map that gives its rows the owner `south`."""
    return compiled(both("A"), "sync: '>>', dataverse: b, constant: south", inactive=filter)


def test_the_owner_is_the_constant_the_filter_asks_for() -> None:
    map = owned()
    ((column, place, value),) = owners(map)
    assert (column, value) == ("b", "south")
    assert map.column_names(DATAVERSE)[place] == "b"
    assert owners(owned(", filter: \"a eq 'x'\"")) == []
    assert owners(compiled(both("A"))) == []


@pytest.mark.parametrize(("held", "whose"), [("north", "`north`"), (None, "nobody")])
def test_a_card_whose_key_stands_on_a_row_of_another_is_set_aside(held: Value, whose: str) -> None:
    map = owned()
    made = record(map, {"A": "ours"}, {"a": "theirs", "b": held})
    action = plan(made, map)
    assert action.writes == []
    assert action.problem is not None
    assert action.problem.code == CODE
    assert whose in action.problem.message
    assert "`south`" in action.problem.message
    assert "dataverse-1" in action.problem.message


def test_rows_of_another_ledger_are_left_alone() -> None:
    map = owned()
    alone = record(map, None, {"a": "theirs", "b": "north"})
    assert plan(alone, map).problem is None
    assert plan(alone, map).ignored


def test_a_row_that_was_given_to_another_ledger_has_left_the_map() -> None:
    map = owned()
    agreed: tuple[dict[str, Value], dict[str, Value]] = ({"A": "x"}, {"a": "x", "b": "south"})
    given = record(map, {"A": "x"}, {"a": "x", "b": "north"}, agreed)
    assert of_another(given, map) is None
    assert plan(given, map).ignored


def test_our_own_row_is_no_collision() -> None:
    map = owned()
    made = record(map, {"A": "ours"}, {"a": "theirs", "b": "south"})
    assert of_another(made, map) is None
    assert plan(made, map).writes
