"""Who has which role and which column security profile, and what that amounts to.

Owns: the two associations of a user, RetrieveUserPrivileges, the switch that changes roles.
Never does: deciding what a role allows (`privileges.py`).
Tested in: tests/integration/sandbox/test_privileges.py, test_column_security.py.

Facts: "Dataverse Web API: systemuser", "RetrieveUserPrivileges", "associate-disassociate-
entities-using-web-api".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from connector.odata.paths import Segment
from connector.sandbox.dataverse import errors
from connector.sandbox.dataverse.definitions.tables import Table
from connector.sandbox.dataverse.messages import Request, json_response, no_content
from connector.sandbox.dataverse.reading.options import parse_options
from connector.sandbox.dataverse.reading.queries import Queries, context
from connector.sandbox.dataverse.rights.privileges import listed
from connector.sandbox.dataverse.standard.seed import Identities
from connector.sandbox.dataverse.writing.payloads import Values
from connector.sandbox.dataverse.writing.records import Records
from connector.sandbox.messages import Response

PRIVILEGES = "Microsoft.Dynamics.CRM.RetrieveUserPrivileges"
TEAM_PRIVILEGES = "Microsoft.Dynamics.CRM.RetrieveTeamPrivileges"
TEAMS = "teammembership_association"
"""The teams of a user: none of ours is in one."""
USERS, TEAM = "systemuser", "team"


@dataclass(frozen=True, slots=True)
class Association:
    """A many-to-many relationship between users and another table, and its rows' table."""

    other: str
    intersect: str


ASSOCIATIONS: Mapping[str, Association] = {
    "systemuserroles_association": Association("role", "systemuserroles"),
    "systemuserprofiles_association": Association("fieldsecurityprofile", "systemuserprofiles"),
}


