"""The story over OData V2, with a password, a CSRF token and small pages, on our own stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.odata_v2.model import Property, Type
from tests.integration.odata_v2.service import Service, basic, serving

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

CARDS, POINTS = "RetailLoyaltyCards", "RetailLoyaltyRewardPoints"
COUNT = 130
_DAY = Property("Edm.DateTime", facets='sap:display-format="Date"')


def tables() -> list[Type]:
    """The entities of the shipped maps: cards with ETags, point kinds without."""
    text = Property("Edm.String", length=30)
    return [
        Type(
            CARDS,
            ("CardNumber",),
            {
                "CardNumber": Property("Edm.String", nullable=False, length=30),
                "CardTenderType": text,
                "PartyNumber": text,
                "ReplacementCardNumber": text,
                "OmOperatingUnitNumber": text,
                "LoyaltyEnrollmentDate": _DAY,
                "LoyaltyEnrollmentDateLocal": _DAY,
            },
        ),
        Type(
            POINTS,
            ("RewardPointId",),
            {
                "RewardPointId": Property("Edm.String", nullable=False, length=20),
                **dict.fromkeys(
                    (
                        "RewardPointType",
                        "RewardPointCurrency",
                        "Redeemable",
                        "ExpirationTimeUnit",
                        "VestingTimeUnit",
                    ),
                    text,
                ),
                **dict.fromkeys(
                    (
                        "RedeemRanking",
                        "ExpirationTimeValue",
                        "VestingTimeValue",
                        "MaximumLoyaltyRewardPoints",
                    ),
                    Property("Edm.Int32"),
                ),
            },
            etags=False,
        ),
    ]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Service]:
    with serving(Service(tables()), tmp_path) as service:
        service.manners.authorization = basic("loyalty", "secret word")
        service.manners.csrf = True
        service.manners.page = 40
        yield service


@pytest.fixture
def shop_project(project: Project, shop: Service) -> Project:
    project.environment.update(
        {
            "DUALWRITE__COMMERCE__KIND": "odata-v2",
            "DUALWRITE__COMMERCE__URL": shop.url,
            "DUALWRITE__COMMERCE__CA": shop.ca,
            "DUALWRITE__COMMERCE__AUTH": "basic",
            "DUALWRITE__COMMERCE__USERNAME": "loyalty",
            "DUALWRITE__COMMERCE__PASSWORD": "env:SHOP_PASSWORD",
            "DUALWRITE__COMMERCE__UPDATE": "MERGE",
            "SHOP_PASSWORD": "secret word",
        }
    )
    return project


def put(shop: Service, entity: str, **values: Any) -> None:
    """A person at the shop makes or changes a row."""
    type = shop.types[entity]
    key = type.key_of(values)
    with shop.lock:
        row = type.rows.get(key) or dict.fromkeys(type.properties)
        shop._put(type, key, {**row, **values})


def stands(shop: Service, entity: str, column: str) -> dict[str, Any]:
    type = shop.types[entity]
    return {row[type.keys[0]]: row[column] for row in type.rows.values()}


def test_both_sides_become_equal_and_stay_so(shop_project: Project, shop: Service) -> None:
    project = shop_project
    for number in range(COUNT):
        day = f"/Date({1_500_076_800_000 + 86_400_000 * number})/"
        put(
            shop,
            CARDS,
            CardNumber=f"M{number:04}",
            CardTenderType="Blocked" if number % 3 == 0 else "AsCardTender",
            LoyaltyEnrollmentDate=day,
            LoyaltyEnrollmentDateLocal=day,
        )
    put(shop, CARDS, CardNumber="O'Hara/1", CardTenderType="NoTender")
    put(shop, POINTS, RewardPointId="Bonus", RewardPointType="Quantity", RedeemRanking=1)

    checked = project.json("check")
    assert [one["code"] for one in checked["problems"]] == ["preconditions-none"]
    assert project.json("load")["loaded"] == COUNT + 2
    assert project.verified()["compared"] == COUNT + 2
    assert project.cards()["M0001"]["msdyn_enrollmentdate"] == "2017-07-16"

    # Both sides change; one card on both of them, which is for a person to decide.
    put(shop, CARDS, CardNumber="M0001", CardTenderType="NoTender")
    put(shop, CARDS, CardNumber="M0002", CardTenderType="NoTender")
    put(shop, POINTS, RewardPointId="Status", RewardPointType="Quantity")
    del shop.types[CARDS].rows[("m0004",)]
    project.edit("M0002", msdyn_cardtendertype=806380001)
    project.edit("O'Hara/1", msdyn_cardtendertype=806380000)
    new = {"msdyn_cardnumber": "CRM-1", "msdyn_cardtendertype": 806380000}
    assert project.agent.post("msdyn_loyaltycards", json=new).status_code == 204

    synced = project.json("sync", code=3)
    assert synced["finished"] is True
    assert [one["kind"] for one in synced["needs"]] == ["conflict"]
    assert stands(shop, CARDS, "CardTenderType")["O'Hara/1"] == "AsCardTender"
    assert stands(shop, CARDS, "CardTenderType")["CRM-1"] == "AsCardTender"
    assert "M0004" not in project.cards()

    resolve = ("conflicts", "resolve", "loyalty-card", "M0002", "--with", "dataverse")
    project.json(*resolve)
    project.json("sync")
    assert stands(shop, CARDS, "CardTenderType")["M0002"] == "AsContactTender"
    assert project.verified()["compared"] == COUNT + 3

    # Nothing is left to do: keys and versions are looked at, nothing is written anywhere.
    project.forget_requests()
    shop.log.clear()
    assert project.json("sync")["finished"] is True
    assert project.written() == {}
    assert {line.split()[0] for line in shop.log} == {"GET"}
    cards = [line for line in shop.log if f"/{CARDS}?" in line]
    assert cards
    assert not [line for line in cards if "CardTenderType" in line]


def test_a_wrong_password_and_a_wrong_address_say_what_to_do(
    shop_project: Project, shop: Service
) -> None:
    refused = shop_project.call("sync", "--json", code=2, SHOP_PASSWORD="wrong")
    assert refused.error["code"] == "password-refused"
    assert "secret word" not in refused.stdout + refused.stderr
    shop.manners.authorization = None
    shop.metadata = b"<html>Welcome</html>"
    wrong = shop_project.call("check", "--json", code=2)
    assert "metadata-unusable" in wrong.stdout
