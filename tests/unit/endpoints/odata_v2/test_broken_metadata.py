"""Metadata the library stops at, and what is read of it all the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest
from pyodata.exceptions import PyODataModelError
from pyodata.v2.model import Config, MetadataBuilder, PolicyIgnore

from connector.endpoints.odata_v2 import ODataV2Endpoint
from connector.errors import MapError
from connector.mapping.values import ValueType
from tests.integration.odata_v2.service import Service
from tests.unit.endpoints.odata_v2.cards import alone, fill

if TYPE_CHECKING:
    from tests.unit.endpoints.odata_v2.conftest import MakeEndpoint


# ---------------------------------------------------------------------------- metadata


def test_metadata_is_fetched_once(service: Service, endpoint: ODataV2Endpoint) -> None:
    endpoint.describe("Cards")
    endpoint.describe("PointKinds")
    fill(endpoint, 2)
    assert sum("$metadata" in line for line in service.log) == 1


V4 = (
    b'<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">'
    b'<edmx:DataServices><Schema Namespace="L" xmlns="http://docs.oasis-open.org/odata/ns/edm">'
    b'<EntityType Name="Cards"><Key><PropertyRef Name="CardNumber"/></Key>'
    b'<Property Name="CardNumber" Type="Edm.String" Nullable="false"/></EntityType>'
    b'<EntityContainer Name="C"><EntitySet Name="Cards" EntityType="L.Cards"/></EntityContainer>'
    b"</Schema></edmx:DataServices></edmx:Edmx>"
)


def test_v4_metadata_is_refused_and_the_right_kind_named(
    service: Service, endpoint: ODataV2Endpoint
) -> None:
    """The library parses it, and fails at the first row."""
    MetadataBuilder(V4, config=Config()).build()
    service.metadata = V4
    with pytest.raises(MapError) as raised:
        endpoint.describe("Cards")
    assert raised.value.code == "metadata-newer"
    assert 'kind = "odata-v4"' in raised.value.remedy


def changed(service: Service, old: str, new: str) -> bytes:
    document = service._document()
    assert old.encode() in document
    return document.replace(old.encode(), new.encode())


@pytest.mark.parametrize(
    "type",
    ["Edm.Date", "Edm.GeographyPoint", "L.Address", "Collection(Edm.String)", "Edm.Stream"],
)
def test_a_type_it_does_not_know_is_a_column_that_cannot_be_read(
    service: Service, endpoint: ODataV2Endpoint, type: str
) -> None:
    service.metadata = changed(service, 'Name="At" Type="Edm.Time"', f'Name="At" Type="{type}"')
    if not type.startswith("Collection"):
        with pytest.raises(PyODataModelError):
            MetadataBuilder(service.metadata, config=Config()).build()
    described = endpoint.describe("Cards")
    assert not described.columns["At"].readable
    assert described.columns["Note"].readable
    fill(endpoint, 1)
    with pytest.raises(MapError):
        endpoint.scan("Cards", ["At"], None)


@pytest.mark.parametrize(
    ("facets", "scale"),
    [
        ('Precision="19" Scale="4"', 4),
        ('Precision="19" Scale="Variable"', None),
        ('Scale="4"', None),
        ('Precision="2" Scale="4"', None),
        ('Precision="19"', None),
        ("", None),
    ],
)
def test_facets_it_stops_at_are_read_as_far_as_they_tell(
    service: Service, endpoint: ODataV2Endpoint, facets: str, scale: int | None
) -> None:
    service.metadata = changed(service, 'Precision="19" Scale="4"', facets)
    described = endpoint.describe("Cards")
    assert described.columns["Balance"].type is ValueType.DECIMAL
    assert described.columns["Balance"].scale == scale


def test_booleans_in_capitals_are_read(service: Service, endpoint: ODataV2Endpoint) -> None:
    service.metadata = changed(service, 'Nullable="false"', 'Nullable="False"')
    with pytest.raises(TypeError):
        MetadataBuilder(service.metadata, config=Config()).build()
    assert endpoint.describe("Cards").columns["CardNumber"].required


def test_one_broken_type_spoils_no_other(service: Service, endpoint: ODataV2Endpoint) -> None:
    """With a type left out the library's own client cannot be made at all."""
    broken = '<EntityType Name="Odd"><Key><PropertyRef Name="Gone"/></Key></EntityType>'
    document = service._document().decode()
    document = document.replace("<EntityType", broken + "<EntityType", 1)
    document = document.replace(
        "<EntitySet", '<EntitySet Name="Odd" EntityType="L.Odd"/><EntitySet', 1
    )
    service.metadata = document.encode()
    with pytest.raises(PyODataModelError):
        alone(service, default_error_policy=PolicyIgnore())
    assert endpoint.describe("Cards").name == "Cards"
    with pytest.raises(MapError) as raised:
        endpoint.describe("Odd")
    assert raised.value.code == "entity-unusable"


@pytest.mark.parametrize("policy", ["fatal", "warning", "ignore"])
def test_the_policy_of_the_config_decides_about_broken_parts(
    service: Service, connect: MakeEndpoint, caplog: pytest.LogCaptureFixture, policy: str
) -> None:
    service.metadata = changed(service, 'Name="At" Type="Edm.Time"', 'Name="At" Type="L.Odd"')
    endpoint = connect(service, policy=policy)
    if policy == "fatal":
        with pytest.raises(MapError) as raised:
            endpoint.describe("Cards")
        assert raised.value.code == "metadata-unusable"
        return
    assert not endpoint.describe("Cards").columns["At"].readable
    told: Sequence[str] = [one.getMessage() for one in caplog.records if "left out" in one.message]
    assert bool(told) is (policy == "warning")
