"""Roles and privileges: what a user may do, how it can find out, and how it is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from tests.conftest import DataverseSession, SignIn

CARDS = "msdyn_loyaltycards"
POINTS = "msdyn_loyaltyrewardpoints"
CARD_TYPE = "Microsoft.Dynamics.CRM.msdyn_loyaltycard"
READER = ["prvRead*"]


def user_id(session: DataverseSession) -> str:
    return str(session.get("WhoAmI").json()["UserId"])


def held(session: DataverseSession) -> dict[str, dict[str, Any]]:
    url = f"systemusers({user_id(session)})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges()"
    found = session.get(url).json()
    mark = "$metadata#Microsoft.Dynamics.CRM.RetrieveUserPrivilegesResponse"
    assert found["@odata.context"].endswith(mark)
    return {one["PrivilegeName"]: one for one in found["RolePrivileges"]}


def refused(answer: requests.Response, privilege: str) -> bool:
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (403, "0x80040220"), answer.text
    return f" {privilege} privilege (Id=" in error["message"]


@pytest.fixture
def agent(dataverse: DataverseSession, sign_in: SignIn) -> DataverseSession:
    """The agent's session in the emptied organization."""
    return sign_in("agent_")


def role(dataverse: DataverseSession, user: str, *privileges: str) -> None:
    """Give a user one role with exactly these privileges."""
    dataverse.switch("roles", {"role": "For this test", "privileges": [*privileges]})
    dataverse.switch("roles", {"user": user, "roles": ["For this test"]})


def test_an_administrator_holds_every_privilege(dataverse: DataverseSession) -> None:
    found = held(dataverse)
    assert {"prvReadmsdyn_LoyaltyCard", "prvCreateServiceEndpoint", "prvCreateEntity"} <= set(found)
    one = found["prvReadmsdyn_LoyaltyCard"]
    assert one["Depth"] == "Global"
    assert set(one) == {
        "Depth",
        "PrivilegeId",
        "BusinessUnitId",
        "PrivilegeName",
        "RecordFilterId",
        "RecordFilterUniqueName",
    }


def test_application_users_and_people_are_told_apart(
    dataverse: DataverseSession, agent: DataverseSession, sandbox: dict[str, Any]
) -> None:
    columns = "$select=applicationid,accessmode,isdisabled,fullname,islicensed"
    own = dataverse.get(f"systemusers({user_id(dataverse)})?{columns}").json()
    assert own["applicationid"] == sandbox["client_id"]
    assert (own["accessmode"], own["islicensed"], own["isdisabled"]) == (4, False, False)
    person = dataverse.get(f"systemusers({user_id(agent)})?{columns}").json()
    assert (person["applicationid"], person["accessmode"], person["islicensed"]) == (None, 0, True)


def test_further_application_users_work_alike(dataverse: DataverseSession, sign_in: SignIn) -> None:
    sessions = [dataverse, sign_in("second_"), sign_in("third_")]
    for number, session in enumerate(sessions):
        assert session.post(CARDS, json={"msdyn_cardnumber": f"C-{number}"}).status_code == 204
    rows = dataverse.get(f"{CARDS}?$select=_modifiedby_value").json()["value"]
    assert {row["_modifiedby_value"] for row in rows} == {user_id(one) for one in sessions}
    assert len({user_id(one) for one in sessions}) == 3


def test_a_user_without_a_role_may_do_nothing(dataverse: DataverseSession, sign_in: SignIn) -> None:
    roleless = sign_in("roleless_")
    assert roleless.get("WhoAmI").status_code == 200
    for answer in (
        roleless.get(CARDS),
        roleless.post(CARDS, json={}),
        roleless.get("EntityDefinitions"),
        roleless.get(f"systemusers({user_id(roleless)})"),
    ):
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "0x80042f09"
    role(dataverse, "roleless", "prvReadmsdyn_LoyaltyCard")
    assert roleless.get(CARDS).status_code == 200


