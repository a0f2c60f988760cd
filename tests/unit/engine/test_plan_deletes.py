"""A record that one side deleted: what each policy makes of it."""

from __future__ import annotations

import pytest

from connector.engine.plan import Action, Kind, Write, plan
from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.values import Side, Value
from connector.store.record import Presence, Record
from tests.unit.engine.building import (
    COMMERCE,
    DATAVERSE,
    STATUS,
    World,
    both,
    compiled,
    held,
    image,
    record,
)

AB = compiled(both("A"), both("B"))
XX = ({"A": "x", "B": "x"}, {"a": "x", "b": "x"})


def only(action: Action) -> Write:
    """The one write of an action."""
    (write,) = action.writes
    return write


def names(groups: object) -> list[str]:
    return [group.name for group in groups]  # type: ignore[attr-defined]


def deletes(
    commerce: str = "propagate", dataverse: str = "restore", inactive: str = ""
) -> CompiledMap:
    return compiled(
        both("A"),
        both("B"),
        inactive=inactive,
        deletes=f"{{commerce: {commerce}, dataverse: {dataverse}}}",
    )


def without(map: CompiledMap, gone: Side, present: dict[str, Value] | None = None) -> Record:
    """A record both sides agreed on, deleted on one since."""
    commerce, dataverse = XX
    if gone is COMMERCE:
        return record(map, None, present or dataverse, XX)
    return record(map, present or commerce, None, XX)


@pytest.mark.parametrize("gone", list(Side))
def test_propagate_deletes_the_counterpart(gone: Side) -> None:
    map = deletes("propagate", "propagate")
    write = only(plan(without(map, gone), map))
    assert (write.side, write.kind, write.id, write.version) == (
        gone.other,
        Kind.DELETE,
        f"{gone.other}-1",
        "1",
    )
    assert write.before == held(map, without(map, gone), gone.other)
    assert write.reason == f"deleted in {gone}"
    assert not write.lost


@pytest.mark.parametrize("gone", list(Side))
def test_propagate_against_a_newer_edit_deletes_and_keeps_the_edit(gone: Side) -> None:
    map = deletes("propagate", "propagate")
    newer: dict[str, Value] = {"a": "new", "b": "x"} if gone is COMMERCE else {"A": "new", "B": "x"}
    write = only(plan(without(map, gone, newer), map))
    assert write.kind is Kind.DELETE
    assert names(write.lost) == ["A"]
    assert write.before is not None
    assert {**write.before, **newer} == write.before
    assert "newer edit of A" in (write.reason or "")


@pytest.mark.parametrize("gone", list(Side))
def test_restore_creates_anew_out_of_what_is_there_now(gone: Side) -> None:
    map = deletes("restore", "restore")
    newer: dict[str, Value] = {"a": "new"} if gone is COMMERCE else {"A": "new"}
    write = only(plan(without(map, gone, newer), map))
    assert (write.side, write.kind, write.id) == (gone, Kind.CREATE, None)
    assert "new" in write.values.values()
    assert write.reason == f"restored after a delete in {gone}"


def test_restore_where_the_map_creates_nothing_is_ignored() -> None:
    map = compiled(
        "commerce: A, sync: '>', dataverse: a",
        key="commerce: Id, sync: '>', dataverse: id, key: true",
        deletes="{commerce: restore}",
    )
    assert plan(record(map, None, {"a": "x"}, ({"A": "x"}, {"a": "x"})), map).ignored


@pytest.mark.parametrize("gone", list(Side))
def test_ignore_leaves_the_sides_apart(gone: Side) -> None:
    map = deletes("ignore", "ignore")
    assert plan(without(map, gone), map) == Action(ignored=True)


def test_deactivate_marks_the_counterpart_once() -> None:
    map = deletes("deactivate", inactive=", inactive: {column: state, value: 1}")
    write = only(plan(without(map, COMMERCE), map))
    assert (write.side, write.kind) == (DATAVERSE, Kind.UPDATE)
    assert (write.values, write.before) == ({"state": 1}, {"state": None})
    assert not write.groups
    marked = without(map, COMMERCE, {"a": "x", "b": "x", "state": 1})
    assert plan(marked, map) == Action(ignored=True)


def test_deactivate_over_a_mapped_column_keeps_an_edit_of_it() -> None:
    map = compiled(
        STATUS,
        inactive=", inactive: {column: status, value: 2}",
        deletes="{commerce: deactivate}",
    )
    agreed: tuple[dict[str, Value], dict[str, Value]] = ({"Status": "Open"}, {"status": 1})
    write = only(plan(record(map, None, {"status": 1}, agreed), map))
    assert (write.values, names(write.groups), write.lost) == ({"status": 2}, ["Status"], ())
    edited = only(plan(record(map, None, {"status": None}, agreed), map))
    assert names(edited.lost) == ["Status"]
    assert edited.before == {"status": None}


def test_what_comes_back_after_a_deactivation_wins_over_the_mark() -> None:
    map = compiled(
        STATUS,
        inactive=", inactive: {column: status, value: 2}",
        deletes="{commerce: deactivate}",
    )
    made = record(map, None, {"status": 1}, ({"Status": "Open"}, {"status": 1}))
    made.commerce.image = image(map, COMMERCE, {"Status": "Open"})
    world = World(map, made)
    world.step()
    assert held(map, made, DATAVERSE)["status"] == 2
    made.commerce.presence = Presence.PRESENT
    write = only(plan(made, map))
    assert (write.side, write.values) == (DATAVERSE, {"status": 1})
