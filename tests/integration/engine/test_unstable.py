"""A person ends an edit war: one side's value wins, and the count begins anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connector.engine.decisions.undecided import Undecided
from connector.engine.decisions.unstable import resolve_unstable
from connector.engine.news.absorb import Absorbed
from connector.errors import Problem, Subject
from connector.mapping.values import Side
from connector.store.record import State
from tests.integration.engine.test_wars import fight

if TYPE_CHECKING:
    from connector.engine.runs.run import MapRun
    from tests.integration.engine.conftest import Bench

C, D = Side.COMMERCE, Side.DATAVERSE


def resolved(bench: Bench, winner: Side) -> tuple[int, list[Undecided]]:
    """A person lets one side win in C1."""
    refused: list[Undecided] = []
    count = bench.run(
        lambda run: resolve_unstable(run, [bench.record("C1")], winner, "anna", refused.append),
        "resolve",
    )
    return count, refused


@pytest.fixture
def war(loaded: Bench) -> Bench:
    """Two jobs insist on the name of C1."""
    fight(loaded, 12)
    assert loaded.record("C1").state is State.PARKED
    return loaded


@pytest.mark.parametrize("winner", list(Side))
def test_the_value_of_one_side_stands_on_both(war: Bench, winner: Side) -> None:
    wanted = war.card(winner, "C1")["Name" if winner is C else "name"]
    before = war.writes()
    assert resolved(war, winner) == (1, [])
    assert war.card(C, "C1")["Name"] == war.card(D, "C1")["name"] == wanted
    assert war.writes() == before + 1
    notes = [row for row in war.history("C1") if row.kind == "decision"]
    assert notes[-1].detail == f"unstable: {winner} wins, decided by anna"
    assert notes[-1].before is not None
    war.assert_settled()


def test_what_is_undone_again_is_counted_anew(war: Bench) -> None:
    assert resolved(war, C) == (1, [])
    assert 2 <= fight(war, 12) <= 8
    assert war.record("C1").state is State.PARKED


def test_an_edit_since_then_is_what_wins(war: Bench) -> None:
    war.edit(C, "C1", Name="newest")
    assert resolved(war, C) == (1, [])
    assert war.card(D, "C1")["name"] == "newest"
    war.assert_settled()


def test_a_war_that_ended_by_itself_needs_no_decision(war: Bench) -> None:
    war.edit(D, "C1", name="x")
    war.edit(C, "C1", Name="x")
    war.sync()
    assert war.record("C1").state is State.SETTLED
    _, (refused,) = resolved(war, D)
    assert refused.problem.code == "changed"


def test_the_target_of_a_one_way_field_cannot_win(loaded: Bench) -> None:
    loaded.edit(D, "C1", note="job")
    loaded.sync()

    def park(run: MapRun) -> None:
        record = loaded.record("C1")
        subject = Subject(map="card", side="dataverse", record=str(record.number), field="Note")
        record.problem = Problem("unstable", "Note was written 3 times", "-", subject)
        absorbed = Absorbed(run.work())
        absorbed.touch(record)
        run.commit(absorbed.seal(run))

    loaded.run(park)
    _, (refused,) = resolved(loaded, D)
    assert refused.problem.code == "way-unknown"
    assert resolved(loaded, C) == (1, [])
    assert loaded.card(D, "C1")["note"] is None


def test_a_record_that_is_deleted_again_and_again(loaded: Bench) -> None:
    for _ in range(6):
        if "c1" in loaded.dataverse.by_key("cards"):
            loaded.delete(D, "C1")
        loaded.sync()
    assert loaded.record("C1").state is State.PARKED
    _, (refused,) = resolved(loaded, D)
    assert refused.problem.code == "way-unknown"
    assert resolved(loaded, C) == (1, [])
    assert loaded.card(D, "C1")["name"] == "C1"
    loaded.assert_settled()
