"""A map changed in the middle of operation, as a person does it: edited, looked at, synced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

MAP = "loyalty-card"
DATES = """\
  - {commerce: LoyaltyEnrollmentDate, sync: "=", dataverse: msdyn_enrollmentdate, type: date, together: enrolment}
  - {commerce: LoyaltyEnrollmentDateLocal, sync: "=", dataverse: msdyn_effectivedate, type: date, together: enrolment}
"""  # noqa: E501


def edit_map(project: Project, old: str, new: str) -> None:
    """Somebody edits the map's file."""
    file = project.folder / "mappings/loyalty-card.yaml"
    text = file.read_text("utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), "utf-8")


@pytest.fixture
def running(project: Project) -> Project:
    """Four cards in sync under a map without the days of enrolment."""
    edit_map(project, DATES, "")
    tenders = ["NoTender", "NoTender", "Blocked", "Blocked"]
    cards = [{"CardNumber": f"V{n}", "CardTenderType": t} for n, t in enumerate(tenders)]
    project.import_cards(cards)
    project.json("load", "--map", MAP)
    return project


def synced(project: Project) -> int:
    """How many writes a sync took; the next one takes none, and both sides are equal."""
    done: int = project.json("sync", "--map", MAP)["synced"]
    assert project.json("sync", "--map", MAP)["synced"] == 0
    assert project.json("verify", "--map", MAP)["equal"]
    assert not project.json("maps", "diff", MAP)["changed"]
    return done


def test_a_changed_value_map(running: Project) -> None:
    edit_map(running, "NoTender: 806380002", "NoTender: 806380001")
    edit_map(running, "AsContactTender: 806380001", "AsContactTender: 806380002")
    told = running.json("maps", "diff", MAP, "--limit", "1")
    assert (told["changed"], told["records"], told["reads"]) == (True, 2, False)
    (change,) = told["changes"]
    assert (change["field"], change["change"], change["at"]) == ("CardTenderType", "rule", "values")
    assert (change["records"], change["keys"]) == (2, ["V0"])
    shown = running.call("maps", "diff", MAP).stdout
    assert "the next sync plans 2 records anew" in shown
    assert running.json("plan", "--map", MAP)["writes"] == 2
    assert synced(running) == 2
    assert {n: c["msdyn_cardtendertype"] for n, c in running.cards().items()} == {
        "V0": 806380001,
        "V1": 806380001,
        "V2": 806380003,
        "V3": 806380003,
    }
    assert "806380002" in running.call("history", "V0").stdout


def test_new_columns(running: Project) -> None:
    running.call("ledger", "set", "V0", "LoyaltyEnrollmentDate=2021-01-01")
    running.edit("V1", msdyn_enrollmentdate="2022-02-02")
    running.call("ledger", "set", "V2", "LoyaltyEnrollmentDate=2023-03-03")
    running.edit("V2", msdyn_enrollmentdate="2024-04-04")
    assert running.json("sync", "--map", MAP)["synced"] == 0
    edit_map(running, "  # Two spellings", DATES + "  # Two spellings")
    told = running.json("maps", "diff", MAP)
    assert (told["reads"], {one["change"] for one in told["changes"]}) == (True, {"added"})
    planned = running.json("plan", "--map", MAP)["maps"][0]["counts"]
    assert planned == {"update_commerce": 1, "update_dataverse": 2}
    assert synced(running) == 3
    assert running.cards()["V0"]["msdyn_enrollmentdate"].startswith("2021-01-01")
    assert running.ledger("V1")["LoyaltyEnrollmentDate"].startswith("2022-02-02")
    assert running.cards()["V2"]["msdyn_enrollmentdate"].startswith("2023-03-03")
    assert "2024-04-04" in running.call("history", "V2").stdout


def test_the_direction_of_one_field(running: Project) -> None:
    running.edit("V3", msdyn_replacementcardnumber="V9")
    assert running.json("sync", "--map", MAP)["synced"] == 0
    edit_map(running, 'ReplacementCardNumber, sync: ">"', 'ReplacementCardNumber, sync: "="')
    told = running.json("maps", "diff", MAP)["changes"]
    assert [(t["at"], t["before"], t["after"], t["keys"]) for t in told] == [
        ("sync", ">", "=", ["V3"])
    ]
    assert synced(running) == 1
    assert running.ledger("V3")["ReplacementCardNumber"] == "V9"
    edit_map(running, 'ReplacementCardNumber, sync: "="', 'ReplacementCardNumber, sync: ">"')
    assert running.json("maps", "diff", MAP)["records"] == 0
    assert synced(running) == 0


def test_a_map_that_would_pair_other_records_is_refused(running: Project) -> None:
    edit_map(running, "{entity: msdyn_loyaltycards}", "{entity: msdyn_loyaltyrewardpoints}")
    for command in (("maps", "diff", MAP), ("sync", "--map", MAP)):
        answer = running.json(*command, code=2)
        error = answer.get("error") or answer["maps"][0]["error"]
        assert error["code"] in ("map-rekeyed", "column-unknown")


def test_diff_before_the_first_run(project: Project) -> None:
    told = project.json("maps", "diff", MAP)
    assert (told["ran"], told["changed"]) == (None, False)
    assert "has not run yet" in project.call("maps", "diff", MAP).stdout


def test_preview_follows_each_value_across(running: Project) -> None:
    running.call("ledger", "set", "V0", "CardTenderType=Blocked")
    made = running.json("maps", "preview", MAP, "--key", "v0")
    assert made["commerce"]["CardTenderType"] == "Blocked"
    assert made["dataverse"]["msdyn_cardtendertype"] == 806380002
    by_name = {one["field"]: one for one in made["fields"]}
    tender = by_name["CardTenderType"]
    assert (tender["same"], tender["to_dataverse"]["arrives"]) == (False, 806380003)
    assert tender["to_dataverse"]["steps"] == [{"step": "values", "value": 806380003}]
    assert tender["to_commerce"]["arrives"] == "NoTender"
    assert by_name["ReplacementCardNumber"]["to_commerce"] is None
    (planned,) = made["planned"]
    assert (planned["what"], planned["after"]) == ("update", {"msdyn_cardtendertype": 806380003})
    shown = running.call("maps", "preview", MAP, "--key", "V0").stdout
    assert "values: 806380003 | → 806380003" in " ".join(shown.split())
    assert running.cards()["V0"]["msdyn_cardtendertype"] == 806380002


def test_preview_of_a_card_one_side_has_and_of_none(running: Project) -> None:
    running.call("ledger", "set", "V7", "CardTenderType=Blocked", "--create")
    made = running.json("maps", "preview", MAP, "--key", "V7")
    assert (made["dataverse"], made["planned"][0]["what"]) == (None, "create")
    missing = running.json("maps", "preview", MAP, "--key", "V8", code=2)
    assert missing["error"]["code"] == "record-unknown"


def test_preview_knows_what_a_changed_map_would_write(running: Project) -> None:
    edit_map(running, "NoTender: 806380002", "NoTender: 806380001")
    edit_map(running, "AsContactTender: 806380001", "AsContactTender: 806380002")
    (planned,) = running.json("maps", "preview", MAP, "--key", "V0")["planned"]
    assert planned["after"] == {"msdyn_cardtendertype": 806380001}
