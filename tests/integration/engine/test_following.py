"""Runs that follow on each other, as in live mode: on record only with something to tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from connector.engine.cycle import Finish, sync
from connector.engine.runs.run import MapRun
from connector.engine.runs.running import Ended, running
from connector.errors import MapStoppedError, UnreachableError
from connector.mapping.values import Side

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.engine.conftest import Bench

C, D = Side.COMMERCE, Side.DATAVERSE


def follow(bench: Bench, after: Ended | None, work: Callable[[MapRun], Any] = sync) -> Ended:
    """One run after another one of the same worker; how it ended."""
    map, entities = bench.compiled()
    ports = bench.ports()
    with running("serve", map, entities, ports, bench.tuning, after=after) as run:
        work(run)
        return Ended(run.lease, entities)


def served(bench: Bench) -> list[tuple[str, str | None, int]]:
    """Command, outcome and place in the audit of the runs since the load."""
    rows = reversed(bench.open().runs("card", 10))
    return [(r.command, r.outcome, r.first_change or 0) for r in rows if r.command != "load"]


def test_a_run_with_nothing_to_tell_leaves_no_row(loaded: Bench) -> None:
    last = follow(loaded, None)
    assert len(served(loaded)) == 1, "the first one may have to clear up after a crash"
    for _ in range(3):
        last = follow(loaded, last)
    assert len(served(loaded)) == 1


def test_its_changes_lie_behind_its_row(loaded: Bench) -> None:
    last = follow(loaded, follow(loaded, None))
    loaded.edit(C, "C1", Name="new")
    follow(loaded, last)
    (_, first), (_, second) = [(outcome, at) for _, outcome, at in served(loaded)]
    changes = [change for change in loaded.history("C1") if change.number >= second]
    assert second >= first
    assert [str(change.kind) for change in changes] == ["seen", "update"]
    (run,) = {change.run for change in changes}
    assert run == loaded.open().runs("card", 1)[0].number
    loaded.assert_settled()


def test_after_somebody_elses_run_open_writes_are_looked_for(loaded: Bench) -> None:
    last = follow(loaded, None)
    loaded.sync()
    follow(loaded, last)
    assert [command for command, _, _ in served(loaded)] == ["serve", "sync", "serve"]


def test_a_side_that_is_away_leaves_no_row_but_an_incident(loaded: Bench) -> None:
    def unreachable(_run: MapRun) -> Finish:
        raise UnreachableError("host-unreachable", "away", remedy="wait")

    last = follow(loaded, None)
    before = len(served(loaded))
    with pytest.raises(UnreachableError):
        follow(loaded, last, unreachable)
    assert len(served(loaded)) == before
    assert loaded.open().incidents("card", "unreachable", 0) == 1


def test_what_stops_the_map_is_on_record(loaded: Bench) -> None:
    def stop(_run: MapRun) -> Finish:
        raise MapStoppedError("deletes-guarded", "too many", remedy="look")

    last = follow(loaded, None)
    with pytest.raises(MapStoppedError):
        follow(loaded, last, stop)
    assert served(loaded)[-1][:2] == ("serve", "deletes-guarded")
