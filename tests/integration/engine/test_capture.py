"""What is read from a side: late news, positions, scans that are cut short, absence."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import pytest

from connector.endpoints.base import Page
from connector.engine.capture import capture
from connector.engine.news.absorb import absorb
from connector.engine.runs.run import MapRun
from connector.errors import MapStoppedError
from connector.mapping.values import Side
from connector.store.record import Presence
from tests.integration.engine.scripted import Killed, Moments

if TYPE_CHECKING:
    from tests.integration.engine.conftest import Bench, MakeBench

C, D = Side.COMMERCE, Side.DATAVERSE


def test_a_late_observation_never_replaces_a_newer_one(loaded: Bench) -> None:
    def work(run: MapRun) -> None:
        names = run.map.column_names(D)
        id = loaded.dataverse.id_of("cards", "C1")
        early = run.numbers("tick")
        (row,) = loaded.dataverse.read("cards", names, by=None, values=[id]).rows[id]
        loaded.edit(D, "C1", name="newer")
        capture(run, D)
        run.commit(absorb(run, D, early, Page([row])).seal(run))

    loaded.run(work)
    image = loaded.record("C1").dataverse.image
    assert image is not None
    assert "newer" in image
    loaded.sync()
    assert loaded.card(C, "C1")["Name"] == "newer"


def test_what_was_seen_before_a_write_and_told_after_it_makes_no_edit(loaded: Bench) -> None:
    loaded.edit(C, "C1", Name="ours")

    def work(run: MapRun) -> None:
        names = run.map.column_names(D)
        id = loaded.dataverse.id_of("cards", "C1")
        early = run.numbers("tick")
        (row,) = loaded.dataverse.read("cards", names, by=None, values=[id]).rows[id]
        loaded.sync_in(run)
        run.commit(absorb(run, D, early, Page([row])).seal(run))

    loaded.run(work)
    loaded.sync()
    assert loaded.card(C, "C1")["Name"] == loaded.card(D, "C1")["name"] == "ours"
    loaded.assert_settled()


def test_a_position_moves_only_with_what_it_covers(loaded: Bench) -> None:
    def feed() -> str | None:
        return loaded.open().positions("card")[D, "feed"].text

    before = feed()
    for n in range(1, 6):
        loaded.edit(D, f"C{n}", name=f"edited {n}")
    loaded.reopen(Moments(kill_on=("dataverse is asked to changes", "before commit")))
    with pytest.raises(Killed):
        loaded.sync()
    loaded.reopen()
    assert feed() == before
    loaded.sync()
    assert feed() != before
    assert [loaded.card(C, f"C{n}")["Name"] for n in range(1, 6)] == [
        f"edited {n}" for n in range(1, 6)
    ]


def test_a_scan_goes_on_after_its_last_page(make_bench: MakeBench) -> None:
    bench = make_bench(page=2)
    for n in range(9):
        bench.new(C, f"C{n}")
    bench.stopping = lambda: bench.commerce.calls["scan"] >= 2
    assert not bench.load().finished
    assert bench.commerce.calls["scan"] == 2
    bench.stopping = lambda: False
    assert bench.load().finished
    assert bench.commerce.calls["scan"] <= 6  # a page may be read ahead in vain
    assert len(bench.dataverse.written) == 9
    bench.assert_settled()


def test_an_expired_feed_becomes_a_scan_that_misses_nothing(loaded: Bench) -> None:
    loaded.edit(D, "C1", name="edited")
    loaded.new(D, "D9")
    loaded.delete(D, "C2")
    loaded.delete(C, "C3")
    loaded.dataverse.forget_feed()
    loaded.commerce.forget_feed()
    assert loaded.sync().finished
    assert loaded.card(C, "C1")["Name"] == "edited"
    assert loaded.card(C, "D9")["Name"] == "D9"
    assert loaded.card(D, "C2")["name"] == "C2"
    assert "c3" not in loaded.dataverse.by_key("cards")
    loaded.assert_settled()


def test_absence_in_a_scan_is_a_suspicion_until_the_row_was_read(loaded: Bench) -> None:
    shy = loaded.commerce.id_of("Cards", "C2")
    loaded.commerce.hidden = lambda id: id == shy
    loaded.commerce.forget_feed()
    before = loaded.writes()
    assert loaded.sync().finished
    assert loaded.writes() == before
    assert loaded.record("C2").commerce.presence is Presence.PRESENT
    assert loaded.commerce.calls["read"] == 1


def test_a_scan_that_finds_nothing_stops_the_map(loaded: Bench) -> None:
    loaded.commerce.hidden = lambda _id: True
    loaded.commerce.forget_feed()
    before, scans = loaded.writes(), loaded.commerce.calls["scan"]
    for _ in range(2):
        with pytest.raises(MapStoppedError) as told:
            loaded.sync()
        assert told.value.code == "scan-empty"
    assert loaded.writes() == before
    loaded.commerce.hidden = lambda _id: False
    with pytest.raises(MapStoppedError):
        loaded.sync()
    assert loaded.commerce.calls["scan"] == scans + 1, "it holds the map until a person has looked"
    loaded.resume(0)
    assert loaded.sync().finished
    loaded.assert_settled()


def test_a_table_emptied_on_purpose_is_believed_where_a_person_released_as_much(
    loaded: Bench,
) -> None:
    for rows in list(loaded.commerce.rows["Cards"]):
        loaded.commerce.drop("Cards", rows)
    loaded.commerce.forget_feed()
    with pytest.raises(MapStoppedError):
        loaded.sync()
    loaded.resume(7)
    with pytest.raises(MapStoppedError, match="8 records"):
        loaded.sync()
    loaded.resume(8)
    assert loaded.sync().finished
    assert loaded.dataverse.by_key("cards") == {}
    loaded.assert_settled()


def test_a_row_a_scan_hands_out_again_after_an_edit_is_not_lost(make_bench: MakeBench) -> None:
    bench = make_bench(page=2)
    for n in range(4):
        bench.new(C, f"C{n}")
    bench.commerce.repeated = {bench.commerce.id_of("Cards", "C0")}

    def edit_meanwhile() -> None:
        bench.dataverse.before_write = lambda: None
        bench.edit(C, "C0", Name="edited meanwhile")

    bench.dataverse.before_write = edit_meanwhile
    assert bench.load().finished
    assert bench.card(D, "C0")["name"] == "edited meanwhile"
    bench.assert_settled()


def test_a_side_restored_from_its_backup_is_seen_as_it_is(loaded: Bench) -> None:
    """Its versions went back; what it holds now counts, not what it once held."""
    backup = copy.deepcopy(loaded.dataverse.rows["cards"])
    for n in (1, 2):
        loaded.edit(D, f"C{n}", name="after the backup")
    loaded.sync()
    loaded.dataverse.rows["cards"] = backup
    loaded.dataverse.forget_feed()
    loaded.sync()
    assert loaded.card(C, "C1")["Name"] == loaded.card(D, "C1")["name"]
    loaded.assert_settled()
