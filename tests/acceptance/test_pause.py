"""A paused map: nobody works it, everybody is told, and nothing is lost however long it lasts."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from connector.store.opening import open_store
from tests.acceptance.conftest import members

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

MAP = "loyalty-card"
DOWN: dict[str, Any] = {
    "DUALWRITE__DATAVERSE__URL": "https://127.0.0.1:9",
    "DUALWRITE__DATAVERSE__AUTHORITY": "https://127.0.0.1:9/tenant",
}


def pause(project: Project, *more: str, code: int = 0) -> dict[str, object]:
    return project.json("maps", "pause", MAP, "--by", "anna", *more, code=code)


def test_what_changed_during_a_long_pause_is_carried_across(project: Project) -> None:
    project.import_cards(members(30))
    project.json("load")
    told = pause(project, "--reason", "price week")
    assert told["state"] == "paused"
    assert told["already"] is False

    project.edit("M100001", msdyn_cardtendertype=806380002)
    project.agent.delete(f"msdyn_loyaltycards({project.cards_id('M100002')})")
    project.import_cards([{"CardNumber": "M100004", "ReplacementCardNumber": "EDITED"}])
    project.import_cards([{"CardNumber": "NEW"}])
    project.json("ledger", "delete", "M100003")
    project.connector.switch("expire-tokens")

    refused = project.json("sync", "--map", MAP, code=3)["maps"][0]["error"]
    assert refused["code"] == "map-paused"
    assert "paused by anna at " in refused["message"]
    assert refused["message"].endswith(": price week")
    assert f"dualwrite maps resume {MAP}" in refused["remedy"]
    assert "NEW" not in project.cards()

    project.json("maps", "resume", MAP)
    project.json("sync")
    assert project.ledger("M100001")["CardTenderType"] == "NoTender"
    cards = project.cards()
    assert cards["M100004"]["msdyn_replacementcardnumber"] == "EDITED"
    assert {"M100002", "NEW"} <= set(cards)
    assert "M100003" not in cards
    project.verified()
    assert project.json("sync")["synced"] == 0


def test_a_paused_map_keeps_no_other_waiting_and_is_known(project: Project) -> None:
    project.import_cards([{"CardNumber": "M1"}])
    project.json("load")
    pause(project)
    project.import_points([{"RewardPointId": "P-1", "RewardPointType": "Quantity"}])
    told = project.json("sync", code=3)
    assert told["synced"] == 1
    assert told["needs"] == [{"map": MAP, "kind": "paused", "count": 1}]
    assert project.json("sync", "--known-ok")["synced"] == 0
    states = {one["map"]: one["state"] for one in project.json("status", code=3)["maps"]}
    assert states == {MAP: "paused", "loyalty-reward-points": "running"}
    seen = project.call("status", code=3)
    assert "paused by anna at " in seen.stderr
    again = pause(project, "--by", "bob")
    assert again["already"] is True
    assert "paused by anna at " in str(again["problem"])


def test_a_map_is_paused_before_its_first_load_and_while_a_side_is_down(project: Project) -> None:
    project.import_cards([{"CardNumber": "M1"}])
    project.call("maps", "pause", MAP, **DOWN)
    told = project.json("load", code=3)
    assert {one["map"]: one["finished"] for one in told["maps"]} == {
        MAP: False,
        "loyalty-reward-points": True,
    }
    project.call("maps", "resume", MAP, **DOWN)
    assert project.json("load")["loaded"] == 1


def test_a_run_at_work_is_waited_for_or_said_so(project: Project) -> None:
    with closing(open_store(f"sqlite:///{project.folder}/var/state.db")) as store:
        lease = store.acquire(MAP, "elsewhere/1", 600.0)
        error = project.call("maps", "pause", MAP, "--json", code=5).error
        assert error["code"] == "lease-held"
        assert "--wait" in error["remedy"]
        store.renew(lease, 1.0)
        assert pause(project, "--wait", "120")["already"] is False
    assert project.json("status", code=3)["maps"][0]["state"] == "paused"
