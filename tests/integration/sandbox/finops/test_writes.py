"""Creates, updates and deletes of single rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.sandbox.finops.conftest import CARDS, POINTS, Add

if TYPE_CHECKING:
    from tests.conftest import FinopsSession

ETAG = "@odata.etag"


def read(finops: FinopsSession, where: str) -> dict[str, Any]:
    row: dict[str, Any] = finops.get(where).json()
    return row


def test_a_create_answers_with_the_whole_row(finops: FinopsSession) -> None:
    made = finops.post(
        CARDS,
        json={
            "@odata.type": "#Microsoft.Dynamics.DataEntities.RetailLoyaltyCard",
            "CardNumber": "55001",
            "CardTenderType": "Blocked",
            "PartyNumber": "p000000001",
        },
    )
    body = made.json()
    assert made.status_code == 201
    assert made.headers["Location"] == f"{finops.host}/data/{CARDS}(CardNumber='55001')"
    assert body["@odata.context"] == f"{finops.host}/data/$metadata#{CARDS}/$entity"
    assert (body["CardTenderType"], body["PartyNumber"]) == ("Blocked", "P000000001")
    assert body == {**read(finops, f"{CARDS}('55001')"), "@odata.context": body["@odata.context"]}


def test_the_server_fills_in_what_is_left_out(finops: FinopsSession) -> None:
    finops.switch("clock", {"days": 40})
    ahead = datetime.fromtimestamp(datetime.now(UTC).timestamp() + 40 * 86_400, UTC)
    first, second = (finops.post(CARDS, json={}).json() for _ in range(2))
    assert (first["CardNumber"], second["CardNumber"]) == ("LC000000001", "LC000000002")
    assert first["CardTenderType"] == "AsCardTender"
    assert first["LoyaltyEnrollmentDate"] == f"{ahead:%Y-%m-%d}T12:00:00Z"
    points = finops.post(POINTS, json={"RewardPointId": "P"}).json()
    assert (points["RewardPointType"], points["RedeemRanking"]) == ("Quantity", 0)
    assert points["RewardPointCurrency"] == ""


def test_a_patch_changes_what_it_names_and_answers_nothing(finops: FinopsSession, add: Add) -> None:
    (before,) = add("55001", PartyNumber="P000000001", OmOperatingUnitNumber="052")
    answer = finops.patch(f"{CARDS}('55001')", json={"PartyNumber": "", "CardNumber": "55001"})
    assert (answer.status_code, answer.content) == (204, b"")
    after = read(finops, f"{CARDS}('55001')")
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed - {"@odata.context"} == {ETAG, "PartyNumber"}


def test_a_put_unsets_what_it_leaves_out(finops: FinopsSession, add: Add) -> None:
    add("55001", PartyNumber="P000000001", OmOperatingUnitNumber="052")
    answer = finops.put(f"{CARDS}('55001')", json={"OmOperatingUnitNumber": "053"})
    assert answer.status_code == 204
    row = read(finops, f"{CARDS}('55001')")
    assert (row["PartyNumber"], row["OmOperatingUnitNumber"]) == ("", "053")
    assert row["LoyaltyEnrollmentDate"] == "1900-01-01T12:00:00Z"


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
def test_there_is_no_upsert(finops: FinopsSession, method: str) -> None:
    answer = finops.request(method, f"{CARDS}('nobody')", json={"CardTenderType": "Blocked"})
    assert (answer.status_code, answer.content) == (404, b"")
    assert finops.get(f"{CARDS}/$count").text == "0"


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
def test_a_version_that_does_not_fit_is_412(finops: FinopsSession, add: Add, method: str) -> None:
    (old,) = add("55001")
    finops.patch(f"{CARDS}('55001')", json={"CardTenderType": "Blocked"})
    current = read(finops, f"{CARDS}('55001')")[ETAG]

    def send(tag: str) -> int:
        answer = finops.request(method, f"{CARDS}('55001')", json={}, headers={"If-Match": tag})
        return int(answer.status_code)

    assert [send(tag) for tag in (old[ETAG], 'W/"x"', "nonsense")] == [412, 412, 412]
    assert read(finops, f"{CARDS}('55001')")[ETAG] == current
    assert send(current) == 204


def test_any_version_will_do_for_a_star(finops: FinopsSession, add: Add) -> None:
    add("55001")
    star = {"If-Match": "*"}
    assert finops.patch(f"{CARDS}('55001')", json={}, headers=star).status_code == 204
    assert finops.delete(f"{CARDS}('55001')", headers=star).status_code == 204
    assert finops.delete(f"{CARDS}('55001')", headers=star).status_code == 404


def test_a_key_is_not_edited(finops: FinopsSession, add: Add) -> None:
    add("55001")
    answer = finops.patch(f"{CARDS}('55001')", json={"CardNumber": "55002"})
    assert answer.status_code == 400
    assert "cannot be edited" in answer.json()["error"]["innererror"]["message"]


@pytest.mark.parametrize(
    ("column", "value", "label", "table"),
    [
        ("PartyNumber", "P-none", "Party number", "Global address book"),
        ("OmOperatingUnitNumber", "999", "Operating unit number", "Operating unit"),
        ("ReplacementCardNumber", "C-none", "Replacement card", "Loyalty cards"),
    ],
)
def test_a_name_of_nobody_is_refused(
    finops: FinopsSession, add: Add, column: str, value: str, label: str, table: str
) -> None:
    add("55001")
    text = (
        f"The value '{value}' in field '{label}' is not found in the related table '{table}'.; "
        f"Warning: validateField failed on field 'RetailLoyaltyCardEntity.{column}'."
    )
    for answer in (
        finops.post(CARDS, json={"CardNumber": "2", column: value}),
        finops.patch(f"{CARDS}('55001')", json={column: value}),
    ):
        assert answer.status_code == 400
        assert answer.json()["error"]["innererror"]["message"].endswith(text)
    assert finops.get(f"{CARDS}/$count").text == "1"


def test_missing_master_data_can_be_made_on_the_spot(finops: FinopsSession) -> None:
    finops.switch("references", {"complete": True})
    card = {"CardNumber": "1", "PartyNumber": "P-new", "OmOperatingUnitNumber": "999"}
    assert finops.post(CARDS, json=card).status_code == 201
    assert read(finops, "CDSParties('P-new')")["PartyNumber"] == "P-new"
    points = {"RewardPointId": "P", "RewardPointCurrency": "XAF"}
    assert finops.post(POINTS, json=points).json()["RewardPointCurrency"] == "XAF"
    replaced = {"CardNumber": "2", "ReplacementCardNumber": "9"}
    assert finops.post(CARDS, json=replaced).status_code == 400


def test_a_reference_shows_the_other_row_as_it_is_now(finops: FinopsSession, add: Add) -> None:
    add("new")
    add("old", ReplacementCardNumber="NEW")
    assert read(finops, f"{CARDS}('old')")["ReplacementCardNumber"] == "new"
    refused = finops.delete(f"{CARDS}('new')")
    assert (refused.status_code, "Dependent records exist" in refused.text) == (400, True)
    assert finops.delete(f"{CARDS}('old')").status_code == 204
    assert finops.delete(f"{CARDS}('new')").status_code == 204


def test_rows_named_by_text_cannot_go_either(finops: FinopsSession) -> None:
    finops.post(POINTS, json={"RewardPointId": "P", "RewardPointCurrency": "eur"})
    assert read(finops, f"{POINTS}('P')")["RewardPointCurrency"] == "EUR"
    assert finops.delete("Currencies('EUR')").status_code == 400
    group = "CustomerGroups(dataAreaId='usrt',CustomerGroupId='10')"
    assert finops.delete(group).status_code == 400
    other = "CustomerGroups(dataAreaId='usmf',CustomerGroupId='10')?cross-company=true"
    assert finops.delete(other).status_code == 204


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "Field 'Reward point ID' must be filled in"),
        ({"RewardPointId": "P", "RedeemRanking": -1}, "must be at least 0"),
        ({"RewardPointId": "P", "RewardPointCurrency": "XXX"}, "is not found in the related table"),
    ],
)
def test_rules_of_point_kinds(finops: FinopsSession, body: dict[str, Any], text: str) -> None:
    answer = finops.post(POINTS, json=body)
    assert answer.status_code == 400
    assert text in answer.json()["error"]["innererror"]["message"]


def test_texts_that_are_too_long_are_cut(finops: FinopsSession) -> None:
    made = finops.post(CARDS, json={"CardNumber": "x" * 31}).json()
    assert made["CardNumber"] == "x" * 30
    party = finops.post("CDSParties", json={"Name": "ü" * 101}).json()
    assert party["Name"] == "ü" * 100
