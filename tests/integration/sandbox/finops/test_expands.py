"""`$expand`, one level deep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import FinopsSession


def test_one_and_many(finops: FinopsSession) -> None:
    made = {"CustomerGroupId": "20", "PartyNumber": "P000000002"}
    assert finops.post("CustomersV3", json=made).status_code == 201
    row = finops.get("CustomersV3?$expand=CustomerGroup&$select=CustomerAccount").json()["value"][1]
    assert list(row) == ["@odata.etag", "CustomerAccount", "CustomerGroup"]
    assert row["CustomerGroup"]["Description"] == "Major accounts"
    groups = finops.get(
        "CustomerGroups?cross-company=true&$expand=Customers($select=PartyNumber)"
    ).json()["value"]
    named = {(g["dataAreaId"], g["CustomerGroupId"]): g["Customers"] for g in groups}
    assert [one["PartyNumber"] for one in named["usrt", "20"]] == ["P000000002"]
    assert named["usmf", "20"] == []
    assert list(named["usrt", "10"][0]) == ["@odata.etag", "PartyNumber"]


def test_of_a_single_row(finops: FinopsSession) -> None:
    row = finops.get("CustomerGroups(dataAreaId='usrt',CustomerGroupId='10')?$expand=Customers")
    assert [one["CustomerAccount"] for one in row.json()["Customers"]] == ["C00000001"]


@pytest.mark.parametrize(
    "text",
    [
        "Customers($expand=CustomerGroup)",
        "Customers($filter=x)",
        "Customers($select=Nothing)",
        "customers",
        "Customers(",
    ],
)
def test_deeper_or_unknown_is_refused(finops: FinopsSession, text: str) -> None:
    assert finops.get(f"CustomerGroups?$expand={text}").status_code == 400
