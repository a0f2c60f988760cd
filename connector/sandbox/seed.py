"""The first rows of an organization: users, currencies, messages.

Owns: what is there before anybody writes, under ids that follow from the OrganizationId.
Never does: loyalty data.
Tested in: tests/integration/sandbox/test_records.py.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from connector.sandbox.catalog import (
    BUSINESS_UNIT,
    CURRENCIES,
    CURRENCY,
    MESSAGE,
    MESSAGE_FILTER,
    MESSAGES,
    ORGANIZATION,
    USER,
)
from connector.sandbox.payloads import Values
from connector.sandbox.records import Records

CHANGE_TRACKING_DAYS = 7


@dataclass(frozen=True, slots=True)
class Member:
    """An application registered in the directory that is a user of the organization."""

    client_id: str
    name: str


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


def seed(records: Records, identities: Identities, members: tuple[Member, ...]) -> None:
    """Write the first rows into an empty organization, inside the caller's transaction."""
    system = identities.user("SYSTEM")
    unit = identities.business_unit
    users: list[Values] = [
        {
            "systemuserid": identities.user(member.client_id),
            "fullname": member.name,
            "applicationid": member.client_id,
            "azureactivedirectoryobjectid": identities.of("object", member.client_id),
            "isdisabled": 0,
            "businessunitid": unit,
        }
        for member in members
    ]
    users.append({"systemuserid": system, "fullname": "SYSTEM", "isdisabled": 0})
    records.insert(BUSINESS_UNIT, [{"businessunitid": unit, "name": "sandbox"}], system)
    records.insert(USER, users, system)
    currencies: list[Values] = [
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
    records.insert(CURRENCY, currencies, system)
    organization: Values = {
        "organizationid": identities.organization,
        "name": "sandbox",
        "expirechangetrackingindays": CHANGE_TRACKING_DAYS,
        "basecurrencyid": identities.of("transactioncurrency", "USD"),
    }
    records.insert(ORGANIZATION, [organization], system)
    _seed_messages(records, identities, system)


def _seed_messages(records: Records, identities: Identities, system: str) -> None:
    """Messages and, per writable table, the filters that say which of them it supports."""
    messages: list[Values] = [
        {"sdkmessageid": identities.of("sdkmessage", name), "name": name} for name in MESSAGES
    ]
    records.insert(MESSAGE, messages, system)
    tables = [table for table in records.catalog.by_name.values() if "create" in table.operations]
    filters: list[Values] = [
        {
            "sdkmessagefilterid": identities.of("sdkmessagefilter", f"{table.name}/{name}"),
            "primaryobjecttypecode": table.name,
            "sdkmessageid": identities.of("sdkmessage", name),
        }
        for table in tables
        for name in MESSAGES
    ]
    records.insert(MESSAGE_FILTER, filters, system)
