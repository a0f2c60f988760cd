"""The rows that groups of records wait for.

Owns: the table `waits`.
Never does: looking for a target; opening a transaction.
Tested in: tests/contract/store/.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import sqlalchemy as sa

from connector.mapping.values import Side
from connector.store.database import Database
from connector.store.record import Wait
from connector.store.schema import records, waits

_PAGE = 1_000
"""Targets per query while all of them are listed."""


class Waits:
    """The waits of every map."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def targets(self, map: str) -> Iterator[Wait]:
        """Distinct targets, read page by page so that commits may go on between them."""
        target = (waits.c.side, waits.c.entity, waits.c.column_name, waits.c.value)
        query = sa.select(*target).where(waits.c.map == map).distinct().order_by(*target)
        query = query.limit(_PAGE)
        rows = self._db.rows(query)
        while rows:
            for side, entity, column, value in rows:
                yield Wait("", Side(side), entity, column, value)
            rows = self._db.rows(query.where(sa.tuple_(*target) > sa.tuple_(*rows[-1])))

    def replace(
        self, connection: sa.Connection, map: str, by_record: Mapping[int, Sequence[Wait]]
    ) -> None:
        """Replace all waits of these records."""
        if not by_record:
            return
        dialect = self._db.dialect
        gone = sa.delete(waits).where(dialect.among(waits.c.record, "numbers"))
        connection.execute(gone, {"numbers": dialect.listed(list(by_record))})
        rows = [
            {
                "record": record,
                "group_name": wait.group,
                "side": wait.side.value,
                "entity": wait.entity,
                "column_name": wait.column,
                "value": wait.value,
                "map": map,
            }
            for record, group_waits in by_record.items()
            for wait in dict.fromkeys(group_waits)
        ]
        if rows:
            connection.execute(sa.insert(waits), rows)

    def wake(self, connection: sa.Connection, map: str, wait: Wait, at: float) -> int:
        """Make the records that wait for this target due; how many."""
        waiting = sa.select(waits.c.record).where(
            waits.c.map == map,
            waits.c.side == wait.side.value,
            waits.c.entity == wait.entity,
            waits.c.column_name == wait.column,
            waits.c.value == wait.value,
        )
        return connection.execute(
            sa.update(records).where(records.c.number.in_(waiting)).values(due=at)
        ).rowcount
