"""The rows that groups of records wait for.

Owns: the table `waits`.
Never does: looking for a target; opening a transaction.
Tested in: tests/contract/store/.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy import bindparam

from connector.mapping.values import Side
from connector.store.database import Database, bound, run
from connector.store.record import Wait
from connector.store.schema import records, waits

_PAGE = 1_000
"""Targets per query while all of them are listed."""


class Waits:
    """The waits of every map."""

    def __init__(self, db: Database) -> None:
        self._db = db
        c, among = waits.c, db.dialect.among
        target = (c.side, c.entity, c.column_name, c.value)
        after = sa.tuple_(*(bindparam(column.name, type_=column.type) for column in target))
        self._targets = (
            sa.select(*target)
            .where(c.map == bindparam("map"))
            .distinct()
            .order_by(*target)
            .limit(_PAGE)
        )
        self._more_targets = self._targets.where(sa.tuple_(*target) > after)
        self._remove = sa.delete(waits).where(among(c.record, "records"))
        self._remove_of_map = self._remove.where(c.map == bindparam("map"))
        names = [column.name for column in waits.columns]
        self._insert = db.hot(sa.insert(waits).values(bound(names)), *names)
        waiting = sa.select(c.record).where(
            c.map == bindparam("b_map"),
            *(column == bindparam(f"b_{column.name}") for column in target),
        )
        self._wake = sa.update(records).where(records.c.number.in_(waiting)).values(bound(["due"]))

    def targets(self, map: str) -> Iterator[Wait]:
        """Distinct targets, read page by page so that commits may go on between them."""
        rows = self._db.rows(self._targets, map=map)
        while rows:
            for side, entity, column, value in rows:
                yield Wait("", Side(side), entity, column, value)
            rows = self._db.rows(self._more_targets, map=map, **rows[-1]._mapping)

    def replace(
        self, connection: sa.Connection, map: str, by_record: Mapping[int, Sequence[Wait]]
    ) -> None:
        """Replace all waits of these records."""
        if not by_record:
            return
        numbers = self._db.dialect.listed(list(by_record))
        connection.execute(self._remove, {"records": numbers})
        rows = [
            (record, wait.group, wait.side.value, wait.entity, wait.column, wait.value, map)
            for record, group_waits in by_record.items()
            for wait in dict.fromkeys(group_waits)
        ]
        run(connection, self._insert, rows)

    def remove(self, connection: sa.Connection, map: str, numbers: Sequence[int]) -> None:
        """Delete all waits of these records of the map."""
        if numbers:
            listed = self._db.dialect.listed(numbers)
            connection.execute(self._remove_of_map, {"map": map, "records": listed})

    def wake(self, connection: sa.Connection, map: str, wait: Wait, at: float) -> int:
        """Make the records that wait for this target due; how many."""
        target = {
            "b_map": map,
            "b_side": wait.side.value,
            "b_entity": wait.entity,
            "b_column_name": wait.column,
            "b_value": wait.value,
        }
        return connection.execute(self._wake, {**target, "due": at}).rowcount
