"""Column security: null for those who may not read, a refusal for those who may not write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import DataverseSession, SignIn

CARDS = "msdyn_loyaltycards"
CARD = "msdyn_loyaltycard"
CARD_TYPE = f"Microsoft.Dynamics.CRM.{CARD}"
COLUMN = "msdyn_partynumber"


@pytest.fixture
def agent(dataverse: DataverseSession, sign_in: SignIn, add_cards: Any) -> DataverseSession:
    """The agent's session, beside one card whose party number is secured."""
    dataverse.switch("columns", {"table": CARD, "column": COLUMN, "secured": True})
    add_cards(["C-1"], msdyn_partynumber="P-1")
    return sign_in("agent_")


def permit(dataverse: DataverseSession, agent: DataverseSession, **permissions: int) -> str:
    """Give the agent a profile with these permissions on the column; the profile's URL."""
    profile = dataverse.post("fieldsecurityprofiles", json={"name": "Party numbers"})
    url = str(profile.headers["OData-EntityId"])
    body = {
        "entityname": CARD,
        "attributelogicalname": COLUMN,
        "fieldsecurityprofileid@odata.bind": url,
        **permissions,
    }
    assert dataverse.post("fieldpermissions", json=body).status_code == 204
    who = agent.get("WhoAmI").json()["UserId"]
    user = {"@odata.id": f"{dataverse.api}/systemusers({who})"}
    added = dataverse.post(f"{url}/systemuserprofiles_association/$ref", json=user)
    assert added.status_code == 204, added.text
    return url


def party_number(session: DataverseSession) -> Any:
    (row,) = session.get(f"{CARDS}?$select=msdyn_cardnumber,{COLUMN}").json()["value"]
    assert COLUMN in row
    return row[COLUMN]


def test_the_definition_says_so(dataverse: DataverseSession, agent: DataverseSession) -> None:
    url = f"EntityDefinitions(LogicalName='{CARD}')/Attributes(LogicalName='{COLUMN}')"
    assert agent.get(f"{url}?$select=IsSecured").json()["IsSecured"] is True
    dataverse.switch("reset")
    assert agent.get(f"{url}?$select=IsSecured").json()["IsSecured"] is False


def test_it_reads_as_null_without_a_profile(
    dataverse: DataverseSession, agent: DataverseSession
) -> None:
    assert party_number(agent) is None
    # A system administrator reads secured columns always.
    assert party_number(dataverse) == "P-1"
    url = f"{CARDS}(msdyn_cardnumber='C-1')"
    assert agent.get(url).json()[COLUMN] is None
    assert agent.get(f"{url}/{COLUMN}").status_code == 204
    tracked = agent.get(CARDS, headers={"Prefer": "odata.track-changes"}).json()
    assert tracked["value"][0][COLUMN] is None
    prefer = {"Prefer": 'return=representation,odata.include-annotations="*"'}
    changed = agent.patch(url, json={"msdyn_replacementcardnumber": "C-2"}, headers=prefer)
    assert changed.json()[COLUMN] is None
    assert f"{COLUMN}@" not in changed.text


def test_other_ways_to_read_hide_it_too(
    dataverse: DataverseSession, agent: DataverseSession
) -> None:
    fetch = f"<fetch><entity name='{CARD}'><attribute name='{COLUMN}'/></entity></fetch>"
    sql = f"SELECT {COLUMN} FROM {CARD}"
    for query in ({"fetchXml": fetch}, {"sql": sql}):
        for session, expected in ((dataverse, "P-1"), (agent, None)):
            answer = session.get(CARDS, params=query)
            assert answer.status_code == 200, answer.text
            (row,) = answer.json()["value"]
            assert row.get(COLUMN) == expected
    dataverse.switch("roles", {"role": "Nobody", "privileges": ["prvReadAccount"]})
    dataverse.switch("roles", {"user": "agent", "roles": ["Nobody"]})
    for query in ({"fetchXml": fetch}, {"sql": sql}):
        assert "prvReadmsdyn_LoyaltyCard" in agent.get(CARDS, params=query).text


def test_it_is_written_with_a_profile_only(
    dataverse: DataverseSession, agent: DataverseSession
) -> None:
    url = f"{CARDS}(msdyn_cardnumber='C-1')"
    update = agent.patch(url, json={COLUMN: "P-2", "msdyn_replacementcardnumber": "C-2"})
    assert (update.status_code, update.json()["error"]["code"]) == (403, "0x8004f507")
    targets = {"Targets": [{"@odata.type": CARD_TYPE, COLUMN: "P-3"}]}
    create = agent.post(f"{CARDS}/Microsoft.Dynamics.CRM.CreateMultiple", json=targets)
    assert (create.status_code, create.json()["error"]["code"]) == (403, "0x8004f502")
    assert "does not have create permissions to a secured field" in create.text
    assert agent.post(CARDS, json={"msdyn_cardnumber": "C-9"}).status_code == 204
    assert dataverse.get(url).json()["msdyn_replacementcardnumber"] is None


def test_a_profile_grants_one_permission_each(
    dataverse: DataverseSession, agent: DataverseSession
) -> None:
    profile = permit(dataverse, agent, canread=4, canupdate=0)
    url = f"{CARDS}(msdyn_cardnumber='C-1')"
    assert party_number(agent) == "P-1"
    assert agent.patch(url, json={COLUMN: "P-2"}).status_code == 403
    (permission,) = dataverse.get("fieldpermissions").json()["value"]
    assert permission["_fieldsecurityprofileid_value"] == profile[-37:-1]
    row = f"fieldpermissions({permission['fieldpermissionid']})"
    assert dataverse.patch(row, json={"canupdate": 4}).status_code == 204
    assert agent.patch(url, json={COLUMN: "P-2"}).status_code == 204
    assert party_number(agent) == "P-2"
    assert agent.post(CARDS, json={COLUMN: "P-3"}).status_code == 403
    who = agent.get("WhoAmI").json()["UserId"]
    names = f"systemusers({who})/systemuserprofiles_association?$select=fieldsecurityprofileid,name"
    (found,) = agent.get(names).json()["value"]
    assert found["name"] == "Party numbers"
    removed = dataverse.delete(f"{profile}/systemuserprofiles_association({who})/$ref")
    assert removed.status_code == 204
    assert party_number(agent) is None


def test_only_a_column_that_exists_is_secured(dataverse: DataverseSession) -> None:
    for wrong in ({"table": "nothing"}, {"column": "nothing"}):
        body = {"table": CARD, "column": COLUMN, "secured": True, **wrong}
        assert dataverse.post(f"{dataverse.host}/sandbox/columns", json=body).status_code == 400


def test_other_query_languages_hide_it_too(agent: DataverseSession) -> None:
    xml = f"<fetch><entity name='{CARD}'><attribute name='{COLUMN}' /></entity></fetch>"
    for asked in ({"fetchXml": xml}, {"sql": f"SELECT {COLUMN} FROM {CARD}"}):
        (row,) = agent.get(CARDS, params=asked).json()["value"]
        assert COLUMN not in row
