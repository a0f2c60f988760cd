"""The delete guard as a person meets it: a map stops, the other goes on, a number is released."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.acceptance.conftest import members

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

MAP = "loyalty-card"


def test_the_hundred_and_first_delete_is_not_sent(project: Project) -> None:
    count = 2100
    project.import_cards(members(count))
    project.json("load")
    for number in project.ledger_keys()[:110]:
        project.json("ledger", "delete", number)
    project.import_points([{"RewardPointId": "P-1", "RewardPointType": "Quantity"}])

    told = project.call("sync", "--json", code=3).json
    by_map = {one["map"]: one for one in told["maps"]}
    assert by_map[MAP]["error"]["code"] == "delete-guard"
    assert "100 " in by_map[MAP]["error"]["message"]
    assert by_map[MAP]["counts"]["deleted_dataverse"] == 100
    assert by_map["loyalty-reward-points"]["writes"] == 1
    assert {"map": MAP, "kind": "stopped", "count": 1} in told["needs"]
    assert len(project.rows()) == count - 100

    assert project.call("sync", "--json", code=3).json["synced"] == 0
    state = {one["map"]: one for one in project.call("status", "--json", code=3).json["maps"]}
    assert state[MAP]["state"] == "stopped"
    assert state["loyalty-reward-points"]["state"] == "running"
    planned = project.json("plan", "--map", MAP)
    assert planned["maps"][0]["counts"] == {"delete_dataverse": 10}

    project.json("maps", "resume", MAP, "--allow-deletes", "4")
    told = project.call("sync", "--map", MAP, "--json", code=3).json
    assert told["maps"][0]["counts"]["deleted_dataverse"] == 4
    assert len(project.rows()) == count - 104

    project.json("maps", "resume", MAP, "--allow-deletes", "6")
    assert project.json("sync", "--map", MAP)["synced"] == 6
    assert len(project.rows()) == count - 110
    project.verified()


def test_a_map_that_is_not_stopped_cannot_be_resumed(project: Project) -> None:
    error = project.call("maps", "resume", MAP, "--json", code=2).error
    assert error["code"] == "map-not-stopped"
