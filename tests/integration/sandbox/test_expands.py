"""Related rows in one read: of a lookup, of a collection, nested."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import DataverseSession

POINTS = "msdyn_loyaltyrewardpoints"
CURRENCIES = "transactioncurrencies"
TO_CURRENCY = "msdyn_RewardPointCurrency"
TO_POINTS = "transactioncurrency_msdyn_loyaltyrewardpoint_msdyn_rewardpointcurrency"
NUMBER = "msdyn_rewardpointid"
EURO = f"{CURRENCIES}(isocurrencycode='EUR')"


@pytest.fixture(autouse=True)
def points(dataverse: DataverseSession) -> None:
    """Three kinds of points in euro, one in no currency."""
    for number in ("A", "B", "C", "D"):
        body: dict[str, Any] = {NUMBER: number, "msdyn_redeemranking": ord(number) - 64}
        if number != "D":
            body[f"{TO_CURRENCY}@odata.bind"] = EURO
        assert dataverse.post(POINTS, json=body).status_code == 204


def read(dataverse: DataverseSession, url: str, **headers: str) -> Any:
    answer = dataverse.get(url, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_lookup_or_null(dataverse: DataverseSession) -> None:
    inside = f"{TO_CURRENCY}($select=isocurrencycode)"
    url = f"{POINTS}?$select={NUMBER}&$orderby={NUMBER}&$expand={inside}"
    body = read(dataverse, url)
    codes = [row[TO_CURRENCY] and row[TO_CURRENCY]["isocurrencycode"] for row in body["value"]]
    assert codes == ["EUR", "EUR", "EUR", None]
    mark = f"$metadata#{POINTS}({NUMBER},{TO_CURRENCY}(isocurrencycode))"
    assert body["@odata.context"].endswith(mark)


def test_lookups_of_lookups(dataverse: DataverseSession) -> None:
    inner = "createdby($select=fullname;$expand=businessunitid($select=name))"
    url = f"{POINTS}?$filter={NUMBER} eq 'A'&$expand={TO_CURRENCY}($expand={inner})"
    (row,) = read(dataverse, url)["value"]
    assert row[TO_CURRENCY]["createdby"]["fullname"] == "SYSTEM"
    assert row[TO_CURRENCY]["createdby"]["businessunitid"] is None


def test_a_collection_with_its_own_options(dataverse: DataverseSession) -> None:
    inside = f"$select={NUMBER};$filter=msdyn_redeemranking ge 2;$orderby={NUMBER} desc;$top=1"
    row = read(dataverse, f"{EURO}?$select=isocurrencycode&$expand={TO_POINTS}({inside})")
    (point,) = row[TO_POINTS]
    assert point[NUMBER] == "C"
    assert set(point) == {"@odata.etag", NUMBER, "msdyn_loyaltyrewardpointid"}


def test_a_collection_of_each_row(dataverse: DataverseSession) -> None:
    where = "$filter=isocurrencycode eq 'EUR' or isocurrencycode eq 'DKK'"
    url = f"{CURRENCIES}?{where}&$orderby=isocurrencycode&$expand={TO_POINTS}($select={NUMBER})"
    rows = read(dataverse, url)["value"]
    assert [len(row[TO_POINTS]) for row in rows] == [0, 3]


def test_there_and_back(dataverse: DataverseSession) -> None:
    inside = f"$select={NUMBER};$expand={TO_CURRENCY}($select=isocurrencycode)"
    row = read(dataverse, f"{EURO}?$expand={TO_POINTS}({inside})")
    assert {point[TO_CURRENCY]["isocurrencycode"] for point in row[TO_POINTS]} == {"EUR"}


def test_annotations_reach_inside(dataverse: DataverseSession) -> None:
    prefer = {"Prefer": 'odata.include-annotations="OData.Community.Display.V1.FormattedValue"'}
    url = f"{POINTS}?$filter={NUMBER} eq 'A'&$expand={TO_CURRENCY}($select=statecode)"
    (row,) = read(dataverse, url, **prefer)["value"]
    inner = row[TO_CURRENCY]
    assert inner["statecode@OData.Community.Display.V1.FormattedValue"] == "Active"


@pytest.mark.parametrize(
    ("expand", "part"),
    [
        ("nothing", "nothing"),
        (f"{TO_CURRENCY}($select=nothing)", "nothing"),
        (f"{TO_CURRENCY}($filter=statecode eq 0)", "$filter"),
        (f"{TO_CURRENCY}($top=1)", "$top"),
        (f"{TO_POINTS}", TO_POINTS),
        (",".join(["createdby"] * 16), "15"),
    ],
)
def test_refusals(dataverse: DataverseSession, expand: str, part: str) -> None:
    answer = dataverse.get(f"{POINTS}?$expand={expand}")
    assert answer.status_code == 400
    assert part in answer.json()["error"]["message"]
