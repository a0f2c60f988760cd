"""A side that was restored from a backup: found out, read whole, and brought together again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from connector.engine.capture import capture
from connector.engine.cycle import settle_due
from connector.engine.decisions.takeback import take_back
from connector.engine.runs.run import MapRun
from connector.engine.runs.running import running
from connector.mapping.values import Side
from connector.store.record import Presence, State

if TYPE_CHECKING:
    from tests.integration.engine.conftest import Bench
    from tests.integration.engine.scripted import ScriptedEndpoint

C, D = Side.COMMERCE, Side.DATAVERSE


def endpoint(bench: Bench, side: Side) -> ScriptedEndpoint:
    return bench.commerce if side is C else bench.dataverse


def epoch(bench: Bench, side: Side) -> int:
    world = bench.open().world(side)
    assert world is not None
    return world.epoch


def rename(bench: Bench, side: Side, key: str, name: str) -> None:
    bench.edit(side, key, **{"Name" if side is C else "name": name})


def name_of(bench: Bench, side: Side, key: str) -> object:
    return bench.card(side, key)["Name" if side is C else "name"]


@pytest.mark.parametrize("side", [C, D])
@pytest.mark.parametrize("knows_its_end", [False, True])
def test_an_older_row_begins_a_new_epoch(loaded: Bench, side: Side, knows_its_end: bool) -> None:
    endpoint(loaded, side).knows_its_end = knows_its_end
    restore = endpoint(loaded, side).backup()
    rename(loaded, side, "C1", "after the backup")
    assert loaded.sync().finished
    restore()
    loaded.ahead += 100
    assert loaded.sync().finished
    assert loaded.counts["epoch"] == 1
    assert (epoch(loaded, side), epoch(loaded, side.other)) == (2, 1)
    # What the side holds now is what it holds; the value that gave way stands in the audit.
    assert name_of(loaded, side.other, "C1") == "C1"
    befores = [row.before for row in loaded.history("C1") if row.before is not None]
    column = "Name" if side is D else "name"
    assert any(before.get(column) == "after the backup" for before in befores)
    assert all(r.side(side).epoch == 2 for rs in loaded.records().values() for r in rs)
    loaded.assert_settled()


@pytest.mark.parametrize("side", [C, D])
@pytest.mark.parametrize("tells_times", [False, True])
def test_a_row_that_comes_to_its_version_once_more_begins_a_new_epoch(
    loaded: Bench, side: Side, tells_times: bool
) -> None:
    """A write on that version would fit, and replace an edit nobody has read."""
    endpoint(loaded, side).tells_times = tells_times
    rename(loaded, side, "C2", "the newest row is C2")
    loaded.sync()
    restore = endpoint(loaded, side).backup()
    rename(loaded, side, "C1", "after the backup")
    loaded.sync()
    loaded.ahead += 100
    restore()
    endpoint(loaded, side).clock = lambda: datetime.now(UTC) + timedelta(seconds=100)
    rename(loaded, side, "C1", "after the restore")
    rename(loaded, side.other, "C1", "on the other side")
    assert loaded.sync().finished
    assert epoch(loaded, side) == 2
    values = {v for row in loaded.history("C1") for v in (row.before or {}).values()}
    values |= {v for row in loaded.history("C1") for v in (row.after or {}).values()}
    values |= {name_of(loaded, each, "C1") for each in Side}
    assert {"after the restore", "on the other side"} <= values


@pytest.mark.parametrize("side", [C, D])
@pytest.mark.parametrize("seconds", [-40.0, 40.0])
def test_a_clock_that_was_set_is_no_restore(loaded: Bench, side: Side, seconds: float) -> None:
    """All rows moved by as much as the one that is looked at."""
    rename(loaded, side, "C1", "the newest row")
    loaded.sync()
    loaded.ahead += 100
    endpoint(loaded, side).ahead += timedelta(seconds=seconds)
    assert loaded.sync().finished
    assert "epoch" not in loaded.counts
    assert epoch(loaded, side) == 1
    loaded.assert_settled()


def test_a_clock_that_was_set_hides_no_restore(loaded: Bench) -> None:
    rename(loaded, D, "C2", "the newest row is C2")
    loaded.sync()
    restore = loaded.dataverse.backup()
    rename(loaded, D, "C1", "after the backup")
    loaded.sync()
    loaded.ahead += 100
    restore()
    loaded.dataverse.ahead += timedelta(seconds=40)
    loaded.dataverse.clock = lambda: datetime.now(UTC) + timedelta(seconds=100)
    rename(loaded, D, "C1", "after the restore")
    loaded.sync()
    assert loaded.counts["epoch"] == 1
    assert name_of(loaded, C, "C1") == "after the restore"


@pytest.mark.parametrize("side", [C, D])
def test_rows_made_after_the_backup_are_missing(loaded: Bench, side: Side) -> None:
    """Their deletes were told by nobody; the map's policies decide, within the guard."""
    restore = endpoint(loaded, side).backup()
    loaded.new(side, "N1")
    loaded.sync()
    restore()
    loaded.ahead += 100
    assert loaded.sync().finished
    assert epoch(loaded, side) == 2
    there = loaded.dataverse.by_key("cards"), loaded.commerce.by_key("Cards")
    assert [("n1" in rows) for rows in there] == ([False, False] if side is C else [True, True])
    loaded.assert_settled()


