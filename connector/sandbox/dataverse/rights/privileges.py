"""Roles, privileges and column security: what the user of a request may do.

Owns: the roles and what they grant, the names of privileges, secured columns, the refusals.
Never does: who a user is (`identity/tokens.py`), paths (`memberships.py`).
Tested in: tests/integration/sandbox/test_privileges.py, test_column_security.py.

Facts: "Dataverse: security-concepts", "field-security-entities", the Web API function
RetrieveUserPrivileges. Modelled simply: a privilege is held for the whole organization or not
at all. A role grants patterns of names, so that it covers tables made later too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from connector.sandbox.dataverse import access_errors
from connector.sandbox.dataverse.definitions.catalog import Contents
from connector.sandbox.dataverse.definitions.tables import Kind, Table, metadata_id
from connector.sandbox.dataverse.rights.teams import ACCESS_TEAM
from connector.sandbox.dataverse.storage import Storage

ADMINISTRATOR, AGENT = "System Administrator", "Sandbox agent"
_DATA_TABLES = ("Account", "Contact", "TransactionCurrency")
_DATA_RIGHTS = ("Create", "Write", "Delete", "Append", "Assign")
ROLES: Mapping[str, tuple[str, ...]] = {
    ADMINISTRATOR: ("*",),
    # All of the data, nothing of how the organization is set up.
    AGENT: (
        "prvRead*",
        "prvAppendTo*",
        "prv*_*",
        *(f"prv{right}{table}" for right in _DATA_RIGHTS for table in _DATA_TABLES),
    ),
}
"""The roles an organization begins with, and the names of the privileges they grant."""

TABLE_RIGHTS = ("Create", "Read", "Write", "Delete", "Append", "AppendTo", "Assign", "Share")
SYSTEM_PRIVILEGES = (
    *(
        f"prv{right}{thing}"
        for thing in ("Entity", "Attribute", "Relationship", "OptionSet", "EntityKey")
        for right in ("Create", "Read", "Write", "Delete")
    ),
    "prvPublishCustomization",
    "prvImportCustomization",
    "prvAssignRole",
)
_PARTS = {
    "Attributes": "Attribute",
    "Keys": "EntityKey",
    "RelationshipDefinitions": "Relationship",
    "GlobalOptionSetDefinitions": "OptionSet",
}
_ACTIONS = {
    "CreateEntities": "prvCreateEntity",
    "PublishXml": "prvPublishCustomization",
    "PublishAllXml": "prvPublishCustomization",
    "InsertOptionValue": "prvWriteOptionSet",
    "UpdateOptionValue": "prvWriteOptionSet",
    "DeleteOptionValue": "prvWriteOptionSet",
    "ReactivateEntityKey": "prvWriteEntityKey",
    "ImportSolution": "prvImportCustomization",
}
_NAMED_OTHERWISE = {"systemuser": "User"}
ALLOWED = 4
"""The value of a field permission that grants."""
_GRANTS = "role-privileges"


class Privileges:
    """The rights of one organization's users. Outside a request everything is allowed."""

    def __init__(self, storage: Storage, business_unit: str) -> None:
        self._storage = storage
        self._execute = storage.connection.execute
        self._business_unit = business_unit
        self._user: str | None = None
        self._known: dict[tuple[str, str], bool] = {}
        self._roles: dict[str, list[str]] = {}
        self._named: tuple[Contents, tuple[str, ...]] | None = None

    @contextmanager
    def acting(self, user: str | None) -> Iterator[None]:
        """Inside the block it is this user who reads and writes; None may do everything."""
        before, self._user = self._user, user
        try:
            yield
        finally:
            self._user = before

    @property
    def user(self) -> str | None:
        """Whose request is being answered; None where nobody asked."""
        return self._user

    def forget(self) -> None:
        """Roles or who has them have changed."""
        self._known.clear()
        self._roles.clear()

    # ------------------------------------------------------------------------ roles

    def start(self, grants: Mapping[str, Sequence[str]]) -> None:
        """The roles (by id) of a new organization, with patterns of the privileges they grant."""
        self._storage.set_setting(
            _GRANTS, json.dumps({role: [*one] for role, one in grants.items()})
        )
        self.forget()

    def grant(self, role: str, patterns: Sequence[str]) -> None:
        """From now on `role` grants the privileges these patterns name."""
        self.start({**self._grants, role: patterns})

    @property
    def _grants(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = json.loads(self._storage.setting(_GRANTS) or "{}")
        return found

    def roles(self, user: str) -> list[str]:
        """The ids of the roles a user, or a team, has."""
        found = self._roles.get(user)
        if found is None:
            sql = (
                "SELECT roleid FROM systemuserroles WHERE systemuserid = ? "
                "UNION SELECT roleid FROM teamroles WHERE teamid = ?"
            )
            found = self._roles[user] = [str(role) for (role,) in self._execute(sql, (user, user))]
        return found

    def _administers(self, user: str) -> bool:
        return (
            self._execute(
                "SELECT 1 FROM systemuserroles AS has JOIN role ON role.roleid = has.roleid "
                "WHERE has.systemuserid = ? AND role.name = ?",
                (user, ADMINISTRATOR),
            ).fetchone()
            is not None
        )

    def allowed(self, user: str, privilege: str) -> bool:
        """Whether a role of the user grants this."""
        known = self._known.get((user, privilege))
        if known is None:
            grants, name = self._grants, privilege.lower()
            patterns = (one for role in self.roles(user) for one in grants.get(role, ()))
            known = any(fnmatchcase(name, pattern.lower()) for pattern in patterns)
            self._known[(user, privilege)] = known
        return known

    def held(self, user: str) -> list[str]:
        """The names of all privileges the user has."""
        return [name for name in self._names() if self.allowed(user, name)]

    def _names(self) -> tuple[str, ...]:
        contents = self._storage.catalog.contents
        if self._named is None or self._named[0] is not contents:
            tables = contents.tables.values()
            names = (privilege_name(right, table) for table in tables for right in TABLE_RIGHTS)
            self._named = (contents, (*names, *SYSTEM_PRIVILEGES))
        return self._named[1]

    # ------------------------------------------------------------------------ checks

    def need_role(self) -> None:
        """A user without any role may do nothing. Raises `WireError`."""
        if self._user is not None and not self.roles(self._user):
            raise access_errors.no_roles(self._user)

    def need(self, right: str, table: Table) -> None:
        """One of the `TABLE_RIGHTS`. Raises `WireError` where the user does not have it."""
        user = self._user
        if user is None or self.allowed(user, name := privilege_name(right, table)):
            return
        self.need_role()
        raise access_errors.missing_privilege(
            self._principal(user), name, privilege_id(name), table.name, table.title
        )

    def need_system(self, name: str) -> None:
        """One of the `SYSTEM_PRIVILEGES`. Raises `WireError`."""
        user = self._user
        if user is None or self.allowed(user, name):
            return
        self.need_role()
        raise access_errors.check_failed(
            user,
            name,
            privilege_id(name),
            self._business_unit,
            len(self._names()),
            len(self.held(user)),
        )

    def _principal(self, user: str) -> access_errors.Principal:
        return access_errors.Principal(user, len(self.roles(user)), len(self.held(user)))

    def need_write(self, right: str, table: Table, rows: Iterable[Mapping[str, object]]) -> None:
        """`Create` or `Write` of rows with these columns. Raises `WireError`.

        Pointing at a record needs Append on the table and AppendTo on that of the record.
        """
        if self._user is None:
            return
        self.need(right, table)
        watched = _lookups(table) | secured_columns(table)
        names = {name for row in rows if not watched.isdisjoint(row) for name in row}
        for name in names & _lookups(table):
            self.need("Append", table)
            self.need("AppendTo", self._storage.catalog.by_name[table.columns[name].target])
        if names & secured_columns(table):
            self._need_columns(table, names, "cancreate" if right == "Create" else "canupdate")

    def need_ownable(self, table: Table, owner: str) -> None:
        """Giving a row to `owner`, who has to be able to read it. Raises `WireError`."""
        if self._user is None or owner == self._user:
            return
        self.need("Assign", table)
        team = self._execute("SELECT teamtype FROM team WHERE teamid = ?", (owner,)).fetchone()
        if team is not None and team[0] == ACCESS_TEAM:
            raise access_errors.access_team_owns_nothing(owner)
        name = privilege_name("Read", table)
        if not self.allowed(owner, name):
            raise access_errors.missing_privilege(
                self._principal(owner), name, privilege_id(name), table.name, table.title
            )

    # ------------------------------------------------------------------------ columns

    def hidden(self, table: Table) -> frozenset[str]:
        """Columns that read as null for the user."""
        secured = secured_columns(table)
        if self._user is None or not secured or self._administers(self._user):
            return frozenset()
        return secured - self._permitted(table, "canread")

    def _need_columns(self, table: Table, names: set[str], permission: str) -> None:
        assert self._user is not None, "asked in a request only"
        written = secured_columns(table) & names
        if self._administers(self._user) or written <= self._permitted(table, permission):
            return
        raise access_errors.secured_column(creating=permission == "cancreate")

    def _permitted(self, table: Table, permission: str) -> frozenset[str]:
        rows = self._execute(
            "SELECT permission.attributelogicalname FROM fieldpermission AS permission "
            "JOIN systemuserprofiles AS has "
            "ON has.fieldsecurityprofileid = permission.fieldsecurityprofileid "
            "WHERE has.systemuserid = ? AND permission.entityname = ? "
            f'AND permission."{permission}" = ?',
            (self._user, table.name, ALLOWED),
        )
        return frozenset(name for (name,) in rows)


@lru_cache(maxsize=1024)
def secured_columns(table: Table) -> frozenset[str]:
    """The columns under column security."""
    return frozenset(column.name for column in table.columns.values() if column.secured)


@lru_cache(maxsize=1024)
def _lookups(table: Table) -> frozenset[str]:
    """The references a client sets; the owner is assigned, not appended to."""
    return frozenset(
        column.name
        for column in table.columns.values()
        if column.kind is Kind.LOOKUP and column.creatable
    )


def definition_privilege(method: str, names: Sequence[str]) -> str:
    """What a change of definitions needs, by the names along its path."""
    if names[0] in _ACTIONS:
        return _ACTIONS[names[0]]
    right = {"POST": "Create", "PUT": "Write", "DELETE": "Delete"}.get(method, "Write")
    thing = next((_PARTS[name] for name in reversed(names) if name in _PARTS), "Entity")
    return f"prv{right}{thing}"


def privilege_name(right: str, table: Table) -> str:
    """What a right on a table is called; those on users bear another name than their table."""
    return f"prv{right}{_NAMED_OTHERWISE.get(table.name, table.schema_name)}"


def privilege_id(name: str) -> str:
    """The id of a privilege: the same in every organization, as that of the platform's own."""
    return metadata_id("privilege", name.lower())


def listed(names: Iterable[str], business_unit: str) -> list[dict[str, Any]]:
    """The members of a RolePrivilege for each name."""
    return [
        {
            "Depth": "Global",
            "PrivilegeId": privilege_id(name),
            "BusinessUnitId": business_unit,
            "PrivilegeName": name,
            "RecordFilterId": "00000000-0000-0000-0000-000000000000",
            "RecordFilterUniqueName": "",
        }
        for name in names
    ]
