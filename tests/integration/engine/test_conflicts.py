"""Two edits of one value: who wins, what is kept, and what goes on meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from connector.mapping.values import Side
from connector.store.record import State
from tests.integration.engine.conftest import map_text

if TYPE_CHECKING:
    from tests.integration.engine.conftest import Bench, MakeBench

C, D = Side.COMMERCE, Side.DATAVERSE


@pytest.fixture
def conflict(loaded: Bench) -> Bench:
    """C1 is in conflict about its name; its level was edited on one side."""
    loaded.edit(C, "C1", Name="ours")
    loaded.edit(D, "C1", name="theirs", level=5)
    loaded.sync()
    return loaded


def open_conflicts(bench: Bench) -> list[str]:
    return [one.conflict.group for one in bench.open().open_conflicts("card", 0, 100)]


def test_one_field_waits_and_the_others_go_on(conflict: Bench) -> None:
    assert conflict.record("C1").state is State.CONFLICT
    assert open_conflicts(conflict) == ["Name"]
    assert conflict.card(C, "C1")["Level"] == 5
    conflict.edit(C, "C1", Note="new", Level=6)
    conflict.sync()
    assert conflict.card(D, "C1")["note"] == "new"
    assert conflict.card(D, "C1")["level"] == 6
    assert (conflict.card(C, "C1")["Name"], conflict.card(D, "C1")["name"]) == ("ours", "theirs")
    before = conflict.writes()
    conflict.sync()
    assert conflict.writes() == before
    assert open_conflicts(conflict) == ["Name"]


def test_it_is_counted_once(conflict: Bench) -> None:
    assert conflict.counts["conflicts"] == 1
    conflict.edit(D, "C1", level=7)
    conflict.sync()
    assert "conflicts" not in conflict.counts


def test_it_ends_when_the_sides_come_to_hold_the_same(conflict: Bench) -> None:
    conflict.edit(D, "C1", name="ours")
    conflict.sync()
    assert open_conflicts(conflict) == []
    conflict.assert_settled()


def test_it_ends_when_one_side_takes_its_edit_back(conflict: Bench) -> None:
    conflict.edit(D, "C1", name="C1")
    conflict.sync()
    assert conflict.card(D, "C1")["name"] == "ours"
    assert open_conflicts(conflict) == []
    conflict.assert_settled()


def test_it_shows_what_the_sides_hold_now(conflict: Bench) -> None:
    conflict.edit(D, "C1", name="theirs again")
    conflict.sync()
    (found,) = conflict.open().open_conflicts("card", 0, 100)
    assert found.conflict.seen == {C: {"Name": "ours"}, D: {"name": "theirs again"}}
    assert found.conflict.base == {C: {"Name": "C1"}, D: {"name": "C1"}}


def test_a_drifted_value_that_is_overwritten_stands_in_the_audit(loaded: Bench) -> None:
    """A one-way field: the edit stays where it was made until its source moves."""
    loaded.edit(D, "C1", note="by hand")
    loaded.sync()
    assert loaded.card(C, "C1").get("Note") is None
    loaded.edit(C, "C1", Note="from the source")
    loaded.sync()
    assert loaded.card(D, "C1")["note"] == "from the source"
    lost = [row.before for row in loaded.history("C1") if row.kind == "lost"]
    assert lost == [{"note": "by hand"}]
    loaded.assert_settled()


@pytest.mark.parametrize("side", list(Side))
def test_it_ends_when_a_side_is_deleted(conflict: Bench, side: Side) -> None:
    conflict.delete(side, "C1")
    conflict.sync()
    conflict.sync()
    assert open_conflicts(conflict) == []
    if side is C:
        assert "c1" not in conflict.dataverse.by_key("cards")
    else:
        assert conflict.card(D, "C1")["name"] == "ours"
    conflict.assert_settled()


@pytest.mark.parametrize(("policy", "name"), [("commerce", "ours"), ("dataverse", "theirs")])
def test_a_policy_decides_and_the_loser_is_logged(
    make_bench: MakeBench, policy: str, name: str
) -> None:
    bench = make_bench(map_text(conflict=policy))
    bench.new(C, "C1")
    bench.load()
    bench.edit(C, "C1", Name="ours")
    bench.edit(D, "C1", name="theirs")
    bench.sync()
    assert bench.card(C, "C1")["Name"] == bench.card(D, "C1")["name"] == name
    (lost,) = [change for change in bench.history("C1") if change.kind == "lost"]
    assert lost.before in ({"Name": "ours"}, {"name": "theirs"})
    assert name not in (lost.before or {}).values()
    bench.assert_settled()


@pytest.mark.parametrize(("ahead", "name"), [(60, "theirs"), (-60, "ours"), (2, "ours")])
def test_latest_compares_times_and_falls_to_the_master_when_too_close(
    make_bench: MakeBench, ahead: float, name: str
) -> None:
    bench = make_bench(map_text(conflict="latest"))
    bench.new(C, "C1")
    bench.load()
    bench.edit(C, "C1", Name="ours")
    bench.edit(D, "C1", name="theirs")
    id = bench.dataverse.id_of("cards", "C1")
    row = bench.dataverse.rows["cards"][id]
    row.modified_at = bench.commerce.rows["Cards"]["c-C1"].modified_at + timedelta(seconds=ahead)
    bench.sync()
    assert bench.card(C, "C1")["Name"] == bench.card(D, "C1")["name"] == name


def test_latest_allows_for_a_clock_that_is_wrong(make_bench: MakeBench) -> None:
    bench = make_bench(map_text(conflict="latest"))
    bench.dataverse.ahead = timedelta(hours=1)
    bench.new(C, "C1")
    bench.load()
    bench.edit(D, "C1", name="theirs")
    bench.edit(C, "C1", Name="ours")
    bench.sync()
    assert bench.card(D, "C1")["name"] == "ours"
