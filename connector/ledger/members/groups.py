"""Customer groups and affiliations: who belongs to which.

Owns: adding, removing, listing; one transaction per call.
Never does: deciding what a group earns or buys (`programs/`).
Tested in: tests/unit/ledger/members/test_members.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from connector.errors import RecordError, Subject
from connector.ledger.fields import fold
from connector.ledger.members.names import customer, named
from connector.ledger.members.tables import customer_groups

if TYPE_CHECKING:
    from connector.ledger.ledger import Ledger, WriteTransaction

_G = customer_groups.c


class GroupKind(StrEnum):
    """What ties the customers of a group together: the retailer's choice, or their own."""

    GROUP = "group"
    AFFILIATION = "affiliation"


class Membership(NamedTuple):
    """One customer in one group, as both were spelled; `since` in UTC."""

    party: str
    group: str
    kind: GroupKind
    since: datetime
    by: str


class Groups:
    """The groups of one open ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def add(
        self,
        party: str,
        group: str,
        kind: GroupKind = GroupKind.GROUP,
        *,
        by: str,
        create: bool = False,
    ) -> bool:
        """The customer belongs to the group from now on; whether that is new.

        A group begins with its first member. With `create`, a customer the ledger does not know
        is added. Raises RecordError: `customer-unknown`, `group-kind`, a name's own.
        """
        with self._ledger.writing(by) as transaction:
            return added(transaction, party, group, kind, create=create)

    def remove(self, party: str, group: str, *, by: str) -> bool:
        """The customer leaves the group; whether they were in it. RecordError."""
        with self._ledger.writing(by) as transaction:
            number = customer(transaction.connection, party)
            gone = sa.delete(customer_groups).where(_G.party == number, _G.name == fold(group))
            return transaction.connection.execute(gone).rowcount > 0

    def members(
        self, group: str | None = None, party: str | None = None, limit: int | None = None
    ) -> Sequence[Membership]:
        """Who belongs to what, by group and customer; RecordError `customer-unknown`."""
        with self._ledger.reading() as connection:
            where = [] if group is None else [_G.name == fold(group.strip())]
            if party is not None:
                where.append(_G.party == customer(connection, party))
            return memberships(connection, *where, limit=limit)

    def sizes(self) -> Sequence[tuple[str, GroupKind, int]]:
        """Every group with its kind and how many customers it has, by name."""
        query = (
            sa.select(sa.func.min(_G.title), _G.kind, sa.func.count())
            .group_by(_G.name, _G.kind)
            .order_by(_G.name)
        )
        with self._ledger.reading() as connection:
            return [(name, GroupKind(kind), size) for name, kind, size in connection.execute(query)]


def memberships(
    connection: sa.Connection, *where: sa.ColumnElement[bool], limit: int | None = None
) -> list[Membership]:
    """Those that meet the conditions, by group and customer."""
    query = sa.select(_G.party, _G.title, _G.kind, _G.since, _G.by).where(*where)
    return [
        Membership(number, title, GroupKind(kind), since.replace(tzinfo=UTC), by)
        for number, title, kind, since, by in connection.execute(
            query.order_by(_G.name, _G.party).limit(limit)
        )
    ]


def added(
    transaction: WriteTransaction, party: str, group: str, kind: GroupKind, *, create: bool
) -> bool:
    """As `Groups.add`, in a transaction that does something else as well."""
    connection = transaction.connection
    title = named("group", group)
    name = fold(title)
    number = customer(connection, party, create=create)
    _same_kind(connection, title, kind)
    there = sa.select(sa.literal(1)).where(_G.party == number, _G.name == name)
    if connection.scalar(there) is not None:
        return False
    row = {
        "party": number,
        "name": name,
        "title": title,
        "kind": kind.value,
        "since": transaction.feed.stored_at,
        "by": transaction.by,
    }
    connection.execute(sa.insert(customer_groups), [row])
    return True


def _same_kind(connection: sa.Connection, title: str, kind: GroupKind) -> None:
    query = sa.select(_G.kind).where(_G.name == fold(title)).limit(1)
    found = connection.scalar(query)
    if found is not None and found != kind.value:
        raise RecordError(
            "group-kind",
            f"'{title}' is of the kind {found} already",
            remedy=f"add the customer with --kind {found}, or choose another name",
            subject=Subject(field="group"),
        )
