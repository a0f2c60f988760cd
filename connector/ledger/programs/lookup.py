"""A query for the rows whose column is one of some values, built once.

Owns: asking in chunks that every database takes.
Never does: knowing a table. `sql.rows_in` does the same for queries that are asked now and then;
building one takes longer than running it, and tiers are looked at after every sale.
Tested in: tests/unit/ledger/programs/test_standing.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import sqlalchemy as sa

from connector.ledger.sql import IN_CHUNK


class Lookup:
    """`query` may have further parameters."""

    def __init__(self, query: sa.Select[Any], column: sa.ColumnElement[Any]) -> None:
        self._query = query.where(column.in_(sa.bindparam("wanted", expanding=True)))

    def rows(
        self, connection: sa.Connection, values: Collection[Any], **parameters: object
    ) -> Iterator[Any]:
        """The rows for these values; none are asked for where there are no values."""
        wanted = list(values)
        for start in range(0, len(wanted), IN_CHUNK):
            chunk = {"wanted": wanted[start : start + IN_CHUNK]}
            yield from connection.execute(self._query, {**parameters, **chunk})
