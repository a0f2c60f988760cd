"""Which side an error is about, where a room serves all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.endpoints.base import Page
from connector.endpoints.dynamicweb import DynamicwebEndpoint
from connector.endpoints.dynamicweb.database import Database
from connector.endpoints.subjects import about, pages_of
from connector.errors import DualWriteError, MapError, Subject, UnreachableError
from tests.unit.endpoints.dynamicweb.shop import MEMBERS, REWARD, Shop


def test_an_error_names_the_side_it_is_about_and_keeps_the_rest() -> None:
    told = Subject(side="commerce", entity="Cards")
    with pytest.raises(MapError) as raised, about("south"):
        raise MapError("code", "text", remedy="none", subject=told)
    assert raised.value.subject == Subject(side="south", entity="Cards")


def test_pages_come_as_they_are_asked_for() -> None:
    def pages() -> Iterator[Page]:
        yield Page([])
        raise UnreachableError("code", "text", remedy="none")

    found = pages_of("south", pages())
    assert next(found) == Page([])
    with pytest.raises(UnreachableError) as raised:
        next(found)
    assert raised.value.subject.side == "south"


def test_a_second_shop_is_named_whatever_is_wrong_with_it(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    database = Database(shop.url, section="sides.south")
    endpoint = DynamicwebEndpoint(database, folder=tmp_path, sweep=60.0, clock=lambda: 0.0)
    for wrong in (
        lambda: endpoint.describe("Nothing"),
        lambda: endpoint.read(REWARD, ["Nope"], by=None, values=["1"]),
        lambda: list(endpoint.changes(MEMBERS, ["CardNumber"], "no position")),
    ):
        with pytest.raises(DualWriteError) as raised:
            wrong()
        assert raised.value.subject.side == "south"
    shop.reward("a")
    shop.execute("DROP TABLE EcomLoyaltyReward")
    with pytest.raises(DualWriteError) as raised:
        endpoint.describe(REWARD)
    assert raised.value.subject.side == "south"
    endpoint.close()