def test_a_row_whose_delete_the_feed_tells_is_no_restore(loaded: Bench) -> None:
    rename(loaded, D, "C1", "newest")
    loaded.sync()
    loaded.delete(D, "C1")
    loaded.ahead += 100
    assert loaded.sync().finished
    assert epoch(loaded, D) == 1
    assert "epoch" not in loaded.counts
    loaded.ahead += 100
    loaded.assert_settled()


def test_edits_on_a_restored_side_are_found(loaded: Bench) -> None:
    """A feed that goes on from a position of the future would not tell of them."""
    restore = loaded.dataverse.backup()
    rename(loaded, D, "C1", "after the backup")
    rename(loaded, D, "C2", "after the backup")
    loaded.sync()
    restore()
    rename(loaded, D, "C3", "after the restore")
    loaded.ahead += 100
    loaded.sync()
    assert name_of(loaded, C, "C3") == "after the restore"
    loaded.assert_settled()


def test_conflicts_are_told_from_what_was_agreed(loaded: Bench) -> None:
    """The agreed pairs are kept: a side that only went back has no say about what it never had."""
    restore = loaded.dataverse.backup()
    rename(loaded, D, "C1", "newest")
    loaded.sync()
    loaded.edit(C, "C2", Name="ours")
    restore()
    loaded.ahead += 100
    loaded.sync()
    assert name_of(loaded, D, "C2") == "ours"
    loaded.assert_settled()


def test_an_idle_sync_asks_once_per_feed(loaded: Bench) -> None:
    loaded.sync()
    for ahead, reads in ((1, 0), (100, 1)):
        loaded.ahead += ahead
        for side in Side:
            endpoint(loaded, side).calls.clear()
        loaded.sync()
        for side in Side:
            expected = {"changes": 1} | ({"read": 1} if reads else {})
            assert dict(endpoint(loaded, side).calls) == expected


def test_nothing_is_written_on_versions_of_an_older_epoch(loaded: Bench) -> None:
    """Another map's run found out; what this one knows of the side is read before it plans."""
    loaded.edit(C, "C1", Name="new")

    def work(run: MapRun) -> None:
        run.begin_epoch(D)

    loaded.run(work, "of another map")
    old = loaded.record("C1").dataverse
    assert (old.presence, old.epoch) == (Presence.PRESENT, 1)
    loaded.sync()
    assert loaded.dataverse.calls["scan"] > 1, "the position was void as well"
    assert loaded.record("C1").dataverse.epoch == 2
    assert name_of(loaded, D, "C1") == "new"
    loaded.assert_settled()


def test_a_plan_reads_first_what_is_of_an_older_epoch(loaded: Bench) -> None:
    """Found out in the middle of a run, or by one that plans without reading feeds."""
    loaded.edit(C, "C1", Name="new")
    reads: list[int] = []
    loaded.dataverse.before_write = lambda: reads.append(loaded.dataverse.calls["read"])

    def work(run: MapRun) -> None:
        capture(run, C)
        run.begin_epoch(D)
        loaded.dataverse.calls.clear()
        settle_due(run)

    loaded.run(work, "resolve")
    assert reads == [1]
    assert name_of(loaded, D, "C1") == "new"


