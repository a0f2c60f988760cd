"""A bad import is synced, looked at, taken back, mended and resumed, as an admin would."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.ledger.ledger import Ledger
from tests.acceptance.conftest import members

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

MAP = "loyalty-card"
BAD = 300


def last_run(project: Project, command: str = "sync") -> int:
    (run,) = project.json("runs", "list", "--command", command, "--map", MAP, "--limit", "1")[
        "runs"
    ]
    return int(run["run"])


def test_a_bad_import_is_undone_and_the_map_resumed(project: Project) -> None:
    project.import_cards(members(50))
    project.json("load")
    before = project.cards()
    # The wrong file: 300 strangers, and every old card blocked.
    project.import_cards(members(BAD, start=500_000))
    project.import_cards(
        [{"CardNumber": f"M{100_000 + n}", "CardTenderType": "NoTender"} for n in range(50)]
    )
    project.json("sync")
    assert len(project.cards()) == 50 + BAD
    run = last_run(project)
    shown = project.json("runs", "show", str(run))
    assert shown["written"] == [
        {"side": "dataverse", "what": "create", "count": BAD},
        {"side": "dataverse", "what": "update", "count": 50},
    ]
    assert (shown["records"], shown["undoable"]) == (BAD + 50, True)

    dry = project.json("runs", "undo", str(run), "--dry-run", code=3)
    assert dry["counts"] == {"delete_dataverse": BAD, "update_dataverse": 50}
    held_back = dry["held_back"]["dataverse"]
    assert len(project.cards()) == 50 + BAD

    # Meanwhile an agent works with two of the cards.
    project.edit("M500001", msdyn_cardtendertype=806380002)
    project.edit("M100001", msdyn_cardtendertype=806380001)

    part = project.json("runs", "undo", str(run), "--by", "anna", code=3)
    assert 0 < part["held_back"]["dataverse"] <= held_back
    assert part["counts"]["update_dataverse"] == 49
    assert part["counts"]["delete_dataverse"] == BAD - 1 - part["held_back"]["dataverse"]
    allow = ("--allow-deletes", str(part["held_back"]["dataverse"]))
    done = project.json("runs", "undo", str(run), "--by", "anna", *allow, code=3)
    assert done["held_back"] == {}
    assert {one["key"]: one["reason"] for one in done["not_touched"]} == {
        "M100001": "changed since: msdyn_cardtendertype",
        "M500001": "changed since: msdyn_cardtendertype",
    }
    assert f"undo of run {run}, decided by anna" in project.call("history", "M100002").stdout
    now = project.cards()
    assert now.keys() == {*before, "M500001"}
    tender = "msdyn_cardtendertype"
    assert {n: row[tender] for n, row in now.items() if n not in ("M100001", "M500001")} == {
        n: row[tender] for n, row in before.items() if n != "M100001"
    }

    (state,) = project.json("status", "--map", MAP, code=3)["maps"]
    assert state["state"] == "paused"
    assert "paused by anna" in state["problem"]["message"]
    assert f"run {run} is undone" in state["problem"]["message"]
    planned = project.json("plan", "--map", MAP)["maps"][0]["counts"]
    assert planned["create_dataverse"] == BAD - 1
    assert planned["update_dataverse"] == 49

    # The ledger is put right, as its own backup would do it; then the map may run again.
    with Ledger.open(f"sqlite:///{project.folder}/var/ledger.db") as ledger:
        cards = ledger.store("cards")
        for number in project.ledger_keys():
            if number.startswith("M5") and number != "M500001":
                card = cards.find(number)
                assert card is not None
                cards.delete(card.id, by="cli:anna", version=card.version)
    project.import_cards([card for card in members(50) if card["CardNumber"] != "M100001"])
    project.json("maps", "resume", MAP)
    project.json("sync")
    assert project.cards().keys() == {*before, "M500001"}
    assert project.ledger("M100001")["CardTenderType"] == "AsContactTender"
    assert project.ledger("M500001")["CardTenderType"] == "NoTender"
    project.verified()


def test_what_cannot_be_undone_is_refused(project: Project) -> None:
    project.import_cards([{"CardNumber": "M1"}])
    project.json("load")
    project.json("sync")
    assert project.call("runs", "undo", "999", "--json", code=2).error["code"] == "run-unknown"
    quiet = str(last_run(project))
    error = project.call("runs", "undo", quiet, "--json", code=2).error
    assert error["code"] == "run-wrote-nothing"
    shown = project.json("runs", "show", quiet)
    assert shown["undoable"] is False
    assert shown["undo_refused"]["code"] == "run-wrote-nothing"
    assert project.json("status")["maps"][0]["state"] == "running"


def test_a_person_reads_what_runs_did(project: Project) -> None:
    project.import_cards([{"CardNumber": "M1"}])
    project.json("load")
    project.call("ledger", "set", "M1", "CardTenderType=Blocked")
    project.json("sync")
    run = last_run(project)
    listed = project.call("runs", "list", "--map", MAP).stdout
    assert f"│   {run} │ {MAP} │ sync" in listed
    shown = project.call("runs", "show", str(run))
    assert "wrote 1 update dataverse; 1 records" in shown.stdout
    assert f"dualwrite runs undo {run} --dry-run" in shown.stderr
    dry = project.call("runs", "undo", str(run), "--plan").stdout
    assert "msdyn_cardtendertype=Blocked (806380003)" in dry
    told = project.call("runs", "undo", str(run))
    assert f"run {run} wrote to 1 records; undone, written: 1 update dataverse" in told.stdout
    assert f"dualwrite maps resume {MAP}" in told.stderr
