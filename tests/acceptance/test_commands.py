"""The commands a person types every day, and what they say."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING

import pandas as pd
import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.conftest import Project

MAP = "loyalty-card"


@pytest.fixture
def loaded(project: Project) -> Project:
    project.import_cards([{"CardNumber": f"K{n}", "CardTenderType": "NoTender"} for n in range(4)])
    project.json("load")
    return project


def test_status_tells_where_each_map_stands(project: Project) -> None:
    new = {one["map"]: one for one in project.json("status")["maps"]}
    assert new[MAP]["state"] == "new"
    assert new[MAP]["lag_seconds"] is None
    assert new[MAP]["last_run"] is None
    project.import_cards([{"CardNumber": "S1"}])
    began = time.time()
    project.json("load")
    after = {one["map"]: one for one in project.json("status")["maps"]}
    assert (after[MAP]["state"], after[MAP]["settled"]) == ("running", 1)
    assert 0 <= after[MAP]["lag_seconds"] <= time.time() - began
    assert after[MAP]["last_run"]["outcome"] == "done"
    assert datetime.fromisoformat(after[MAP]["last_run"]["ended"]).tzinfo is not None


def test_status_shows_a_map_that_cannot_begin_with_the_remedy(loaded: Project) -> None:
    path = loaded.folder / "mappings" / "loyalty-card.yaml"
    sound = path.read_text("utf-8")
    path.write_text(sound.replace("dataverse: msdyn_partynumber", "dataverse: msdyn_partynumer"))
    for _ in range(2):
        loaded.json("sync", code=2)
    found = loaded.json("status", code=3)
    status = {one["map"]: one for one in found["maps"]}
    assert {one["map"]: one["state"] for one in found["maps"]} == {
        MAP: "failing",
        "loyalty-reward-points": "running",
    }
    assert status[MAP]["last_run"]["outcome"] == status[MAP]["problem"]["code"] == "column-unknown"
    assert "did you mean `msdyn_partynumber`?" in status[MAP]["problem"]["remedy"]
    assert found["needs"] == [{"map": MAP, "kind": "failing", "count": 1}]
    assert "did you mean `msdyn_partynumber`?" in loaded.call("status", code=3).stderr
    runs = loaded.json("runs", "list", "--map", MAP)["runs"]
    assert [one["outcome"] for one in runs] == ["column-unknown", "done"], "the same is no news"
    path.write_text(sound)
    loaded.json("sync")
    assert loaded.json("status")["maps"][0]["state"] == "running"


def test_the_lag_counts_from_the_last_look_though_nothing_had_changed(loaded: Project) -> None:
    loaded.json("sync")
    before = loaded.json("status")["maps"][0]["last_run"]["run"]
    began = time.time()
    loaded.json("sync")
    status = loaded.json("status")["maps"][0]
    assert status["last_run"]["run"] > before
    assert 0 <= status["lag_seconds"] <= time.time() - began


def test_maps_are_listed_and_drawn(project: Project) -> None:
    listed = project.json("maps", "list")["maps"]
    assert [m["map"] for m in listed if m["enabled"]] == [MAP, "loyalty-reward-points"]
    drawn = project.call("maps", "show", "loyalty-reward-points").stdout
    for part in ("RewardPointCurrency", "msdyn_rewardpointcurrency.isocurrencycode", "expiry"):
        assert part in drawn
    assert project.json("maps", "show", "none", code=2)["error"]["code"] == "map-unknown"


def test_plan_writes_nothing_and_sync_does_what_it_said(loaded: Project) -> None:
    loaded.call("ledger", "set", "K1", "CardTenderType=Blocked")
    loaded.edit("K2", msdyn_cardtendertype=806380001)
    planned = loaded.json("plan", "--map", MAP)["maps"][0]
    assert planned["counts"] == {"update_commerce": 1, "update_dataverse": 1}
    assert loaded.json("plan", "--map", MAP)["maps"][0]["planned"] == planned["planned"]
    assert loaded.ledger("K2")["CardTenderType"] == "NoTender"
    done = loaded.json("sync")
    assert done["synced"] == planned["writes"] == 2
    assert loaded.ledger("K2")["CardTenderType"] == "AsContactTender"
    assert loaded.cards()["K1"]["msdyn_cardtendertype"] == 806380003


def test_a_plan_is_grouped_by_field_and_kept_as_a_file(loaded: Project, tmp_path: Path) -> None:
    for card in ("K1", "K2"):
        loaded.call("ledger", "set", card, "CardTenderType=Blocked")
    loaded.edit("K2", msdyn_enrollmentdate="2024-04-04")
    file = tmp_path / "plan.csv"
    planned = loaded.json("plan", "--map", MAP, "--report", str(file), "--limit", "0")["maps"][0]
    assert [(g["field"], g["what"], g["side"], g["records"]) for g in planned["groups"]] == [
        ("CardTenderType", "update", "dataverse", 2),
        ("enrolment", "update", "commerce", 1),
    ]
    assert sorted(pd.read_csv(file)["key"]) == ["K1", "K2", "K2"]
    assert "by field" in loaded.call("plan", "--map", MAP).stdout
    loaded.call("plan", "--map", MAP, "--report", str(tmp_path / "plan.html"))
    assert "K1" in (tmp_path / "plan.html").read_text("utf-8")


def test_one_record_is_planned_synced_and_verified_by_its_key(loaded: Project) -> None:
    for card in ("K1", "K2"):
        loaded.call("ledger", "set", card, "CardTenderType=Blocked")
    assert loaded.json("plan", "--map", MAP, "--key", "k1")["writes"] == 1
    assert loaded.json("sync", "--map", MAP, "--key", "k1")["synced"] == 1
    assert loaded.cards()["K2"]["msdyn_cardtendertype"] == 806380002
    assert loaded.json("verify", "--map", MAP, "--key", "K1")["equal"]
    assert not loaded.json("verify", "--map", MAP, "--key", "K2", code=3)["equal"]
    assert loaded.json("sync")["synced"] == 1


def test_a_bound_on_time_ends_in_good_order(loaded: Project) -> None:
    loaded.call("ledger", "set", "K1", "CardTenderType=Blocked")
    cut = loaded.json("sync", "--max-seconds", "0")
    assert cut["finished"] is False
    loaded.json("sync")
    assert loaded.json("verify")["equal"]


def test_what_is_known_is_no_alarm_a_second_time(loaded: Project) -> None:
    loaded.edit("K1", msdyn_partynumber="P-UNKNOWN")
    assert loaded.json("sync", "--known-ok", code=3)["needs"] == [
        {"map": MAP, "kind": "parked", "count": 1}
    ]
    loaded.json("sync", code=3)
    loaded.json("sync", "--known-ok", code=0)


def test_a_loaded_map_is_loaded_again_only_when_asked(loaded: Project) -> None:
    assert loaded.json("load", "--map", MAP, code=2)["maps"][0]["error"]["code"] == "map-loaded"
    again = loaded.json("load", "--map", MAP, "--again")
    assert again["finished"]
    assert again["loaded"] == 0


def test_the_master_of_a_load_can_be_chosen(project: Project) -> None:
    project.import_cards([{"CardNumber": "B1", "CardTenderType": "NoTender"}])
    row = {"msdyn_cardnumber": "B1", "msdyn_cardtendertype": 806380003}
    assert project.agent.post("msdyn_loyaltycards", json=row).status_code == 204
    project.json("load", "--master", "dataverse")
    assert project.ledger("B1")["CardTenderType"] == "Blocked"
    assert project.json("load", "--master", "both", code=2)["error"]["code"] == "side-unknown"


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_every_finding_goes_into_the_report(loaded: Project, tmp_path: Path, kind: str) -> None:
    loaded.edit("K1", msdyn_replacementcardnumber="K9")
    loaded.call("ledger", "set", "K2", "CardTenderType=Blocked")
    file = tmp_path / f"findings.{kind}"
    verdict = loaded.json("verify", "--report", str(file), code=3)
    assert (verdict["differences"], verdict["drift"]) == (1, 1)
    frame = pd.read_csv(file) if kind == "csv" else pd.read_parquet(file)
    assert sorted(zip(frame["key"], frame["verdict"], frame["field"], strict=True)) == [
        ("K1", "drift", "ReplacementCardNumber"),
        ("K2", "difference", "CardTenderType"),
    ]


def test_a_report_of_another_kind_is_refused(loaded: Project) -> None:
    assert loaded.json("verify", "--report", "x.doc", code=2)["error"]["code"] == "report-format"


def test_repair_mends_what_no_feed_tells(loaded: Project) -> None:
    loaded.json("sync")
    loaded.call("ledger", "set", "K3", "CardTenderType=Blocked")
    repaired = loaded.json("verify", "--repair")
    assert repaired["equal"]
    assert loaded.cards()["K3"]["msdyn_cardtendertype"] == 806380003
