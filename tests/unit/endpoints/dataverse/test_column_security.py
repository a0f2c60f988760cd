"""Columns under column security, as our users may use them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest

from connector.endpoints.base import Column
from connector.endpoints.dataverse import DataverseEndpoint

if TYPE_CHECKING:
    from tests.unit.endpoints.scripted import Service

ME = "00000000-0000-4000-8000-00000000000a"
USER = f"systemusers({ME})"


def script(service: Service, granted: Mapping[str, int] | None, role: str = "Loyalty") -> None:
    """What the user is permitted of the column `secret`; None: it is in no profile."""
    service.on("GET", "WhoAmI", body={"UserId": ME, "OrganizationId": "o"})
    service.on("GET", f"{USER}/systemuserroles_association", body={"value": [{"name": role}]})
    profiles = [] if granted is None else [{"fieldsecurityprofileid": "p1"}]
    service.on("GET", f"{USER}/systemuserprofiles_association", body={"value": profiles})
    service.on("GET", f"{USER}/teammembership_association", body={"value": []})
    row = {"entityname": "point", "attributelogicalname": "secret", **(granted or {})}
    service.on("GET", "fieldpermissions", body={"value": [row]})


def secret(endpoint: DataverseEndpoint) -> Column:
    return endpoint.describe("points").columns["secret"]


def usable(column: Column) -> tuple[bool, bool, bool]:
    return column.readable, column.creatable, column.updatable


@pytest.mark.parametrize(
    ("granted", "expected", "still"),
    [
        (None, (False, False, False), True),
        ({"canread": 4}, (True, False, False), True),
        ({"canread": 4, "cancreate": 4, "canupdate": 0}, (True, True, False), True),
        ({"canread": 4, "cancreate": 4, "canupdate": 4}, (True, True, True), False),
    ],
)
def test_a_column_is_as_usable_as_it_is_permitted(
    secured: Service,
    endpoint: DataverseEndpoint,
    granted: Mapping[str, int] | None,
    expected: tuple[bool, bool, bool],
    still: bool,
) -> None:
    script(secured, granted)
    column = secret(endpoint)
    assert usable(column) == expected
    assert column.secured is still


def test_an_administrator_passes(secured: Service, endpoint: DataverseEndpoint) -> None:
    script(secured, None, role="System Administrator")
    column = secret(endpoint)
    assert usable(column) == (True, True, True)
    assert not column.secured


def test_permissions_that_cannot_be_read_leave_it_open(
    secured: Service, endpoint: DataverseEndpoint
) -> None:
    message = "Principal user is missing prvReadRole privilege"
    secured.on("GET", "WhoAmI", body={"UserId": ME, "OrganizationId": "o"})
    path = f"{USER}/systemuserroles_association"
    secured.error("GET", path, 403, "0x80040220", message)
    column = secret(endpoint)
    assert usable(column) == (True, True, True)
    assert column.secured


def test_a_table_without_secured_columns_asks_nothing(
    points: Service, endpoint: DataverseEndpoint
) -> None:
    endpoint.describe("points")
    assert points.calls("GET", "WhoAmI") == []
    assert points.calls("GET", "fieldpermissions") == []
