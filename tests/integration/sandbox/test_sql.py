"""SQL reads: what the service takes of T-SQL, and what it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import DataverseSession

POINTS = "msdyn_loyaltyrewardpoints"
POINT = "msdyn_loyaltyrewardpoint"
CURRENCIES = "transactioncurrencies"
JOIN = "JOIN transactioncurrency c ON p.msdyn_rewardpointcurrency = c.transactioncurrencyid"
CODE = "c.isocurrencycode"
NUMBER = "msdyn_rewardpointid"
RANK = "msdyn_redeemranking"

KINDS: dict[str, tuple[int | None, str | None]] = {
    "A": (3, "EUR"),
    "B": (1, "EUR"),
    "C": (5, "DKK"),
    "O'D": (None, None),
}


@pytest.fixture(autouse=True)
def points(dataverse: DataverseSession) -> None:
    """Four kinds of points; the last has neither ranking nor currency."""
    for number, (rank, code) in KINDS.items():
        body: dict[str, Any] = {NUMBER: number, RANK: rank}
        if code:
            url = f"{CURRENCIES}(isocurrencycode='{code}')"
            body["msdyn_RewardPointCurrency@odata.bind"] = url
        assert dataverse.post(POINTS, json=body).status_code == 204


def ask(dataverse: DataverseSession, sql: str, **headers: str) -> dict[str, Any]:
    answer = dataverse.get(POINTS, params={"sql": sql}, headers=headers)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def where(dataverse: DataverseSession, condition: str) -> list[str]:
    sql = f"SELECT {NUMBER} FROM {POINT} WHERE {condition} ORDER BY {NUMBER}"
    return [row[NUMBER] for row in ask(dataverse, sql)["value"]]


def test_rows_come_with_id_and_etag(dataverse: DataverseSession) -> None:
    body = ask(dataverse, f"SELECT {NUMBER}, {RANK} FROM {POINT} AS p ORDER BY p.{RANK} DESC")
    assert [row[NUMBER] for row in body["value"]] == ["C", "A", "B", "O'D"]
    first, last = body["value"][0], body["value"][-1]
    assert set(first) == {"@odata.etag", NUMBER, RANK, f"{POINT}id"}
    assert RANK not in last
    assert body["@odata.context"].startswith(f"{dataverse.api}/$metadata#{POINTS}(")


def test_aliases_say_which_column_they_are(dataverse: DataverseSession) -> None:
    prefer = {"Prefer": 'odata.include-annotations="*"'}
    sql = f"SELECT p.{NUMBER} AS number FROM {POINT} AS p WHERE p.{NUMBER} = 'a'"
    body = ask(dataverse, sql, **prefer)
    (row,) = body["value"]
    assert row["number"] == "A"
    assert row["number@OData.Community.Display.V1.AttributeName"] == NUMBER
    assert body["@Microsoft.Dynamics.CRM.totalrecordcount"] == -1
    assert body["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"] is False


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        (f"{NUMBER} = 'a'", ["A"]),
        (f"'a' = {NUMBER}", ["A"]),
        (f"{NUMBER} <> 'a'", ["B", "C", "O'D"]),
        (f"{NUMBER} = 'o''d'", ["O'D"]),
        (f"{NUMBER} = N'a'", ["A"]),
        (f"{NUMBER} > 'b'", ["C", "O'D"]),
        (f"3 <= {RANK}", ["A", "C"]),
        (f"{RANK} > -1", ["A", "B", "C"]),
        (f"{NUMBER} LIKE '[ab]'", ["A", "B"]),
        (f"{NUMBER} NOT LIKE '[ab]'", ["C", "O'D"]),
        (f"{NUMBER} IN ('a', 'c')", ["A", "C"]),
        (f"{NUMBER} NOT IN ('a', 'c')", ["B", "O'D"]),
        (f"{RANK} BETWEEN 1 AND 3", ["A", "B"]),
        (f"{RANK} NOT BETWEEN 1 AND 3", ["C"]),
        (f"{RANK} IS NULL", ["O'D"]),
        (f"{RANK} IS NOT NULL AND NOT {NUMBER} = 'a'", ["B", "C"]),
        (f"({NUMBER} = 'a' OR {NUMBER} = 'b') AND {RANK} = 1", ["B"]),
        ("createdon >= '2020-01-01' AND createdon < '2100-01-01 10:00:00'", ["A", "B", "C", "O'D"]),
        ("statecode = 0 AND statecode <> 1", ["A", "B", "C", "O'D"]),
    ],
)
def test_conditions(dataverse: DataverseSession, condition: str, found: list[str]) -> None:
    assert where(dataverse, condition) == found


def test_ids_are_texts(dataverse: DataverseSession) -> None:
    (row,) = ask(dataverse, f"SELECT {NUMBER} FROM {POINT} WHERE {NUMBER}='a'")["value"]
    assert where(dataverse, f"{POINT}id = '{row[f'{POINT}id'].upper()}'") == ["A"]


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        (f"SELECT p.{NUMBER}, c.isocurrencycode FROM {POINT} p {JOIN}", "A EUR, B EUR, C DKK"),
        (
            f"SELECT p.{NUMBER}, c.isocurrencycode FROM {POINT} p INNER {JOIN}",
            "A EUR, B EUR, C DKK",
        ),
        (
            f"SELECT p.{NUMBER}, c.isocurrencycode FROM {POINT} p LEFT {JOIN}",
            "A EUR, B EUR, C DKK, O'D",
        ),
        (
            f"SELECT {NUMBER}, isocurrencycode FROM {POINT} p {JOIN} WHERE c.isocurrencycode='dkk'",
            "C DKK",
        ),
        (
            f"SELECT p.{NUMBER}, {CODE} FROM {POINT} p LEFT OUTER {JOIN} AND {CODE} = 'DKK'",
            "A, B, C DKK, O'D",
        ),
    ],
)
def test_joins(dataverse: DataverseSession, sql: str, found: str) -> None:
    rows = ask(dataverse, f"{sql} ORDER BY p.{NUMBER}")["value"]
    shown = [" ".join(filter(None, (row[NUMBER], row.get("isocurrencycode")))) for row in rows]
    assert ", ".join(shown) == found


def test_a_table_joined_twice(dataverse: DataverseSession) -> None:
    sql = (
        f"SELECT TOP 1 p.{NUMBER}, a.fullname AS maker, b.fullname AS changer FROM {POINT} p "
        "JOIN systemuser a ON p.createdby = a.systemuserid "
        "JOIN systemuser b ON p.modifiedby = b.systemuserid"
    )
    (row,) = ask(dataverse, sql)["value"]
    assert row["maker"] == row["changer"]


def test_aggregates(dataverse: DataverseSession) -> None:
    sql = (
        f"SELECT COUNT(*) AS n, COUNT({RANK}) AS ranked, SUM({RANK}) AS total, "
        f"AVG({RANK}) AS mean, MIN({RANK}) AS low, MAX({RANK}) AS high FROM {POINT}"
    )
    (row,) = ask(dataverse, sql)["value"]
    assert row == {"n": 4, "ranked": 3, "total": 9, "mean": 3, "low": 1, "high": 5}


def test_groups(dataverse: DataverseSession) -> None:
    sql = (
        f"SELECT c.isocurrencycode, COUNT(p.{NUMBER}) AS n, SUM(p.{RANK}) AS total "
        f"FROM {POINT} p {JOIN} WHERE p.statecode = 0 GROUP BY c.isocurrencycode ORDER BY n DESC"
    )
    assert ask(dataverse, sql)["value"] == [
        {"isocurrencycode": "EUR", "n": 2, "total": 4},
        {"isocurrencycode": "DKK", "n": 1, "total": 5},
    ]


def test_a_group_need_not_be_shown(dataverse: DataverseSession) -> None:
    sql = f"SELECT COUNT(*) AS n FROM {POINT} GROUP BY msdyn_rewardpointcurrency ORDER BY n DESC"
    assert [row["n"] for row in ask(dataverse, sql)["value"]] == [2, 1, 1]


def test_distinct(dataverse: DataverseSession) -> None:
    sql = f"SELECT DISTINCT c.isocurrencycode FROM {POINT} p {JOIN} ORDER BY c.isocurrencycode"
    assert ask(dataverse, sql)["value"] == [{"isocurrencycode": "DKK"}, {"isocurrencycode": "EUR"}]


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        (f"SELECT TOP 2 {NUMBER} FROM {POINT} ORDER BY {NUMBER}", ["A", "B"]),
        (f"SELECT TOP (1) {NUMBER} FROM {POINT} ORDER BY {NUMBER} DESC", ["O'D"]),
        (f"SELECT TOP 0 {NUMBER} FROM {POINT}", []),
        (
            f"SELECT {NUMBER} FROM {POINT} ORDER BY {NUMBER} OFFSET 1 ROWS FETCH NEXT 2 ROWS ONLY",
            ["B", "C"],
        ),
        (f"SELECT {NUMBER} FROM {POINT} ORDER BY {NUMBER} OFFSET 3 ROWS", ["O'D"]),
    ],
)
def test_windows(dataverse: DataverseSession, sql: str, found: list[str]) -> None:
    body = ask(dataverse, sql, Prefer="odata.maxpagesize=3")
    assert [row[NUMBER] for row in body["value"]] == found
    assert "@odata.nextLink" not in body


def test_pages_by_next_link(dataverse: DataverseSession) -> None:
    prefer = {"Prefer": "odata.maxpagesize=3"}
    first = ask(dataverse, f"SELECT {NUMBER} FROM {POINT} ORDER BY {NUMBER}", **prefer)
    assert "pagingcookie%3D" in first["@odata.nextLink"]
    second = dataverse.get(first["@odata.nextLink"], headers=prefer).json()
    rows = [row[NUMBER] for row in first["value"] + second["value"]]
    assert rows == ["A", "B", "C", "O'D"]
    assert "@odata.nextLink" not in second


def test_a_top_longer_than_a_page(dataverse: DataverseSession) -> None:
    prefer = {"Prefer": "odata.maxpagesize=2"}
    first = ask(dataverse, f"SELECT TOP 3 {NUMBER} FROM {POINT} ORDER BY {NUMBER}", **prefer)
    second = dataverse.get(first["@odata.nextLink"], headers=prefer).json()
    assert [row[NUMBER] for row in second["value"]] == ["C"]
    assert "@odata.nextLink" not in second


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "SELECT",
        f"SELECT * FROM {POINT}",
        f"SELECT {NUMBER} FROM {POINT}; SELECT {NUMBER} FROM {POINT}",
        f"DELETE FROM {POINT}",
        f"UPDATE {POINT} SET {NUMBER} = 'x'",
        f"SELECT {NUMBER} FROM {POINT} UNION SELECT {NUMBER} FROM {POINT}",
        f"WITH x AS (SELECT {NUMBER} FROM {POINT}) SELECT {NUMBER} FROM x",
        f"SELECT {NUMBER} FROM (SELECT {NUMBER} FROM {POINT}) x",
        f"SELECT {NUMBER} FROM {POINT} WHERE {NUMBER} IN (SELECT {NUMBER} FROM {POINT})",
        f"SELECT {NUMBER} FROM {POINT} WHERE EXISTS (SELECT {NUMBER} FROM {POINT})",
        f"SELECT COUNT(*) AS n FROM {POINT} GROUP BY statecode HAVING COUNT(*) > 1",
        f"SELECT {NUMBER} FROM {POINT} p RIGHT {JOIN}",
        f"SELECT {NUMBER} FROM {POINT} p FULL OUTER {JOIN}",
        f"SELECT {NUMBER} FROM {POINT} p CROSS JOIN transactioncurrency c",
        f"SELECT UPPER({NUMBER}) FROM {POINT}",
        f"SELECT CASE WHEN {RANK} = 1 THEN 1 END FROM {POINT}",
        f"SELECT {NUMBER} FROM {POINT} WHERE 1 = 1",
        f"SELECT {NUMBER} FROM {POINT} WHERE {RANK} + 1 = 2",
        f"SELECT {NUMBER} FROM {POINT} WHERE {NUMBER} = {NUMBER}",
        f"SELECT {NUMBER} FROM {POINT} WHERE {RANK} = 'many'",
        f"SELECT {NUMBER} FROM {POINT} ORDER BY LEN({NUMBER})",
        f"SELECT TOP 5001 {NUMBER} FROM {POINT}",
        f"SELECT TOP 5 PERCENT {NUMBER} FROM {POINT}",
        f"SELECT {NUMBER} FROM {POINT} ORDER BY {NUMBER} OFFSET 1 ROWS FETCH NEXT ROWS ONLY",
        f"FETCH {NUMBER} FROM {POINT}",
        f"SELECT DISTINCT FROM {POINT}",
        f"SELECT nothing FROM {POINT}",
        f"SELECT x.{NUMBER} FROM {POINT} p",
        f"SELECT {NUMBER} FROM nothing",
        "SELECT isocurrencycode FROM transactioncurrency",
        f"SELECT createdon FROM {POINT} p {JOIN}",
        f"SELECT p.createdon, c.createdon FROM {POINT} p {JOIN}",
        f"SELECT {NUMBER}, COUNT(*) AS n FROM {POINT} GROUP BY statecode",
        f"SELECT SUM({NUMBER}) AS n FROM {POINT}",
        f"SELECT {NUMBER} FROM sqlite_master",
        f"SELECT {NUMBER} FROM {POINT} WHERE {NUMBER} = @p",
    ],
)
def test_refusals(dataverse: DataverseSession, sql: str) -> None:
    answer = dataverse.get(POINTS, params={"sql": sql})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["code"].startswith("0x")
    assert len(where(dataverse, "statecode = 0")) == 4


def test_a_deep_condition_is_refused(dataverse: DataverseSession) -> None:
    condition = "(" * 100 + f"{RANK} = 1" + ")" * 100
    sql = f"SELECT {NUMBER} FROM {POINT} WHERE {condition}"
    assert dataverse.get(POINTS, params={"sql": sql}).status_code == 400
