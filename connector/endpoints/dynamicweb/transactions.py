"""Transactions: what was earned and spent, read for balances.

Owns: the table `EcomLoyaltyUserTransaction` as an entity.
Never does: writing; the shop books points.
Tested in: tests/unit/endpoints/dynamicweb/test_transactions.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from connector.endpoints.base import Entity, Row
from connector.endpoints.dynamicweb.fields import Field, field_of
from connector.endpoints.dynamicweb.schema import TRANSACTION, Tables
from connector.endpoints.dynamicweb.shelves import (
    checked,
    highest,
    looks_like,
    matching,
    picked,
    read_only,
)


class Transactions:
    """The transactions of one shop."""

    def __init__(self, tables: Tables) -> None:
        self._table = tables.transaction
        self._id = self._table.c.LoyaltyUserTransactionId
        fields = [field_of(column) for column in self._table.c]
        self._fields: dict[str, Field] = {one.name: one for one in fields if one is not None}

    def describe(self, connection: sa.Connection) -> Entity:
        """Raises `MapError` (`entity-unknown`)."""
        checked(connection, self._table, self._table.c.keys())
        columns = {name: field.column for name, field in self._fields.items()}
        id = "LoyaltyUserTransactionId"
        return Entity(TRANSACTION, "Loyalty transaction", id, columns, (), read_only())

    def page(
        self, connection: sa.Connection, columns: Sequence[str], after: int | None, limit: int
    ) -> Sequence[Row]:
        """Transactions above an id."""
        query = sa.select(self._table).order_by(self._id).limit(limit)
        if after is not None:
            query = query.where(self._id > after)
        return self._rows(connection, columns, query)

    def read(
        self, connection: sa.Connection, columns: Sequence[str], ids: Sequence[int]
    ) -> Sequence[Row]:
        """Transactions by id."""
        query = sa.select(self._table).where(self._id.in_(ids))
        return self._rows(connection, columns, query)

    def find(
        self, connection: sa.Connection, columns: Sequence[str], by: str, wanted: Sequence[str]
    ) -> Iterable[tuple[str, Row]]:
        """Transactions by a text."""
        (field,) = picked(TRANSACTION, self._fields, [by])
        query = sa.select(self._table).where(looks_like(self._table.c[field.name], wanted))
        rows = self._rows(connection, [by, *columns], query)
        return matching([(r.image[0], r._replace(image=r.image[1:])) for r in rows], wanted)

    def highest(self, connection: sa.Connection) -> int | None:
        """The highest id."""
        return highest(connection, self._id)

    def _rows(
        self, connection: sa.Connection, columns: Sequence[str], query: sa.Select[Any]
    ) -> list[Row]:
        fields = picked(TRANSACTION, self._fields, columns)
        return [
            Row(
                str(raw["LoyaltyUserTransactionId"]),
                None,
                tuple(field.read(raw[field.name]) for field in fields),
            )
            for raw in connection.execute(query).mappings()
        ]
