"""A user's rights, out of the answers of the organization."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from connector.endpoints.dataverse.rights import UserRights, read_permissions, read_rights
from connector.endpoints.dataverse.service import SERVICE
from connector.endpoints.web.governor import Governor
from connector.endpoints.web.transport import Transport
from connector.errors import AccessError, UnreachableError

if TYPE_CHECKING:
    from tests.unit.endpoints.scripted import Service

ME = "00000000-0000-4000-8000-00000000000a"
USER = f"systemusers({ME})"
PROFILES = "fieldsecurityprofileid"


@pytest.fixture
def transport(service: Service) -> Iterator[Transport]:
    made = Transport(
        SERVICE,
        "https://org.example",
        tokens=[service],
        ca=None,
        patience=service.patience,
        clock=service.clock,
        timeout=60.0,
        connections=1,
        governor=Governor(clock=service.patience.monotonic, sleep=service.sleep),
    )
    yield made
    made.close()


def script(service: Service, **answers: Any) -> None:
    """A user with one role; `answers` replace what is told of it."""
    told: dict[str, Any] = {
        "WhoAmI": {"UserId": ME.upper()},
        USER: {"fullname": "# dualwrite", "applicationid": "app", "accessmode": 4},
        f"{USER}/Microsoft.Dynamics.CRM.RetrieveUserPrivileges()": {
            "RolePrivileges": [
                {"PrivilegeName": "prvReadmsdyn_LoyaltyCard", "Depth": "Global"},
                {"PrivilegeName": "prvWritemsdyn_LoyaltyCard", "Depth": "Basic"},
            ]
        },
        f"{USER}/systemuserroles_association": {"value": [{"name": "Loyalty sync"}]},
        f"{USER}/systemuserprofiles_association": {"value": []},
        f"{USER}/teammembership_association": {"value": []},
        **answers,
    }
    for path, body in told.items():
        service.on("GET", path, body=body)


def test_who_we_are_and_what_we_may(service: Service, transport: Transport) -> None:
    script(service)
    assert read_rights(transport, 0) == UserRights(
        id=ME,
        name="# dualwrite",
        application="app",
        access_mode=4,
        privileges={"prvreadmsdyn_loyaltycard": "Global", "prvwritemsdyn_loyaltycard": "Basic"},
    )


def test_an_administrator_may_everything(service: Service, transport: Transport) -> None:
    roles = {"value": [{"name": "Basic User"}, {"name": "System Administrator"}]}
    script(service, **{f"{USER}/systemuserroles_association": roles})
    assert read_permissions(transport, 0) is None


def test_permissions_of_own_profiles_and_of_teams_add_up(
    service: Service, transport: Transport
) -> None:
    script(
        service,
        **{
            f"{USER}/systemuserprofiles_association": {"value": [{PROFILES: "p1"}]},
            f"{USER}/teammembership_association": {"value": [{"teamid": "t1"}]},
            "teams(t1)/teamprofiles_association": {"value": [{PROFILES: "p2"}]},
            "fieldpermissions": {
                "value": [
                    permission("msdyn_cardnumber", canread=4, cancreate=0, canupdate=0),
                    permission("msdyn_cardnumber", canread=0, cancreate=4, canupdate=4),
                    permission("msdyn_partynumber", canread=4, cancreate=0, canupdate=0),
                ]
            },
        },
    )
    columns = read_permissions(transport, 0)
    assert columns is not None
    assert columns["msdyn_loyaltycard", "msdyn_cardnumber"] == {"read", "create", "update"}
    assert columns["msdyn_loyaltycard", "msdyn_partynumber"] == {"read"}
    (asked,) = service.calls("GET", "fieldpermissions")
    assert "p1" in str(asked.url)
    assert "p2" in str(asked.url)


def permission(column: str, **granted: int) -> dict[str, Any]:
    return {"entityname": "msdyn_loyaltycard", "attributelogicalname": column, **granted}


def test_without_a_profile_no_permission_is_asked_for(
    service: Service, transport: Transport
) -> None:
    script(service)
    assert read_permissions(transport, 0) == {}
    assert service.calls("GET", "fieldpermissions") == []


def test_a_person_has_no_application(service: Service, transport: Transport) -> None:
    script(service, **{USER: {"fullname": "Anna", "applicationid": None, "accessmode": 0}})
    rights = read_rights(transport, 0)
    assert (rights.application, rights.access_mode) == (None, 0)


def test_what_may_not_be_read_is_said(service: Service, transport: Transport) -> None:
    service.on("GET", "WhoAmI", body={"UserId": ME})
    message = "Principal user (Id=1) is missing prvReadUser privilege"
    service.error("GET", USER, 403, "0x80040220", message)
    with pytest.raises(AccessError) as caught:
        read_rights(transport, 0)
    assert "prvReadUser" in caught.value.message


@pytest.mark.parametrize("body", ["<html>", "[]", '{"UserId'])
def test_an_answer_that_is_none(service: Service, transport: Transport, body: str) -> None:
    service.on("GET", "WhoAmI", body=body)
    with pytest.raises(UnreachableError) as caught:
        read_rights(transport, 0)
    assert caught.value.code == "answer-unreadable"
