"""The past goes when it is old enough, a piece at a time, and never what is still needed."""

from __future__ import annotations

import pytest

from connector.engine.cycle import sync
from connector.engine.runs import retention
from connector.engine.runs.retention import DAY, Retention, clear_out
from connector.engine.runs.run import MapRun
from connector.mapping.values import Side
from tests.integration.engine.conftest import Bench

KEPT = Retention(audit=400, runs=400, tombstones=30)


def sync_and_clear(bench: Bench) -> dict[str, int]:
    """A sync as the command does it; what it purged."""

    def work(run: MapRun) -> None:
        sync(run)
        clear_out(run, KEPT)

    bench.run(work)
    return {name: n for name, n in bench.counts.items() if name.startswith("purged ")}


def test_what_is_young_stays(loaded: Bench) -> None:
    assert sync_and_clear(loaded) == {}
    loaded.ahead += 29 * DAY
    assert sync_and_clear(loaded) == {}
    assert loaded.history("C1")


def test_old_audit_and_old_runs_go(loaded: Bench) -> None:
    loaded.edit(Side.COMMERCE, "C1", Name="then")
    loaded.sync()
    before = len(loaded.open().runs("card", 100))
    loaded.ahead += 401 * DAY
    loaded.edit(Side.COMMERCE, "C2", Name="now")
    gone = sync_and_clear(loaded)
    assert gone["purged changes"] > 0
    assert gone["purged runs"] == before
    assert loaded.history("C1") == []
    assert [row.after for row in loaded.history("C2") if row.kind == "update"] == [{"name": "now"}]
    loaded.assert_settled()


def test_a_card_gone_for_a_month_is_forgotten_and_one_gone_for_a_week_is_not(
    loaded: Bench,
) -> None:
    number = loaded.record("C1").number
    loaded.delete(Side.COMMERCE, "C1")
    loaded.sync()
    loaded.ahead += 25 * DAY
    loaded.delete(Side.COMMERCE, "C2")
    loaded.sync()
    loaded.ahead += 7 * DAY
    assert sync_and_clear(loaded) == {"purged records": 1}
    assert loaded.open().departed("card", "c2") == []
    assert [record for record, _ in loaded.open().departed("card", "c1")] == [number]


def test_at_most_once_an_hour(loaded: Bench) -> None:
    sync_and_clear(loaded)
    loaded.delete(Side.COMMERCE, "C1")
    loaded.sync()
    loaded.ahead += 31 * DAY
    assert sync_and_clear(loaded) == {"purged records": 1}
    loaded.delete(Side.COMMERCE, "C2")
    loaded.sync()
    purged = loaded.open().alerted("card", retention.MARK)
    loaded.ahead += 1800
    sync_and_clear(loaded)
    assert loaded.open().alerted("card", retention.MARK) == purged
    loaded.ahead += 1801
    sync_and_clear(loaded)
    assert loaded.open().alerted("card", retention.MARK) != purged


def test_what_one_sync_has_no_time_for_is_the_next_ones(
    loaded: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PIECE", 2)
    monkeypatch.setattr(retention, "LONGEST", 0.0)
    loaded.ahead += 401 * DAY
    first = sync_and_clear(loaded)
    assert first["purged changes"] == 2
    pieces = 1
    while sync_and_clear(loaded):
        pieces += 1
    assert pieces > 2
    assert loaded.history("C1") == []
