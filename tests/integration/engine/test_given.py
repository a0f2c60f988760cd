"""A person decides a conflict by a value: it comes to stand on both sides, or nothing is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connector.engine.decisions.decide import Choice
from connector.engine.decisions.given import Given
from connector.mapping.values import Side
from tests.integration.engine.scripted import Killed, Moments
from tests.integration.engine.test_decide import ANNA, conflict, decided, entries, names

if TYPE_CHECKING:
    from connector.store.work import OpenConflict
    from tests.integration.engine.conftest import Bench

C, D = Side.COMMERCE, Side.DATAVERSE
__all__ = ["conflict"]


def by_value(side: Side, name: str) -> Choice:
    return Choice(ANNA, given=Given("Name", side, {"Name" if side is C else "name": name}))


@pytest.mark.parametrize("side", list(Side))
def test_a_value_of_neither_side_stands_on_both(conflict: Bench, side: Side) -> None:
    assert decided(conflict, by_value(side, "agreed"), entries(conflict)) == (1, [])
    assert names(conflict) == ("agreed", "agreed")
    notes = {row.side: row for row in conflict.history("C1") if row.kind == "decision"}
    assert notes[C].before == {"Name": "ours"}
    assert notes[D].before == {"name": "theirs"}
    (row,) = conflict.open().conflict_rows(conflict.record("C1").number)
    assert row.decision == f"{'Name' if side is C else 'name'}=agreed"
    conflict.assert_settled()


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("value", ["ours", "theirs"])
def test_a_value_that_a_side_holds_writes_only_the_other(
    conflict: Bench, side: Side, value: str
) -> None:
    before = conflict.writes()
    assert decided(conflict, by_value(side, value), entries(conflict)) == (1, [])
    assert conflict.writes() == before + 1
    assert names(conflict) == (value, value)
    conflict.assert_settled()


@pytest.mark.parametrize("side", list(Side))
def test_back_to_what_was_agreed(conflict: Bench, side: Side) -> None:
    assert decided(conflict, by_value(side, "C1"), entries(conflict)) == (1, [])
    assert names(conflict) == ("C1", "C1")
    conflict.assert_settled()


def test_other_news_of_the_record_travels_with_it(conflict: Bench) -> None:
    shown = entries(conflict)
    conflict.edit(C, "C1", Note="note")
    conflict.edit(D, "C1", level=7)
    assert decided(conflict, by_value(C, "agreed"), shown) == (1, [])
    assert names(conflict) == ("agreed", "agreed")
    assert conflict.card(C, "C1")["Level"] == 7
    assert conflict.card(D, "C1")["note"] == "note"
    conflict.assert_settled()


@pytest.mark.parametrize("side", list(Side))
def test_an_edit_at_the_last_moment_is_not_overwritten(conflict: Bench, side: Side) -> None:
    shown = entries(conflict)
    system = conflict.commerce if side is C else conflict.dataverse

    def somebody() -> None:
        system.before_write = lambda: None
        conflict.edit(side, "C1", **{"Name" if side is C else "name": "last moment"})

    system.before_write = somebody
    count, (refusal,) = decided(conflict, by_value(side, "agreed"), shown)
    assert (count, refusal.problem.code) == (0, "changed")
    assert "last moment" in names(conflict)
    (entry,) = entries(conflict)
    assert "last moment" in entry.conflict.seen[side].values()


def test_an_edit_of_the_other_side_meanwhile_is_a_conflict_with_the_value(conflict: Bench) -> None:
    shown = entries(conflict)

    def somebody() -> None:
        conflict.commerce.before_write = lambda: None
        conflict.edit(D, "C1", name="last moment")

    conflict.commerce.before_write = somebody
    count, (refusal,) = decided(conflict, by_value(C, "agreed"), shown)
    assert (count, refusal.problem.code) == (0, "changed")
    assert names(conflict) == ("agreed", "last moment")
    (entry,) = entries(conflict)
    assert entry.conflict.seen == {C: {"Name": "agreed"}, D: {"name": "last moment"}}


def test_a_side_that_is_busy_keeps_the_conflict(conflict: Bench) -> None:
    conflict.commerce.fault = lambda _operation: "transient"
    count, (refusal,) = decided(conflict, by_value(C, "agreed"), entries(conflict))
    assert (count, refusal.problem.code) == (0, "decision-not-written")
    assert names(conflict) == ("ours", "theirs")
    conflict.commerce.fault = lambda _operation: None
    assert decided(conflict, by_value(C, "agreed"), entries(conflict)) == (1, [])
    conflict.assert_settled()


def test_a_lost_reply_is_found_done(conflict: Bench) -> None:
    conflict.commerce.fault = lambda _operation: "lost-after"
    assert decided(conflict, by_value(C, "agreed"), entries(conflict)) == (1, [])
    assert names(conflict) == ("agreed", "agreed")
    conflict.commerce.fault = lambda _operation: None
    conflict.assert_settled()


@pytest.mark.parametrize("value", ["agreed", "C1"])
@pytest.mark.parametrize("side", list(Side))
def test_no_death_loses_an_edit_or_a_decision(loaded: Bench, side: Side, value: str) -> None:
    """Killed anywhere: both edits still stand, or the value does, alone or against the other."""

    def prepare() -> list[OpenConflict]:
        if names(loaded) != ("C1", "C1"):
            loaded.edit(C, "C1", Name="C1")
            loaded.sync()
        loaded.edit(C, "C1", Name="ours")
        loaded.edit(D, "C1", name="theirs")
        loaded.sync()
        return entries(loaded)

    last = 0
    for moment in range(1, 100):
        shown = prepare()
        loaded.reopen(Moments(kill_at=moment))
        try:
            decided(loaded, by_value(side, value), shown)
            break
        except Killed:
            last = moment
        loaded.reopen()
        loaded.sync()
        left = entries(loaded)
        if left:
            held = {name: v for seen in left[0].conflict.seen.values() for name, v in seen.items()}
            other = "name" if side is C else "Name"
            assert held[other] == ("theirs" if side is C else "ours")
            assert held["Name" if side is C else "name"] in ("ours", "theirs", value)
            assert decided(loaded, by_value(side, value), left) == (1, [])
        assert names(loaded) == (value, value)
        loaded.assert_settled()
    assert 5 < last < 99