def test_a_row_read_by_id_that_is_older_than_known_is_proof_enough(loaded: Bench) -> None:
    """Within the minute nobody looks; a stale write makes the engine read the row itself."""
    rename(loaded, D, "C1", "one")
    loaded.sync()
    restore = loaded.dataverse.backup()
    rename(loaded, D, "C1", "two")
    rename(loaded, D, "C2", "two")
    loaded.sync()
    restore()
    loaded.edit(C, "C1", Level=5)
    loaded.sync()
    assert epoch(loaded, D) == 2
    assert loaded.card(D, "C1")["level"] == 5
    assert name_of(loaded, C, "C2") == "C2", "the table was read anew in the same run"
    loaded.assert_settled()


def test_a_restored_feed_is_told_by_a_dry_run(loaded: Bench) -> None:
    restore = loaded.dataverse.backup()
    rename(loaded, D, "C1", "newest")
    loaded.sync()
    restore()
    loaded.ahead += 100
    rehearsal = loaded.rehearse()
    assert rehearsal.counts == {"update commerce": 1}
    assert rehearsal.restored
    assert epoch(loaded, D) == 1, "a dry run leaves nothing"


def test_a_load_that_was_cut_short_notices(loaded: Bench) -> None:
    """The place in a scan belongs to a side as the position of a feed does."""
    loaded.edit(D, "C2", name="newest")
    restore = loaded.dataverse.backup()
    loaded.edit(D, "C1", name="too new")
    pages = iter([False, True])
    loaded.stopping = lambda: next(pages, True)
    loaded.load(again=True)
    loaded.stopping = lambda: False
    restore()
    loaded.ahead += 100
    assert loaded.load().finished
    assert epoch(loaded, D) == 2
    assert all(r.state is State.SETTLED for rs in loaded.records().values() for r in rs)


def test_a_backup_between_the_feed_and_our_own_writes_is_noticed(loaded: Bench) -> None:
    """What we wrote is newer than all the feed has told of; a restore that takes it away shows."""
    loaded.edit(C, "C1", Name="new")
    taken: list[Callable[[], None]] = []
    loaded.dataverse.before_write = lambda: taken.append(loaded.dataverse.backup())
    loaded.sync()
    loaded.dataverse.before_write = lambda: None
    taken[0]()
    loaded.ahead += 100
    loaded.sync()
    assert epoch(loaded, D) == 2
    loaded.assert_settled()


def test_a_write_before_anybody_looked_hides_no_restore(loaded: Bench) -> None:
    """As an undo, or a person's word, that is the first to write after a restore (seed 700607)."""
    loaded.edit(C, "C1", Name="sent")
    assert loaded.sync().finished
    restore = loaded.dataverse.backup()
    loaded.new(D, "N1")
    loaded.edit(C, "C2", Name="later")
    assert loaded.sync().finished
    restore()
    rename(loaded, D, "C3", "after the restore")
    rename(loaded, D, "C3", "once more")
    rename(loaded, D, "C3", "and again")
    loaded.ahead += 100
    target = next(run for run in loaded.open().runs("card", 100)[1:] if run.command == "sync")
    map, entities = loaded.compiled()
    with running("undo", map, entities, loaded.ports(), loaded.tuning, held=True) as run:
        assert take_back(run, target, "anna").finished
    loaded.ahead += 100
    loaded.resume(100)
    assert loaded.sync().finished
    assert epoch(loaded, D) == 2
    loaded.assert_settled()


def test_a_load_asks_for_rows_a_restore_took_away(bench: Bench) -> None:
    """No feed tells of them ever; each is read by id and made again."""
    for n in range(4):
        bench.new(C, f"C{n}")
    empty = bench.dataverse.backup()
    changes = bench.dataverse.changes

    def restored(*args: Any) -> Any:
        if bench.dataverse.rows["cards"]:
            bench.dataverse.changes = changes  # type: ignore[method-assign]
            empty()
        return changes(*args)

    bench.dataverse.changes = restored  # type: ignore[method-assign,assignment]
    assert bench.load().finished or bench.load().finished
    assert len(bench.dataverse.by_key("cards")) == 4
    bench.assert_settled()
