"""Rows a map creates belong to whom the map says; rows that are there keep their owner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.acceptance.conftest import CARDS, members

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project


def owned_by(project: Project, owner: str) -> None:
    """The map of cards, with this owner."""
    path = project.folder / "mappings" / "loyalty-card.yaml"
    text = path.read_text("utf-8")
    entity = "entity: msdyn_loyaltycards"
    path.write_text(text.replace(f"{{{entity}}}", f"{{{entity}, owner: {owner}}}"), "utf-8")


def team(project: Project, name: str, *roles: str) -> str:
    """A new team with these roles; its id."""
    reply = project.connector.post("teams", json={"name": name})
    project.connector.switch("roles", {"team": name, "roles": list(roles)})
    return reply.headers["OData-EntityId"].rpartition("(")[2].rstrip(")")


def owners(project: Project) -> dict[str, str]:
    """Who owns the cards, by number."""
    found = project.connector.get(f"{CARDS}?$select=msdyn_cardnumber,_ownerid_value").json()
    return {row["msdyn_cardnumber"]: row["_ownerid_value"] for row in found["value"]}


def test_new_rows_get_the_owner_and_others_keep_theirs(project: Project) -> None:
    desk = team(project, "Loyalty desk", "Sandbox agent")
    project.agent.post(CARDS, json={"msdyn_cardnumber": "M100000"})
    before = owners(project)
    owned_by(project, "{team: Loyalty desk}")
    project.import_cards(members(3))
    assert project.json("check")["problems"] == []
    project.json("load", "--map", "loyalty-card")
    made = owners(project)
    assert made["M100000"] == before["M100000"]
    assert {made["M100001"], made["M100002"]} == {desk}
    project.json("ledger", "set", "M100000", "ReplacementCardNumber=M100002")
    (done,) = project.json("sync", "--map", "loyalty-card")["maps"]
    assert done["writes"] == 1
    assert owners(project) == made, "an update changes no owner, and an owner is no reason to write"
    assert project.json("verify", "--map", "loyalty-card")["maps"][0]["equal"]
    (record,) = project.json("history", "M100001")["records"]
    values = [v for event in record["events"] for v in event["values"] if v["field"] == "ownerid"]
    assert [value["after"] for value in values] == [f"teams({desk})"]


def test_a_user_may_own_them_too(project: Project) -> None:
    owned_by(project, "{user: agent@sandbox.example}")
    assert project.json("check")["problems"] == []
    project.import_cards(members(1))
    project.json("load", "--map", "loyalty-card")
    agent = str(project.agent.get("WhoAmI").json()["UserId"])
    assert set(owners(project).values()) == {agent}


def test_check_says_who_is_not_there_or_may_not_own(project: Project) -> None:
    team(project, "Rightless")
    for owner, code in (
        ("{team: Nobody}", "owner-unknown"),
        ("{unit: sandbox}", "owner-unfit"),
        ("{team: Rightless}", "owner-unfit"),
    ):
        path = project.folder / "mappings" / "loyalty-card.yaml"
        text = path.read_text("utf-8")
        owned_by(project, owner)
        found = project.json("check", code=2)["problems"]
        path.write_text(text, "utf-8")
        assert [(one["code"], one["subject"]["line"]) for one in found] == [(code, 6)]


def test_a_run_without_its_owner_writes_nothing(project: Project) -> None:
    owned_by(project, "{team: Nobody}")
    project.import_cards(members(2))
    (done,) = project.json("load", "--map", "loyalty-card", code=2)["maps"]
    assert done["error"]["code"] == "owner-unknown"
    assert owners(project) == {}


def test_an_environment_may_have_another_owner(project: Project) -> None:
    desk = team(project, "Test desk", "Sandbox agent")
    overlay = project.folder / "mappings" / "overlays" / "test" / "loyalty-card.yaml"
    overlay.parent.mkdir(parents=True)
    overlay.write_text("dataverse: {owner: {team: Test desk}}\n", "utf-8")
    config = project.folder / "config" / "connector.toml"
    text = config.read_text("utf-8")
    config.write_text(text.replace("[maps]\n", '[maps]\nenvironment = "test"\n'), "utf-8")
    project.import_cards(members(1))
    project.json("load", "--map", "loyalty-card")
    assert set(owners(project).values()) == {desk}
