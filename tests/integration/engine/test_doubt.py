"""Writes of ours whose replies were lost are no edits of people, on whichever side they are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import pytest

from connector.endpoints.base import Update
from connector.mapping.values import Side
from connector.store.work import ChangeKind
from tests.integration.engine.conftest import map_text
from tests.integration.engine.scripted import SOMEBODY, Fault, Killed, Moments

if TYPE_CHECKING:
    from tests.integration.engine.conftest import Bench, MakeBench

C, D = Side.COMMERCE, Side.DATAVERSE
BOTH_WRITTEN = ("commerce has written", "dataverse is asked to write", "dataverse has written")


@pytest.fixture
def in_doubt(loaded: Bench) -> Bench:
    """Both sides of C1 were written to each other's edit, and nobody lived to see it."""
    loaded.edit(C, "C1", Level=2)
    loaded.edit(D, "C1", name="theirs")
    loaded.reopen(Moments(kill_on=BOTH_WRITTEN))
    with pytest.raises(Killed):
        loaded.sync()
    loaded.reopen()
    return loaded


def test_an_edit_made_since_meets_no_edit_of_ours(in_doubt: Bench) -> None:
    in_doubt.edit(C, "C1", Level=3)
    in_doubt.sync()
    assert in_doubt.card(D, "C1")["level"] == 3
    in_doubt.assert_settled()


def test_the_audit_tells_of_edits_of_people_only(in_doubt: Bench) -> None:
    in_doubt.sync()
    seen = [row for row in in_doubt.history("C1") if row.kind is ChangeKind.SEEN]
    assert [row.detail for row in seen] == [SOMEBODY, SOMEBODY]
    in_doubt.assert_settled()


LOST: list[Fault | Literal["crash"]] = ["lost-after", "lost-before", "crash"]


def sync_in_doubt(bench: Bench, fault: Fault | Literal["crash"]) -> int:
    """Syncs until all is settled, the reply to the first write to Dataverse lost; edits lost."""
    counted = 0
    if fault == "crash":
        bench.reopen(Moments(kill_on=["dataverse has written"]))
        with pytest.raises(Killed):
            bench.sync()
        bench.reopen()
    else:
        left = [fault]
        bench.dataverse.fault = lambda _operation: left.pop() if left else None
    for _ in range(3):
        bench.sync()
        counted += bench.counts.get("lost", 0)
        bench.ahead += 5
    return counted


def lost(bench: Bench, number: int) -> list[tuple[object, object, str | None]]:
    """What gave way, as the audit tells it."""
    rows = bench.open().history(number)
    return [(r.before, r.after, r.detail) for r in rows if r.kind is ChangeKind.LOST]


@pytest.mark.parametrize("fault", LOST)
def test_an_edit_that_gave_way_to_a_write_in_doubt_is_told_once(
    make_bench: MakeBench, fault: Fault | Literal["crash"]
) -> None:
    bench = make_bench(map_text(conflict="commerce"))
    bench.new(C, "C1")
    bench.load()
    bench.edit(C, "C1", Name="ours", Level=4)
    bench.edit(D, "C1", name="theirs")
    counted = sync_in_doubt(bench, fault)
    assert bench.card(D, "C1")["name"] == "ours"
    told = lost(bench, bench.record("C1").number)
    assert told == [({"name": "theirs"}, {"name": "ours"}, "Name")]
    assert counted == 1
    bench.assert_settled()


@pytest.mark.parametrize("fault", LOST)
def test_drift_that_gave_way_to_a_write_in_doubt_is_told_once(
    loaded: Bench, fault: Fault | Literal["crash"]
) -> None:
    loaded.edit(D, "C1", note="drifted")
    loaded.sync()
    loaded.edit(C, "C1", Note="ours")
    assert sync_in_doubt(loaded, fault) == 1
    told = lost(loaded, loaded.record("C1").number)
    assert told == [({"note": "drifted"}, {"note": "ours"}, "Note")]


@pytest.mark.parametrize("fault", LOST)
def test_what_gave_way_in_doubt_at_first_contact_is_told_once(
    make_bench: MakeBench, fault: Fault | Literal["crash"]
) -> None:
    bench = make_bench()
    bench.new(C, "C1")
    bench.load()
    bench.new(C, "both", "ours")
    bench.new(D, "both", "theirs")
    assert sync_in_doubt(bench, fault) == 1
    told = lost(bench, bench.record("both").number)
    assert told == [({"name": "theirs"}, {"name": "ours"}, "Name")]
    bench.assert_settled()


