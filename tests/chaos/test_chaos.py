"""`kill -9` of workers and sandbox at random moments, over real sockets, on every store."""

from __future__ import annotations

import pytest

from tests.chaos.campaign import campaign
from tests.chaos.report import spelled

pytestmark = pytest.mark.slow

KILLS = 10


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_killed_at_random_moments(store: str) -> None:
    report = campaign(seed=1, kills=KILLS, store=store, kills_per_round=KILLS)
    tally = report.tally
    assert report.failing == [], "\n".join(spelled(report))
    assert tally.kills >= KILLS
    assert tally.worker_kills >= 3
    assert tally.sandbox_kills >= 1
    assert tally.in_mid_write >= 2, "hardly a kill hit a run in mid-write"
    assert tally.takeovers >= 1, "no suspended worker came back to a lost lease"
