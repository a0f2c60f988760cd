"""The story over a V2 server that is not ours: cards and point kinds, equal at the end.

The server is a CAP service with its V2 adapter (tests/acceptance/independent/). What it taught us,
and what the endpoint does about it:

- an update is answered 200 with the row, which pyodata takes for a failure: any 2xx is a success;
- a duplicate is answered 500 with its database's words: a refused create is looked up;
- a batch ends at its first failing change set unless `Prefer: odata.continue-on-error` is sent;
- a PUT of a key that is not there makes a row, and a PATCH without If-Match is refused (428) where
  rows have ETags: nothing is written without a look or an ETag;
- `$select` adds the property behind the ETag, decimals lose zeros at their end, numbers beyond 2^53
  and decimals beyond some 15 digits lose digits: the row that comes back is what the side holds;
- ETags are times in milliseconds: two writes within one have the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import requests

from connector.endpoints.base import (
    Applied,
    Create,
    Delete,
    Exists,
    Missing,
    Operation,
    Stale,
    Update,
)
from connector.endpoints.odata_v2 import ODataV2Endpoint
from connector.endpoints.web.auth import Nobody
from connector.endpoints.web.patience import Patience
from connector.mapping.values import Value
from tests.acceptance.independent.node_server import Server, running

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

CARDS, POINTS = "RetailLoyaltyCards", "RetailLoyaltyRewardPoints"
COUNT = 80
ODD = "a/b'ü 50%"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("independent")) as found:
        yield found


class Shop:
    """A person, or a program, at the independent service: plain HTTP."""

    def __init__(self, server: Server) -> None:
        self._url = server.url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = server.ca
        self._session.headers["Accept"] = "application/json"

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        answer = self._session.request(
            method, f"{self._url}/{path}", json=body, headers=headers, timeout=30
        )
        assert answer.ok, answer.text
        return answer

    def create(self, entity: str, **values: Any) -> None:
        self.send("POST", entity, values)

    def edit(self, entity: str, key: str, **values: Any) -> None:
        self.send("MERGE", self._row(entity, key), values, **{"If-Match": "*"})

    def delete(self, entity: str, key: str) -> None:
        self.send("DELETE", self._row(entity, key), **{"If-Match": "*"})

    def rows(self, entity: str, key: str) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        url: str | None = entity
        while url is not None:
            answer = self.send("GET", url).json()["d"]
            found.update({row[key]: row for row in answer["results"]})
            link = answer.get("__next")
            url = None if link is None else entity + "?" + link.partition("?")[2]
        return found

    def _row(self, entity: str, key: str) -> str:
        doubled = key.replace("'", "''")
        return f"{entity}('{quote(doubled, safe='')}')"

    def clear(self) -> None:
        for entity, key in ((CARDS, "CardNumber"), (POINTS, "RewardPointId")):
            for one in self.rows(entity, key):
                self.delete(entity, one)


@pytest.fixture
def shop(server: Server) -> Shop:
    made = Shop(server)
    made.clear()
    return made


def day(text: str) -> str:
    at = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return f"/Date({int(at.timestamp() * 1000)})/"


@pytest.fixture
def shop_project(project: Project, server: Server) -> Project:
    project.environment.update(
        {
            "DUALWRITE__COMMERCE__KIND": "odata-v2",
            "DUALWRITE__COMMERCE__URL": server.url,
            "DUALWRITE__COMMERCE__CA": server.ca,
            "DUALWRITE__COMMERCE__UPDATE": "MERGE",
            "DUALWRITE__COMMERCE__PAGE_SIZE": "25",
        }
    )
    return project


CRM_CARD = {"msdyn_cardnumber": "CRM-1", "msdyn_cardtendertype": 806380000}
CRM_POINTS = {"msdyn_rewardpointid": "Gift", "msdyn_rewardpointtype": 192350000}


def in_crm(project: Project, method: str, path: str, body: Any = None, points: str = "") -> None:
    """A person's request to Dataverse; `points` names a row by its reward point."""
    if points:
        rows = {row["msdyn_rewardpointid"]: row for row in project.rows(path)}
        path = f"{path}({rows[points]['msdyn_loyaltyrewardpointid']})"
    answer = project.agent.request(
        method, path, json=body, headers={"If-Match": "*"} if points else {}
    )
    assert answer.status_code == 204, answer.text


