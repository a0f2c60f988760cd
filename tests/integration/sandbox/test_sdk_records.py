"""The official Python client: single records, lists, pages, annotations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError, MetadataError
from PowerPlatform.Dataverse.models.filters import FilterExpression, col, raw
from PowerPlatform.Dataverse.models.query_builder import ExpandOption

if TYPE_CHECKING:
    from tests.conftest import DataverseSession

CARD = "msdyn_loyaltycard"
CARDS = "msdyn_loyaltycards"
POINT = "msdyn_loyaltyrewardpoint"
NUMBER = "msdyn_cardnumber"
FORMATTED = "OData.Community.Display.V1.FormattedValue"
AddCards = Callable[..., list[str]]


def test_a_life(client: DataverseClient, dataverse: DataverseSession) -> None:
    record = client.records.create(CARD, {NUMBER: "C-1", "msdyn_cardtendertype": "Blocked"})
    client.records.update(CARD, record, {"msdyn_PartyNumber": "P-1"})
    row = client.records.retrieve(
        CARD, record, select=["msdyn_CardTenderType", "msdyn_partynumber"]
    )
    assert row is not None
    # The client has turned the label into its number with the help of the metadata.
    assert (row["msdyn_cardtendertype"], row["msdyn_partynumber"]) == (806380003, "P-1")
    assert row.etag is not None
    client.records.delete(CARD, record)
    assert client.records.retrieve(CARD, record) is None
    assert dataverse.get(f"{CARDS}({record})").status_code == 404


def test_the_name_of_a_table_is_found_without_case(client: DataverseClient) -> None:
    record = client.records.create("MSDYN_LoyaltyCard", {NUMBER: "C-1"})
    assert client.records.retrieve("msdyn_LOYALTYCARD", record) is not None
    with pytest.raises(MetadataError):
        client.records.create("msdyn_nothing", {NUMBER: "C-1"})


def test_an_alternate_key_as_the_address(client: DataverseClient) -> None:
    client.records.create(CARD, {NUMBER: "C 1"})
    key = f"{NUMBER}='C 1'"
    client.records.update(CARD, key, {"msdyn_partynumber": "P"})
    row = client.records.retrieve(CARD, key, select=["msdyn_partynumber"])
    assert row is not None
    assert row["msdyn_partynumber"] == "P"
    client.records.delete(CARD, key)
    assert client.records.retrieve(CARD, key) is None


def test_a_lookup_is_bound_and_expanded(client: DataverseClient) -> None:
    currency = client.records.list("transactioncurrency", filter="isocurrencycode eq 'EUR'").first()
    assert currency is not None
    where = f"/transactioncurrencies({currency['transactioncurrencyid']})"
    record = client.records.create(
        POINT, {"msdyn_rewardpointid": "A", "msdyn_RewardPointCurrency@odata.bind": where}
    )
    row = client.records.retrieve(
        POINT,
        record,
        select=["_msdyn_rewardpointcurrency_value"],
        expand=["msdyn_RewardPointCurrency"],
        include_annotations="*",
    )
    assert row is not None
    assert row["msdyn_RewardPointCurrency"]["isocurrencycode"] == "EUR"
    assert row[f"_msdyn_rewardpointcurrency_value@{FORMATTED}"] == "Euro"


def test_formatted_values(client: DataverseClient) -> None:
    record = client.records.create(
        CARD,
        {NUMBER: "C-1", "msdyn_cardtendertype": 806380001, "msdyn_enrollmentdate": "2026-02-03"},
    )
    row = client.records.retrieve(
        CARD,
        record,
        select=["msdyn_cardtendertype", "msdyn_enrollmentdate", "statecode"],
        include_annotations=FORMATTED,
    )
    assert row is not None
    assert row[f"msdyn_cardtendertype@{FORMATTED}"] == "As contact tender"
    assert row[f"msdyn_enrollmentdate@{FORMATTED}"] == "2/3/2026"
    assert row[f"statecode@{FORMATTED}"] == "Active"


def test_lists(client: DataverseClient, add_cards: AddCards) -> None:
    add_cards(["C-1", "C-2", "C-3"], msdyn_partynumber="P")
    found = client.records.list(
        CARD, filter="msdyn_partynumber eq 'p'", select=[NUMBER], orderby=[f"{NUMBER} desc"], top=2
    )
    assert [row[NUMBER] for row in found] == ["C-3", "C-2"]
    assert found.to_dataframe()[NUMBER].tolist() == ["C-3", "C-2"]
    assert not client.records.list(CARD, filter="msdyn_partynumber eq 'q'")


def test_pages(client: DataverseClient, add_cards: AddCards) -> None:
    add_cards(f"C-{n}" for n in range(25))
    pages = list(
        client.records.list_pages(CARD, select=[NUMBER], page_size=10, orderby=[NUMBER], count=True)
    )
    assert [len(page) for page in pages] == [10, 10, 5]
    assert len({row[NUMBER] for page in pages for row in page}) == 25


@pytest.mark.parametrize(
    ("where", "found"),
    [
        (col(NUMBER) == "c-1", "1"),
        (col(NUMBER) != "C-1", "234"),
        (col("msdyn_cardtendertype") == 806380001, "1"),
        (col("msdyn_cardtendertype").is_null(), "24"),
        (col("msdyn_cardtendertype").is_not_null(), "13"),
        (col(NUMBER).in_(["C-1", "C-3"]), "13"),
        (col(NUMBER).not_in(["C-1", "C-3"]), "24"),
        (col("msdyn_cardtendertype").in_([806380001, 806380003]), "13"),
        (col("msdyn_enrollmentdate").between(date(2026, 1, 1), date(2026, 1, 2)), "12"),
        (col("msdyn_enrollmentdate").not_between(date(2026, 1, 1), date(2026, 1, 2)), "34"),
        (col("createdon") > datetime(2020, 1, 1, tzinfo=UTC), "1234"),
        (col(NUMBER).contains("-3"), "3"),
        (col(NUMBER).startswith("c-") & ~(col(NUMBER) == "C-4"), "123"),
        (col(NUMBER).endswith("2") | col(NUMBER).endswith("4"), "24"),
        (col(NUMBER).like("c-1%"), "1"),
        (col(NUMBER).not_like("%4"), "123"),
        (raw("Microsoft.Dynamics.CRM.Today(PropertyName='createdon')"), "1234"),
        (raw("Microsoft.Dynamics.CRM.LastXDays(PropertyName='createdon',PropertyValue=1)"), "1234"),
    ],
)
def test_expressions(
    client: DataverseClient, add_cards: AddCards, where: FilterExpression, found: str
) -> None:
    for number in (1, 2, 3, 4):
        extra = {"msdyn_cardtendertype": 806380000 + number} if number % 2 else {}
        add_cards([f"C-{number}"], msdyn_enrollmentdate=f"2026-01-0{number}", **extra)
    rows = client.records.list(CARD, filter=where, select=[NUMBER], orderby=[NUMBER])
    assert "".join(row[NUMBER][-1] for row in rows) == found


def test_the_query_builder(client: DataverseClient, add_cards: AddCards) -> None:
    add_cards([f"C-{n}" for n in range(7)], msdyn_cardtendertype=806380001)
    query = (
        client.query.builder(CARD)
        .select(NUMBER, "msdyn_cardtendertype")
        .where(col("statecode") == 0)
        .where(col(NUMBER) != "C-0")
        .order_by(NUMBER, descending=True)
        .include_formatted_values()
        .page_size(4)
        .count()
    )
    assert [len(page) for page in query.execute_pages()] == [4, 2]
    frame = pd.concat([page.to_dataframe() for page in query.execute_pages()], ignore_index=True)
    assert frame[NUMBER][0] == "C-6"
    assert frame[f"msdyn_cardtendertype@{FORMATTED}"][0] == "As contact tender"
    nav = ExpandOption("ownerid").select("fullname")
    pages = client.query.builder(CARD).select(NUMBER).expand(nav).top(1).execute_pages()
    (row,) = next(pages)
    assert "fullname" in row["ownerid"]


def test_refusals_arrive_as_the_clients_own_errors(client: DataverseClient) -> None:
    with pytest.raises(HttpError) as caught:
        client.records.create(CARD, {NUMBER: "x" * 101})
    error = caught.value
    assert (error.status_code, error.subcode, error.is_transient) == (400, "http_400", False)
    assert error.details["service_error_code"] == "0x80044331"
    assert error.details["service_request_id"]
    client.records.create(CARD, {NUMBER: "C-1"})
    with pytest.raises(HttpError, match="Entity Key") as caught:
        client.records.create(CARD, {NUMBER: "c-1"})
    assert (caught.value.status_code, caught.value.subcode) == (412, "http_412")


def test_the_older_ways_still_work(client: DataverseClient, add_cards: AddCards) -> None:
    ids = add_cards(["C-1", "C-2"])
    with pytest.warns(DeprecationWarning, match="records"):
        assert client.records.get(CARD, ids[0])[NUMBER] == "C-1"
    with pytest.warns(DeprecationWarning, match="records"):
        pages = list(client.records.get(CARD, select=[NUMBER], page_size=1))
    assert [len(page) for page in pages] == [1, 1]