def test_each_right_on_a_table_is_asked_for(
    dataverse: DataverseSession, agent: DataverseSession, add_cards: Any
) -> None:
    (record,) = add_cards(["C-1"])
    url = f"{CARDS}({record})"
    everything = {"Create", "Read", "Write", "Delete", "Append"}
    for right in sorted(everything):
        names = [f"prv{one}msdyn_LoyaltyCard" for one in everything - {right}]
        role(dataverse, "agent", *names)
        targets = {"Targets": [{"@odata.type": CARD_TYPE, "msdyn_cardnumber": f"B-{right}"}]}
        asked = {
            "Create": [
                agent.post(CARDS, json={"msdyn_cardnumber": right}),
                agent.post(f"{CARDS}/Microsoft.Dynamics.CRM.CreateMultiple", json=targets),
                agent.patch(f"{CARDS}(msdyn_cardnumber='U-{right}')", json={}),
            ],
            "Read": [agent.get(url), agent.get(CARDS), agent.get(f"{CARDS}/$count")],
            "Write": [
                agent.patch(url, json={"msdyn_partynumber": right}),
                agent.put(f"{url}/msdyn_partynumber", json={"value": right}),
            ],
        }
        for other, answers in asked.items():
            for answer in answers:
                if other == right:
                    assert refused(answer, f"prv{right}msdyn_LoyaltyCard")
                else:
                    assert answer.status_code < 300, (right, other, answer.text)
    role(dataverse, "agent", *READER)
    assert refused(agent.delete(url), "prvDeletemsdyn_LoyaltyCard")
    role(dataverse, "agent", *READER, "prvDelete*")
    assert agent.delete(url).status_code == 204


def test_tracked_reads_and_expanded_tables_ask_too(
    dataverse: DataverseSession, agent: DataverseSession
) -> None:
    role(dataverse, "agent", "prvReadmsdyn_LoyaltyRewardPoint")
    prefer = {"Prefer": "odata.track-changes"}
    assert agent.get(POINTS, headers=prefer).status_code == 200
    assert refused(agent.get(CARDS, headers=prefer), "prvReadmsdyn_LoyaltyCard")
    dataverse.post(POINTS, json={"msdyn_rewardpointid": "P"})
    expanded = agent.get(f"{POINTS}?$expand=msdyn_RewardPointCurrency($select=isocurrencycode)")
    assert refused(expanded, "prvReadTransactionCurrency")


def test_a_reference_needs_append_here_and_append_to_there(
    dataverse: DataverseSession, agent: DataverseSession
) -> None:
    bind = "msdyn_RewardPointCurrency@odata.bind"
    body = {"msdyn_rewardpointid": "P", bind: "/transactioncurrencies(isocurrencycode='EUR')"}
    basic = [*READER, "prvCreate*", "prvWrite*"]
    role(dataverse, "agent", *basic)
    assert refused(agent.post(POINTS, json=body), "prvAppendmsdyn_LoyaltyRewardPoint")
    role(dataverse, "agent", *basic, "prvAppendmsdyn_*")
    assert refused(agent.post(POINTS, json=body), "prvAppendToTransactionCurrency")
    assert agent.post(POINTS, json={"msdyn_rewardpointid": "Q"}).status_code == 204
    role(dataverse, "agent", *basic, "prvAppend*")
    assert agent.post(POINTS, json=body).status_code == 204


def test_in_a_batch_only_the_refused_part_fails(
    dataverse: DataverseSession, agent: DataverseSession
) -> None:
    role(dataverse, "agent", *READER, "prvCreatemsdyn_LoyaltyCard")
    lines: list[str] = []
    for table in (POINTS, CARDS):
        lines += ["--b", "Content-Type: application/http", "Content-Transfer-Encoding: binary"]
        lines += ["", f"POST {table} HTTP/1.1", "Content-Type: application/json", "", "{}"]
    lines += ["--b--", ""]
    headers = {"Content-Type": "multipart/mixed; boundary=b", "Prefer": "odata.continue-on-error"}
    answer = agent.post("$batch", data="\r\n".join(lines), headers=headers)
    assert answer.status_code == 200
    assert "prvCreatemsdyn_LoyaltyRewardPoint privilege" in answer.text
    assert "HTTP/1.1 204" in answer.text


