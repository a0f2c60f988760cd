"""Stopping in good order, one at a time, and losing the lease."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connector.engine.runs.run import MapRun
from connector.errors import LeaseHeldError
from connector.mapping.values import Side

if TYPE_CHECKING:
    from tests.integration.engine.conftest import Bench

C, D = Side.COMMERCE, Side.DATAVERSE


def open_intents(bench: Bench) -> int:
    """How many audit rows wait for a reply; a run that stopped in good order leaves none."""
    return bench.run(lambda run: run.counts["reopened"])  # type: ignore[no-any-return]


@pytest.mark.parametrize("after", range(1, 16))
def test_a_load_that_is_stopped_settles_and_goes_on_later(bench: Bench, after: int) -> None:
    for n in range(8):
        bench.new(C, f"C{n}")
    bench.new(D, "D1")

    def calls() -> int:
        return bench.commerce.calls.total() + bench.dataverse.calls.total()

    bench.stopping = lambda: calls() >= after
    slept = bench.ahead
    finished = bench.load().finished
    assert bench.ahead == slept, "it waited although it was to stop"
    bench.stopping = lambda: False
    assert open_intents(bench) == 0
    if not finished:
        assert bench.load().finished
    assert bench.writes() == 9
    bench.assert_settled()


@pytest.mark.parametrize("after", range(1, 6))
def test_a_sync_that_is_stopped_settles_and_goes_on_later(loaded: Bench, after: int) -> None:
    for n in range(1, 6):
        loaded.edit(C, f"C{n}", Name=f"edited {n}")
    loaded.new(C, "new")
    before = loaded.writes()
    start = loaded.commerce.calls.total() + loaded.dataverse.calls.total()

    def stopping() -> bool:
        now = loaded.commerce.calls.total() + loaded.dataverse.calls.total()
        return now - start >= after

    loaded.stopping = stopping
    assert not loaded.sync().finished
    loaded.stopping = lambda: False
    assert open_intents(loaded) == 0
    assert loaded.sync().finished
    assert loaded.writes() == before + 6
    loaded.assert_settled()


def test_two_runs_do_not_work_one_map(loaded: Bench) -> None:
    loaded.alone = False

    def work(_run: MapRun) -> None:
        with pytest.raises(LeaseHeldError):
            loaded.sync()

    loaded.run(work)


def test_a_run_that_lost_its_lease_commits_nothing(loaded: Bench) -> None:
    """Another took over; what was sent already was conditional and is seen by the other."""
    loaded.edit(C, "C1", Name="edited")

    def steal() -> None:
        loaded.open().acquire("card", "thief", 60, lambda _holder: True)

    loaded.dataverse.before_write = steal
    with pytest.raises(LeaseHeldError):
        loaded.sync()
    loaded.dataverse.before_write = lambda: None
    agreed = loaded.record("C1").dataverse.agreed
    assert agreed is not None
    assert "edited" not in agreed
    before = loaded.writes()
    loaded.sync()
    assert loaded.writes() == before
    loaded.assert_settled()


def test_a_bound_on_time_is_kept(loaded: Bench) -> None:
    for n in range(1, 6):
        loaded.edit(C, f"C{n}", Name=f"edited {n}")
    assert not loaded.sync(seconds=0.0).finished
    assert loaded.sync().finished
    loaded.assert_settled()


def test_a_table_read_whole_gives_way_at_each_page_and_goes_on_there(loaded: Bench) -> None:
    """The other maps of live mode wait for one turn, not for the whole table."""
    for n in range(10, 30):
        loaded.new(C, f"C{n}")
    loaded.sync()
    loaded.edit(C, "C1", Name="edited")
    loaded.delete(C, "C29")
    loaded.commerce.forget_feed()
    calls, written = loaded.commerce.calls.copy(), loaded.writes()
    turns = 0
    assert loaded.sync(seconds=0).cut
    while (C, "scan") in loaded.open().positions("card"):
        turns += 1
        assert loaded.writes() == written, "something was planned from half a table"
        assert loaded.sync(seconds=0).cut
    assert turns >= 28 // 3 - 1
    # A page more than it needs in each turn: it was on its way when the time was over.
    assert loaded.commerce.calls["scan"] - calls["scan"] <= 2 * (28 // 3 + 1)
    assert loaded.sync().finished
    assert loaded.card(D, "C1")["name"] == "edited"
    assert "c29" not in loaded.dataverse.by_key("cards")
    loaded.assert_settled()
