"""A person decides a conflict: about what is there now, once, with both values kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connector.engine.decisions.decide import Choice, Refusal, decide
from connector.mapping.values import Side
from connector.store.record import State
from tests.integration.engine.scripted import Killed, Moments

if TYPE_CHECKING:
    from connector.store.work import OpenConflict
    from tests.integration.engine.conftest import Bench

C, D = Side.COMMERCE, Side.DATAVERSE
ANNA = "anna@desk"


def entries(bench: Bench) -> list[OpenConflict]:
    return list(bench.open().open_conflicts("card", 0, 100))


def decided(bench: Bench, choice: Choice, shown: list[OpenConflict]) -> tuple[int, list[Refusal]]:
    """How many were decided, and what was refused."""
    refused: list[Refusal] = []
    count = bench.run(lambda run: decide(run, shown, choice, refused.append), "resolve")
    return count, refused


@pytest.fixture
def conflict(loaded: Bench) -> Bench:
    """C1 is in conflict about its name."""
    loaded.edit(C, "C1", Name="ours")
    loaded.edit(D, "C1", name="theirs")
    loaded.sync()
    return loaded


def names(bench: Bench, key: str = "C1") -> tuple[object, object]:
    return bench.card(C, key)["Name"], bench.card(D, key)["name"]


@pytest.mark.parametrize("winner", list(Side))
def test_a_side_wins_and_both_values_are_kept(conflict: Bench, winner: Side) -> None:
    shown = entries(conflict)
    assert decided(conflict, Choice(ANNA, winner), shown) == (1, [])
    assert names(conflict) == (("ours",) * 2 if winner is C else ("theirs",) * 2)
    (note,) = [row for row in conflict.history("C1") if row.kind == "decision"]
    assert note.side is winner.other
    column = {C: "Name", D: "name"}
    values = {C: "ours", D: "theirs"}
    assert note.before == {column[winner.other]: values[winner.other]}
    assert note.after == {column[winner]: values[winner]}
    assert note.detail == f"Name: {winner}, decided by {ANNA}"
    (row,) = conflict.open().conflict_rows(conflict.record("C1").number)
    assert (row.decision, row.decided_by) == (winner.value, ANNA)
    assert row.closed is not None
    conflict.assert_settled()


@pytest.mark.parametrize("edited", list(Side))
def test_an_edit_since_it_was_shown_refuses_it(conflict: Bench, edited: Side) -> None:
    shown = entries(conflict)
    conflict.edit(edited, "C1", **{"Name" if edited is C else "name": "newer"})
    count, (refusal,) = decided(conflict, Choice(ANNA, C), shown)
    assert count == 0
    assert refusal.problem.code == "changed"
    assert refusal.now is not None
    assert "newer" in refusal.now.seen[edited].values()
    assert names(conflict) == (("newer", "theirs") if edited is C else ("ours", "newer"))
    (entry,) = entries(conflict)
    assert entry.conflict.seen == refusal.now.seen
    assert entry.revision == shown[0].revision + 1
    assert decided(conflict, Choice(ANNA, edited), [entry]) == (1, [])
    assert names(conflict) == ("newer", "newer")
    conflict.assert_settled()


def test_an_edit_of_another_field_does_not_refuse_it(conflict: Bench) -> None:
    shown = entries(conflict)
    conflict.edit(D, "C1", level=9)
    assert decided(conflict, Choice(ANNA, C), shown) == (1, [])
    assert names(conflict) == ("ours", "ours")
    assert conflict.card(C, "C1")["Level"] == 9
    conflict.assert_settled()


def test_a_conflict_that_ended_by_itself_is_refused_and_closed(conflict: Bench) -> None:
    shown = entries(conflict)
    conflict.edit(D, "C1", name="ours")
    count, (refusal,) = decided(conflict, Choice(ANNA, D), shown)
    assert (count, refusal.problem.code, refusal.now) == (0, "changed", None)
    assert entries(conflict) == []
    conflict.assert_settled()


@pytest.mark.parametrize("gone", list(Side))
def test_a_row_deleted_since_refuses_it(conflict: Bench, gone: Side) -> None:
    shown = entries(conflict)
    conflict.delete(gone, "C1")
    count, (refusal,) = decided(conflict, Choice(ANNA, gone.other), shown)
    assert (count, refusal.problem.code, refusal.now) == (0, "changed", None)
    conflict.sync()
    conflict.assert_settled()


def test_one_that_changed_keeps_no_other_from_being_decided(conflict: Bench) -> None:
    conflict.edit(C, "C2", Name="two")
    conflict.edit(D, "C2", name="zwei")
    conflict.sync()
    shown = entries(conflict)
    conflict.edit(C, "C1", Name="newer")
    count, (refusal,) = decided(conflict, Choice(ANNA, D), shown)
    assert count == 1
    assert refusal.entry.key == "C1"
    assert names(conflict, "C2") == ("zwei", "zwei")
    assert [entry.key for entry in entries(conflict)] == ["C1"]


def test_two_fields_of_one_record_are_two_decisions(conflict: Bench) -> None:
    conflict.edit(C, "C1", Level=1)
    conflict.edit(D, "C1", level=2)
    conflict.sync()
    by_group = {entry.conflict.group: entry for entry in entries(conflict)}
    assert set(by_group) == {"Name", "Level"}
    assert decided(conflict, Choice(ANNA, D), [by_group["Level"]]) == (1, [])
    assert conflict.card(C, "C1")["Level"] == 2
    assert names(conflict) == ("ours", "theirs")
    assert decided(conflict, Choice(ANNA, C), [by_group["Name"]]) == (1, [])
    conflict.assert_settled()


def test_an_edit_while_the_decision_is_written_makes_a_new_conflict(conflict: Bench) -> None:
    """The write is conditional on the row that was read for the decision."""
    shown = entries(conflict)

    def somebody() -> None:
        conflict.dataverse.before_write = lambda: None
        conflict.edit(D, "C1", name="last moment")

    conflict.dataverse.before_write = somebody
    count, (refusal,) = decided(conflict, Choice(ANNA, C), shown)
    assert (count, refusal.problem.code) == (0, "changed")
    assert names(conflict) == ("ours", "last moment")
    (entry,) = entries(conflict)
    assert entry.conflict.seen[D] == {"name": "last moment"}


def test_a_refused_decision_says_why(conflict: Bench) -> None:
    shown = entries(conflict)
    conflict.dataverse.fault = lambda _operation: "rejected"
    count, (refusal,) = decided(conflict, Choice(ANNA, C), shown)
    assert (count, refusal.problem.code) == (0, "dataverse-refused")
    assert conflict.record("C1").state is State.PARKED


def test_a_decision_survives_any_death(loaded: Bench) -> None:
    """Killed anywhere, the next runs end as decided, or with the conflict still open."""

    def prepare() -> list[OpenConflict]:
        n = len(loaded.commerce.log)
        loaded.edit(C, "C1", Name=f"ours {n}")
        loaded.edit(D, "C1", name=f"theirs {n}")
        loaded.sync()
        return entries(loaded)

    decided(loaded, Choice(ANNA, C), prepare())
    last = 0
    for moment in range(1, 100):
        shown = prepare()
        loaded.reopen(Moments(kill_at=moment))
        try:
            decided(loaded, Choice(ANNA, C), shown)
            break
        except Killed:
            last = moment
        loaded.reopen()
        loaded.sync()
        left = entries(loaded)
        if left:
            assert left[0].conflict.seen == shown[0].conflict.seen
            assert decided(loaded, Choice(ANNA, C), left) == (1, [])
        assert names(loaded)[0] == names(loaded)[1] == shown[0].conflict.seen[C]["Name"]
        loaded.assert_settled()
    assert 5 < last < 99
