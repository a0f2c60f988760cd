"""The initial write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from connector.endpoints.base import Create, Operation, Update
from connector.engine.apply import Applier
from connector.engine.cycle import settle_due
from connector.engine.news.absorb import Absorbed
from connector.engine.retry import Retry
from connector.engine.runs.run import MapRun
from connector.errors import UsageError
from connector.mapping.values import Side
from connector.store.record import Record

if TYPE_CHECKING:
    from tests.integration.engine.conftest import Bench, MakeBench


def test_brings_both_sides_together(loaded: Bench) -> None:
    assert len(loaded.commerce.by_key("Cards")) == len(loaded.dataverse.by_key("cards")) == 8
    assert loaded.card(Side.DATAVERSE, "C1")["active"] is True
    assert loaded.card(Side.COMMERCE, "D1")["Active"] == "Yes"
    loaded.assert_settled()


def test_refuses_a_map_that_is_loaded(loaded: Bench) -> None:
    with pytest.raises(UsageError) as told:
        loaded.load()
    assert told.value.code == "map-loaded"


def test_again_compares_every_row_and_writes_only_what_differs(loaded: Bench) -> None:
    loaded.edit(Side.COMMERCE, "C1", Name="new")
    before = loaded.writes()
    assert loaded.load(again=True).finished
    assert loaded.writes() == before + 1
    assert loaded.card(Side.DATAVERSE, "C1")["name"] == "new"
    loaded.assert_settled()


def test_masters_values_win_at_first_contact_and_nulls_are_filled(bench: Bench) -> None:
    bench.new(Side.COMMERCE, "A", "ours")
    bench.commerce.put("Cards", "c-A", Level=None)
    bench.new(Side.DATAVERSE, "a", "theirs")
    bench.dataverse.put("cards", "d-a", level=7)
    bench.load()
    assert bench.card(Side.DATAVERSE, "a")["name"] == "ours"
    assert bench.card(Side.COMMERCE, "a")["Level"] == 7
    losses = [change for change in bench.history("a") if change.kind == "lost"]
    assert [change.before for change in losses] == [{"name": "theirs"}]
    bench.assert_settled()


def test_the_other_side_may_be_master_for_one_load(bench: Bench) -> None:
    bench.new(Side.COMMERCE, "A", "ours")
    bench.new(Side.DATAVERSE, "A", "theirs")
    bench.load(master=Side.DATAVERSE)
    assert bench.card(Side.COMMERCE, "A")["Name"] == "theirs"
    bench.assert_settled()


def test_an_edit_made_before_the_row_was_read_back_is_a_persons(bench: Bench) -> None:
    """A bulk create shows no row; whoever is last modifier of its first sight decides."""
    for n in range(6):
        bench.new(Side.COMMERCE, f"C{n}")
    changes = bench.dataverse.changes

    def edited_first(*args: Any) -> Any:
        if not bench.dataverse.rows["cards"]:
            return changes(*args)
        bench.dataverse.changes = changes  # type: ignore[method-assign]
        bench.edit(Side.DATAVERSE, "C2", name="edited")
        bench.delete(Side.DATAVERSE, "C3")
        return changes(*args)

    bench.dataverse.changes = edited_first  # type: ignore[method-assign,assignment]
    bench.load()
    assert bench.card(Side.COMMERCE, "C2")["Name"] == "edited"
    # A card deleted in Dataverse is put back, under this map.
    assert bench.card(Side.DATAVERSE, "C3")["name"] == "C3"
    (seen,) = [change for change in bench.history("C2") if change.kind == "seen"]
    assert (seen.before, seen.after) == ({"name": "C2"}, {"name": "edited"})
    bench.assert_settled()


def test_a_state_that_was_lost_is_built_anew_without_a_write(loaded: Bench) -> None:
    before = loaded.writes()
    loaded.close()
    for path in loaded.path.parent.glob(f"{loaded.path.name}*"):
        path.unlink()
    assert loaded.load().finished
    assert loaded.writes() == before
    loaded.assert_settled()


def test_nothing_on_both_sides(bench: Bench) -> None:
    assert bench.load().finished
    bench.assert_settled()
    bench.new(Side.COMMERCE, "first")
    bench.sync()
    assert "first" in bench.dataverse.by_key("cards")


def test_creates_that_wait_longer_than_the_load_leave_it_unfinished(bench: Bench) -> None:
    """A service that asks for patience is no error; the same command goes on later."""
    for n in range(3):
        bench.new(Side.COMMERCE, f"C{n}")
    busy = True
    bench.dataverse.fault = lambda _operation: "transient" if busy else None
    bench.retry = Retry(attempts=8, first=3600.0, longest=3600.0)
    assert not bench.load().finished
    assert not bench.dataverse.rows["cards"]
    busy = False
    bench.ahead += 3600.0
    assert bench.load().finished
    bench.assert_settled()


def test_updates_that_wait_leave_the_map_loaded_and_are_for_sync(bench: Bench) -> None:
    """Whoever loads until it is finished is not refused for a map that is loaded."""
    bench.new(Side.COMMERCE, "A", "ours")
    bench.new(Side.DATAVERSE, "A", "theirs")
    bench.retry = Retry(attempts=8, first=3600.0, longest=3600.0)
    bench.dataverse.fault = lambda operation: "transient" if isinstance(operation, Update) else None
    assert bench.load().finished
    assert bench.record("A").due is not None
    with pytest.raises(UsageError, match="loaded already"):
        bench.load()
    bench.dataverse.fault = lambda _operation: None
    bench.ahead += 3600.0
    assert bench.sync().finished
    assert bench.card(Side.DATAVERSE, "A")["name"] == "ours"
    bench.assert_settled()


def test_a_row_that_changed_while_it_was_scanned_is_seen_before_anything_is_made(
    bench: Bench,
) -> None:
    """A scan may leave such a row out; the feed that begins with it tells of it."""
    for side in Side:
        for n in range(4):
            bench.new(side, f"C{n}")
    bench.commerce.left_out.add("c-C1")
    scan = bench.commerce.scan

    def scanned(*args: Any) -> Any:
        for page in scan(*args):
            if page.last:
                bench.edit(Side.COMMERCE, "C1", Name="meanwhile")
            yield page

    bench.commerce.scan = scanned  # type: ignore[method-assign,assignment]
    asked: list[Operation] = []
    bench.commerce.fault = asked.append
    assert bench.load().finished
    assert not any(isinstance(one, Create) for one in asked)
    assert bench.card(Side.DATAVERSE, "C1")["name"] == "meanwhile"
    bench.assert_settled()


def test_nothing_is_made_on_a_side_that_was_not_read_whole(make_bench: MakeBench) -> None:
    """A person decides something while a load is cut short: it must not double unseen rows."""
    bench = make_bench(page=2)
    for n in range(6):
        bench.new(Side.COMMERCE, f"C{n}")
        bench.new(Side.DATAVERSE, f"C{n}")
    bench.dataverse.fault = lambda _operation: "rejected"
    asked = [0]

    def stopping() -> bool:
        asked[0] += 1
        return asked[0] > 4

    bench.stopping = stopping
    assert not bench.load().finished
    seen = bench.records()
    assert any(r.commerce.id is None for rs in seen.values() for r in rs), "cut short in commerce"
    bench.stopping = lambda: False
    before = len(bench.commerce.written)
    bench.run(settle_due, "resolve")
    bench.run(
        lambda run: Applier(run).push(touching(run, [r for rs in seen.values() for r in rs])),
        "retry",
    )
    assert len(bench.commerce.written) == before
    bench.dataverse.fault = lambda _operation: None
    assert bench.load().finished
    bench.assert_settled()
    assert len(bench.commerce.written) == before


def touching(run: MapRun, records: list[Record]) -> Absorbed:
    """These records, due."""
    absorbed = Absorbed(run.work())
    for record in records:
        record.due = run.now()
        absorbed.touch(record)
    return absorbed
