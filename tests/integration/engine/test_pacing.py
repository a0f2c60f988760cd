"""A run goes at the pace its sides say: the size of calls, standing still, what it tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector.endpoints.base import Pace
from connector.mapping.values import Side
from connector.store.sql_store import SqlStore

if TYPE_CHECKING:
    import pytest

    from connector.engine.runs.run import MapRun
    from connector.store.work import Lease, Work
    from tests.integration.engine.conftest import Bench, MakeBench


def test_calls_have_the_size_the_side_asks_for(make_bench: MakeBench) -> None:
    bench = make_bench(page=4)
    for number in range(8):
        bench.new(Side.COMMERCE, f"C{number}")
    bench.dataverse.paced = lambda: Pace(rows=3 if len(bench.dataverse.sizes) < 2 else 2)
    bench.load()
    assert bench.dataverse.sizes == [3, 1, 2, 2]
    bench.assert_settled()


def test_it_stands_still_while_a_side_takes_nothing(bench: Bench) -> None:
    bench.new(Side.COMMERCE, "C1")
    began = bench.ahead
    bench.dataverse.paced = lambda: Pace(pause=max(0.0, began + 200.0 - bench.ahead))
    assert bench.load().finished
    assert bench.ahead - began >= 200.0
    bench.assert_settled()


def test_a_bound_on_time_ends_the_standing_still(loaded: Bench) -> None:
    loaded.edit(Side.COMMERCE, "C1", Name="new")
    began = loaded.ahead
    loaded.dataverse.paced = lambda: Pace(pause=1000.0)
    loaded.sync(seconds=30)
    assert 30 <= loaded.ahead - began < 40


def test_a_signal_ends_the_standing_still(loaded: Bench) -> None:
    loaded.edit(Side.COMMERCE, "C1", Name="new")
    loaded.dataverse.paced = lambda: Pace(pause=1000.0)
    began = loaded.ahead
    loaded.stopping = lambda: loaded.ahead - began > 5
    loaded.sync()
    assert loaded.ahead - began < 10


def test_the_lease_is_kept_while_standing_still(bench: Bench) -> None:
    bench.new(Side.COMMERCE, "C1")
    began = bench.ahead
    long = 20 * bench.limits.lease
    bench.dataverse.paced = lambda: Pace(pause=max(0.0, began + long - bench.ahead))
    assert bench.load().finished


def test_it_tells_how_long_writes_took_by_kind(bench: Bench) -> None:
    bench.new(Side.COMMERCE, "C1")
    bench.new(Side.COMMERCE, "C2")

    def slow() -> None:
        bench.ahead += 2.0

    bench.dataverse.before_write = slow
    bench.dataverse.paced = lambda: Pace(rate=500.0, limit="execution time")
    told: dict[str, Any] = {}

    def work(run: MapRun) -> None:
        from connector.engine.load import load

        load(run)
        told.update({side: took.as_dict() for side, took in run.pacer.sides.items()})

    bench.run(work, "load")
    # Kept for `plan`, and not among what people are told was done.
    assert not [name for name in bench.counts if name.startswith("ms")]
    (row,) = bench.open().runs("card", 1)
    assert 2000 <= row.counts["ms created dataverse"] < 4000
    pace = told[Side.DATAVERSE]
    assert 0.5 < pace["rows_per_second"] <= 1.0
    assert pace["allowed_rows_per_second"] == 500.0
    assert pace["limited_by"] == "execution time"


def test_creates_that_are_back_are_settled_together(
    make_bench: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each transaction is flushed to the disk, which takes longer than writing it."""
    together: list[int] = []
    commit = SqlStore.commit

    def counted(self: SqlStore, lease: Lease, work: Work) -> None:
        together.append(len(work.completed_batches))
        commit(self, lease, work)

    monkeypatch.setattr(SqlStore, "commit", counted)
    bench = make_bench(page=8)
    for number in range(8):
        bench.new(Side.COMMERCE, f"C{number}")
    bench.dataverse.paced = lambda: Pace(rows=2)
    bench.load()
    assert max(together) > 1
    assert sum(together) == len(bench.dataverse.sizes) == 4
    bench.assert_settled()
