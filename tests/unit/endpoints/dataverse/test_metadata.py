"""A table as EntityDefinitions describe it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connector.endpoints.base import Capabilities, Column, Key, Reference
from connector.endpoints.dataverse import DataverseEndpoint
from connector.errors import AccessError, MapError, UnreachableError
from connector.mapping.values import ValueType

if TYPE_CHECKING:
    from tests.unit.endpoints.scripted import Service

API = "https://org.example/api/data/v9.2/"


def test_the_table(points: Service, endpoint: DataverseEndpoint) -> None:
    entity = endpoint.describe("points")
    assert (entity.name, entity.title, entity.id_column) == ("points", "Point", "pointid")
    assert entity.keys == (Key("pk", ("name",)), Key("k2", ("unit", "rank"), active=False))
    assert entity.capabilities == Capabilities("version", "once", True, True, True, 1000)


def test_columns_with_their_facets(points: Service, endpoint: DataverseEndpoint) -> None:
    columns = endpoint.describe("points").columns
    assert columns["pointid"] == Column("pointid", ValueType.TEXT, nullable=False, updatable=False)
    assert columns["name"] == Column("name", ValueType.TEXT, required=True, max_length=30)
    assert columns["unit"] == Column(
        "unit", ValueType.CHOICE, choices={806380000: "Day", 806380001: "Month"}
    )
    assert columns["redeemable"] == Column(
        "redeemable", ValueType.BOOLEAN, choices={True: "Ja", False: "Nein"}
    )
    assert columns["rank"] == Column("rank", ValueType.INTEGER, minimum=0, maximum=100)
    assert columns["weight"] == Column("weight", ValueType.DECIMAL, scale=3, minimum=0, maximum=10)
    assert not columns["secret"].readable


def test_money_follows_its_currency_and_limits_are_rounded_inwards(
    points: Service, endpoint: DataverseEndpoint
) -> None:
    price = endpoint.describe("points").columns["price"]
    assert (price.scale, price.minimum, price.maximum) == (4, -1000000000, 9)


def test_dates_by_behaviour_and_format(points: Service, endpoint: DataverseEndpoint) -> None:
    columns = endpoint.describe("points").columns
    assert columns["since"].type is ValueType.DATE
    assert columns["until"].type is ValueType.DATE
    assert columns["seen"].type is ValueType.INSTANT


def test_lookups_know_their_target_by_its_set_name(
    points: Service, endpoint: DataverseEndpoint
) -> None:
    columns = endpoint.describe("points").columns
    target = Reference("transactioncurrencies", "transactioncurrencyid")
    assert columns["cur"] == Column("cur", ValueType.REFERENCE, reference=target)


def test_a_lookup_to_several_tables_cannot_be_written(
    points: Service, endpoint: DataverseEndpoint
) -> None:
    owner = endpoint.describe("points").columns["ownerid"]
    assert owner.type is ValueType.REFERENCE
    assert owner.reference is None
    assert not owner.creatable
    assert not owner.updatable
    assert not owner.required


def test_columns_that_are_none_of_their_own_are_left_out(
    points: Service, endpoint: DataverseEndpoint
) -> None:
    columns = endpoint.describe("points").columns
    assert "curname" not in columns
    assert "picture" not in columns


def test_the_set_is_looked_up_by_its_exact_name(
    service: Service, endpoint: DataverseEndpoint
) -> None:
    service.on("GET", "EntityDefinitions", body={"value": []})
    with pytest.raises(MapError) as caught:
        endpoint.describe("O'Points")
    assert caught.value.code == "entity-unknown"
    assert "EntitySetName%20eq%20'O''Points'" in str(service.calls("GET", "Entity")[0].url)


def test_each_description_is_read_anew(points: Service, endpoint: DataverseEndpoint) -> None:
    endpoint.describe("points")
    before = len(points.mock.calls)
    points.forget("GET", f"{API}EntityDefinitions")
    points.on("GET", "EntityDefinitions", body={"value": []})
    with pytest.raises(MapError):
        endpoint.describe("points")
    assert len(points.mock.calls) == before + 1


def test_who_only_looks_reads_no_table_twice(points: Service, endpoint: DataverseEndpoint) -> None:
    with endpoint.kept():
        first = endpoint.describe("points")
        asked = len(points.mock.calls)
        assert endpoint.describe("points") is first
        assert len(points.mock.calls) == asked
    points.forget("GET", f"{API}EntityDefinitions")
    points.on("GET", "EntityDefinitions", body={"value": []})
    with pytest.raises(MapError):
        endpoint.describe("points")


def test_a_missing_privilege_is_named(service: Service, endpoint: DataverseEndpoint) -> None:
    message = "Principal user (Id=1) is missing prvReadEntity privilege (Id=2)"
    service.error("GET", "EntityDefinitions", 403, "0x80040220", message)
    with pytest.raises(AccessError, match="prvReadEntity") as caught:
        endpoint.describe("points")
    assert caught.value.code == "privilege-missing"


def test_a_proxys_page_is_no_metadata(service: Service, endpoint: DataverseEndpoint) -> None:
    service.on("GET", "EntityDefinitions", body="<html>please log in</html>")
    with pytest.raises(UnreachableError) as caught:
        endpoint.describe("points")
    assert caught.value.code == "answer-unreadable"