@pytest.mark.slow
def test_cards_and_point_kinds_become_equal_on_both_sides(
    shop_project: Project, shop: Shop
) -> None:
    project = shop_project
    for number in range(COUNT):
        shop.create(
            CARDS,
            CardNumber=f"M{number:05}",
            CardTenderType="Blocked" if number % 3 == 0 else "AsCardTender",
            LoyaltyEnrollmentDate=day("2019-02-28"),
            LoyaltyEnrollmentDateLocal=day("2019-02-28"),
        )
    shop.create(CARDS, CardNumber=ODD, CardTenderType="NoTender")
    for name in ("Bonus", "Old"):
        shop.create(POINTS, RewardPointId=name, RewardPointType="Quantity", Redeemable="Yes")

    checked = project.json("check")
    assert checked["ok"] is True
    assert [one["code"] for one in checked["problems"]] == ["preconditions-none"]
    loaded = project.json("load")
    assert (loaded["finished"], loaded["loaded"]) == (True, COUNT + 3)
    assert project.verified()["compared"] == COUNT + 3
    assert project.cards()[ODD]["msdyn_cardtendertype"] == 806380002

    # People on both sides change, create and delete.
    shop.edit(CARDS, "M00001", CardTenderType="NoTender")
    shop.create(CARDS, CardNumber="SHOP-1", CardTenderType="AsCardTender")
    shop.delete(CARDS, "M00002")
    shop.create(POINTS, RewardPointId="Status", RewardPointType="Quantity", Redeemable="No")
    shop.edit(POINTS, "Bonus", RedeemRanking=7)
    shop.delete(POINTS, "Old")
    project.edit("M00003", msdyn_cardtendertype=806380001)
    project.edit(ODD, msdyn_cardtendertype=806380003)
    in_crm(project, "POST", "msdyn_loyaltycards", CRM_CARD)
    in_crm(project, "POST", "msdyn_loyaltyrewardpoints", CRM_POINTS)
    in_crm(
        project,
        "PATCH",
        "msdyn_loyaltyrewardpoints",
        {"msdyn_maximumloyaltyrewardpoints": 500},
        "Bonus",
    )
    in_crm(project, "DELETE", f"msdyn_loyaltycards({project.cards_id('M00005')})")

    synced = project.json("sync")
    assert synced["finished"] is True
    verdict = project.verified()
    assert verdict["compared"] == COUNT + 3 + 4 - 2

    cards = shop.rows(CARDS, "CardNumber")
    assert cards["M00003"]["CardTenderType"] == "AsContactTender"
    assert cards[ODD]["CardTenderType"] == "Blocked"
    assert cards["CRM-1"]["CardTenderType"] == "AsCardTender"
    in_dataverse = project.cards()
    assert "M00002" not in in_dataverse
    assert {"SHOP-1", "CRM-1", "M00005"} <= in_dataverse.keys()  # the map puts M00005 back
    points = shop.rows(POINTS, "RewardPointId")
    assert points.keys() == {"Bonus", "Status", "Gift"}
    assert (points["Bonus"]["RedeemRanking"], points["Bonus"]["MaximumLoyaltyRewardPoints"]) == (
        7,
        500,
    )
    names = {row["msdyn_rewardpointid"] for row in project.rows("msdyn_loyaltyrewardpoints")}
    assert names == points.keys()

    # Nothing is left to do, and nothing is done.
    before = {key: row["ModifiedAt"] for key, row in shop.rows(CARDS, "CardNumber").items()}
    project.forget_requests()
    again = project.json("sync")
    assert again["finished"] is True
    assert project.written() == {}
    assert {k: row["ModifiedAt"] for k, row in shop.rows(CARDS, "CardNumber").items()} == before


# ---------------------------------------------------------------------------- the endpoint


@pytest.fixture
def endpoint(server: Server, shop: Shop, tmp_path: Path) -> Iterator[ODataV2Endpoint]:
    made = ODataV2Endpoint(
        server.url,
        tokens=Nobody(),
        ca=server.ca,
        patience=Patience(),
        clock=lambda: datetime.now(UTC),
        folder=tmp_path / "snapshots",
        page_size=50,
    )
    yield made
    made.close()


