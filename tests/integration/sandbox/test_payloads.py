"""What the service refuses to store: types, lengths, ranges, options, characters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import DataverseSession

CARDS = "msdyn_loyaltycards"
POINTS = "msdyn_loyaltyrewardpoints"
REPRESENTATION = {"Prefer": "return=representation"}


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("msdyn_cardnumber", "x" * 101, "0x80044331"),
        ("msdyn_cardnumber", "😀" * 51, "0x80044331"),
        ("msdyn_cardnumber", 7, "0x80048d19"),
        ("msdyn_cardnumber", "a\x00b", "0x80040203"),
        ("msdyn_cardnumber", "a\x1fb", "0x80040203"),
        ("msdyn_cardtendertype", 806380004, "0x8004431A"),
        ("msdyn_cardtendertype", 192350000, "0x8004431A"),
        ("msdyn_cardtendertype", "Blocked", "0x80048d19"),
        ("msdyn_cardtendertype", True, "0x80048d19"),
        ("msdyn_enrollmentdate", "2024-02-30", "0x80048d19"),
        ("msdyn_enrollmentdate", "20240201", "0x80048d19"),
        ("msdyn_enrollmentdate", "2024-02-01T00:00:00Z", "0x80048d19"),
        ("msdyn_enrollmentdate", "1752-12-31", "0x80040239"),
        ("msdyn_loyaltycardid", "no-guid", "0x80048d19"),
        ("Msdyn_CardNumber", "C", "0x0"),
        ("msdyn_unknown", None, "0x0"),
        ("msdyn_unknown@odata.bind", "/x", "0x80048d19"),
    ],
)
def test_a_card_is_refused(dataverse: DataverseSession, column: str, value: Any, code: str) -> None:
    answer = dataverse.post(CARDS, json={column: value})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert dataverse.get(f"{CARDS}?$count=true").json()["@odata.count"] == 0


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("msdyn_maximumloyaltyrewardpoints", 2**31, "0x80048d19"),
        ("msdyn_maximumloyaltyrewardpoints", -1, "0x80044330"),
        ("msdyn_maximumloyaltyrewardpoints", 1.5, "0x80048d19"),
        ("msdyn_redeemable", "yes", "0x80048d19"),
        ("msdyn_redeemable", 1, "0x80048d19"),
        ("msdyn_rewardpointtype", 806380000, "0x8004431A"),
    ],
)
def test_a_reward_point_is_refused(
    dataverse: DataverseSession, column: str, value: Any, code: str
) -> None:
    answer = dataverse.post(POINTS, json={column: value})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


def test_what_is_accepted_comes_back_in_wire_form(dataverse: DataverseSession) -> None:
    number = "Ž 9 😀" + "x" * 20
    card = dataverse.post(
        CARDS,
        json={
            "msdyn_cardnumber": number,
            "msdyn_cardtendertype": "806380003",
            "msdyn_partynumber": "",
            "msdyn_enrollmentdate": "2024-02-29",
            "modifiedon": "2001-01-01T00:00:00Z",
            "overriddencreatedon": "2019-05-06",
        },
        headers=REPRESENTATION,
    ).json()
    assert card["msdyn_cardnumber"] == number
    assert card["msdyn_cardtendertype"] == 806380003
    assert card["msdyn_partynumber"] is None
    assert card["msdyn_enrollmentdate"] == "2024-02-29"
    assert card["createdon"] == "2019-05-06T00:00:00Z"
    assert card["modifiedon"] > "2026"
    point = dataverse.post(
        POINTS,
        json={"msdyn_redeemable": False, "msdyn_maximumloyaltyrewardpoints": 2**31 - 1},
        headers=REPRESENTATION,
    ).json()
    assert point["msdyn_redeemable"] is False
    assert point["msdyn_maximumloyaltyrewardpoints"] == 2**31 - 1


def test_decimals_keep_their_scale(dataverse: DataverseSession) -> None:
    euro = "transactioncurrencies(isocurrencycode='EUR')"
    for rate, shown in (
        (0.1, b"0.1000000000"),
        ("12.34567", b"12.3456700000"),
        (7, b"7.0000000000"),
    ):
        assert dataverse.patch(euro, json={"exchangerate": rate}).status_code == 204
        assert b'"exchangerate":' + shown in dataverse.get(euro).content
    assert dataverse.patch(euro, json={"exchangerate": -1}).json()["error"]["code"] == "0x80044330"


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"x"', b'{"msdyn_cardnumber":"\xff"}', b'{"msdyn_cardnumber":"\\ud800"}'],
)
def test_a_body_that_is_no_object_is_refused(dataverse: DataverseSession, body: bytes) -> None:
    answer = dataverse.post(CARDS, data=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "0x80048d19")
