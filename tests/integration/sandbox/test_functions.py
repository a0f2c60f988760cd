"""Query functions of the service and lambdas over related rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import DataverseSession

CARDS = "msdyn_loyaltycards"
POINTS = "msdyn_loyaltyrewardpoints"
CURRENCIES = "transactioncurrencies"
TO_POINTS = "transactioncurrency_msdyn_loyaltyrewardpoint_msdyn_rewardpointcurrency"
VIA_LOOKUP = "p/msdyn_RewardPointCurrency/isocurrencycode"
AddCards = Callable[..., list[str]]


def day(distance: int) -> str:
    return f"{datetime.now(UTC) + timedelta(days=distance):%Y-%m-%d}"


def numbers(dataverse: DataverseSession, where: str, **parameters: str) -> list[str]:
    answer = dataverse.get(CARDS, params={"$filter": where, **parameters})
    assert answer.status_code == 200, answer.text
    return sorted(row["msdyn_cardnumber"] for row in answer.json()["value"])


def call(function: str, column: str, *values: str, listed: bool = False) -> str:
    inside = f"PropertyName='{column}'"
    if listed:
        quoted = ",".join(f'"{value}"' for value in values)
        inside += f",PropertyValues=[{quoted}]"
    elif values:
        inside += f",PropertyValue='{values[0]}'"
    return f"Microsoft.Dynamics.CRM.{function}({inside})"


@pytest.mark.parametrize(
    ("where", "found"),
    [
        (call("Between", "msdyn_enrollmentdate", day(-2), day(0), listed=True), ["C-2", "C-3"]),
        (call("NotBetween", "msdyn_enrollmentdate", day(-2), day(0), listed=True), ["C-1", "C-4"]),
        (call("Today", "msdyn_enrollmentdate"), ["C-3"]),
        (call("Tomorrow", "msdyn_enrollmentdate"), ["C-4"]),
        (call("LastXDays", "msdyn_enrollmentdate", "5"), ["C-2", "C-3"]),
        (call("LastXDays", "msdyn_enrollmentdate", "9"), ["C-1", "C-2", "C-3"]),
        (call("Last7Days", "msdyn_enrollmentdate"), ["C-2", "C-3"]),
        (call("NextXDays", "msdyn_enrollmentdate", "1"), ["C-4"]),
        (call("OlderThanXDays", "msdyn_enrollmentdate", "5"), ["C-1"]),
        (call("On", "msdyn_enrollmentdate", day(-1)), ["C-2"]),
        (call("OnOrAfter", "msdyn_enrollmentdate", day(0)), ["C-3", "C-4"]),
        (call("OnOrBefore", "msdyn_enrollmentdate", day(-1)), ["C-1", "C-2"]),
        (call("In", "msdyn_cardnumber", "c-1", "C-4", listed=True), ["C-1", "C-4"]),
        (call("NotIn", "msdyn_cardnumber", "c-1", "C-4", listed=True), ["C-2", "C-3"]),
        (f"not {call('Today', 'msdyn_enrollmentdate')}", ["C-1", "C-2", "C-4"]),
        (f"{call('Today', 'msdyn_enrollmentdate')} and msdyn_cardnumber eq 'c-3'", ["C-3"]),
    ],
)
def test_functions_of_dates_and_lists(
    dataverse: DataverseSession, add_cards: AddCards, where: str, found: list[str]
) -> None:
    for number, distance in enumerate((-8, -1, 0, 1), start=1):
        add_cards([f"C-{number}"], msdyn_enrollmentdate=day(distance))
    assert numbers(dataverse, where) == found


def test_instants_are_compared_to_the_second(
    dataverse: DataverseSession, add_cards: AddCards
) -> None:
    add_cards(["C-1"])
    assert numbers(dataverse, call("LastXHours", "createdon", "1")) == ["C-1"]
    assert numbers(dataverse, call("OlderThanXMinutes", "createdon", "5")) == []
    assert numbers(dataverse, call("ThisMonth", "createdon")) == ["C-1"]
    assert numbers(dataverse, call("NextYear", "createdon")) == []


def test_arguments_may_be_aliases(dataverse: DataverseSession, add_cards: AddCards) -> None:
    add_cards(["C-1", "O'Brian"])
    where = "Microsoft.Dynamics.CRM.In(PropertyName=@p1,PropertyValues=@p2)"
    parameters = {"@p1": "'msdyn_cardnumber'", "@p2": '["O\'Brian","x"]'}
    assert numbers(dataverse, where, **parameters) == ["O'Brian"]


def test_own_rows(dataverse: DataverseSession, add_cards: AddCards) -> None:
    add_cards(["C-1"])
    assert numbers(dataverse, call("EqualUserId", "ownerid")) == ["C-1"]
    assert numbers(dataverse, call("NotEqualUserId", "_ownerid_value")) == []
    assert numbers(dataverse, call("EqualBusinessId", "_owningbusinessunit_value")) == ["C-1"]


@pytest.mark.parametrize(
    ("where", "status"),
    [
        (call("Above", "msdyn_cardnumber", "x"), 501),
        (call("LastXDays", "msdyn_enrollmentdate", "many"), 400),
        (call("LastXDays", "msdyn_enrollmentdate"), 400),
        (call("LastXDays", "msdyn_cardnumber", "3"), 400),
        (call("Between", "msdyn_enrollmentdate", day(0), listed=True), 400),
        (call("Today", "msdyn_nothing"), 400),
        ("Microsoft.Dynamics.CRM.Today()", 400),
        ("Microsoft.Dynamics.CRM.In(PropertyName='msdyn_cardnumber')", 400),
        ("Microsoft.Dynamics.CRM.In(PropertyName='msdyn_cardnumber',PropertyValues=[x])", 400),
    ],
)
def test_what_cannot_be_asked(dataverse: DataverseSession, where: str, status: int) -> None:
    answer = dataverse.get(CARDS, params={"$filter": where})
    assert answer.status_code == status, answer.text


# ---------------------------------------------------------------------------- lambdas


@pytest.fixture
def points(dataverse: DataverseSession) -> None:
    """Euro has a redeemable and another kind of points, Krone a redeemable one, others none."""
    for number, currency, redeemable in (
        ("A", "EUR", True),
        ("B", "EUR", False),
        ("C", "DKK", True),
    ):
        url = f"{CURRENCIES}(isocurrencycode='{currency}')"
        answer = dataverse.post(
            POINTS,
            json={
                "msdyn_rewardpointid": number,
                "msdyn_redeemable": redeemable,
                "msdyn_RewardPointCurrency@odata.bind": url,
            },
        )
        assert answer.status_code == 204, answer.text


@pytest.mark.usefixtures("points")
@pytest.mark.parametrize(
    ("where", "codes"),
    [
        (f"{TO_POINTS}/any()", ["DKK", "EUR"]),
        (f"not {TO_POINTS}/any() and startswith(isocurrencycode,'C')", ["CAD", "CHF"]),
        (f"{TO_POINTS}/any(p:p/msdyn_redeemable eq false)", ["EUR"]),
        (
            f"{TO_POINTS}/all(p:p/msdyn_redeemable eq true) and {TO_POINTS}/any()",
            ["DKK"],
        ),
        (
            f"{TO_POINTS}/any(p:contains(p/msdyn_rewardpointid,'b') and {VIA_LOOKUP} eq 'eur')",
            ["EUR"],
        ),
    ],
)
def test_lambdas(dataverse: DataverseSession, where: str, codes: list[str]) -> None:
    answer = dataverse.get(CURRENCIES, params={"$filter": where, "$select": "isocurrencycode"})
    assert answer.status_code == 200, answer.text
    assert sorted(row["isocurrencycode"] for row in answer.json()["value"]) == codes


@pytest.mark.usefixtures("points")
def test_a_lambda_behind_a_lookup(dataverse: DataverseSession) -> None:
    where = f"msdyn_RewardPointCurrency/{TO_POINTS}/any(p:p/msdyn_rewardpointid eq 'b')"
    rows = dataverse.get(POINTS, params={"$filter": where}).json()["value"]
    assert sorted(row["msdyn_rewardpointid"] for row in rows) == ["A", "B"]


def test_an_unknown_collection(dataverse: DataverseSession) -> None:
    answer = dataverse.get(CURRENCIES, params={"$filter": "msdyn_cards/any()"})
    assert answer.status_code == 400
    assert "msdyn_cards" in answer.json()["error"]["message"]
