"""Alerts as a desk meets them: a command is told, a map is held, the command ends early."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from tests.acceptance.conftest import members

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

MAP, OTHER = "loyalty-card", "loyalty-reward-points"


def rule(project: Project, **rule: object) -> None:
    project.environment["DUALWRITE__ALERTS"] = json.dumps([{"count": 1, "minutes": 60, **rule}])


def pager(project: Project) -> None:
    """A program that keeps what it is told in a file."""
    told = project.folder / "told"
    program = project.folder / "pager.py"
    program.write_text(
        f"import sys\nprint(sys.stdin.read(), file=open({str(told)!r}, 'a', encoding='utf-8'))\n"
    )
    project.environment["DUALWRITE__NOTIFY__COMMAND"] = f"'{sys.executable}' '{program}'"


def pages(project: Project) -> list[dict[str, Any]]:
    told = project.folder / "told"
    return [json.loads(line) for line in told.read_text().splitlines()] if told.exists() else []


def unknown_choice(project: Project) -> str:
    """Take a value out of the map, so that a third of the cards cannot travel."""
    file = project.folder / "mappings" / f"{MAP}.yaml"
    whole = file.read_text("utf-8")
    file.write_text(whole.replace("      Blocked: 806380003\n", ""), "utf-8")
    return whole


def test_a_map_is_paused_before_all_its_bad_rows_are_parked(project: Project) -> None:
    whole = unknown_choice(project)
    project.import_cards(members(9000))
    pager(project)
    rule(project, kind="choice-unknown", count=200, then="pause")
    told = project.json("load", code=3)
    by_map = {one["map"]: one for one in told["maps"]}
    assert by_map[MAP]["error"]["code"] == "alert-paused"
    assert by_map[OTHER]["error"] is None
    assert 200 <= by_map[MAP]["counts"]["parked"] < 3000
    assert {"map": MAP, "kind": "stopped", "count": 1} in told["needs"]
    (page,) = pages(project)
    assert (page["event"], page["code"]) == ("alert", "alert-paused")
    assert page["kind"] == "choice-unknown"
    assert page["seen"] >= 200

    said = project.call("status", "--map", MAP, code=3)
    assert "an alert holds this map" in said.stdout + said.stderr
    assert f"dualwrite maps resume {MAP}" in said.stdout + said.stderr
    again = project.json("load", "--map", MAP, code=3)
    assert again["maps"][0]["error"]["code"] == "alert-paused"
    assert len(pages(project)) == 1

    (project.folder / "mappings" / f"{MAP}.yaml").write_text(whole, "utf-8")
    project.json("maps", "resume", MAP)
    del project.environment["DUALWRITE__ALERTS"]
    project.json("load", "--map", MAP)  # what the old map could not translate is planned anew
    assert len(project.cards()) == 9000
    assert project.json("verify", "--map", MAP)["equal"] is True


def test_stop_begins_no_further_map(project: Project) -> None:
    unknown_choice(project)
    project.import_cards(members(3))
    rule(project, kind="parked", then="stop", map=MAP)
    project.environment["DUALWRITE__MAPS__AT_ONCE"] = "1"  # else the next one has begun beside it
    told = project.json("load", code=3)
    assert [one["map"] for one in told["maps"]] == [MAP]
    assert told["maps"][0]["error"]["code"] == "alert-stopped"


def test_a_side_that_is_not_there_pages_somebody(project: Project) -> None:
    project.import_cards(members(3))
    project.json("load")
    pager(project)
    rule(project, kind="unreachable", count=2, then="notify", map=MAP)
    project.environment["DUALWRITE__RETRY__ATTEMPTS"] = "1"
    away = {
        "DUALWRITE__DATAVERSE__URL": "https://127.0.0.1:9",
        "DUALWRITE__DATAVERSE__AUTHORITY": "https://127.0.0.1:9/tenant",
    }
    for expected in (0, 1, 1):
        project.call("sync", "--json", code=4, **away)
        assert len(pages(project)) == expected
    (page,) = pages(project)
    assert (page["map"], page["kind"], page["seen"]) == (MAP, "unreachable", 2)
    project.verified()


def test_a_pager_that_fails_is_a_warning(project: Project) -> None:
    unknown_choice(project)
    project.import_cards(members(3))
    project.environment["DUALWRITE__NOTIFY__COMMAND"] = "/no/such/pager"
    rule(project, kind="parked", then="notify")
    told = project.call("load", "--map", MAP, "--json", code=3)
    assert told.json["maps"][0]["error"] is None
    assert len(project.cards()) == 2
    assert "/no/such/pager cannot be run" in told.stderr


def test_a_guard_that_stops_a_map_pages_somebody(project: Project) -> None:
    project.import_cards(members(30))
    project.json("load")
    pager(project)
    for number in project.ledger_keys()[:5]:
        project.json("ledger", "delete", number)
    project.json("sync", code=3)
    (page,) = pages(project)
    assert (page["event"], page["code"], page["map"]) == ("stopped", "delete-guard", MAP)


def test_an_alert_about_a_map_there_is_not(project: Project) -> None:
    rule(project, kind="parked", then="pause", map="loyalty-crad")
    error = project.call("sync", "--json", code=2).error
    assert error["code"] == "alert-map-unknown"
    assert MAP in error["remedy"]


def test_a_side_that_goes_away_in_mid_run_leaves_the_counts(project: Project) -> None:
    project.import_cards(members(20))
    project.import_points(
        [{"RewardPointId": f"P-{n}", "RewardPointType": "Quantity"} for n in range(5)]
    )
    project.json("load")
    project.import_cards([{"CardNumber": "M100002", "ReplacementCardNumber": "EDITED"}])
    project.environment["DUALWRITE__RETRY__ATTEMPTS"] = "1"
    project.fault(kind="unavailable", count=1000, path="msdyn_loyaltyrewardpoints?")
    told = project.json("sync", code=4)
    assert told["synced"] == 1
    first, second = told["maps"]
    assert (first["map"], first["writes"], first["error"]) == (MAP, 1, None)
    assert second["error"]["code"] == "unavailable"
    assert second["finished"] is False

    project.import_cards([{"CardNumber": "M100003", "ReplacementCardNumber": "EDITED"}])
    said = project.call("sync", code=4)
    assert MAP in said.stdout
    assert "unavailable" in said.stderr
    project.forget_requests()
    project.json("sync")
    project.verified()
