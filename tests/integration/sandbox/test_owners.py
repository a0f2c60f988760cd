"""Rows are owned by users and teams; who gives a row away, and who may get one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import DataverseSession, SignIn

CARDS = "msdyn_loyaltycards"


@pytest.fixture
def agent(dataverse: DataverseSession, sign_in: SignIn) -> DataverseSession:
    """The agent's session in the emptied organization."""
    return sign_in("agent_")


def team(dataverse: DataverseSession, name: str, roles: list[str], **values: Any) -> str:
    """A new team with these roles; its id."""
    reply = dataverse.post("teams", json={"name": name, **values})
    assert reply.status_code == 204, reply.text
    dataverse.switch("roles", {"team": name, "roles": roles})
    return reply.headers["OData-EntityId"].rpartition("(")[2].rstrip(")")


def create(dataverse: DataverseSession, owner: str, number: str = "C-1") -> Any:
    body = {"msdyn_cardnumber": number, "ownerid@odata.bind": owner}
    return dataverse.post(CARDS, json=body)


def owner_of(dataverse: DataverseSession, number: str = "C-1") -> str:
    query = f"{CARDS}?$select=_ownerid_value&$filter=msdyn_cardnumber eq '{number}'"
    return str(dataverse.get(query).json()["value"][0]["_ownerid_value"])


def test_a_row_is_made_for_a_team(dataverse: DataverseSession) -> None:
    desk = team(dataverse, "Loyalty desk", ["Sandbox agent"])
    assert create(dataverse, f"/teams({desk})").status_code == 204
    assert owner_of(dataverse) == desk


def test_every_business_unit_has_a_team_without_rights(dataverse: DataverseSession) -> None:
    found = dataverse.get("teams?$filter=isdefault eq true").json()["value"]
    assert [(one["name"], one["teamtype"]) for one in found] == [("sandbox", 0)]
    refused = create(dataverse, f"/teams({found[0]['teamid']})")
    assert refused.status_code == 403
    assert "missing prvReadmsdyn_LoyaltyCard privilege" in refused.json()["error"]["message"]


def test_what_a_team_may_do_is_told(dataverse: DataverseSession) -> None:
    desk = team(dataverse, "Loyalty desk", ["Sandbox agent"])
    url = f"teams({desk})/Microsoft.Dynamics.CRM.RetrieveTeamPrivileges()"
    held = {one["PrivilegeName"] for one in dataverse.get(url).json()["RolePrivileges"]}
    assert "prvReadmsdyn_LoyaltyCard" in held
    assert "prvWriteOptionSet" not in held


def test_an_access_team_owns_nothing(dataverse: DataverseSession) -> None:
    access = team(dataverse, "Sharing", ["Sandbox agent"], teamtype=1)
    refused = create(dataverse, f"/teams({access})")
    assert refused.status_code == 400
    assert "access team" in refused.json()["error"]["message"]


@pytest.mark.parametrize("owner", ["/teams(00000000-0000-0000-0000-000000000001)", "/accounts(1)"])
def test_an_owner_that_is_not_there(dataverse: DataverseSession, owner: str) -> None:
    assert create(dataverse, owner).status_code in (400, 404)


def test_a_user_is_found_by_its_name_and_gets_a_row(dataverse: DataverseSession) -> None:
    query = "systemusers?$filter=domainname eq 'agent@sandbox.example'"
    (agent,) = dataverse.get(query).json()["value"]
    assert create(dataverse, f"/systemusers({agent['systemuserid']})").status_code == 204
    assert owner_of(dataverse) == agent["systemuserid"]


def test_giving_a_row_away_needs_the_right_to_assign(
    dataverse: DataverseSession, agent: DataverseSession
) -> None:
    desk = team(dataverse, "Loyalty desk", ["Sandbox agent"])
    rights = [f"prv{right}msdyn_LoyaltyCard" for right in ("Read", "Create", "Write")]
    dataverse.switch("roles", {"role": "Clerk", "privileges": rights})
    dataverse.switch("roles", {"user": "agent", "roles": ["Clerk"]})
    refused = create(agent, f"/teams({desk})")
    assert refused.status_code == 403
    assert "prvAssignmsdyn_LoyaltyCard" in refused.json()["error"]["message"]
    assert agent.post(CARDS, json={"msdyn_cardnumber": "C-2"}).status_code == 204
