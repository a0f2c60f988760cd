"""One record at a time: create, read, update, upsert, delete, preconditions, lookups."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.conftest import DataverseSession, SignIn

CARDS = "msdyn_loyaltycards"
POINTS = "msdyn_loyaltyrewardpoints"
REPRESENTATION = {"Prefer": "return=representation"}
NOBODY = "00000000-0000-0000-0000-000000000001"


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def new_card(dataverse: DataverseSession, **columns: Any) -> tuple[str, str]:
    """Create a card; its id and its ETag."""
    body = {"msdyn_cardnumber": "C-1", **columns}
    row = dataverse.post(CARDS, json=body, headers=REPRESENTATION).json()
    return row["msdyn_loyaltycardid"], row["@odata.etag"]


def read(dataverse: DataverseSession, record: str, select: str) -> dict[str, Any]:
    row: dict[str, Any] = dataverse.get(f"{CARDS}({record})?$select={select}").json()
    return row


def test_create_answers_with_the_address_of_the_record(dataverse: DataverseSession) -> None:
    answer = dataverse.post(CARDS, json={"msdyn_cardnumber": "C-1"})
    assert (answer.status_code, answer.content) == (204, b"")
    url = answer.headers["OData-EntityId"]
    assert url.startswith(f"{dataverse.api}/{CARDS}(")
    row = dataverse.get(url).json()
    assert row["msdyn_cardnumber"] == "C-1"
    assert row["@odata.etag"] == f'W/"{row["versionnumber"]}"'
    assert (row["statecode"], row["statuscode"]) == (0, 1)


def test_create_with_representation_has_a_body_and_no_address(dataverse: DataverseSession) -> None:
    answer = dataverse.post(
        f"{CARDS}?$select=msdyn_cardnumber", json={"msdyn_cardnumber": "C-1"},
        headers=REPRESENTATION,
    )  # fmt: skip
    assert answer.status_code == 201
    assert "OData-EntityId" not in answer.headers
    assert answer.headers["Preference-Applied"] == "return=representation"
    row = answer.json()
    assert set(row) == {"@odata.context", "@odata.etag", "msdyn_cardnumber", "msdyn_loyaltycardid"}
    assert answer.headers["ETag"] == row["@odata.etag"]


def test_the_client_may_choose_the_id_once(dataverse: DataverseSession) -> None:
    chosen = str(uuid.uuid4())
    body = {"msdyn_loyaltycardid": chosen.upper(), "msdyn_cardnumber": "C-1"}
    answer = dataverse.post(CARDS, json=body)
    assert answer.headers["OData-EntityId"].endswith(f"({chosen})")
    again = dataverse.post(CARDS, json={**body, "msdyn_cardnumber": "C-2"})
    assert code(again) == (412, "0x80040237")


def test_alternate_keys_are_unique_without_case_and_trailing_blanks(
    dataverse: DataverseSession,
) -> None:
    record, _ = new_card(dataverse, msdyn_cardnumber="straße 1")
    for twin in ("STRASSE 1", "Straße 1  "):
        answer = dataverse.post(CARDS, json={"msdyn_cardnumber": twin})
        assert code(answer) == (412, "0x80060892")
        assert record in answer.json()["error"]["message"]
    assert dataverse.post(CARDS, json={"msdyn_cardnumber": " straße 1"}).status_code == 204


def test_null_keys_are_not_constrained(dataverse: DataverseSession) -> None:
    for body in ({}, {"msdyn_cardnumber": None}, {"msdyn_cardnumber": ""}):
        assert dataverse.post(CARDS, json=body).status_code == 204


def test_modifier_is_the_user_of_the_token(dataverse: DataverseSession, sign_in: SignIn) -> None:
    agent = sign_in("agent_")
    record, _ = new_card(dataverse)
    assert agent.patch(f"{CARDS}({record})", json={"msdyn_partynumber": "P"}).status_code == 204
    row = read(dataverse, record, "_createdby_value,_modifiedby_value")
    assert row["_createdby_value"] == dataverse.get("WhoAmI").json()["UserId"]
    assert row["_modifiedby_value"] == agent.get("WhoAmI()").json()["UserId"]


def test_get_is_answered_304_for_the_known_version(dataverse: DataverseSession) -> None:
    record, etag = new_card(dataverse)
    url = f"{CARDS}({record})"
    assert dataverse.get(url, headers={"If-None-Match": etag}).status_code == 304
    assert dataverse.get(url, headers={"If-None-Match": "null"}).status_code == 200
    annotated = {"If-None-Match": etag, "Prefer": 'odata.include-annotations="*"'}
    assert dataverse.get(url, headers=annotated).status_code == 200


# ---------------------------------------------------------------------------- update, upsert


def test_if_match_updates_only_the_version_it_names(dataverse: DataverseSession) -> None:
    record, etag = new_card(dataverse)
    url = f"{CARDS}({record})"
    change = {"msdyn_partynumber": "P-1"}
    first = dataverse.patch(url, json=change, headers={"If-Match": etag})
    assert (first.status_code, first.headers["OData-EntityId"]) == (204, f"{dataverse.api}/{url}")
    second = dataverse.patch(url, json={"msdyn_partynumber": "P-2"}, headers={"If-Match": etag})
    assert code(second) == (412, "0x80060882")
    assert read(dataverse, record, "msdyn_partynumber")["msdyn_partynumber"] == "P-1"
    strange = dataverse.patch(url, json=change, headers={"If-Match": 'W/"x"'})
    assert code(strange) == (412, "0x80060882")


def test_if_match_never_creates(dataverse: DataverseSession) -> None:
    for tag in ("*", 'W/"1"'):
        by_id = dataverse.patch(f"{CARDS}({NOBODY})", json={}, headers={"If-Match": tag})
        assert code(by_id) == (404, "0x80040217")
        by_key = dataverse.patch(
            f"{CARDS}(msdyn_cardnumber='nobody')", json={}, headers={"If-Match": tag}
        )
        assert code(by_key) == (404, "0x80060891")
    assert dataverse.get(f"{CARDS}/$count").text.endswith("0")


def test_if_none_match_creates_or_refuses(dataverse: DataverseSession) -> None:
    url = f"{CARDS}(msdyn_cardnumber='C-1')"
    only_new = {"If-None-Match": "*"}
    assert dataverse.patch(url, json={}, headers=only_new).status_code == 204
    assert code(dataverse.patch(url, json={}, headers=only_new)) == (412, "")
    assert dataverse.patch(url, json={}, headers={"If-None-Match": "null"}).status_code == 204


def test_upsert_by_alternate_key_repeats_the_key_and_never_changes_it(
    dataverse: DataverseSession,
) -> None:
    url = f"{CARDS}(msdyn_cardnumber='C-1')"
    for party in ("P-1", "P-2"):
        answer = dataverse.patch(url, json={"msdyn_partynumber": party, "msdyn_cardnumber": "c-1"})
        assert (answer.status_code, answer.headers["OData-EntityId"]) == (
            204,
            f"{dataverse.api}/{url}",
        )
    row = dataverse.get(url).json()
    # The row was created with the value of the body, and kept it when it was updated.
    assert (row["msdyn_cardnumber"], row["msdyn_partynumber"]) == ("c-1", "P-2")


def test_upsert_by_id_creates_the_row_with_that_id(dataverse: DataverseSession) -> None:
    chosen = str(uuid.uuid4())
    url = f"{CARDS}({chosen})?$select=msdyn_cardnumber"
    created = dataverse.patch(url, json={"msdyn_cardnumber": "C-1"}, headers=REPRESENTATION)
    updated = dataverse.patch(url, json={"msdyn_cardnumber": "C-2"}, headers=REPRESENTATION)
    assert (created.status_code, updated.status_code) == (201, 200)
    assert updated.json()["msdyn_loyaltycardid"] == chosen
    assert updated.json()["@odata.etag"] > created.json()["@odata.etag"]


def test_a_taken_key_is_refused_on_update_too(dataverse: DataverseSession) -> None:
    record, _ = new_card(dataverse)
    other, etag = new_card(dataverse, msdyn_cardnumber="C-2")
    answer = dataverse.patch(f"{CARDS}({other})", json={"msdyn_cardnumber": "c-1"})
    assert code(answer) == (412, "0x80060892")
    assert record in answer.json()["error"]["message"]
    same = dataverse.patch(
        f"{CARDS}({other})", json={"msdyn_cardnumber": "c-2"}, headers={"If-Match": etag}
    )
    assert same.status_code == 204


def test_delete_obeys_its_precondition(dataverse: DataverseSession) -> None:
    record, etag = new_card(dataverse)
    url = f"{CARDS}({record})"
    dataverse.patch(url, json={"msdyn_partynumber": "P"})
    assert code(dataverse.delete(url, headers={"If-Match": etag})) == (412, "0x80060882")
    assert dataverse.delete(url).status_code == 204
    assert code(dataverse.delete(url)) == (404, "0x80040217")
    assert code(dataverse.get(url)) == (404, "0x80040217")


# ---------------------------------------------------------------------------- alternate keys


def test_keys_are_read_as_clients_write_them(dataverse: DataverseSession) -> None:
    record, _ = new_card(dataverse, msdyn_cardnumber="Ann O'Neill 7")
    for key in ("Ann%20O''Neill%207", "ann o''neill 7", "ANN%20O%27%27NEILL%207%20"):
        row = dataverse.get(f"{CARDS}(msdyn_cardnumber='{key}')").json()
        assert row["msdyn_loyaltycardid"] == record
    by_name = dataverse.get(f"{CARDS}(msdyn_loyaltycardid={record})")
    assert by_name.json()["msdyn_loyaltycardid"] == record


def test_unsafe_characters_in_a_key_are_refused(dataverse: DataverseSession) -> None:
    for encoded in ("a%2Fb", "a/b", "a%2Bb", "a%3Ab", "a%25b", "a%5Cb", "a%3Fb", "a%26b", "a%2Ab"):
        answer = dataverse.get(f"{CARDS}(msdyn_cardnumber='{encoded}')")
        assert answer.status_code == 400, encoded


def test_undeclared_keys_are_refused(dataverse: DataverseSession) -> None:
    for key in ("msdyn_partynumber='P'", "'C-1'", "msdyn_cardnumber='a',msdyn_partynumber='b'"):
        answer = dataverse.get(f"{CARDS}({key})")
        assert answer.status_code == 400
        assert "The key in the request URI is not valid" in answer.json()["error"]["message"]


# ---------------------------------------------------------------------------- lookups


def test_a_lookup_is_bound_by_id_key_or_url_and_cleared_by_null(
    dataverse: DataverseSession,
) -> None:
    euro = dataverse.get("transactioncurrencies(isocurrencycode='EUR')").json()
    euro_id = euro["transactioncurrencyid"]
    bind = "msdyn_RewardPointCurrency@odata.bind"
    for number, target in enumerate(
        (
            f"/transactioncurrencies({euro_id})",
            "transactioncurrencies(isocurrencycode='eur')",
            f"{dataverse.api}/transactioncurrencies({euro_id})",
        )
    ):
        body = {"msdyn_rewardpointid": f"R{number}", bind: target}
        row = dataverse.post(POINTS, json=body, headers=REPRESENTATION).json()
        assert row["_msdyn_rewardpointcurrency_value"] == euro_id
    cleared = dataverse.patch(
        f"{POINTS}(msdyn_rewardpointid='R0')", json={bind: None}, headers=REPRESENTATION
    )
    assert cleared.json()["_msdyn_rewardpointcurrency_value"] is None


def test_a_lookup_with_the_wrong_case_or_target_is_refused(dataverse: DataverseSession) -> None:
    euro = "/transactioncurrencies(isocurrencycode='EUR')"
    wrong_case = dataverse.post(POINTS, json={"msdyn_rewardpointcurrency@odata.bind": euro})
    assert code(wrong_case) == (400, "0x80048d19")
    assert "undeclared property 'msdyn_rewardpointcurrency'" in wrong_case.text
    bind = "msdyn_RewardPointCurrency@odata.bind"
    nowhere = dataverse.post(POINTS, json={bind: f"/transactioncurrencies({NOBODY})"})
    assert code(nowhere) == (404, "0x80040217")
    no_key = dataverse.post(POINTS, json={bind: "/transactioncurrencies(isocurrencycode='XXX')"})
    assert code(no_key) == (404, "0x80060891")
    other_set = dataverse.post(POINTS, json={bind: f"/systemusers({NOBODY})"})
    assert code(other_set) == (400, "0x80048d19")
    direct = dataverse.post(POINTS, json={"_msdyn_rewardpointcurrency_value": NOBODY})
    assert code(direct) == (400, "0x80060888")


def test_a_referenced_row_cannot_be_deleted(dataverse: DataverseSession) -> None:
    euro = "transactioncurrencies(isocurrencycode='EUR')"
    body = {"msdyn_rewardpointid": "R", "msdyn_RewardPointCurrency@odata.bind": f"/{euro}"}
    assert dataverse.post(POINTS, json=body).status_code == 204
    assert code(dataverse.delete(euro)) == (405, "0x80040227")
    assert dataverse.delete(f"{POINTS}(msdyn_rewardpointid='R')").status_code == 204
    assert dataverse.delete(euro).status_code == 204


# ---------------------------------------------------------------------------- properties


def test_single_properties_are_read_written_and_cleared(dataverse: DataverseSession) -> None:
    record, _ = new_card(dataverse)
    url = f"{CARDS}({record})/msdyn_partynumber"
    assert dataverse.get(url).status_code == 204
    assert dataverse.put(url, json={"value": "P-9"}).status_code == 204
    assert dataverse.get(url).json()["value"] == "P-9"
    assert dataverse.get(f"{url}/$value").text == "P-9"
    assert dataverse.delete(url).status_code == 204
    assert dataverse.get(url).status_code == 204


def test_a_reference_is_set_followed_and_removed(dataverse: DataverseSession) -> None:
    dataverse.post(POINTS, json={"msdyn_rewardpointid": "R"})
    nav = f"{POINTS}(msdyn_rewardpointid='R')/msdyn_RewardPointCurrency"
    euro = f"{dataverse.api}/transactioncurrencies(isocurrencycode='EUR')"
    assert dataverse.put(f"{nav}/$ref", json={"@odata.id": euro}).status_code == 204
    assert dataverse.get(f"{nav}?$select=isocurrencycode").json()["isocurrencycode"] == "EUR"
    assert "/transactioncurrencies(" in dataverse.get(f"{nav}/$ref").json()["@odata.id"]
    assert dataverse.delete(f"{nav}/$ref").status_code == 204
    assert dataverse.get(nav).status_code == 204


def test_state_and_status_reason_move_together(dataverse: DataverseSession) -> None:
    record, _ = new_card(dataverse)
    url = f"{CARDS}({record})"
    assert dataverse.patch(url, json={"statecode": 1}).status_code == 204
    row = read(dataverse, record, "statecode,statuscode")
    assert (row["statecode"], row["statuscode"]) == (1, 2)
    wrong = dataverse.patch(url, json={"statecode": 0, "statuscode": 2})
    assert code(wrong) == (400, "0x80048408")


def test_setup_tables_are_read_only(dataverse: DataverseSession) -> None:
    assert dataverse.post("systemusers", json={"fullname": "X"}).status_code == 405
    users = dataverse.get("systemusers?$select=fullname&$filter=applicationid ne null").json()
    assert len(users["value"]) == 4