def test_definitions_and_webhooks_are_for_those_who_may(
    dataverse: DataverseSession, agent: DataverseSession
) -> None:
    assert agent.get("EntityDefinitions?$select=LogicalName").status_code == 200
    card = "EntityDefinitions(LogicalName='msdyn_loyaltycard')"
    for method, url, privilege in (
        ("POST", "EntityDefinitions", "prvCreateEntity"),
        ("PUT", card, "prvWriteEntity"),
        ("DELETE", card, "prvDeleteEntity"),
        ("POST", f"{card}/Attributes", "prvCreateAttribute"),
        ("POST", f"{card}/Keys", "prvCreateEntityKey"),
        ("POST", "RelationshipDefinitions", "prvCreateRelationship"),
        ("POST", "PublishAllXml", "prvPublishCustomization"),
    ):
        answer = agent.request(method, url, json={})
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (403, "0x80040220"), (url, answer.text)
        assert f"PrivilegeName: {privilege}, PrivilegeId: " in error["message"]
    body = {"name": "x", "url": "http://127.0.0.1:1/", "contract": 8}
    assert refused(agent.post("serviceendpoints", json=body), "prvCreateServiceEndpoint")


def test_roles_are_told_and_assigned_over_the_api(
    dataverse: DataverseSession, agent: DataverseSession
) -> None:
    url = f"systemusers({user_id(agent)})/systemuserroles_association"
    (own,) = dataverse.get(f"{url}?$select=name").json()["value"]
    assert own["name"] == "Sandbox agent"
    dataverse.switch("roles", {"role": "Reader", "privileges": READER})
    rows = dataverse.get("roles?$select=name&$filter=name eq 'Reader'").json()["value"]
    reader = f"{dataverse.api}/roles({rows[0]['roleid']})"
    assert dataverse.delete(f"{url}({own['roleid']})/$ref").status_code == 204
    assert agent.get(CARDS).status_code == 403
    assert dataverse.post(f"{url}/$ref", json={"@odata.id": reader}).status_code == 204
    assert agent.get(CARDS).status_code == 200
    assert agent.post(CARDS, json={}).status_code == 403
    assert agent.post(f"{url}/$ref", json={"@odata.id": reader}).status_code == 403
    assert {name[:7] for name in held(agent)} == {"prvRead"}


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"role": "x"},
        {"user": "nobody", "roles": []},
        {"user": "agent", "roles": ["nothing"]},
        {"user": "agent", "roles": [], "role": "x"},
    ],
)
def test_a_switch_that_makes_no_sense_changes_nothing(
    dataverse: DataverseSession, agent: DataverseSession, value: dict[str, Any]
) -> None:
    assert dataverse.post(f"{dataverse.host}/sandbox/roles", json=value).status_code == 400
    assert agent.get(CARDS).status_code == 200


def test_a_reset_gives_everybody_the_first_roles_again(
    dataverse: DataverseSession, agent: DataverseSession
) -> None:
    dataverse.switch("roles", {"user": "agent", "roles": []})
    assert agent.get(CARDS).status_code == 403
    dataverse.switch("reset")
    assert agent.post(CARDS, json={}).status_code == 204


def test_a_joined_table_must_be_readable(
    dataverse: DataverseSession, agent: DataverseSession
) -> None:
    role(dataverse, "agent", "prvReadmsdyn_LoyaltyRewardPoint")
    point = "msdyn_loyaltyrewardpoint"
    join = (
        "<link-entity name='transactioncurrency' from='transactioncurrencyid' "
        "to='msdyn_rewardpointcurrency' />"
    )
    xml = f"<fetch><entity name='{point}'>{{}}</entity></fetch>"
    assert agent.get(POINTS, params={"fetchXml": xml.format("")}).status_code == 200
    for asked in (
        {"fetchXml": xml.format(join)},
        {
            "sql": f"SELECT p.{point}id FROM {point} p JOIN transactioncurrency c "
            "ON p.msdyn_rewardpointcurrency = c.transactioncurrencyid"
        },
    ):
        assert refused(agent.get(POINTS, params=asked), "prvReadTransactionCurrency")
