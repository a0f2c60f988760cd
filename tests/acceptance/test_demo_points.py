"""The story of a club's points, in one command."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.test_demo import demo

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.usefixtures("one_day")
def test_an_agent_sees_points_and_corrects_them_and_both_sides_end_equal(tmp_path: Path) -> None:
    done = demo("--points", "--cards", "20", "--json", "--dir", str(tmp_path / "kept"))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    club = told["points"]
    assert {name: club[name] for name in ("earned", "expired", "redeemed", "returned")} == {
        "earned": 120 + 90 + 620 + 80 + 27,
        "expired": 120 + 90,
        "redeemed": 300,
        "returned": 40,
    }
    assert told["cards"] == 22
    # 22 cards and 2 kinds; 22 tiers, 2 balances of each of the two who bought, 13 transactions.
    assert told["loaded"] == 22 + 2 + 22 + 4 + 13
    assert club["seen"] == {"balances": 2, "tiers": 1, "transactions": 7, "fresh": 6}
    posted, refused = club["corrections"]
    assert posted["status"] == "posted"
    assert "The card then had 437 points" in posted["outcome"]
    assert refused["status"] == "refused"
    assert refused["outcome"].startswith("5000 points are more than one request")
    assert told["second_sync"] == 0
    verdict = told["verify"]
    assert verdict["compared"] == 22 + 2 + 22 + 4 + 16 + 2
    assert {name: verdict[name] for name in ("equal", "differences", "drift", "excused")} == {
        "equal": True,
        "differences": 0,
        "drift": 0,
        "excused": 0,
    }
