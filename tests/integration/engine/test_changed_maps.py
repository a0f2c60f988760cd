"""A map that changes in the middle of operation: the right records are planned anew, only those."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from connector.errors import MapError
from connector.mapping.values import Side
from connector.store.record import State
from connector.store.work import ChangeKind
from tests.integration.engine.scripted import Killed, Moments

if TYPE_CHECKING:
    from connector.engine.runs.run import MapRun
    from tests.integration.engine.conftest import Bench, MakeBench

C, D = Side.COMMERCE, Side.DATAVERSE
HEAD = """\
map: card
commerce: {entity: Cards}
dataverse: {entity: cards}
fields:
  - {commerce: Number, sync: "=", dataverse: number, key: true}
"""
NAME = '  - {commerce: Name, sync: "=", dataverse: name}\n'
NOTE = '  - {commerce: Note, sync: ">", dataverse: note}\n'
LEVEL = '  - {commerce: Active, sync: "><", dataverse: level, values: {Yes: 1, No: 2}}\n'
MAP = HEAD + NAME + NOTE + LEVEL


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    """Three cards on both sides, in sync under MAP."""
    bench = make_bench(MAP)
    for number, active in (("A", "Yes"), ("B", "No"), ("C", "Yes")):
        bench.new(C, number, f"name {number}")
        bench.edit(C, number, Active=active, Note=f"note {number}")
    bench.load()
    bench.sync()
    return bench


def changed(bench: Bench, old: str, new: str) -> None:
    """The map file is edited."""
    assert old in bench.text
    bench.text = bench.text.replace(old, new)


def quiet(bench: Bench) -> None:
    """Nothing is left to do, nothing differs, nobody is marked."""
    before = bench.writes()
    bench.sync()
    assert bench.writes() == before
    assert bench.counts.get("replanned", 0) == 0
    assert bench.verify().differences == 0
    assert all(not r.anew for records in bench.records().values() for r in records)


# ------------------------------------------------------------------ how values travel


def test_a_changed_value_map_is_pushed_to_those_it_concerns(bench: Bench) -> None:
    changed(bench, "{Yes: 1, No: 2}", "{Yes: 7, No: 2}")
    assert bench.rehearse().counts == {"update dataverse": 2}
    bench.sync()
    assert bench.counts["replanned"] == 2
    assert bench.counts["updated dataverse"] == 2
    assert [bench.card(D, key)["level"] for key in "ABC"] == [7, 2, 7]
    replaced = [row for row in bench.history("A") if row.kind is ChangeKind.UPDATE][-1]
    assert (replaced.before, replaced.after) == ({"level": 1}, {"level": 7})
    quiet(bench)


def test_an_edit_made_meanwhile_counts_before_the_new_rule(bench: Bench) -> None:
    bench.edit(D, "A", level=2)
    changed(bench, "{Yes: 1, No: 2}", "{Yes: 7, No: 2}")
    bench.sync()
    assert (bench.card(C, "A")["Active"], bench.card(D, "A")["level"]) == ("No", 2)
    assert bench.card(D, "C")["level"] == 7
    quiet(bench)


def test_edits_of_both_sides_made_meanwhile_are_a_conflict_still(bench: Bench) -> None:
    bench.edit(D, "A", level=2)
    bench.edit(C, "A", Active=None)
    changed(bench, "{Yes: 1, No: 2}", "{Yes: 7, No: 2}")
    bench.sync()
    assert bench.record("A").state is State.CONFLICT
    assert (bench.card(C, "A")["Active"], bench.card(D, "A")["level"]) == (None, 2)


@pytest.mark.parametrize("two_way", [True, False])
def test_a_changed_default_reaches_those_without_a_value(
    make_bench: MakeBench, two_way: bool
) -> None:
    sync = "><" if two_way else ">>"
    row = f'  - {{commerce: Note, sync: "{sync}", dataverse: note, default: {{dataverse: old}}}}\n'
    bench = make_bench(HEAD + row)
    bench.new(C, "A", "")
    bench.new(C, "B", "")
    bench.edit(C, "B", Note="mine")
    bench.load()
    assert [bench.card(D, key)["note"] for key in "AB"] == ["old", "mine"]
    changed(bench, "dataverse: old", "dataverse: new")
    bench.sync()
    assert [bench.card(D, key)["note"] for key in "AB"] == ["new", "mine"]
    assert bench.counts["replanned"] == 1
    assert bench.card(C, "A").get("Note") is None
    quiet(bench)


def test_a_changed_constant_is_written_and_what_stood_there_is_kept(make_bench: MakeBench) -> None:
    bench = make_bench(HEAD + '  - {sync: ">>", dataverse: note, constant: first}\n')
    bench.new(C, "A", "")
    bench.new(C, "B", "")
    bench.load()
    bench.edit(D, "B", note="a person's")
    bench.sync()
    changed(bench, "constant: first", "constant: second")
    bench.sync()
    assert [bench.card(D, key)["note"] for key in "AB"] == ["second", "second"]
    lost = [row for row in bench.history("B") if row.kind is ChangeKind.LOST]
    assert lost[-1].before == {"note": "a person's"}
    quiet(bench)


def test_a_value_the_new_rule_does_not_know_parks_its_record_alone(bench: Bench) -> None:
    changed(bench, "{Yes: 1, No: 2}", "{No: 3}")
    bench.sync()
    assert [bench.record(key).state for key in "ABC"] == [
        State.PARKED,
        State.SETTLED,
        State.PARKED,
    ]
    assert [bench.card(D, key)["level"] for key in "ABC"] == [1, 3, 1]
    changed(bench, "{No: 3}", "{Yes: 4, No: 3}")
    bench.sync()
    assert [bench.card(D, key)["level"] for key in "ABC"] == [4, 3, 4]
    quiet(bench)


def test_a_refused_write_is_tried_again_under_the_new_rule(bench: Bench) -> None:
    changed(bench, "{Yes: 1, No: 2}", "{Yes: 7, No: 2}")
    bench.sync(seconds=0.0)  # marked, and out of time
    bench.reopen()
    bench.sync()
    assert [bench.card(D, key)["level"] for key in "ABC"] == [7, 2, 7]
    quiet(bench)


# ------------------------------------------------------------------ columns


def test_a_new_column_meets_for_the_first_time(make_bench: MakeBench) -> None:
    bench = make_bench(HEAD + NOTE)
    for number in "ABCD":
        bench.new(C, number)
        bench.edit(C, number, Name=None)
    bench.load()
    bench.edit(C, "A", Name="ours")
    bench.edit(D, "A", name="theirs")
    bench.edit(D, "B", name="only theirs")
    bench.edit(C, "C", Name="the same")
    bench.edit(D, "C", name="the same")
    bench.sync()
    bench.text += NAME
    planned = bench.rehearse()
    assert planned.counts == {"update dataverse": 1, "update commerce": 1}
    bench.sync()
    assert [bench.card(C, key)["Name"] for key in "ABCD"] == [
        "ours",
        "only theirs",
        "the same",
        None,
    ]
    assert [bench.card(D, key).get("name") for key in "ABCD"] == [
        "ours",
        "only theirs",
        "the same",
        None,
    ]
    lost = [row for row in bench.history("A") if row.kind is ChangeKind.LOST]
    assert [row.before for row in lost] == [{"name": "theirs"}]
    assert not [row for row in bench.history("C") if row.kind is ChangeKind.SEEN]
    quiet(bench)


def test_nothing_is_written_before_a_new_column_was_read_of_both_sides(
    make_bench: MakeBench,
) -> None:
    bench = make_bench(HEAD + NOTE, page=1)
    for number in "ABC":
        bench.new(C, number)
    bench.load()
    bench.edit(C, "C", Name="ours", Note="edited")
    bench.edit(D, "C", name="theirs")
    bench.text += NAME
    before = bench.writes()
    pages = iter([False] * 4)
    bench.stopping = lambda: next(pages, True)
    bench.sync()
    assert bench.writes() == before
    bench.stopping = lambda: False
    bench.reopen()
    bench.sync()
    assert (bench.card(D, "C")["name"], bench.card(D, "C")["note"]) == ("ours", "edited")
    assert {"name": "theirs"} in [row.before for row in bench.history("C")]
    quiet(bench)


def test_a_removed_row_writes_nothing_and_ends_its_conflicts(bench: Bench) -> None:
    bench.edit(C, "A", Name="ours")
    bench.edit(D, "A", name="theirs")
    bench.sync()
    assert bench.record("A").state is State.CONFLICT
    before = bench.writes()
    changed(bench, NAME, "")
    bench.sync()
    assert bench.writes() == before
    assert bench.record("A").state is State.SETTLED
    assert (bench.card(C, "A")["Name"], bench.card(D, "A")["name"]) == ("ours", "theirs")
    quiet(bench)


# ------------------------------------------------------------------ directions


def test_drift_travels_once_the_field_goes_both_ways(bench: Bench) -> None:
    bench.edit(D, "B", note="drifted")
    bench.sync()
    assert bench.card(C, "B")["Note"] == "note B"
    changed(bench, 'Note, sync: ">"', 'Note, sync: "="')
    assert bench.rehearse().counts == {"update commerce": 1}
    bench.sync()
    assert bench.counts["replanned"] == 1
    assert bench.card(C, "B")["Note"] == "drifted"
    replaced = [row for row in bench.history("B") if row.kind is ChangeKind.UPDATE][-1]
    assert replaced.before == {"Note": "note B"}
    quiet(bench)


def test_one_way_from_now_on_writes_nothing_by_itself(bench: Bench) -> None:
    before = bench.writes()
    changed(bench, 'Name, sync: "="', 'Name, sync: ">"')
    bench.sync()
    assert (bench.writes(), bench.counts.get("replanned", 0)) == (before, 0)
    bench.edit(D, "A", name="drift")
    bench.edit(C, "B", Name="news")
    bench.sync()
    assert (bench.card(C, "A")["Name"], bench.card(D, "B")["name"]) == ("name A", "news")


def test_a_conflict_is_decided_by_the_new_direction(bench: Bench) -> None:
    bench.edit(C, "A", Name="ours")
    bench.edit(D, "A", name="theirs")
    bench.sync()
    changed(bench, 'Name, sync: "="', 'Name, sync: ">"')
    bench.sync()
    assert bench.card(D, "A")["name"] == "ours"
    assert {"name": "theirs"} in [
        row.before for row in bench.history("A") if row.kind is ChangeKind.LOST
    ]
    quiet(bench)


# ------------------------------------------------------------------ the map as a whole


def test_open_conflicts_are_decided_by_a_new_policy(bench: Bench) -> None:
    bench.edit(C, "A", Name="ours")
    bench.edit(D, "A", name="theirs")
    bench.sync()
    changed(bench, "fields:", "conflict: dataverse\nfields:")
    bench.sync()
    assert bench.card(C, "A")["Name"] == "theirs"
    quiet(bench)


def test_rows_a_filter_no_longer_keeps_out_travel(make_bench: MakeBench) -> None:
    head = HEAD.replace("{entity: Cards}", "{entity: Cards, filter: \"Name eq 'in'\"}")
    bench = make_bench(head + NAME)
    bench.new(C, "A", "in")
    bench.new(C, "B", "out")
    bench.load()
    assert set(bench.dataverse.by_key("cards")) == {"a"}
    changed(bench, ", filter: \"Name eq 'in'\"", "")
    bench.sync()
    assert bench.card(D, "B")["name"] == "out"
    quiet(bench)


def test_a_title_or_a_version_replans_nothing(bench: Bench) -> None:
    changed(bench, "map: card\n", "map: card\ntitle: Cards\nversion: 2.0.0.0\n")
    bench.sync()
    assert bench.counts.get("replanned", 0) == 0
    row = bench.open().map_row("card")
    assert row is not None
    assert (row.version, row.loaded_at is not None) == ("2.0.0.0", True)


@pytest.mark.parametrize("text", ["number, key: true", "entity: cards"])
def test_a_map_that_pairs_other_records_is_refused(bench: Bench, text: str) -> None:
    if text == "entity: cards":
        bench.text = bench.text.replace("dataverse: {entity: cards}", "dataverse: {entity: others}")
        bench.dataverse.tables["others"] = bench.dataverse.tables["cards"]
        bench.dataverse.rows["others"] = {}
    else:
        changed(
            bench,
            'commerce: Number, sync: "=", dataverse: number, key',
            'commerce: Name, sync: "=", dataverse: name, key',
        )
        changed(bench, NAME, "")
    with pytest.raises(MapError) as caught:
        bench.sync()
    assert caught.value.code == "map-rekeyed"


def test_a_map_that_changes_while_it_is_loaded_is_loaded_by_its_new_rules(
    make_bench: MakeBench,
) -> None:
    bench = make_bench(MAP, page=1)
    for number in "ABC":
        bench.new(C, number, f"name {number}")
        bench.edit(C, number, Active="Yes")
    pages = iter([False] * 6)
    bench.stopping = lambda: next(pages, True)
    bench.load()
    bench.stopping = lambda: False
    bench.reopen()
    changed(bench, "{Yes: 1, No: 2}", "{Yes: 7, No: 2}")
    bench.load()
    bench.sync()
    assert [bench.card(D, key)["level"] for key in "ABC"] == [7, 7, 7]
    quiet(bench)


# ------------------------------------------------------------------ interrupted, and unknown


@pytest.mark.parametrize("moment", range(1, 13))
def test_whoever_is_killed_while_marking_begins_again(make_bench: MakeBench, moment: int) -> None:
    bench = make_bench(MAP, page=1)
    for number in "ABC":
        bench.new(C, number)
        bench.edit(C, number, Active="Yes")
    bench.load()
    changed(bench, "{Yes: 1, No: 2}", "{Yes: 7, No: 2}")
    bench.reopen(Moments(moment))
    with pytest.raises(Killed):
        bench.sync()
    bench.reopen()
    bench.sync()
    assert [bench.card(D, key)["level"] for key in "ABC"] == [7, 7, 7]
    quiet(bench)


def test_a_state_that_did_not_keep_its_map_has_new_columns_meet(make_bench: MakeBench) -> None:
    bench = make_bench(HEAD + NOTE)
    bench.new(C, "A", "ours")
    bench.new(C, "B", "same")
    bench.load()
    bench.edit(D, "A", name="theirs")
    bench.sync()

    def forget(run: MapRun) -> None:
        row = run.store.map_row("card")
        assert row is not None
        work = run.work()
        work.map = replace(row, document=None)
        run.commit(work)

    bench.run(forget)
    bench.text += NAME
    bench.sync()
    assert [bench.card(D, key).get("name") for key in "AB"] == ["ours", "same"]
    assert {"name": "theirs"} in [row.before for row in bench.history("A")]
    quiet(bench)


def test_a_state_that_did_not_keep_its_map_learns_it(bench: Bench) -> None:
    def forget(run: MapRun) -> None:
        row = run.store.map_row("card")
        assert row is not None
        work = run.work()
        work.map = replace(row, document=None)
        run.commit(work)

    bench.run(forget)
    bench.sync()
    assert bench.counts.get("replanned", 0) == 0
    row = bench.open().map_row("card")
    assert row is not None
    assert row.document is not None
