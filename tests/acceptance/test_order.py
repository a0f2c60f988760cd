"""Maps of one command: side by side where they may be, one after the other where they must."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.conftest import members
from tests.acceptance.test_provision import EURO

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project


def loads(project: Project) -> list[dict[str, Any]]:
    """The loads on record, as they began."""
    return list(reversed(project.json("runs", "list")["runs"]))


@pytest.fixture
def filled(project: Project) -> Project:
    project.import_cards(members(300))
    project.import_points([EURO])
    return project


def test_maps_that_have_nothing_to_do_with_each_other_overlap(filled: Project) -> None:
    report = filled.json("load")
    assert [one["map"] for one in report["maps"]] == ["loyalty-card", "loyalty-reward-points"]
    assert [one["counts"]["created_dataverse"] for one in report["maps"]] == [300, 1]
    first, second = loads(filled)
    assert second["started"] < first["ended"]
    assert filled.verified()["compared"] == 301


def test_one_at_a_time_where_that_is_wanted(filled: Project) -> None:
    filled.environment["DUALWRITE__MAPS__AT_ONCE"] = "1"
    filled.json("load")
    first, second = loads(filled)
    assert first["map"] == "loyalty-card"
    assert second["started"] >= first["ended"]


def test_a_side_that_is_away_ends_the_command_once(filled: Project) -> None:
    filled.json("load")
    filled.environment["DUALWRITE__DATAVERSE__AUTHORITY"] = "https://127.0.0.1:9/tenant"
    assert filled.json("sync", code=4)["error"]["code"] == "authority-unreachable"


def test_a_held_map_keeps_no_other_from_being_worked(filled: Project) -> None:
    filled.json("load")
    filled.json("maps", "pause", "loyalty-card")
    held, worked = filled.json("sync", code=3)["maps"]
    assert held["error"]["code"] == "map-paused"
    assert worked["finished"] is True
