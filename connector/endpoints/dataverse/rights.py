"""What our application users may do, as the organization tells it.

Owns: reading a user, its privileges and its permissions on secured columns.
Never does: deciding what is needed (`connector/operations/check/rights.py`).
Tested in: tests/unit/endpoints/dataverse/test_rights.py.

Facts: the Web API function RetrieveUserPrivileges (it counts roles of teams as well), the tables
systemuser (`applicationid`, `accessmode`), fieldsecurityprofile and fieldpermission (4 is allowed).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from connector.endpoints.dataverse.exchange import Exchange, Json
from connector.endpoints.web.transport import Transport
from connector.odata.queries import query_string

ADMINISTRATOR = "System Administrator"
"""The role that passes column security."""
ALLOWED = 4
_PERMISSIONS = {"canread": "read", "cancreate": "create", "canupdate": "update"}


EVERYTHING = frozenset(_PERMISSIONS.values())
Permissions: TypeAlias = Mapping[tuple[str, str], frozenset[str]] | None
"""What is permitted of secured columns, by logical names of table and column; None: everything."""


@dataclass(frozen=True, slots=True)
class UserRights:
    """One of our users.

    `application` is None for a person. `privileges` gives the depth by the privilege's name in
    lower case.
    """

    id: str
    name: str
    application: str | None
    access_mode: int
    privileges: Mapping[str, str]


def read_rights(transport: Transport, number: int) -> UserRights:
    """The rights of one of our users. Raises `AccessError` and `UnreachableError`."""
    return _Reading(transport, number).rights()


def read_permissions(transport: Transport, number: int) -> Permissions:
    """What one of our users may do with secured columns; raises as `read_rights` does."""
    return _Reading(transport, number).permissions()


class _Reading:
    """The requests for one user, made as that user."""

    def __init__(self, transport: Transport, number: int) -> None:
        self._exchange = Exchange(transport)
        self._number = number

    def rights(self) -> UserRights:
        id = self._own_id()
        user = f"systemusers({id})"
        row = self._get(user, {"$select": "fullname,applicationid,accessmode"})
        held = self._get(f"{user}/Microsoft.Dynamics.CRM.RetrieveUserPrivileges()", {})
        return UserRights(
            id=id,
            name=str(row.get("fullname") or id),
            application=row.get("applicationid"),
            access_mode=int(row.get("accessmode") or 0),
            privileges={
                str(one["PrivilegeName"]).lower(): str(one["Depth"])
                for one in held.get("RolePrivileges", ())
            },
        )

    def permissions(self) -> Permissions:
        user = f"systemusers({self._own_id()})"
        roles = self._values(f"{user}/systemuserroles_association", {"$select": "name"})
        if any(role.get("name") == ADMINISTRATOR for role in roles):
            return None
        return self._columns(user)

    def _own_id(self) -> str:
        return str(self._get("WhoAmI", {})["UserId"]).lower()

    def _columns(self, user: str) -> dict[tuple[str, str], frozenset[str]]:
        profiles = list(self._profiles(user))
        if not profiles:
            return {}
        where = " or ".join(f"_fieldsecurityprofileid_value eq {one}" for one in profiles)
        names = f"entityname,attributelogicalname,{','.join(_PERMISSIONS)}"
        permitted: dict[tuple[str, str], frozenset[str]] = {}
        for row in self._values("fieldpermissions", {"$select": names, "$filter": where}):
            column = (str(row["entityname"]), str(row["attributelogicalname"]))
            granted = {word for name, word in _PERMISSIONS.items() if row.get(name) == ALLOWED}
            permitted[column] = permitted.get(column, frozenset()) | granted
        return permitted

    def _profiles(self, user: str) -> Iterator[str]:
        """Column security profiles of the user and of its teams."""
        select = {"$select": "fieldsecurityprofileid"}
        for row in self._values(f"{user}/systemuserprofiles_association", select):
            yield str(row["fieldsecurityprofileid"])
        for team in self._values(f"{user}/teammembership_association", {"$select": "teamid"}):
            path = f"teams({team['teamid']})/teamprofiles_association"
            for row in self._values(path, select):
                yield str(row["fieldsecurityprofileid"])

    def _values(self, path: str, options: Mapping[str, str]) -> list[Json]:
        found: list[Json] = self._get(path, options).get("value", [])
        return found

    def _get(self, path: str, options: Mapping[str, str]) -> Json:
        url = f"{path}?{query_string(options)}" if options else path
        return self._exchange.read(url, path.partition("(")[0], self._number)
