"""The official Python client reads definitions before it writes data."""

from __future__ import annotations

import pytest
from PowerPlatform.Dataverse.client import DataverseClient

CARD = "msdyn_loyaltycard"
POINT = "msdyn_loyaltyrewardpoint"


def test_tables_and_columns(client: DataverseClient) -> None:
    table = client.tables.get("msdyn_LoyaltyCard")
    assert table is not None
    assert table["entity_set_name"] == "msdyn_loyaltycards"
    columns = {column["LogicalName"] for column in client.tables.list_columns(CARD)}
    assert {"msdyn_cardnumber", "msdyn_cardtendertype"} <= columns
    typed = client.tables.list_columns(CARD, typed=True)
    (number,) = [column for column in typed if column["LogicalName"] == "msdyn_cardnumber"]
    assert number["MaxLength"] == 100


def test_alternate_keys(client: DataverseClient) -> None:
    (key,) = client.tables.get_alternate_keys(CARD)
    assert key.key_attributes == ["msdyn_cardnumber"]
    assert key.status == "Active"


def test_what_can_be_expanded_and_bound(client: DataverseClient) -> None:
    found = {one["nav_property"]: one for one in client.query.odata_expands(POINT)}
    lookup = found["msdyn_RewardPointCurrency"]
    assert lookup["target_entity_set"] == "transactioncurrencies"
    with pytest.warns(DeprecationWarning, match="odata_bind"):
        bind = client.query.odata_bind(POINT, "transactioncurrency", "x")
    assert "/transactioncurrencies(x)" in bind.values()