class Memberships:
    """The users of one organization and what they belong to."""

    def __init__(self, records: Records, queries: Queries, identities: Identities) -> None:
        self._records = records
        self._queries = queries
        self._catalog = records.catalog
        self._privileges = records.privileges
        self._execute = records.storage.connection.execute
        self._identities = identities

    def covers(self, table: Table, name: str) -> bool:
        """Whether `set(key)/name` is one of its paths."""
        found = ASSOCIATIONS.get(name)
        return (found is not None and table.name in (USERS, found.other)) or (
            (table.name, name) in ((USERS, PRIVILEGES), (USERS, TEAMS), (TEAM, TEAM_PRIVILEGES))
        )

    def handle(
        self, table: Table, record: str, rest: Sequence[Segment], request: Request
    ) -> Response:
        """`set(key)/association`, `…/association/$ref`, `…/RetrieveUserPrivileges()`."""
        name = rest[0].name
        if name in (PRIVILEGES, TEAM_PRIVILEGES):
            return self._held(record, name, request)
        if name == TEAMS and request.method == "GET" and len(rest) == 1:
            return json_response({"@odata.context": f"{request.base}/$metadata#teams", "value": []})
        if name == TEAMS:
            raise errors.not_supported(f"{request.method} on '{name}'")
        far = ASSOCIATIONS[name].other if table.name == USERS else USERS
        if request.method == "GET" and len(rest) == 1:
            return self._listed(name, table, record, self._catalog.by_name[far], request)
        if len(rest) != 2 or rest[1].name != "$ref" or request.method not in ("POST", "DELETE"):
            raise errors.not_supported(f"{request.method} on '{name}'")
        other = self._other(table, far, rest[0], request)
        user, thing = (record, other) if table.name == USERS else (other, record)
        self._associate(name, user, thing, request)
        return no_content()

    def _other(self, table: Table, far: str, association: Segment, request: Request) -> str:
        """The record at the far end: in the body of a POST, in the path of a DELETE."""
        if request.method == "DELETE":
            if association.guid is None:
                raise errors.bad_request(f"Name the record: {association.name}(<id>)/$ref")
            return association.guid
        url = request.json_object().get("@odata.id")
        if type(url) is not str:
            raise errors.payload(table.set_name, "The property '@odata.id' is missing.")
        return self._records.resolve(far, url)

    def _held(self, user: str, function: str, request: Request) -> Response:
        mark = f"{request.base}/$metadata#{function}Response"
        found = listed(self._privileges.held(user), self._identities.business_unit)
        return json_response({"@odata.context": mark, "RolePrivileges": found})

    def _listed(
        self, name: str, near: Table, record: str, far: Table, request: Request
    ) -> Response:
        options = parse_options(request.query)
        shape = self._queries.projection(far, options.select, request.preferences.annotations)
        rows = self._execute(
            f'SELECT "{far.id_column}" FROM "{ASSOCIATIONS[name].intersect}" '
            f'WHERE "{near.id_column}" = ?',
            (record,),
        )
        wanted = orjson.dumps([one for (one,) in rows]).decode()
        found = self._execute(
            f'SELECT {shape.sql} FROM "{far.name}" WHERE "{far.id_column}" '
            "IN (SELECT value FROM json_each(?))",
            (wanted,),
        )
        mark = context(request.base, far, options)
        return json_response({"@odata.context": mark, "value": shape.rows(found)})

    def _associate(self, name: str, user: str, thing: str, request: Request) -> None:
        """Add or remove one pair; removing what is not there changes nothing."""
        association = ASSOCIATIONS[name]
        if association.other == "role":
            self._privileges.need_system("prvAssignRole")
        else:
            self._privileges.need("Write", self._catalog.by_name[association.other])
        column = self._catalog.by_name[association.other].id_column
        where = f'systemuserid = ? AND "{column}" = ?'
        self._execute(f'DELETE FROM "{association.intersect}" WHERE {where}', (user, thing))
        if request.method == "POST":
            self._pair(association, user, thing)
        self._privileges.forget()

    def _pair(self, association: Association, user: str, thing: str) -> None:
        other = self._catalog.by_name[association.other]
        pair: Values = {"systemuserid": user, other.id_column: thing}
        with self._privileges.acting(None):  # the right to associate was asked for
            self._records.insert(self._catalog.by_name[association.intersect], [pair], user)

    # ------------------------------------------------------------------------ switch

    def change(self, value: Mapping[str, Any], users: Mapping[str, str]) -> None:
        """`{"role", "privileges"}` makes or changes a role, `{"user", "roles"}` assigns roles.

        `{"team", "roles"}` does so for a team, by its name. `users` gives ids by short name; an id
        does too. Raises `KeyError` for an unknown user, team or role, `ValueError` for anything
        else.
        """
        ids = {
            str(name): str(role) for role, name in self._execute("SELECT roleid, name FROM role")
        }
        if set(value) == {"role", "privileges"}:
            name = str(value["role"])
            if name not in ids:
                row: Values = {"roleid": self._identities.of("role", name), "name": name}
                system = self._identities.user("SYSTEM")
                (ids[name],) = self._records.insert(self._catalog.by_name["role"], [row], system)
            self._privileges.grant(ids[name], [str(one) for one in value["privileges"]])
        elif set(value) == {"team", "roles"}:
            self._give_team(str(value["team"]), [ids[name] for name in value["roles"]])
        elif set(value) == {"user", "roles"}:
            user = users.get(str(value["user"]), str(value["user"]))
            if self._records.version(self._catalog.by_name[USERS], user) is None:
                raise KeyError(user)
            self._execute("DELETE FROM systemuserroles WHERE systemuserid = ?", (user,))
            for name in value["roles"]:
                self._pair(ASSOCIATIONS["systemuserroles_association"], user, ids[name])
            self._privileges.forget()
        else:
            raise ValueError("role and privileges, user and roles, or team and roles")

    def _give_team(self, name: str, roles: Sequence[str]) -> None:
        found = self._execute("SELECT teamid FROM team WHERE name = ?", (name,)).fetchone()
        if found is None:
            raise KeyError(name)
        self._execute("DELETE FROM teamroles WHERE teamid = ?", found)
        rows: list[Values] = [{"teamid": found[0], "roleid": role} for role in roles]
        with self._privileges.acting(None):
            system = self._identities.user("SYSTEM")
            self._records.insert(self._catalog.by_name["teamroles"], rows, system)
        self._privileges.forget()
