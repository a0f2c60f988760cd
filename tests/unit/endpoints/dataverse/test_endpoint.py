"""Identity, clock and the order of versions."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from connector.endpoints.base import Endpoint
from connector.endpoints.dataverse import DataverseEndpoint
from connector.errors import AccessError, ConfigError, UnreachableError

if TYPE_CHECKING:
    from tests.unit.endpoints.scripted import Service

WHO = {
    "BusinessUnitId": "B",
    "UserId": "22222222-0000-4000-8000-00000000ABCD",
    "OrganizationId": "11111111-0000-4000-8000-00000000ABCD",
}


def test_it_is_an_endpoint(endpoint: DataverseEndpoint) -> None:
    narrowed: Endpoint = endpoint
    assert narrowed.newer("10", "9") is True
    assert narrowed.newer("9", "10") is False
    assert narrowed.newer("9", "9") is False


def test_who_we_are(service: Service, endpoint: DataverseEndpoint) -> None:
    service.on("GET", "WhoAmI", body=WHO)
    identity = endpoint.identity()
    assert identity.world == "11111111-0000-4000-8000-00000000abcd"
    assert identity.users == {"22222222-0000-4000-8000-00000000abcd"}
    assert identity.title == "org.example"
    assert identity.clock_offset == timedelta(0)


@pytest.mark.parametrize("zone", ["GMT", "-0000", ""])
def test_the_clock_is_compared_halfway_through_the_request(
    service: Service, endpoint: DataverseEndpoint, zone: str
) -> None:
    service.step = timedelta(seconds=2)  # sent at :07, received at :09
    service.on("GET", "WhoAmI", body=WHO, headers={"Date": f"Fri, 02 Jan 2026 03:05:08 {zone}"})
    offset = endpoint.identity().clock_offset
    assert offset == timedelta(seconds=60.5)


@pytest.mark.parametrize("date", ["", "yesterday", "1767323108", "Fri, 32 Jan 2026 03:05:08 GMT"])
def test_a_date_nobody_can_read_tells_nothing(
    service: Service, endpoint: DataverseEndpoint, date: str
) -> None:
    service.on("GET", "WhoAmI", body=WHO, headers={"Date": date})
    assert endpoint.identity().clock_offset == timedelta(0)


def several(service: Service) -> DataverseEndpoint:
    return DataverseEndpoint(
        "https://org.example",
        tokens=service,
        others=[service],
        ca=None,
        patience=service.patience,
        clock=service.clock,
    )


def test_all_our_application_users_are_us(service: Service) -> None:
    second = {**WHO, "UserId": "22222222-0000-4000-8000-00000000FFFF"}
    service.on("GET", "WhoAmI", body=WHO)
    service.on("GET", "WhoAmI", body=second)
    assert several(service).identity().users == {
        "22222222-0000-4000-8000-00000000abcd",
        "22222222-0000-4000-8000-00000000ffff",
    }


def test_users_of_two_organizations_are_refused(service: Service) -> None:
    service.on("GET", "WhoAmI", body=WHO)
    service.on("GET", "WhoAmI", body={**WHO, "OrganizationId": "somewhere-else"})
    with pytest.raises(ConfigError) as caught:
        several(service).identity()
    assert caught.value.code == "users-apart"


def test_a_user_the_organization_does_not_have(
    service: Service, endpoint: DataverseEndpoint
) -> None:
    service.error("GET", "WhoAmI", 403, "0x80072560", "The user is not a member")
    with pytest.raises(AccessError) as caught:
        endpoint.identity()
    assert caught.value.code == "application-user-missing"


def test_another_service_at_this_address(service: Service, endpoint: DataverseEndpoint) -> None:
    service.on("GET", "WhoAmI", body="<html>")
    with pytest.raises(UnreachableError) as caught:
        endpoint.identity()
    assert caught.value.code == "answer-unreadable"
