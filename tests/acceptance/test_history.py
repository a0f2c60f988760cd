"""What a help-desk lead reads when a member asks what happened to a card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

DOWN: dict[str, Any] = {
    "DUALWRITE__DATAVERSE__URL": "https://127.0.0.1:9",
    "DUALWRITE__DATAVERSE__AUTHORITY": "https://127.0.0.1:9/tenant",
}


def test_the_whole_life_of_a_card(project: Project) -> None:
    project.import_cards([{"CardNumber": "Abc1", "CardTenderType": "Blocked"}])
    project.json("load")
    project.edit("Abc1", msdyn_cardtendertype=806380001)
    project.call("ledger", "set", "Abc1", "CardTenderType=NoTender", "--by", "bob")
    project.json("sync", code=3)
    project.json("conflicts", "resolve", "loyalty-card", "Abc1", "--with", "dataverse")
    project.json("ledger", "delete", "Abc1")
    project.json("sync")

    (story,) = project.json("history", "aBC1")["records"]
    assert (story["key"], story["record"], story["standing"]) == ("Abc1", 1, "gone")
    assert [(one["what"], one["side"]) for one in story["events"]] == [
        ("created", "dataverse"),
        ("edited", "commerce"),
        ("edited", "dataverse"),
        ("conflict", None),
        ("decided", None),
        ("updated", "commerce"),
        ("removed", "commerce"),
        ("deleted", "dataverse"),
    ]
    edit = story["events"][1]
    assert (edit["by"], edit["command"]) == ("cli:bob", "sync")
    assert edit["values"] == [
        {"side": "commerce", "field": "CardTenderType", "before": "Blocked", "after": "NoTender"}
    ]
    assert project.json("history", "1")["records"] == [story], "by record number"
    newest = project.json("history", "Abc1", "--limit", "2")["records"][0]
    assert newest["events"] == story["events"][-2:]
    assert newest["omitted"] == 6

    told = project.call("history", "Abc1", **DOWN).stdout
    assert "loyalty-card Abc1, record 1: gone on both sides" in told
    assert "    CardTenderType  Blocked → NoTender" in told
    assert "Dataverse msdyn_cardtendertype  Blocked (806380003) → AsContactTender" in told
    assert max(map(len, told.splitlines())) <= 100


def test_a_card_nobody_knows(project: Project) -> None:
    project.import_cards([{"CardNumber": "M1"}])
    project.json("load")
    error = project.call("history", "M2", "--json", code=2).error
    assert error["code"] == "record-unknown"