def test_values_of_every_type_go_there_and_back(endpoint: ODataV2Endpoint) -> None:
    values: dict[str, Value] = {
        "CardNumber": ODD,
        "LoyaltyEnrollmentDate": datetime(2154, 12, 31, tzinfo=UTC).date(),
        "Balance": Decimal("123456789012345.6789"),
        "Points": 2**53,
        "Ratio": Decimal("1234567.891"),
        "Level": 255,
        "Active": False,
        "Owner": "0f14d0ab-9605-4a62-a9e4-5ed26688389b",
        "Seen": datetime(2024, 2, 29, 23, 59, 58, 123000, tzinfo=UTC),
        "At": "PT13H20M00S",
    }
    id = endpoint.id_for(CARDS, values, "proposed")
    (outcome,) = endpoint.write(CARDS, [*values], [Create(id, values)])
    assert isinstance(outcome, Applied)
    assert outcome.id == id == f"CardNumber='{ODD.replace(chr(39), chr(39) * 2)}'"
    assert outcome.row is not None
    (row,) = endpoint.read(CARDS, [*values], by=None, values=[id]).rows[id]
    assert row == outcome.row
    read = dict(zip(values, row.image, strict=True))
    # CAP computes with binary fractions where its database does.
    assert float(str(read.pop("Balance"))) == float(str(values.pop("Balance")))
    assert read == values


def test_each_operation_has_its_own_outcome(endpoint: ODataV2Endpoint, shop: Shop) -> None:
    for number in range(30):
        shop.create(CARDS, CardNumber=f"K{number}", CardTenderType="NoTender")
    columns = ["CardNumber", "CardTenderType"]
    pages = list(endpoint.scan(CARDS, columns, None))
    rows = {row.image[0]: row for page in pages for row in page.rows}
    assert len(rows) == 30
    shop.edit(CARDS, "K7", CardTenderType="theirs")
    operations: list[Operation] = [
        Update(row.id, row.version, {"CardTenderType": "ours"}) for row in rows.values()
    ]
    operations += [
        Update("CardNumber='nobody'", rows["K1"].version, {"CardTenderType": "ours"}),
    ]
    more: list[Operation] = [
        Create("CardNumber='K3'", {"CardNumber": "K3"}),
        Create("CardNumber='new'", {"CardNumber": "new"}),
        Delete("CardNumber='nobody'", rows["K1"].version),
    ]
    outcomes = dict(
        zip(
            [one.id for one in operations],
            endpoint.write(CARDS, columns, operations),
            strict=True,
        )
    )
    assert isinstance(outcomes.pop("CardNumber='K7'"), Stale)
    assert isinstance(outcomes.pop("CardNumber='nobody'"), Missing)
    assert {type(one) for one in outcomes.values()} == {Applied}
    kinds = [type(one) for one in endpoint.write(CARDS, columns, more)]
    assert kinds == [Exists, Applied, Missing]
    stands = {k: row["CardTenderType"] for k, row in shop.rows(CARDS, "CardNumber").items()}
    assert stands.pop("K7") == "theirs"
    assert stands.pop("new") is None
    assert set(stands.values()) == {"ours"}


def test_rows_without_a_version_are_compared_before_they_are_written(
    endpoint: ODataV2Endpoint, shop: Shop
) -> None:
    for name in ("one", "two"):
        shop.create(POINTS, RewardPointId=name, RedeemRanking=1)
    columns = ["RewardPointId", "RedeemRanking"]
    assert endpoint.describe(POINTS).capabilities.preconditions == "none"
    rows = {row.image[0]: row for page in endpoint.scan(POINTS, columns, None) for row in page.rows}
    shop.edit(POINTS, "two", RedeemRanking=2)
    outcomes = endpoint.write(
        POINTS,
        columns,
        [
            Update(rows["one"].id, rows["one"].version, {"RedeemRanking": 5}),
            Update(rows["two"].id, rows["two"].version, {"RedeemRanking": 5}),
            Update("RewardPointId='nobody'", None, {"RedeemRanking": 5}),
        ],
    )
    assert [type(one) for one in outcomes] == [Applied, Stale, Missing]
    ranks = {k: row["RedeemRanking"] for k, row in shop.rows(POINTS, "RewardPointId").items()}
    assert ranks == {"one": 5, "two": 2}


def test_it_pages_by_links_of_its_own(endpoint: ODataV2Endpoint, shop: Shop) -> None:
    for number in range(130):
        shop.create(POINTS, RewardPointId=f"P{number:03}")
    raw = json.loads(shop.send("GET", POINTS).content)["d"]
    assert len(raw["results"]) == 100
    assert raw["__next"].startswith("https://127.0.0.1")
    pages = list(endpoint.scan(POINTS, ["RewardPointId"], None))
    ids = [row.id for page in pages for row in page.rows]
    assert len(ids) == len(set(ids)) == 130
