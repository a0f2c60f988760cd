"""Documents as services write them: inheritance, keys a service makes up, what is no document."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connector.endpoints.base import Applied, Create
from connector.endpoints.odata_v2 import ODataV2Endpoint
from connector.endpoints.odata_v2.document import read_document
from connector.errors import AccessError, MapError
from connector.mapping.values import ValueType
from tests.integration.odata_v2.service import Service

if TYPE_CHECKING:
    from tests.unit.endpoints.odata_v2.conftest import MakeEndpoint


def replaced(service: Service, old: str, new: str) -> None:
    document = service.metadata or service._document()
    assert old.encode() in document
    service.metadata = document.replace(old.encode(), new.encode(), 1)


@pytest.mark.parametrize("body", [b"", b"<html>", b"<html/>", b"{}", b"\xff\xfe", b"<Edmx/>"])
def test_what_is_no_metadata_is_said_so(
    service: Service, endpoint: ODataV2Endpoint, body: bytes
) -> None:
    service.metadata = body or b" "
    with pytest.raises(MapError) as raised:
        endpoint.describe("Cards")
    assert raised.value.code == "metadata-unusable"


def test_no_entity_of_a_document_is_expanded() -> None:
    bomb = b'<!DOCTYPE Edmx [<!ENTITY a "%s">]><Edmx>&a;&a;&a;</Edmx>' % (b"x" * 1000)
    assert b"xxx" not in read_document(bomb, "commerce").xml.partition(b"<Edmx")[2]


def test_a_type_has_what_its_base_has(service: Service, endpoint: ODataV2Endpoint) -> None:
    document = service._document().decode()
    start = document.index('<EntityType Name="PointKinds">') + len('<EntityType Name="PointKinds">')
    end = document.index('<Property Name="Name"', start)
    inherited = document[start:end]
    assert "Program" in inherited
    base = f'<EntityType Name="Base" Abstract="true">{inherited}</EntityType>'
    derived = '<EntityType Name="PointKinds" BaseType="L.Base">'
    place = document.index('<EntityType Name="PointKinds">')
    service.metadata = (document[:place] + base + derived + document[end:]).encode()
    described = endpoint.describe("PointKinds")
    assert described.keys[0].columns == ("Program", "Number")
    assert described.columns["Program"].max_length == 10
    assert described.columns["Name"].type is ValueType.TEXT


@pytest.mark.parametrize("facet", ['s:Alias="Card_code"', 'sap:creatable="false"'])
def test_a_key_the_service_makes_up_is_not_ours_to_write(
    service: Service, connect: MakeEndpoint, facet: str
) -> None:
    replaced(service, '<Property Name="CardNumber"', f'<Property {facet} Name="CardNumber"')
    endpoint = connect(service)
    described = endpoint.describe("Cards")
    assert (described.capabilities.ids, described.capabilities.create) == (
        "allotted",
        "at-least-once",
    )
    assert not described.columns["CardNumber"].creatable
    assert endpoint.id_for("Cards", {"Note": "x"}, "proposed") == "proposed"
    (outcome,) = endpoint.write("Cards", ["Note"], [Create("proposed", {"CardNumber": "1"})])
    assert isinstance(outcome, Applied)
    assert outcome.id == "CardNumber='1'"


def test_etags_are_seen_in_a_row_where_metadata_is_silent(
    service: Service, connect: MakeEndpoint
) -> None:
    replaced(service, 'ConcurrencyMode="Fixed"', "")
    endpoint = connect(service)
    assert endpoint.describe("Cards").capabilities.preconditions == "none"
    endpoint.write("Cards", ["Note"], [Create("CardNumber='1'", {"CardNumber": "1"})])
    assert endpoint.describe("Cards").capabilities.preconditions == "version"


def test_names_are_found_without_case(endpoint: ODataV2Endpoint) -> None:
    assert endpoint.describe("CARDS").name == "Cards"
    list(endpoint.scan("cards", ["CARDNUMBER", "note"], None))


def test_an_unknown_entity_names_those_there_are(endpoint: ODataV2Endpoint) -> None:
    with pytest.raises(MapError) as raised:
        endpoint.describe("Karten")
    assert "Cards" in raised.value.remedy


def test_a_table_that_may_not_be_read_is_said_so_when_it_is_described(
    service: Service, endpoint: ODataV2Endpoint
) -> None:
    service.manners.faults = ["", "403"]
    with pytest.raises(AccessError) as raised:
        endpoint.describe("Cards")
    assert raised.value.code == "privilege-missing"
    assert raised.value.subject.entity == "Cards"
    assert endpoint.describe("Cards").name == "Cards"
