"""Cards: the members of the shop, one for each user with points.

Owns: what a card is where there is none: the user is the member, and the number of the user is the
number of the card.
Never does: writing; points are changed in the shop.
Tested in: tests/unit/endpoints/dynamicweb/test_members.py.

A member is a user who has transactions. Where the config names the table of users
(`[commerce.tables] AccessUser`), each of its rows is a member, also one without transactions, and
its columns are offered as well. The balance is the sum of all points, as the shop books them:
redeemed points are negative there. The shop's expiry (one number of months for everything) is no
column, so that it is not in the balance.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from connector.endpoints.base import Entity, Key, Row
from connector.endpoints.dynamicweb import fields as f
from connector.endpoints.dynamicweb.schema import Tables, table_of
from connector.endpoints.dynamicweb.shelves import (
    checked,
    highest,
    id_of,
    looks_like,
    matching,
    picked,
    read_only,
)
from connector.errors import MapError, Subject
from connector.mapping.columns import Column
from connector.mapping.values import Value, ValueType

MEMBERS = "LoyaltyMembers"
CARD = "CardNumber"
USER_ID = "AccessUserId"

_DERIVED = (
    f.text(CARD, 20, writable=False),
    f.Field("UserId", ValueType.INTEGER, writable=False),
    f.decimal("PointsBalance", writable=False),
    f.Field("FirstPointsDate", ValueType.DATE, writable=False),
    f.instant("LastPointsAt"),
)


class _Users(NamedTuple):
    """The table of users as its database describes it."""

    table: sa.Table
    id: sa.Column[Any]


class Members:
    """The members of one shop."""

    def __init__(self, tables: Tables) -> None:
        self._transactions = tables.transaction
        self._name = tables.user
        self._found: _Users | None = None

    def describe(self, connection: sa.Connection) -> Entity:
        """Raises `MapError` (`entity-unknown`)."""
        checked(connection, self._transactions, self._transactions.c.keys())
        self._found = None
        columns: dict[str, Column] = {
            name: field.column for name, field in self._fields(connection).items()
        }
        return Entity(
            MEMBERS, "Loyalty member", "UserId", columns, (Key(CARD, (CARD,)),), read_only()
        )

    def page(
        self, connection: sa.Connection, columns: Sequence[str], after: int | None, limit: int
    ) -> Sequence[Row]:
        """Members above a number."""
        column, query = self._query(connection)
        if after is not None:
            query = query.where(column > after)
        users = self._users(connection, query.order_by(column).limit(limit))
        whose = self._transactions.c.LoyaltyUserTransactionUserId
        between = whose.between(min(users, default=0), max(users, default=0))
        return self._rows(connection, columns, users, self._totals(connection, between))

    def read(
        self, connection: sa.Connection, columns: Sequence[str], ids: Sequence[int]
    ) -> Sequence[Row]:
        """Members by number."""
        column, query = self._query(connection)
        users = self._users(connection, query.where(column.in_(ids)))
        whose = self._transactions.c.LoyaltyUserTransactionUserId
        return self._rows(connection, columns, users, self._totals(connection, whose.in_(ids)))

    def find(
        self, connection: sa.Connection, columns: Sequence[str], by: str, wanted: Sequence[str]
    ) -> Iterable[tuple[str, Row]]:
        """Members by card number, or by a text of the table of users."""
        fields = self._fields(connection)
        (field,) = picked(MEMBERS, fields, [by])
        if field.name == CARD:
            ids = [number for text in wanted if (number := id_of(text.rstrip(" "))) is not None]
        else:
            users = self._reflected(connection)
            assert users is not None, "only users have texts of their own"
            found = looks_like(users.table.c[field.name], wanted)
            ids = list(connection.scalars(sa.select(users.id).where(found)))
        rows = self.read(connection, [by, *columns], ids)
        return matching([(r.image[0], r._replace(image=r.image[1:])) for r in rows], wanted)

    def highest(self, connection: sa.Connection) -> int | None:
        """The highest number."""
        column, _ = self._query(connection)
        return highest(connection, column)

    # ------------------------------------------------------------------ users and totals

    def _query(self, connection: sa.Connection) -> tuple[sa.Column[Any], sa.Select[Any]]:
        """Where members come from: the number's column, and what selects them."""
        users = self._reflected(connection)
        if users is not None:
            return users.id, sa.select(users.table)
        whose: sa.Column[Any] = self._transactions.c.LoyaltyUserTransactionUserId
        return whose, sa.select(whose.label(USER_ID)).distinct().where(whose.is_not(None))

    def _users(
        self, connection: sa.Connection, query: sa.Select[Any]
    ) -> dict[int, Mapping[str, Any]]:
        """What is known of each user, by number."""
        users = self._reflected(connection)
        name = USER_ID if users is None else str(users.id.name)
        return {int(raw[name]): dict(raw) for raw in connection.execute(query).mappings()}

    def _totals(
        self, connection: sa.Connection, which: sa.ColumnElement[bool]
    ) -> dict[int, tuple[Value, ...]]:
        """Balance, first day and last time of points, by user."""
        c = self._transactions.c
        date, points = c.LoyaltyUserTransactionDate, c.LoyaltyUserTransactionPoints
        query = (
            sa.select(
                c.LoyaltyUserTransactionUserId,
                sa.func.sum(points),
                sa.func.min(date),
                sa.func.max(date),
            )
            .where(which)
            .group_by(c.LoyaltyUserTransactionUserId)
        )
        read, at = _DERIVED[2].read, _DERIVED[4].read
        return {
            int(user): (read(total), f.day_of(at(first)), at(last))
            for user, total, first, last in connection.execute(query)
        }

    def _rows(
        self,
        connection: sa.Connection,
        columns: Sequence[str],
        users: Mapping[int, Mapping[str, Any]],
        totals: Mapping[int, tuple[Value, ...]],
    ) -> list[Row]:
        fields = picked(MEMBERS, self._fields(connection), columns)
        derived = [field.name for field in _DERIVED]
        rows: list[Row] = []
        for user, raw in users.items():
            own = totals.get(user, (f.decimal_of(0.0), None, None))
            values = dict(zip(derived, (str(user), user, *own), strict=True))
            image = tuple(
                values[one.name] if one.name in values else one.read(raw[one.name])
                for one in fields
            )
            rows.append(Row(str(user), None, image))
        return rows

    def _fields(self, connection: sa.Connection) -> dict[str, f.Field]:
        users = self._reflected(connection)
        own = [] if users is None else [f.field_of(column) for column in users.table.c]
        return {field.name: field for field in (*own, *_DERIVED) if field is not None}

    def _reflected(self, connection: sa.Connection) -> _Users | None:
        """The table of users, where the config names one; raises `MapError`."""
        if self._name is None or self._found is not None:
            return self._found
        table = table_of(sa.MetaData(), self._name)
        if not sa.inspect(connection).has_table(table.name, schema=table.schema):
            raise _no_users(self._name)
        columns = sa.inspect(connection).get_columns(table.name, table.schema)
        for one in columns:
            table.append_column(sa.Column(one["name"], one["type"]))
        id = next((c for c in table.c if str(c.name).casefold() == USER_ID.casefold()), None)
        if id is None:
            raise _no_users(self._name)
        self._found = _Users(table, id)
        return self._found


def _no_users(name: str) -> MapError:
    return MapError(
        "entity-unknown",
        f"the shop has no table {name} with a column {USER_ID}",
        remedy="correct the name of AccessUser in `tables` of this side, or leave it out: members "
        "are then the users who have transactions",
        subject=Subject(side="commerce", entity=MEMBERS),
    )
