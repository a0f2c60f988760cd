"""What the endpoint says of a service: which it is, what its tables are, what ids will be."""

from __future__ import annotations

import pytest

from connector.endpoints.odata_v4 import ODataV4Endpoint
from connector.errors import AccessError, MapError, UnreachableError
from connector.mapping.values import ValueType
from tests.odata_v4_service import ROOT, Answer, MemoryService, path_of


def rooted(service: MemoryService, status: int, body: bytes, kind: str = "text/html") -> None:
    def instead(request: object) -> Answer | None:
        root = path_of(request) == ""  # type: ignore[arg-type]
        return (status, {"Content-Type": kind}, body) if root else None

    service.instead = instead


def test_a_service_is_known_by_its_address(endpoint: ODataV4Endpoint) -> None:
    assert endpoint.identity().world == ROOT
    assert endpoint.identity().users == frozenset()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"<html><body>Welcome</body></html>", "text/html"),
        (200, b"", "application/json"),
        (200, b'{"hello":"world"}', "application/json"),
        (404, b"<html>Not found</html>", "text/html"),
    ],
)
def test_an_address_without_a_service_is_told(
    endpoint: ODataV4Endpoint, service: MemoryService, status: int, body: bytes, kind: str
) -> None:
    rooted(service, status, body, kind)
    with pytest.raises(UnreachableError) as caught:
        endpoint.identity()
    assert caught.value.code == "answer-unreadable"
    assert "commerce.url" in caught.value.remedy


@pytest.mark.parametrize(
    ("status", "code"), [(401, "sign-in-required"), (403, "privilege-missing")]
)
def test_a_service_that_does_not_let_us_in(
    endpoint: ODataV4Endpoint, service: MemoryService, status: int, code: str
) -> None:
    rooted(service, status, b"")
    with pytest.raises(AccessError) as caught:
        endpoint.identity()
    assert caught.value.code == code


def test_columns_of_every_kind_are_described(endpoint: ODataV4Endpoint) -> None:
    entity = endpoint.describe("Cards")
    types = {name: one.type for name, one in entity.columns.items() if one.readable}
    assert types == {
        "Number": ValueType.TEXT,
        "Text": ValueType.TEXT,
        "Day": ValueType.DATE,
        "Points": ValueType.DECIMAL,
        "Count": ValueType.INTEGER,
        "Kind": ValueType.CHOICE,
        "Paid": ValueType.BOOLEAN,
        "Owner": ValueType.TEXT,
        "Changed": ValueType.INSTANT,
        "Serial": ValueType.INTEGER,
    }
    assert [name for name, one in entity.columns.items() if not one.readable] == [
        "Marks",
        "Photo",
        "Tags",
    ]
    assert entity.columns["Serial"].creatable is False
    assert entity.keys[0].columns == ("Number",)


def test_an_id_is_made_of_the_whole_key(endpoint: ODataV4Endpoint) -> None:
    assert endpoint.id_for("Lines", {"No": 3, "ORDER": "a'b"}, "p") == "Order='a''b',No=3"
    assert endpoint.id_for("Lines", {"Order": "a"}, "p") == "p"


def test_ids_are_made_without_asking(endpoint: ODataV4Endpoint, service: MemoryService) -> None:
    service.annotated = False
    endpoint.describe("Cards")
    asked = len(service.asked)
    for number in range(3):
        endpoint.id_for("Cards", {"Number": str(number)}, "p")
    assert len(service.asked) == asked


def test_a_set_without_a_key_cannot_be_mapped(endpoint: ODataV4Endpoint) -> None:
    with pytest.raises(MapError) as caught:
        endpoint.describe("Loose")
    assert caught.value.code == "entity-keyless"
