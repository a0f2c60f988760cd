"""The official Python client: SQL and FetchXML."""

from __future__ import annotations

import pytest
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError, ValidationError

POINT = "msdyn_loyaltyrewardpoint"
NUMBER = "msdyn_rewardpointid"
RANK = "msdyn_redeemranking"


@pytest.fixture(autouse=True)
def points(client: DataverseClient) -> None:
    """Five kinds of points, ranked, in two currencies."""
    codes = {
        row["isocurrencycode"]: row["transactioncurrencyid"]
        for row in client.records.list("transactioncurrency", select=["isocurrencycode"])
    }
    client.records.create(
        POINT,
        [
            {
                NUMBER: name,
                RANK: rank,
                "msdyn_RewardPointCurrency@odata.bind": f"/transactioncurrencies({codes[code]})",
            }
            for name, rank, code in (
                ("A", 1, "EUR"),
                ("B", 2, "EUR"),
                ("C", 3, "DKK"),
                ("D", 4, "EUR"),
                ("E", 5, "DKK"),
            )
        ],
    )


def test_sql(client: DataverseClient) -> None:
    rows = client.query.sql(
        f"SELECT TOP 2 {NUMBER}, {RANK} FROM {POINT} WHERE {RANK} > 1 ORDER BY {RANK} DESC"
    )
    assert [(row[NUMBER], row[RANK]) for row in rows] == [("E", 5), ("D", 4)]
    assert client.query.sql(f"SELECT {NUMBER} FROM {POINT} WHERE {NUMBER} = 'x'") == []


def test_sql_joins_and_groups(client: DataverseClient) -> None:
    rows = client.query.sql(
        f"SELECT c.isocurrencycode, COUNT(p.{POINT}id) as kinds, SUM(p.{RANK}) as total "
        f"FROM {POINT} p JOIN transactioncurrency c "
        "ON p.msdyn_rewardpointcurrency = c.transactioncurrencyid GROUP BY c.isocurrencycode"
    )
    found = {row["isocurrencycode"]: (row["kinds"], row["total"]) for row in rows}
    assert found == {"EUR": (3, 7), "DKK": (2, 8)}


def test_sql_over_more_than_a_page(client: DataverseClient) -> None:
    """The client asks for no page size, so a page is 5,000 rows."""
    client.records.create("msdyn_loyaltycard", [{"msdyn_cardnumber": f"{n}"} for n in range(5001)])
    rows = client.query.sql("SELECT msdyn_cardnumber FROM msdyn_loyaltycard")
    assert len({row["msdyn_cardnumber"] for row in rows}) == 5001


def test_sql_columns_can_be_asked_for(client: DataverseClient) -> None:
    names = [column["name"] for column in client.query.sql_columns(POINT)]
    assert names[:2] == [f"{POINT}id", NUMBER]
    rows = client.query.sql(f"SELECT {', '.join(names)} FROM {POINT} WHERE {NUMBER} = 'a'")
    assert rows[0][NUMBER] == "A"


def test_sql_is_refused_by_client_and_service(client: DataverseClient) -> None:
    with pytest.raises(ValidationError):
        client.query.sql(f"SELECT * FROM {POINT}")
    with pytest.raises(HttpError) as caught:
        client.query.sql(f"SELECT {NUMBER} FROM {POINT} WHERE nothing = 1")
    assert caught.value.details["service_error_code"] == "0x80041103"


def test_fetchxml(client: DataverseClient) -> None:
    rows = client.query.fetchxml(
        f"""<fetch top='2'><entity name='{POINT}'><attribute name='{NUMBER}' />
        <order attribute='{RANK}' descending='true' />
        <link-entity name='transactioncurrency' from='transactioncurrencyid'
            to='msdyn_rewardpointcurrency' alias='c' link-type='inner'>
          <attribute name='isocurrencycode' />
          <filter><condition attribute='isocurrencycode' operator='eq' value='EUR' /></filter>
        </link-entity></entity></fetch>"""
    ).execute()
    assert [(row[NUMBER], row["c.isocurrencycode"]) for row in rows] == [("D", "EUR"), ("B", "EUR")]


def test_fetchxml_pages_by_cookie(client: DataverseClient) -> None:
    query = client.query.fetchxml(
        f"<fetch count='2'><entity name='{POINT}'><attribute name='{NUMBER}' />"
        f"<order attribute='{NUMBER}' /></entity></fetch>"
    )
    pages = [[row[NUMBER] for row in page] for page in query.execute_pages()]
    assert pages == [["A", "B"], ["C", "D"], ["E"]]


def test_fetchxml_pages_without_a_cookie(client: DataverseClient) -> None:
    """Ordered by a joined table the service gives none; the client warns and counts pages."""
    query = client.query.fetchxml(
        f"""<fetch count='2'><entity name='{POINT}'><attribute name='{NUMBER}' />
        <order entityname='c' attribute='isocurrencycode' /><order attribute='{NUMBER}' />
        <link-entity name='transactioncurrency' from='transactioncurrencyid'
            to='msdyn_rewardpointcurrency' alias='c' /></entity></fetch>"""
    )
    with pytest.warns(UserWarning, match="paging cookie"):
        rows = query.execute()
    assert [row[NUMBER] for row in rows] == ["C", "E", "A", "B", "D"]


def test_fetchxml_aggregates(client: DataverseClient) -> None:
    (row,) = client.query.fetchxml(
        f"<fetch aggregate='true'><entity name='{POINT}'>"
        f"<attribute name='{RANK}' alias='total' aggregate='sum' /></entity></fetch>"
    ).execute()
    assert row["total"] == 15
