"""A run is taken back: rows, agreed pairs, and nothing that somebody touched since."""

from __future__ import annotations

import copy
import shutil
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from connector.endpoints.base import Create
from connector.engine.decisions.takeback import Takeback, rehearse_take_back, take_back
from connector.engine.ports import Guard
from connector.engine.proof.rehearse import DryRun
from connector.engine.runs.running import running
from connector.mapping.values import Side
from connector.store.record import Presence
from connector.store.work import RunRow
from tests.integration.engine.scripted import Killed, Moments

if TYPE_CHECKING:
    from pathlib import Path

    from connector.endpoints.base import Operation
    from tests.integration.engine.conftest import Bench
    from tests.integration.engine.scripted import Fault

C, D = Side.COMMERCE, Side.DATAVERSE


def last_run(bench: Bench, command: str) -> RunRow:
    return next(run for run in bench.open().runs("card", 100) if run.command == command)


def undo(bench: Bench, target: RunRow | None = None) -> Takeback:
    """Take back a run, the last sync unless another is named."""
    target = target or last_run(bench, "sync")
    map, entities = bench.compiled()
    with running("undo", map, entities, bench.ports(), bench.tuning, held=True) as run:
        return take_back(run, target, "anna")


def rehearsed(bench: Bench, target: RunRow | None = None) -> Takeback:
    map, entities = bench.compiled()
    dry = DryRun(map, entities, bench.ports(), bench.tuning)
    return rehearse_take_back(dry, target or last_run(bench, "sync"))


def both(bench: Bench) -> tuple[object, object]:
    return bench.commerce.by_key("Cards"), bench.dataverse.by_key("cards")


def planned(bench: Bench) -> Counter[str]:
    return bench.rehearse().counts


def reasons(done: Takeback) -> dict[str, str]:
    return {left.key: left.reason for left in done.left}


# ---------------------------------------------------------------------------- what goes back


def test_creates_go_and_resuming_would_make_them_again(loaded: Bench) -> None:
    for n in range(10, 20):
        loaded.new(C, f"N{n}")
    loaded.guard = Guard(rows=100, share=1.0)
    loaded.sync()
    assert len(loaded.dataverse.rows["cards"]) == 18
    dry = rehearsed(loaded)
    done = undo(loaded)
    assert dry.counts == done.counts == {"delete dataverse": 10}
    assert (done.records, done.left_count, done.finished) == (10, 0, True)
    assert len(loaded.dataverse.rows["cards"]) == 8
    assert len(loaded.commerce.rows["Cards"]) == 18
    assert planned(loaded) == {"create dataverse": 10}
    loaded.sync()
    loaded.assert_settled()


def test_a_bad_import_that_is_mended_first_leaves_nothing_to_do(loaded: Bench) -> None:
    loaded.guard = Guard(rows=100, share=1.0)
    for n in range(10, 20):
        loaded.new(C, f"N{n}")
    loaded.sync()
    undo(loaded)
    for n in range(10, 20):
        loaded.delete(C, f"N{n}")
    assert planned(loaded) == {}
    before = loaded.writes()
    loaded.sync()
    assert loaded.writes() == before
    loaded.assert_settled()


def test_updates_of_both_sides_go_back_and_are_edits_again(loaded: Bench) -> None:
    loaded.edit(C, "C1", Name="bad", Level=1)
    loaded.edit(D, "D1", level=7)
    loaded.sync()
    done = undo(loaded)
    assert done.counts == {"update dataverse": 1, "update commerce": 1}
    assert loaded.card(D, "C1")["name"] == "C1"
    assert loaded.card(D, "C1")["level"] is None
    assert loaded.card(C, "D1")["Level"] is None
    assert planned(loaded) == {"update dataverse": 1, "update commerce": 1}
    loaded.edit(C, "C1", Name="C1", Level=None)
    assert planned(loaded) == {"update commerce": 1}
    loaded.sync()
    loaded.assert_settled()


def test_a_delete_comes_back_and_resuming_would_delete_it_again(loaded: Bench) -> None:
    held = loaded.card(D, "C2")
    loaded.delete(C, "C2")
    loaded.sync()
    assert "c2" not in loaded.dataverse.by_key("cards")
    done = undo(loaded)
    assert done.counts == {"create dataverse": 1}
    assert {n: v for n, v in loaded.card(D, "C2").items() if v is not None} == {
        n: v for n, v in held.items() if v is not None
    }
    record = loaded.record("C2")
    assert not record.unconfirmed, "the new row was seen before the undo ended"
    assert planned(loaded) == {"delete dataverse": 1}


def test_a_row_put_back_by_a_restore_goes_again(loaded: Bench) -> None:
    loaded.delete(D, "C3")
    loaded.sync()
    assert "c3" in loaded.dataverse.by_key("cards")
    undo(loaded)
    assert "c3" not in loaded.dataverse.by_key("cards")
    # The agreed pair is back as well: it is a delete the map restores, not a first contact.
    (made,) = loaded.rehearse().planned
    assert made.reason == "restored after a delete in dataverse"


