"""What a new organization begins with: its tables, users, currencies, messages, publishers.

Owns: what is there before anybody writes, under ids that follow from the OrganizationId.
Never does: loyalty data.
Tested in: tests/integration/sandbox/test_records.py.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from connector.sandbox.dataverse.definitions.tables import Table
from connector.sandbox.dataverse.rights.privileges import ROLES
from connector.sandbox.dataverse.standard import loyalty_tables, organization_tables
from connector.sandbox.dataverse.standard.organization_tables import (
    CURRENCIES,
    DEFAULT_PUBLISHER,
    MESSAGES,
    PUBLISHERS,
)
from connector.sandbox.dataverse.writing.payloads import Values
from connector.sandbox.dataverse.writing.records import Records
from connector.sandbox.dataverse.zones import UTC_CODE

CHANGE_TRACKING_DAYS = 7
READ_WRITE, NON_INTERACTIVE = 0, 4


@dataclass(frozen=True, slots=True)
class Member:
    """A registered client that is a user of the organization.

    A person signs in like an application here, but is none in the organization.
    """

    short: str
    """What switches and the ready line call it."""
    client_id: str
    name: str
    role: str | None
    person: bool = False

    @property
    def sign_in(self) -> str:
        """Its user name."""
        return f"{self.short}@sandbox.example"

    @property
    def access_mode(self) -> int:
        """An application user is a non-interactive one."""
        return READ_WRITE if self.person else NON_INTERACTIVE


class Identities:
    """The ids that follow from one OrganizationId."""

    def __init__(self, organization: uuid.UUID) -> None:
        self.organization = str(organization)
        self._root = organization

    def of(self, kind: str, name: str = "") -> str:
        """The id of a seeded row."""
        return str(uuid.uuid5(self._root, f"{kind}/{name}"))

    def user(self, client_id: str) -> str:
        """The systemuserid of an application user."""
        return self.of("systemuser", client_id)

    @property
    def business_unit(self) -> str:
        """The root business unit."""
        return self.of("businessunit")


def first_tables(empty: bool) -> tuple[Table, ...]:
    """The tables of a new organization; an `empty` one has no loyalty tables."""
    loyalty = () if empty else loyalty_tables.TABLES
    return (*loyalty, *organization_tables.TABLES)


def seed(records: Records, identities: Identities, members: tuple[Member, ...]) -> None:
    """Write the first rows into an empty organization, inside the caller's transaction."""
    system = identities.user("SYSTEM")
    unit = identities.business_unit

    def add(table: str, *rows: Values) -> None:
        records.insert(records.catalog.by_name[table], rows, system)

    users = [_user(identities, member) for member in members]
    users.append({"systemuserid": system, "fullname": "SYSTEM", "isdisabled": 0})
    add("businessunit", {"businessunitid": unit, "name": "sandbox"})
    team = identities.of("team", "sandbox")
    add("team", {"teamid": team, "name": "sandbox", "isdefault": 1, "businessunitid": unit})
    add("systemuser", *users)
    settings: list[Values] = [
        {"systemuserid": user["systemuserid"], "timezonecode": UTC_CODE} for user in users
    ]
    add("usersettings", *settings)
    add("transactioncurrency", *_currencies(identities))
    organization: Values = {
        "organizationid": identities.organization,
        "name": "sandbox",
        "expirechangetrackingindays": CHANGE_TRACKING_DAYS,
        "basecurrencyid": identities.of("transactioncurrency", "USD"),
        "languagecode": 1033,
    }
    add("organization", organization)
    add("publisher", *_publishers(identities))
    solution: Values = {
        "solutionid": identities.of("solution", "Default"),
        "uniquename": "Default",
        "friendlyname": "Default Solution",
        "version": "1.0",
        "ismanaged": 0,
        "publisherid": identities.of("publisher", DEFAULT_PUBLISHER),
    }
    add("solution", solution)
    _seed_messages(records, identities, system)
    _seed_roles(records, identities, members, system)


def _user(identities: Identities, member: Member) -> Values:
    """The row of one user, an application or a person."""
    return {
        "systemuserid": identities.user(member.client_id),
        "fullname": member.name,
        "domainname": member.sign_in,
        "internalemailaddress": member.sign_in,
        "applicationid": None if member.person else member.client_id,
        "azureactivedirectoryobjectid": identities.of("object", member.client_id),
        "isdisabled": 0,
        "islicensed": int(member.person),
        "accessmode": member.access_mode,
        "businessunitid": identities.business_unit,
    }


def _currencies(identities: Identities) -> list[Values]:
    return [
        {
            "transactioncurrencyid": identities.of("transactioncurrency", code),
            "isocurrencycode": code,
            "currencyname": name,
            "currencysymbol": symbol,
            "currencyprecision": places,
            "exchangerate": 10**10,
        }
        for code, (name, symbol, places) in CURRENCIES.items()
    ]


def _publishers(identities: Identities) -> list[Values]:
    return [
        {
            "publisherid": identities.of("publisher", name),
            "uniquename": name,
            "friendlyname": title,
            "customizationprefix": prefix,
            "customizationoptionvalueprefix": number,
        }
        for name, (title, prefix, number) in PUBLISHERS.items()
    ]


def _seed_roles(
    records: Records, identities: Identities, members: tuple[Member, ...], system: str
) -> None:
    """Roles, and who has which."""
    by_name = records.catalog.by_name
    unit = identities.business_unit
    roles: list[Values] = [
        {"roleid": identities.of("role", name), "name": name, "businessunitid": unit}
        for name in ROLES
    ]
    records.insert(by_name["role"], roles, system)
    records.privileges.start({identities.of("role", name): ROLES[name] for name in ROLES})
    assigned: list[Values] = [
        {
            "systemuserid": identities.user(member.client_id),
            "roleid": identities.of("role", member.role),
        }
        for member in members
        if member.role is not None
    ]
    records.insert(by_name["systemuserroles"], assigned, system)


def _seed_messages(records: Records, identities: Identities, system: str) -> None:
    """Messages and, per writable table, the filters that say which of them it supports."""
    messages: list[Values] = [
        {"sdkmessageid": identities.of("sdkmessage", name), "name": name} for name in MESSAGES
    ]
    by_name = records.catalog.by_name
    records.insert(by_name["sdkmessage"], messages, system)
    for table in by_name.values():
        records.insert(by_name["sdkmessagefilter"], message_filters(identities, table), system)


def message_filters(identities: Identities, table: Table) -> list[Values]:
    """The rows that say which messages a table supports; none for one the platform keeps."""
    if "create" not in table.operations:
        return []
    return [
        {
            "sdkmessagefilterid": identities.of("sdkmessagefilter", f"{table.name}/{name}"),
            "primaryobjecttypecode": table.name,
            "sdkmessageid": identities.of("sdkmessage", name),
        }
        for name in MESSAGES
    ]
