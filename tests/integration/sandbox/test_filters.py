"""`$filter`: every operator and literal the service takes, in its own meaning."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import DataverseSession

CARDS = "msdyn_loyaltycards"
POINTS = "msdyn_loyaltyrewardpoints"


@pytest.fixture
def cards(dataverse: DataverseSession) -> Callable[[str], list[str]]:
    """Five cards, and the numbers of those under a filter, in order."""
    rows: list[dict[str, object]] = [
        {"msdyn_cardnumber": "A-1", "msdyn_cardtendertype": 806380000, "msdyn_partynumber": "p1"},
        {
            "msdyn_cardnumber": "a-2",
            "msdyn_partynumber": "P1 ",
            "msdyn_enrollmentdate": "2024-01-31",
        },
        {"msdyn_cardnumber": "B%1", "msdyn_enrollmentdate": "2024-02-01"},
        {"msdyn_cardnumber": "Ćevap", "msdyn_cardtendertype": 806380003},
        {"msdyn_cardnumber": "O'Hara", "statecode": 1},
    ]
    for row in rows:
        assert dataverse.post(CARDS, json=row).status_code == 204

    def found(condition: str) -> list[str]:
        answer = dataverse.get(CARDS, params={"$filter": condition, "$orderby": "msdyn_cardnumber"})
        assert answer.status_code == 200, answer.text
        return [row["msdyn_cardnumber"] for row in answer.json()["value"]]

    return found


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("msdyn_cardnumber eq 'a-1'", ["A-1"]),
        ("msdyn_cardnumber eq 'ćEVAP '", ["Ćevap"]),
        ("msdyn_cardnumber eq 'O''Hara'", ["O'Hara"]),
        ("msdyn_partynumber eq 'P1'", ["A-1", "a-2"]),
        ("msdyn_partynumber ne 'p1'", ["B%1", "O'Hara", "Ćevap"]),
        ("msdyn_partynumber eq null", ["B%1", "O'Hara", "Ćevap"]),
        ("msdyn_partynumber ne null", ["A-1", "a-2"]),
        ("null ne msdyn_partynumber", ["A-1", "a-2"]),
        ("msdyn_cardtendertype eq 806380003", ["Ćevap"]),
        ("msdyn_cardtendertype ge 806380000 and statecode eq 0", ["A-1", "Ćevap"]),
        ("806380000 lt msdyn_cardtendertype", ["Ćevap"]),
        ("msdyn_enrollmentdate lt 2024-02-01", ["a-2"]),
        ("msdyn_enrollmentdate ge 2024-02-01", ["B%1"]),
        ("createdon gt 2001-02-03T04:05:06Z and not (statecode eq 0)", ["O'Hara"]),
        (
            "statecode eq 1 or (msdyn_cardnumber lt 'B' and statecode eq 0)",
            ["A-1", "a-2", "O'Hara"],
        ),
        ("contains(msdyn_cardnumber,'-')", ["A-1", "a-2"]),
        ("startswith(msdyn_cardnumber,'A') and endswith(msdyn_cardnumber,'2')", ["a-2"]),
        ("contains(msdyn_cardnumber,'[%]')", ["B%1"]),
        ("startswith(msdyn_cardnumber,'a_1')", ["A-1"]),
        ("startswith(msdyn_cardnumber,'[ab]%1')", ["A-1", "B%1"]),
        ("not contains(msdyn_cardnumber,'a')", ["B%1"]),
        ("createdby/fullname eq '# DUALWRITE connector' and statecode eq 1", ["O'Hara"]),
        ("modifiedby/businessunitid/name eq 'sandbox' and statecode eq 1", ["O'Hara"]),
        ("msdyn_cardnumber in ('A-1','O''HARA')", ["A-1", "O'Hara"]),
        ("_createdby_value eq null", []),
        ("msdyn_cardnumber eq msdyn_partynumber", []),
    ],
)
def test_cards_under(
    cards: Callable[[str], list[str]], condition: str, expected: list[str]
) -> None:
    assert cards(condition) == expected


@pytest.mark.parametrize(
    ("function", "column", "values", "expected"),
    [
        ("In", "msdyn_cardnumber", ["a-1", "b%1", "x\"]')"], ["A-1", "B%1"]),
        ("NotIn", "msdyn_cardnumber", ["a-1", "A-2", "O'HARA"], ["B%1", "Ćevap"]),
        ("In", "msdyn_cardtendertype", ["806380000", "806380001"], ["A-1"]),
        ("In", "msdyn_enrollmentdate", ["2024-02-01"], ["B%1"]),
    ],
)
def test_membership(
    cards: Callable[[str], list[str]],
    function: str,
    column: str,
    values: list[str],
    expected: list[str],
) -> None:
    listed = json.dumps(values)
    text = f"Microsoft.Dynamics.CRM.{function}(PropertyName='{column}',PropertyValues={listed})"
    assert cards(text) == expected


def test_membership_of_thousands_and_of_ids(
    dataverse: DataverseSession, add_cards: Callable[..., list[str]]
) -> None:
    ids = add_cards(f"C-{n}" for n in range(300))
    for column, values in (
        ("msdyn_cardnumber", [f"c-{n}" for n in range(300)]),
        ("msdyn_loyaltycardid", ids),
    ):
        text = (
            f"Microsoft.Dynamics.CRM.In(PropertyName='{column}',"
            f"PropertyValues={json.dumps(values)})"
        )
        answer = dataverse.get(CARDS, params={"$filter": text, "$select": "msdyn_cardnumber"})
        assert len(answer.json()["value"]) == 300


def test_booleans_and_lookups(dataverse: DataverseSession) -> None:
    euro = dataverse.get("transactioncurrencies(isocurrencycode='EUR')").json()
    euro_id = euro["transactioncurrencyid"]
    bind = {"msdyn_RewardPointCurrency@odata.bind": f"/transactioncurrencies({euro_id})"}
    dataverse.post(POINTS, json={"msdyn_rewardpointid": "R1", "msdyn_redeemable": True, **bind})
    dataverse.post(POINTS, json={"msdyn_rewardpointid": "R2", "msdyn_redeemable": False})
    for condition in (
        "msdyn_redeemable eq true",
        "msdyn_redeemable ne false",
        f"_msdyn_rewardpointcurrency_value eq {euro_id}",
        f"_msdyn_rewardpointcurrency_value eq '{euro_id.upper()}'",
        "msdyn_RewardPointCurrency/isocurrencycode eq 'eur'",
        "msdyn_RewardPointCurrency/exchangerate ge 1",
    ):
        (row,) = dataverse.get(POINTS, params={"$filter": condition}).json()["value"]
        assert row["msdyn_rewardpointid"] == "R1", condition


def test_parameter_aliases(
    dataverse: DataverseSession, add_cards: Callable[..., list[str]]
) -> None:
    add_cards(["@p1", "x"])
    url = f"{CARDS}?$filter=msdyn_cardnumber eq @p1 or msdyn_cardnumber eq '@p1'&@p1='x'"
    assert len(dataverse.get(url).json()["value"]) == 2


@pytest.mark.parametrize(
    "condition",
    [
        "msdyn_cardnumber eq 5",
        "msdyn_cardtendertype eq 'Blocked'",
        "_createdby_value eq 'me'",
        "msdyn_enrollmentdate eq 'soon'",
        "msdyn_cardtendertype lt null",
        "msdyn_cardnumber",
        "1 eq 1",
        "contains(msdyn_cardtendertype,'1')",
        "CreatedBy/fullname eq 'x'",
    ],
)
def test_a_filter_that_does_not_fit_is_refused(dataverse: DataverseSession, condition: str) -> None:
    answer = dataverse.get(CARDS, params={"$filter": condition})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "0x0")
