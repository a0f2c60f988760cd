"""A deployment moves to another machine; a side moves or is copied."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from tests.acceptance.conftest import members

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

ELSEWHERE: dict[str, Any] = {"DUALWRITE__STORE__URL": "sqlite:///var/moved.db"}


def test_a_state_moves_and_the_sync_goes_on(project: Project) -> None:
    project.import_cards(members(20))
    project.json("load")
    project.edit("M100001", msdyn_cardtendertype=806380002)
    told = project.json("state", "export", "state.gz")
    assert told["rows"]["records"] == 20
    back = project.call("state", "import", "state.gz", "--json", **ELSEWHERE).json
    assert back["rows"] == told["rows"]
    synced = project.call("sync", "--json", **ELSEWHERE).json
    assert synced["synced"] == 1
    assert synced["maps"][0]["counts"]["read_dataverse"] < 20, "the feed goes on, no full read"
    assert project.ledger("M100001")["CardTenderType"] == "NoTender"
    assert project.call("verify", "--json", **ELSEWHERE).json["equal"] is True

    error = project.call("state", "import", "state.gz", "--json", code=1, **ELSEWHERE).error
    assert error["code"] == "state-not-empty"
    error = project.call("state", "export", "state.gz", "--json", code=2).error
    assert error["code"] == "export-exists"


def test_a_state_is_exported_while_both_sides_are_down(project: Project) -> None:
    project.import_cards(members(2))
    project.json("load")
    down: dict[str, Any] = {
        "DUALWRITE__DATAVERSE__URL": "https://127.0.0.1:9",
        "DUALWRITE__DATAVERSE__CLIENT_SECRET": "env:NOT_SET_HERE",
    }
    told = project.call("state", "export", "state.gz", **down).stderr
    assert "2 of them records, into state.gz" in told


def test_a_side_that_is_the_same_is_not_bound_again(project: Project) -> None:
    project.import_cards(members(2))
    error = project.call("state", "rebind", "commerce", "--yes", "--json", code=2).error
    assert error["code"] == "identity-unbound"
    project.json("load")
    error = project.call("state", "rebind", "commerce", "--yes", "--json", code=2).error
    assert error["code"] == "identity-unchanged"
    error = project.call("state", "rebind", "crm", "--yes", "--json", code=2).error
    assert error["code"] == "side-unknown"


def test_a_moved_ledger_is_accepted_on_a_word(project: Project) -> None:
    project.import_cards(members(10))
    project.json("load")
    # The same cards in a ledger that was set up anew: other ids, another identity.
    shutil.move(project.folder / "var" / "ledger.db", project.folder / "var" / "old.db")
    for rest in ("ledger.db-wal", "ledger.db-shm"):
        (project.folder / "var" / rest).unlink(missing_ok=True)
    project.import_cards([*members(10)][1:])
    project.import_cards([{"CardNumber": "M100001", "CardTenderType": "NoTender"}])
    project.edit("M100002", msdyn_cardtendertype=806380001)

    error = project.call("sync", "--json", code=2).error
    assert error["code"] == "identity-changed"
    assert "dualwrite state rebind commerce" in error["remedy"]
    asked = project.call("state", "rebind", "commerce", "--json", code=2).error
    assert asked["code"] == "confirm-needed"
    told = project.json("state", "rebind", "commerce", "--yes")
    assert told["old"] != told["new"]
    assert told["epoch"] == 2

    project.json("sync")
    # What was agreed on still counts: each side's edit since travels to the other.
    assert project.cards()["M100001"]["msdyn_cardtendertype"] == 806380002
    assert project.ledger("M100002")["CardTenderType"] == "AsContactTender"
    assert len(project.cards()) == len(project.ledger_keys())
    project.verified()
    assert project.json("sync")["synced"] == 0