def test_a_first_contact_is_one_again(bench: Bench) -> None:
    bench.new(C, "X", "ours")
    bench.new(D, "X", "theirs")
    bench.load()
    assert bench.card(D, "X")["name"] == "ours"
    undo(bench, last_run(bench, "load"))
    assert bench.card(D, "X")["name"] == "theirs"
    # An edit made since in Dataverse must not be lost to the master's value without a word.
    bench.edit(D, "X", level=3)
    bench.sync()
    assert bench.card(D, "X")["name"] == "ours"
    assert bench.card(C, "X")["Level"] == 3
    bench.assert_settled()


def test_a_whole_load_goes_back(loaded: Bench) -> None:
    loaded.guard = Guard(rows=100, share=1.0)
    done = undo(loaded, last_run(loaded, "load"))
    assert done.counts == {"delete dataverse": 5, "delete commerce": 3}
    assert loaded.commerce.by_key("Cards").keys() == {f"c{n}" for n in range(1, 6)}
    assert loaded.dataverse.by_key("cards").keys() == {f"d{n}" for n in range(1, 4)}


def test_a_target_that_shortens_what_it_is_given_is_no_edit(loaded: Bench) -> None:
    loaded.dataverse.loses["name"] = lambda value: str(value)[:3]
    loaded.edit(C, "C1", Name="shortened")
    loaded.new(C, "N1", "shortened")
    loaded.sync()
    assert loaded.card(D, "C1")["name"] == "sho"
    done = undo(loaded)
    assert done.counts == {"update dataverse": 1, "delete dataverse": 1}
    assert done.left_count == 0
    assert loaded.card(D, "C1")["name"] == "C1"


# ---------------------------------------------------------------------------- what is left alone


def test_what_somebody_changed_since_is_not_touched(loaded: Bench) -> None:
    for n in range(1, 5):
        loaded.edit(C, f"C{n}", Name="bad")
    loaded.new(C, "N1")
    loaded.new(C, "N2")
    loaded.sync()
    loaded.edit(D, "C1", name="mine")
    loaded.edit(D, "C2", level=4)
    loaded.edit(D, "C3", name="C3")
    loaded.delete(D, "C4")
    loaded.edit(D, "N1", level=1)
    loaded.delete(D, "N2")
    done = undo(loaded)
    assert reasons(done) == {
        "C1": "changed since: name",
        "C3": "changed back since by somebody",
        "C4": "deleted since",
        "N1": "changed since: level",
        "N2": "deleted since",
    }
    assert loaded.card(D, "C1")["name"] == "mine"
    assert loaded.card(D, "C2") | {"name": "C2", "level": 4} == loaded.card(D, "C2")
    assert "n1" in loaded.dataverse.by_key("cards")


def test_an_edit_outside_the_map_keeps_a_created_row(loaded: Bench) -> None:
    loaded.new(C, "N1")
    loaded.sync()
    loaded.edit(D, "N1", telephone="a column the map does not know")
    assert reasons(undo(loaded)) == {"N1": "edited since by somebody"}


def test_a_later_run_that_wrote_the_same_column_keeps_it(loaded: Bench) -> None:
    loaded.edit(C, "C1", Name="bad")
    loaded.edit(C, "C2", Name="bad")
    loaded.sync()
    bad = last_run(loaded, "sync")
    loaded.edit(C, "C1", Name="good")
    loaded.edit(C, "C2", Level=5)
    loaded.sync()
    done = undo(loaded, bad)
    assert reasons(done) == {"C1": "changed since: name"}
    assert loaded.card(D, "C1")["name"] == "good"
    assert loaded.card(D, "C2")["name"] == "C2"
    assert loaded.card(D, "C2")["level"] == 5
    assert planned(loaded) == {"update dataverse": 1}


def test_a_row_created_again_since_stays(loaded: Bench) -> None:
    loaded.delete(C, "C2")
    loaded.sync()
    loaded.dataverse.put("cards", "another", number="C2", name="new", active=True)
    assert reasons(undo(loaded)) == {"C2": "there again since"}


def test_deletes_count_against_the_guard(loaded: Bench) -> None:
    for n in range(10, 16):
        loaded.new(C, f"N{n}")
    loaded.sync()
    bad = last_run(loaded, "sync")
    loaded.guard = Guard(rows=2, share=1.0)
    assert rehearsed(loaded).held_back == {D: 4}
    done = undo(loaded)
    assert (done.held_back, done.counts) == ({D: 4}, {"delete dataverse": 2})
    assert len(done.planned) == 2
    assert len(loaded.dataverse.rows["cards"]) == 12
    store = loaded.open()
    row = store.map_row("card")
    assert row is not None

    def release(count: int) -> None:
        map, entities = loaded.compiled()
        with running("x", map, entities, loaded.ports(), loaded.tuning, held=True) as run:
            work = run.work()
            work.map = replace(row, allowed_deletes=count)
            run.commit(work)

    release(3)
    assert undo(loaded, bad).held_back == {D: 1}
    release(1)
    assert not undo(loaded, bad).held_back
    assert len(loaded.dataverse.rows["cards"]) == 8


# ---------------------------------------------------------------------------- again and again


