"""`$filter`: which rows are found, what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.integration.sandbox.finops.conftest import CARDS, POINTS, Add

if TYPE_CHECKING:
    from tests.conftest import FinopsSession

ENUM = "Microsoft.Dynamics.DataEntities"
TENDER = f"{ENUM}.RetailLoyaltyTenderTypeBase"


def found(finops: FinopsSession, text: str, entity: str = CARDS) -> list[str]:
    answer = finops.get(f"{entity}?$filter={quote(text)}")
    assert answer.status_code == 200, answer.text
    return [next(v for k, v in one.items() if k[0] != "@") for one in answer.json()["value"]]


@pytest.fixture
def cards(add: Add) -> None:
    add("A-1", PartyNumber="P000000001", LoyaltyEnrollmentDate="2026-01-02T12:00:00Z")
    add("a-2", CardTenderType="Blocked", LoyaltyEnrollmentDate="2026-01-03T12:00:00Z")
    add("B_3", OmOperatingUnitNumber="052", LoyaltyEnrollmentDate="1900-01-01T12:00:00Z")


@pytest.mark.usefixtures("cards")
@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("CardNumber eq 'a-1'", ["A-1"]),
        ("CardNumber eq 'A-1  '", ["A-1"]),
        ("CardNumber eq '*-*'", ["A-1", "a-2"]),
        ("CardNumber eq 'a*'", ["A-1", "a-2"]),
        ("CardNumber ne 'a*'", ["B_3"]),
        ("CardNumber eq 'B_*'", ["B_3"]),
        ("CardNumber eq 'A_*'", []),
        ("CardNumber ge 'a-2' and CardNumber lt 'c'", ["a-2", "B_3"]),
        (f"CardTenderType eq {TENDER}'Blocked'", ["a-2"]),
        (f"not (CardTenderType ne {TENDER}'Blocked')", ["a-2"]),
        (f"{TENDER}'Blocked' eq CardTenderType", ["a-2"]),
        ("PartyNumber eq 'p000000001'", ["A-1"]),
        ("PartyNumber eq ''", ["a-2", "B_3"]),
        ("PartyNumber eq null", []),
        ("PartyNumber ne null", ["A-1", "a-2", "B_3"]),
        ("OmOperatingUnitNumber eq '052' or CardNumber eq 'A-1'", ["A-1", "B_3"]),
        ("LoyaltyEnrollmentDate eq 2026-01-02T00:00:00Z", ["A-1"]),
        ("LoyaltyEnrollmentDate gt 2026-01-02T00:00:00Z", ["a-2"]),
        ("LoyaltyEnrollmentDate le 1900-01-01T00:00:00Z", ["B_3"]),
        ("LoyaltyEnrollmentTime ge 0 and LoyaltyEnrollmentTime lt 86400", ["A-1", "a-2", "B_3"]),
        ("LoyaltyEnrollmentTime add 1 le 0", []),
        ("CardNumber eq 'it''s'", []),
        ("CardNumber eq 'Microsoft.Dynamics.X''a'''", []),
    ],
)
def test_rows_that_fit(finops: FinopsSession, text: str, numbers: list[str]) -> None:
    assert found(finops, text) == numbers


@pytest.mark.usefixtures("cards")
def test_many_conditions_side_by_side(finops: FinopsSession) -> None:
    """As a client asks for rows by key, hundreds at a time."""
    text = " or ".join(f"CardNumber eq 'X-{number}'" for number in range(1500))
    assert found(finops, f"{text} or CardNumber eq 'A-1'") == ["A-1"]
    deep = "not (" * 30 + "CardNumber eq 'A-1'" + ")" * 30
    sums = "LoyaltyEnrollmentTime" + " add 1" * 200 + " gt 0"
    for text in (deep, sums):
        assert finops.get(f"{CARDS}?$filter={quote(text)}").status_code == 400


def test_arithmetic_on_numbers(finops: FinopsSession) -> None:
    for number in (1, 2, 3):
        finops.post(
            POINTS,
            json={
                "RewardPointId": f"P{number}",
                "RedeemRanking": number,
                "MaximumLoyaltyRewardPoints": 2**40 * number,
            },
        )
    assert found(finops, "RedeemRanking mul 2 gt ExpirationTimeValue add 3", POINTS) == ["P2", "P3"]
    assert found(finops, f"MaximumLoyaltyRewardPoints eq {2**41}", POINTS) == ["P2"]


def test_decimals_compare_as_numbers(finops: FinopsSession) -> None:
    finops.patch(
        "CustomersV3(dataAreaId='usrt',CustomerAccount='C00000001')", json={"CreditLimit": 10.25}
    )
    row = finops.get("CustomersV3?$filter=CreditLimit gt 10.2 and CreditLimit le 10.25").json()
    assert [one["CreditLimit"] for one in row["value"]] == [10.25]


@pytest.mark.parametrize(
    "text",
    [
        "CardNumber in ('a','b')",
        f"CardTenderType has {TENDER}'Blocked'",
        "contains(CardNumber,'a')",
        "startswith(CardNumber,'a')",
        "CardTenderType eq 'Blocked'",
        f"CardTenderType gt {TENDER}'Blocked'",
        f"CardTenderType eq {TENDER}'Nothing'",
        f"CardTenderType eq {ENUM}.NoYes'Yes'",
        "CardNumber eq 5",
        "LoyaltyEnrollmentTime eq 'x'",
        "LoyaltyEnrollmentDate eq '2026-01-02'",
        "cardnumber eq 'a'",
        "Nothing eq 'a'",
        "CardNumber eq 'open",
        "CardNumber",
        "",
        "CardNumber eq",
        "PartyNumber gt null",
    ],
)
def test_what_is_refused(finops: FinopsSession, text: str) -> None:
    answer = finops.get(f"{CARDS}?$filter={quote(text)}")
    assert answer.status_code == 400, text
    assert answer.json()["error"]["innererror"]["type"] == "Microsoft.OData.ODataException"
