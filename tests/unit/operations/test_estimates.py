"""The time of the next run, from what earlier runs took."""

from __future__ import annotations

import pytest

from connector.operations.runs.estimates import Estimate, estimate
from connector.store.work import RunRow


def run(command: str, seconds: float, counts: dict[str, int]) -> RunRow:
    return RunRow(1, command, "card", "f", 100.0, 100.0 + seconds, "done", counts, None, None)


LOAD = run("load", 90.0, {"created dataverse": 100_000, "ms created dataverse": 80_000})
SYNC = run("sync", 10.5, {"updated dataverse": 5000, "ms updated dataverse": 10_000})
IDLE = run("sync", 0.5, {})


def test_each_kind_counts_as_it_was_measured() -> None:
    planned = {"create dataverse": 1000, "update dataverse": 1000, "conflict": 7}
    told = estimate(planned, 0.5, [SYNC, LOAD], [])
    assert told.seconds == pytest.approx(0.5 + 0.8 + 2.0)
    assert told.basis == "measured"


def test_another_kind_or_another_map_is_better_than_nothing() -> None:
    assert estimate({"delete dataverse": 1000}, 0.5, [IDLE, LOAD], []).seconds == pytest.approx(1.3)
    other = estimate({"update dataverse": 1000}, 0.0, [], [SYNC])
    assert other == Estimate(2.0, "measured")


def test_nothing_is_known_at_first() -> None:
    assert estimate({"create dataverse": 2000}, 0.0, [], []) == Estimate(2.0, "assumed")
    few = run("sync", 9.0, {"created dataverse": 3, "ms created dataverse": 9000})
    assert estimate({"create dataverse": 2000}, 0.0, [few], []).seconds == pytest.approx(2.0)