def test_an_undo_can_be_undone(loaded: Bench) -> None:
    loaded.guard = Guard(rows=100, share=1.0)
    loaded.edit(C, "C1", Name="bad")
    loaded.delete(C, "C2")
    loaded.new(C, "N1")
    loaded.sync()
    after = both(loaded)
    undo(loaded)
    done = undo(loaded, last_run(loaded, "undo"))
    assert done.left_count == 0
    assert both(loaded) == after
    loaded.assert_settled()


def test_a_second_undo_of_the_same_run_does_nothing(loaded: Bench) -> None:
    loaded.edit(C, "C1", Name="bad")
    loaded.delete(C, "C2")
    loaded.new(C, "N1")
    loaded.sync()
    bad = last_run(loaded, "sync")
    undo(loaded, bad)
    writes, sides = loaded.writes(), both(loaded)
    again = undo(loaded, bad)
    assert (again.counts, again.left_count, loaded.writes()) == ({}, 0, writes)
    assert both(loaded) == sides


def test_a_dry_run_leaves_no_trace(loaded: Bench) -> None:
    loaded.edit(C, "C1", Name="bad")
    loaded.sync()
    loaded.edit(D, "C1", level=8)
    before, writes = loaded.record("C1"), loaded.writes()
    runs = len(loaded.open().runs("card", 100))
    dry = rehearsed(loaded)
    (one,) = dry.planned
    assert (one.key, one.write.values, one.write.before) == ("C1", {"name": "C1"}, {"name": "bad"})
    assert loaded.record("C1") == before
    assert loaded.writes() == writes
    assert len(loaded.open().runs("card", 100)) == runs


def test_what_fails_for_a_while_is_tried_again(loaded: Bench) -> None:
    loaded.guard = Guard(rows=100, share=1.0)
    loaded.edit(C, "C1", Name="bad")
    loaded.delete(C, "C2")
    loaded.new(C, "N1")
    loaded.sync()
    faults: list[Fault] = ["transient", "lost-after", "lost-before", "lost-after"]

    def fault(_operation: Operation) -> Fault | None:
        return faults.pop(0) if faults else None

    loaded.dataverse.fault = fault
    done = undo(loaded)
    assert done.left_count == 0
    assert loaded.card(D, "C1")["name"] == "C1"
    assert loaded.dataverse.by_key("cards").keys() >= {"c2"}
    assert "n1" not in loaded.dataverse.by_key("cards")
    assert planned(loaded) == {"update dataverse": 1, "delete dataverse": 1, "create dataverse": 1}


def test_what_a_side_refuses_is_told(loaded: Bench) -> None:
    loaded.edit(C, "C1", Name="bad")
    loaded.sync()
    loaded.dataverse.fault = lambda _operation: "rejected"
    done = undo(loaded)
    assert "refused the update: it is not wanted" in reasons(done)["C1"]
    assert loaded.card(D, "C1")["name"] == "bad"


class Start:
    """Both systems and the state, to begin from again and again."""

    def __init__(self, bench: Bench, folder: Path) -> None:
        bench.close()
        self._bench = bench
        self._sides = copy.deepcopy((bench.commerce, bench.dataverse))
        self._file = folder / "start.db"
        shutil.copy(bench.path, self._file)

    def again(self, moments: Moments) -> None:
        """Everything as it was; the next process dies where `moments` says."""
        bench = self._bench
        bench.close()
        for suffix in ("-wal", "-shm"):
            bench.path.with_name(bench.path.name + suffix).unlink(missing_ok=True)
        shutil.copy(self._file, bench.path)
        bench.commerce, bench.dataverse = copy.deepcopy(self._sides)
        bench.reopen(moments)


def test_killed_at_every_moment(bench: Bench, tmp_path: Path) -> None:
    """Whatever is left, the same command again ends where it would have ended."""
    bench.guard = Guard(rows=100, share=1.0)
    for n in range(1, 6):
        bench.new(C, f"C{n}")
    bench.load()
    bench.edit(C, "C1", Name="bad")
    bench.edit(C, "C2", Name="bad", Level=2)
    bench.edit(D, "C3", name="bad")
    bench.delete(C, "C4")
    bench.new(C, "N1")
    bench.new(D, "N2")
    bench.sync()
    bad = last_run(bench, "sync")
    start = Start(bench, tmp_path)
    start.again(Moments())
    undo(bench, bad)
    wanted, resuming = both(bench), planned(bench)
    moments = 0
    for moment in range(1, 500):
        start.again(Moments(kill_at=moment))
        try:
            undo(bench, bad)
        except Killed:
            names = bench.moments.names
        else:
            moments = moment
            break
        bench.reopen()
        try:
            done = undo(bench, bad)
            assert done.left_count == 0, done.left
            assert both(bench) == wanted
            assert planned(bench) == resuming
            for records in bench.records().values():
                for record in records:
                    for side in Side:
                        assert record.side(side).presence is not Presence.UNKNOWN
        except BaseException as error:
            error.add_note(f"killed at {moment}: {names[-4:]}")
            raise
    assert moments > 25
    kinds = {type(operation) for operation in bench.dataverse.written}
    assert Create in kinds
