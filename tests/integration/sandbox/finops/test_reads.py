"""Reading rows: shape, ETags, options, metadata levels."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

import pytest

from tests.integration.sandbox.finops.conftest import CARDS, POINTS, Add

if TYPE_CHECKING:
    from tests.conftest import FinopsSession

ETAG = "@odata.etag"


def decoded(tag: str) -> str:
    match = re.fullmatch(r'W/"([A-Za-z0-9+/=]+)"', tag)
    assert match is not None, tag
    return base64.b64decode(match[1]).decode()


def test_a_row_has_all_fields_and_the_conventions_for_empty_ones(
    finops: FinopsSession, add: Add
) -> None:
    unset = "1900-01-01T12:00:00Z"
    add("55001", LoyaltyEnrollmentDate=unset, LoyaltyEnrollmentDateLocal="2026-01-02T23:30:00Z")
    body = finops.get(CARDS).json()
    assert body["@odata.context"] == f"{finops.host}/data/$metadata#{CARDS}"
    (row,) = body["value"]
    assert list(row)[:3] == [ETAG, "CardNumber", "CardTenderType"]
    assert (row["CardTenderType"], row["PartyNumber"]) == ("AsCardTender", "")
    assert row["LoyaltyEnrollmentDate"] == unset
    assert row["LoyaltyEnrollmentDateLocal"] == "2026-01-02T12:00:00Z"
    assert type(row["LoyaltyEnrollmentTime"]) is int


def test_an_etag_is_recversion_and_recid_of_each_joined_table(
    finops: FinopsSession, add: Add
) -> None:
    (card,) = add("55001", PartyNumber="P000000001")
    own, party, replacement, unit = decoded(card[ETAG]).strip("'").split(";")
    assert own.split(",")[0] == "1"
    assert party.split(",")[0] == "1"
    assert (replacement, unit) == ("0,0", "0,0")
    finops.patch(f"{CARDS}('55001')", json={"CardTenderType": "Blocked"})
    changed = decoded(finops.get(f"{CARDS}('55001')").json()[ETAG]).strip("'").split(";")
    assert changed[1:] == [party, replacement, unit]
    assert changed[0].split(",")[1] == own.split(",")[1]
    assert int(changed[0].split(",")[0]) > 1


def test_a_write_to_a_joined_row_is_a_new_etag(finops: FinopsSession, add: Add) -> None:
    (card,) = add("55001", PartyNumber="P000000001")
    finops.patch("CDSParties('P000000001')", json={"KnownAs": "Kari"})
    assert finops.get(f"{CARDS}('55001')").json()[ETAG] != card[ETAG]


def test_every_update_draws_another_version(finops: FinopsSession, add: Add) -> None:
    add("55001")
    seen = set()
    for _ in range(5):
        finops.patch(f"{CARDS}('55001')", json={"CardTenderType": "Blocked"})
        seen.add(finops.get(f"{CARDS}('55001')").json()[ETAG])
    assert len(seen) == 5


def test_a_selection_narrows_the_context_and_adds_no_key(finops: FinopsSession, add: Add) -> None:
    add("55001")
    body = finops.get(f"{CARDS}?$select=CardTenderType,PartyNumber").json()
    assert body["@odata.context"].endswith(f"#{CARDS}(CardTenderType,PartyNumber)")
    assert list(body["value"][0]) == [ETAG, "CardTenderType", "PartyNumber"]
    one = finops.get(f"{CARDS}('55001')?$select=PartyNumber").json()
    assert one["@odata.context"].endswith(f"#{CARDS}(PartyNumber)/$entity")
    assert "CardNumber" not in one


def test_the_count_is_of_all_rows_whatever_top_says(finops: FinopsSession, add: Add) -> None:
    add("1", "2", "3")
    body = finops.get(f"{CARDS}?$top=1&$count=true").json()
    assert (body["@odata.count"], len(body["value"])) == (3, 1)
    assert "@odata.nextLink" not in body
    assert finops.get(f"{CARDS}/$count?$filter=CardNumber ne '2'").text == "2"


def test_order_and_skip(finops: FinopsSession, add: Add) -> None:
    add("b", "C", "a")
    numbers = [
        one["CardNumber"] for one in finops.get(f"{CARDS}?$orderby=CardNumber desc").json()["value"]
    ]
    assert numbers == ["C", "b", "a"]
    body = finops.get(f"{CARDS}?$orderby=CardTenderType,CardNumber&$skip=1").json()
    assert [one["CardNumber"] for one in body["value"]] == ["b", "C"]


def test_metadata_levels(finops: FinopsSession, add: Add) -> None:
    add("55001")
    where = f"{CARDS}('55001')"
    full = finops.get(where, headers={"Accept": "application/json;odata.metadata=full"})
    assert "odata.metadata=full" in full.headers["Content-Type"]
    row = full.json()
    assert row["@odata.type"] == "#Microsoft.Dynamics.DataEntities.RetailLoyaltyCard"
    assert row["@odata.id"] == f"{finops.host}/data/{CARDS}(CardNumber='55001')"
    assert row["CardTenderType@odata.type"].endswith(
        "#Microsoft.Dynamics.DataEntities.RetailLoyaltyTenderTypeBase"
    )
    assert row["LoyaltyEnrollmentDate@odata.type"] == "#DateTimeOffset"
    none = finops.get(f"{where}?$format=application/json;odata.metadata=none").json()
    assert not [name for name in none if "@" in name]


def test_one_property(finops: FinopsSession, add: Add) -> None:
    add("55001", CardTenderType="Blocked")
    where = f"{CARDS}('55001')/CardTenderType"
    body = finops.get(where).json()
    assert body == {"@odata.context": f"{finops.host}/data/$metadata#{where}", "value": "Blocked"}
    assert finops.get(f"{CARDS}('55001')/Nothing").status_code == 404
    assert finops.get(f"{CARDS}('0')/CardTenderType").status_code == 404
    assert finops.patch(where, json={}).status_code == 404


def test_numbers_beyond_32_bits_come_as_numbers(finops: FinopsSession) -> None:
    big = 2**53 + 1
    made = finops.post(POINTS, json={"RewardPointId": "P", "MaximumLoyaltyRewardPoints": big})
    assert made.json()["MaximumLoyaltyRewardPoints"] == big


@pytest.mark.parametrize(
    "query",
    [
        "$apply=groupby((CardNumber))",
        "$search=x",
        "$top=-1",
        "$top=1.5",
        "$skip=x",
        "$count=yes",
        "$select=cardnumber",
        "$select=Nothing",
        "$orderby=Nothing",
        "$orderby=CardNumber upwards",
        "$expand=Nothing",
        "$format=xml",
        "$top=1&$top=2",
        "$filter=%FF",
    ],
)
def test_what_the_service_does_not_take_is_a_400(finops: FinopsSession, query: str) -> None:
    answer = finops.get(f"{CARDS}?{query}")
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == ""
    assert error["message"].startswith("The query specified in the URI is not valid.")


def test_other_parameters_are_ignored(finops: FinopsSession) -> None:
    assert finops.get(f"{CARDS}?api-version=1&x=y").status_code == 200
