"""Collections read: select, order, top, count, expand, formatted values."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import DataverseSession

CARDS = "msdyn_loyaltycards"
POINTS = "msdyn_loyaltyrewardpoints"
AddCards = Callable[..., list[str]]
FORMATTED = "OData.Community.Display.V1.FormattedValue"


def test_the_primary_id_is_always_there_and_nulls_are_sent(
    dataverse: DataverseSession, add_cards: AddCards
) -> None:
    (record,) = add_cards(["C-1"])
    answer = dataverse.get(f"{CARDS}?%24select=msdyn_partynumber")
    assert answer.headers["OData-Version"] == "4.0"
    assert answer.headers["Content-Type"].startswith("application/json; odata.metadata=minimal")
    body = answer.json()
    assert body["@odata.context"] == f"{dataverse.api}/$metadata#{CARDS}(msdyn_partynumber)"
    (row,) = body["value"]
    assert row.pop("@odata.etag").startswith('W/"')
    assert row == {"msdyn_partynumber": None, "msdyn_loyaltycardid": record}


def test_order_is_by_folded_text_then_id(dataverse: DataverseSession, add_cards: AddCards) -> None:
    add_cards(["b", "C", "A"], msdyn_partynumber="same")
    url = f"{CARDS}?$select=msdyn_cardnumber&$orderby=msdyn_partynumber,msdyn_cardnumber+desc"
    rows = dataverse.get(url).json()["value"]
    assert [row["msdyn_cardnumber"] for row in rows] == ["C", "b", "A"]


def test_top_gives_no_next_link_and_loses_to_a_page_size(
    dataverse: DataverseSession, add_cards: AddCards
) -> None:
    add_cards(f"C-{n}" for n in range(5))
    url = f"{CARDS}?$select=msdyn_cardnumber&$top=2"
    top = dataverse.get(url).json()
    assert len(top["value"]) == 2
    assert "@odata.nextLink" not in top
    paged = dataverse.get(url, headers={"Prefer": "odata.maxpagesize=3"}).json()
    assert len(paged["value"]) == 3
    assert "@odata.nextLink" in paged


def test_counts_obey_the_filter_and_stop_at_5000(
    dataverse: DataverseSession, add_cards: AddCards
) -> None:
    for start in range(0, 6000, 1000):
        add_cards(f"C-{n}" for n in range(start, start + 1000))
    assert dataverse.get(f"{CARDS}/$count").content == b"\xef\xbb\xbf5000"
    few = dataverse.get(f"{CARDS}/$count?$filter=startswith(msdyn_cardnumber,'C-599')")
    assert few.content == b"\xef\xbb\xbf11"
    total = "Microsoft.Dynamics.CRM.totalrecordcount"
    prefer = {"Prefer": f'odata.maxpagesize=1,odata.include-annotations="{total}*"'}
    body = dataverse.get(f"{CARDS}?$select=statecode&$count=true", headers=prefer).json()
    assert body["@odata.count"] == 5000
    assert body[f"@{total}limitexceeded"] is True


def test_formatted_values_stand_before_their_property(dataverse: DataverseSession) -> None:
    body = {
        "msdyn_rewardpointid": "R",
        "msdyn_redeemable": True,
        "msdyn_rewardpointtype": 192350001,
        "msdyn_maximumloyaltyrewardpoints": 12345,
        "msdyn_RewardPointCurrency@odata.bind": "/transactioncurrencies(isocurrencycode='EUR')",
    }
    assert dataverse.post(POINTS, json=body).status_code == 204
    prefer = {"Prefer": 'odata.include-annotations="*"'}
    answer = dataverse.get(f"{POINTS}(msdyn_rewardpointid='R')", headers=prefer)
    assert answer.headers["Preference-Applied"] == 'odata.include-annotations="*"'
    row = answer.json()
    lookup = "_msdyn_rewardpointcurrency_value"
    assert row[f"msdyn_redeemable@{FORMATTED}"] == "Yes"
    assert row[f"msdyn_rewardpointtype@{FORMATTED}"] == "Amount"
    assert row[f"msdyn_maximumloyaltyrewardpoints@{FORMATTED}"] == "12,345"
    assert row[f"{lookup}@{FORMATTED}"] == "Euro"
    assert row[f"{lookup}@Microsoft.Dynamics.CRM.lookuplogicalname"] == "transactioncurrency"
    navigation = "Microsoft.Dynamics.CRM.associatednavigationproperty"
    assert row[f"{lookup}@{navigation}"] == "msdyn_RewardPointCurrency"
    assert row[f"_modifiedby_value@{FORMATTED}"] == "# dualwrite connector"
    names = list(row)
    assert names.index(f"{lookup}@{FORMATTED}") < names.index(lookup)


def test_only_the_annotations_asked_for_are_sent(
    dataverse: DataverseSession, add_cards: AddCards
) -> None:
    add_cards(["C-1"], msdyn_cardtendertype=806380003, msdyn_enrollmentdate="2024-02-03")
    prefer = {"Prefer": f'odata.include-annotations="{FORMATTED}"'}
    url = f"{CARDS}?$select=msdyn_cardtendertype,msdyn_enrollmentdate,_ownerid_value"
    (row,) = dataverse.get(url, headers=prefer).json()["value"]
    assert row[f"msdyn_cardtendertype@{FORMATTED}"] == "Blocked"
    assert row[f"msdyn_enrollmentdate@{FORMATTED}"] == "2/3/2024"
    assert not [name for name in row if "lookuplogicalname" in name]


def test_expand_of_a_lookup(dataverse: DataverseSession) -> None:
    bind = {"msdyn_RewardPointCurrency@odata.bind": "/transactioncurrencies(isocurrencycode='EUR')"}
    dataverse.post(POINTS, json={"msdyn_rewardpointid": "R1", **bind})
    dataverse.post(POINTS, json={"msdyn_rewardpointid": "R2"})
    expand = "$expand=msdyn_RewardPointCurrency($select=isocurrencycode)"
    url = f"{POINTS}?$select=msdyn_rewardpointid&$orderby=msdyn_rewardpointid&{expand}"
    first, second = dataverse.get(url).json()["value"]
    assert first["msdyn_RewardPointCurrency"]["isocurrencycode"] == "EUR"
    assert second["msdyn_RewardPointCurrency"] is None
    one = dataverse.get(f"{POINTS}(msdyn_rewardpointid='R1')?{expand}").json()
    assert one["msdyn_RewardPointCurrency"]["isocurrencycode"] == "EUR"
    wrong = dataverse.get(f"{POINTS}?$expand=msdyn_rewardpointcurrency")
    assert wrong.status_code == 400


@pytest.mark.parametrize(
    ("query", "status", "text"),
    [
        ("$select=Msdyn_CardNumber", 400, "Could not find a property named 'Msdyn_CardNumber'"),
        ("$filter=nothing eq 1", 400, "Could not find a property named 'nothing'"),
        ("$orderby=nothing", 400, "Could not find a property named 'nothing'"),
        ("$skip=1", 400, "Skip Clause is not supported"),
        ("$apply=aggregate(x)", 400, "$apply is not supported"),
        ("$top=0", 400, "$top"),
        ("$top=x", 400, "$top"),
        ("$filter=msdyn_cardnumber eq", 400, "filter"),
        ("savedQuery=x", 501, "savedQuery"),
        ("$skiptoken=nonsense", 400, "Paging Cookie"),
    ],
)
def test_a_query_is_refused(
    dataverse: DataverseSession, query: str, status: int, text: str
) -> None:
    answer = dataverse.get(f"{CARDS}?{query}")
    assert answer.status_code == status
    assert text in answer.json()["error"]["message"]


def test_the_support_probe_of_bulk_messages(dataverse: DataverseSession) -> None:
    where = "sdkmessageid/name eq 'CreateMultiple' and primaryobjecttypecode eq '{}'"
    url = "sdkmessagefilters?$select=sdkmessagefilterid&$expand=sdkmessageid($select=name)&$filter="
    (row,) = dataverse.get(url + where.format("msdyn_loyaltycard")).json()["value"]
    assert row["sdkmessageid"]["name"] == "CreateMultiple"
    assert dataverse.get(url + where.format("systemuser")).json()["value"] == []