@pytest.mark.parametrize("fault", LOST)
def test_an_edit_that_gave_way_to_a_delete_in_doubt_is_told_once(
    loaded: Bench, fault: Fault | Literal["crash"]
) -> None:
    loaded.delete(C, "C1")
    loaded.edit(D, "C1", name="theirs")
    number = loaded.record("C1").number
    counted = sync_in_doubt(loaded, fault)
    assert "c1" not in loaded.dataverse.by_key("cards")
    assert lost(loaded, number) == [({"name": "theirs"}, {"name": None}, "Name")]
    assert counted == 1
    removed = [row.side for row in loaded.open().history(number) if row.detail == "deleted"]
    assert removed == [C], "what we deleted was removed by nobody"
    loaded.assert_settled()


@pytest.mark.parametrize("fault", LOST)
def test_a_write_in_doubt_over_no_edit_loses_nothing(
    loaded: Bench, fault: Fault | Literal["crash"]
) -> None:
    loaded.edit(C, "C1", Name="ours")
    assert sync_in_doubt(loaded, fault) == 0
    assert lost(loaded, loaded.record("C1").number) == []
    loaded.assert_settled()


def shortening(bench: Bench) -> Bench:
    """Dataverse keeps five characters of a name and tens of a level, and does not say so."""
    bench.dataverse.loses = {
        "name": lambda value: str(value)[:5],
        "level": lambda value: value // 10 * 10 if isinstance(value, int) else value,
    }
    return bench


def written(bench: Bench) -> list[object]:
    """What our updates of Dataverse that took effect carried."""
    return [one.values for one in bench.dataverse.written if isinstance(one, Update)]


@pytest.mark.parametrize("fault", LOST)
def test_a_write_in_doubt_that_was_shortened_is_not_sent_again(
    loaded: Bench, fault: Fault | Literal["crash"]
) -> None:
    shortening(loaded).edit(C, "C1", Name="a longer name", Level=123)
    sync_in_doubt(loaded, fault)
    assert written(loaded) == [{"name": "a longer name", "level": 123}]
    assert loaded.card(C, "C1")["Name"] == "a longer name"
    assert loaded.card(D, "C1")["name"] == "a lon"
    loaded.assert_settled()


def test_an_edit_after_a_shortened_write_in_doubt_meets_no_edit_of_ours(
    make_bench: MakeBench,
) -> None:
    bench = shortening(make_bench(map_text(conflict="commerce")))
    bench.new(C, "C1")
    bench.load()
    bench.edit(C, "C1", Name="a longer name")
    bench.reopen(Moments(kill_on=["dataverse has written"]))
    with pytest.raises(Killed):
        bench.sync()
    bench.reopen()
    bench.sync(only="another")  # the feed tells of what we wrote; nothing is planned for C1
    bench.edit(D, "C1", name="their")
    bench.sync()
    assert bench.card(C, "C1")["Name"] == "their"
    assert lost(bench, bench.record("C1").number) == []
    bench.assert_settled()


def test_of_several_writes_in_doubt_the_one_that_fits_was_shortened(loaded: Bench) -> None:
    shortening(loaded).edit(C, "C1", Name="first, and lost")
    loaded.limits = replace(loaded.limits, rounds=1)
    faults: list[Fault] = ["lost-before", "lost-after"]
    loaded.dataverse.fault = lambda _operation: faults.pop(0) if faults else None
    loaded.sync()
    loaded.edit(C, "C1", Name="second, and longer")
    for _ in range(4):
        loaded.sync()
        loaded.ahead += 5
    assert faults == []
    assert written(loaded) == [{"name": "second, and longer"}]
    assert loaded.card(D, "C1")["name"] == "secon"
    loaded.assert_settled()


def test_the_source_goes_back_to_the_short_form_of_a_write_in_doubt(loaded: Bench) -> None:
    """It is an edit, though the target holds that very value already."""
    shortening(loaded).edit(C, "C1", Name="a longer name")
    loaded.reopen(Moments(kill_on=["dataverse has written"]))
    with pytest.raises(Killed):
        loaded.sync()
    loaded.reopen()
    loaded.edit(C, "C1", Name="a lon")
    loaded.sync()
    assert loaded.card(C, "C1")["Name"] == loaded.card(D, "C1")["name"] == "a lon"
    loaded.assert_settled()


def test_a_dry_run_of_a_delete_in_doubt(loaded: Bench) -> None:
    loaded.delete(C, "C1")
    loaded.reopen(Moments(kill_on=["dataverse has written"]))
    with pytest.raises(Killed):
        loaded.sync()
    loaded.reopen()
    assert loaded.rehearse().planned == []
