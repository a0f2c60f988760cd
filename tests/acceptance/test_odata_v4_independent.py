"""The story over a V4 server that is not ours: cards and point kinds, equal at the end.

The server is a CAP service (tests/acceptance/independent/): cards have ETags, point kinds have
none, pages and batches are its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
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
    Rejected,
    Stale,
    Update,
)
from connector.endpoints.odata_v4 import ODataV4Endpoint
from connector.endpoints.odata_v4.feeds import Way
from connector.endpoints.odata_v4.service import service_of
from connector.endpoints.web.auth import Nobody
from connector.endpoints.web.governor import Governor
from connector.endpoints.web.patience import Patience
from connector.endpoints.web.transport import Transport
from connector.mapping.values import Value
from tests.acceptance.independent.node_server import Server, running

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

CARDS, POINTS = "RetailLoyaltyCards", "RetailLoyaltyRewardPoints"
COUNT = 30
ODD = "a/b'ü 50%"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("independent")) as found:
        yield found._replace(url=found.url.replace("/odata/v2/", "/odata/v4/"))


class Shop:
    """A person, or a program, at the independent service: plain HTTP."""

    def __init__(self, server: Server) -> None:
        self._url = server.url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = server.ca

    def send(self, method: str, path: str, body: Any = None) -> Any:
        headers = {} if method in ("GET", "POST") else {"If-Match": "*"}
        answer = self._session.request(
            method, f"{self._url}/{path}", json=body, headers=headers, timeout=30
        )
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def create(self, entity: str, **values: Any) -> None:
        self.send("POST", entity, values)

    def edit(self, entity: str, key: str, **values: Any) -> None:
        self.send("PATCH", f"{entity}('{quote(key, safe='')}')", values)

    def delete(self, entity: str, key: str) -> None:
        doubled = key.replace("'", "''")
        self.send("DELETE", f"{entity}('{quote(doubled, safe='')}')")

    def rows(self, entity: str, key: str) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        url: str | None = entity
        while url is not None:
            answer = self.send("GET", url)
            found.update({row[key]: row for row in answer["value"]})
            url = answer.get("@odata.nextLink")
        return found


@pytest.fixture
def shop(server: Server) -> Shop:
    made = Shop(server)
    for entity, key in ((CARDS, "CardNumber"), (POINTS, "RewardPointId")):
        for one in made.rows(entity, key):
            made.delete(entity, one)
    return made


@pytest.fixture
def shop_project(project: Project, server: Server) -> Project:
    keys = {"KIND": "odata-v4", "URL": server.url, "CA": server.ca, "PAGE_SIZE": "10"}
    project.environment.update({f"DUALWRITE__COMMERCE__{key}": one for key, one in keys.items()})
    return project


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
            LoyaltyEnrollmentDate="2019-02-28",
            LoyaltyEnrollmentDateLocal="2019-02-28",
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

    shop.edit(CARDS, "M00001", CardTenderType="NoTender")
    shop.create(CARDS, CardNumber="SHOP-1", CardTenderType="AsCardTender")
    shop.delete(CARDS, "M00002")
    shop.edit(POINTS, "Bonus", RedeemRanking=7)
    shop.delete(POINTS, "Old")
    project.edit("M00003", msdyn_cardtendertype=806380001)
    project.edit(ODD, msdyn_cardtendertype=806380003)
    born = {"msdyn_cardnumber": "CRM-1", "msdyn_cardtendertype": 806380000}
    assert project.agent.post("msdyn_loyaltycards", json=born).status_code == 204
    kind = {"msdyn_rewardpointid": "Gift", "msdyn_rewardpointtype": 192350000}
    assert project.agent.post("msdyn_loyaltyrewardpoints", json=kind).status_code == 204

    assert project.json("sync")["finished"] is True
    assert project.verified()["compared"] == COUNT + 3 + 3 - 2
    cards, points = shop.rows(CARDS, "CardNumber"), shop.rows(POINTS, "RewardPointId")
    assert cards["M00003"]["CardTenderType"] == "AsContactTender"
    assert cards[ODD]["CardTenderType"] == "Blocked"
    assert cards["CRM-1"]["CardTenderType"] == "AsCardTender"
    assert cards.keys() == project.cards().keys()
    assert points.keys() == {"Bonus", "Gift"}
    assert points["Bonus"]["RedeemRanking"] == 7

    before = {key: row["ModifiedAt"] for key, row in cards.items()}
    project.forget_requests()
    assert project.json("sync")["synced"] == 0
    assert project.written() == {}
    assert {k: row["ModifiedAt"] for k, row in shop.rows(CARDS, "CardNumber").items()} == before


# ---------------------------------------------------------------------------- the endpoint


@pytest.fixture
def endpoint(server: Server, shop: Shop, tmp_path: Path) -> Iterator[ODataV4Endpoint]:
    transport = Transport(
        service_of("commerce", server.url),
        server.url,
        tokens=[Nobody()],
        ca=server.ca,
        patience=Patience(),
        clock=lambda: datetime.now(UTC),
        timeout=30.0,
        connections=2,
        governor=Governor(),
    )
    made = ODataV4Endpoint(
        transport,
        way_of=lambda _: Way(),
        folder=tmp_path / "snapshots",
        clock=lambda: datetime.now(UTC).timestamp(),
        page_size=50,
    )
    yield made
    made.close()


def test_values_of_every_type_go_there_and_back(endpoint: ODataV4Endpoint) -> None:
    values: dict[str, Value] = {
        "CardNumber": ODD,
        "LoyaltyEnrollmentDate": date(2154, 12, 31),
        "Balance": Decimal("12345678901.2345"),
        "Points": 2**53 - 1,
        "Ratio": Decimal("1234567.891"),
        "Level": 255,
        "Active": False,
        "Owner": "0f14d0ab-9605-4a62-a9e4-5ed26688389b",
        "Seen": datetime(2024, 2, 29, 23, 59, 58, 123000, tzinfo=UTC),
    }
    id = endpoint.id_for(CARDS, values, "proposed")
    (outcome,) = endpoint.write(CARDS, [*values], [Create(id, values)])
    assert isinstance(outcome, Applied)
    assert outcome.id == id == "CardNumber='a/b''ü 50%'"
    (row,) = endpoint.read(CARDS, [*values], by=None, values=[id]).rows[id]
    assert row.image == tuple(values.values())
    assert outcome.row in (row, None)
    assert endpoint.describe(CARDS).columns["At"].readable is False


def test_each_operation_has_its_own_outcome(endpoint: ODataV4Endpoint, shop: Shop) -> None:
    for number in range(30):
        shop.create(CARDS, CardNumber=f"K{number}", CardTenderType="NoTender")
    columns = ["CardNumber", "CardTenderType"]
    pages = list(endpoint.scan(CARDS, columns, None))
    rows = {row.image[0]: row for page in pages for row in page.rows}
    assert len(rows) == 30
    shop.edit(CARDS, "K7", CardTenderType="theirs")
    operations: list[Operation] = [
        Update(rows["K1"].id, rows["K1"].version, {"CardTenderType": "ours"}),
        Update(rows["K7"].id, rows["K7"].version, {"CardTenderType": "ours"}),
        Update("CardNumber='nobody'", None, {"CardTenderType": "ours"}),
        Create("CardNumber='K3'", {"CardNumber": "K3"}),
        Create("", {"CardNumber": "x" * 31}),
        Create("CardNumber='new'", {"CardNumber": "new"}),
        Delete("CardNumber='nobody'", None),
        Delete(rows["K2"].id, rows["K2"].version),
    ]
    outcomes = endpoint.write(CARDS, columns, operations)
    kinds = [type(one) for one in outcomes]
    assert kinds == [Applied, Stale, Missing, Exists, Rejected, Applied, Missing, Applied]
    stands = {k: row["CardTenderType"] for k, row in shop.rows(CARDS, "CardNumber").items()}
    assert (stands["K1"], stands["K7"]) == ("ours", "theirs")
    assert "K2" not in stands


def test_it_pages_and_compares(endpoint: ODataV4Endpoint, shop: Shop) -> None:
    for number in range(110):
        shop.create(POINTS, RewardPointId=f"P{number:03}", RedeemRanking=1)
    columns = ["RewardPointId", "RedeemRanking"]
    pages = list(endpoint.scan(POINTS, columns, None))
    ids = [row.id for page in pages for row in page.rows]
    assert len(ids) == len(set(ids)) == 110
    assert len(pages) > 1
    shop.edit(POINTS, "P007", RedeemRanking=2)
    shop.delete(POINTS, "P008")
    changed = list(endpoint.changes(POINTS, columns, pages[-1].position or ""))
    assert [row.id for page in changed for row in page.rows] == ["RewardPointId='P007'"]
    assert [id for page in changed for id in page.deleted] == ["RewardPointId='P008'"]
