"""What keeps a group of a record from going on: rows it waits for, and conflicts.

Owns: the tables `waits` and `conflicts`.
Never does: deciding a conflict; opening a transaction.
Tested in: tests/contract/store/.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import sqlalchemy as sa

from connector.mapping.values import Side
from connector.store.database import Database
from connector.store.layouts import Layouts
from connector.store.record import Conflict, Wait
from connector.store.schema import conflicts, records, waits
from connector.store.work import OpenConflict

_PAGE = 1_000
"""Targets per query while all of them are listed."""

_OPEN = sa.text("closed_at IS NULL")
"""Spelled as in the partial index of open conflicts."""


class Questions:
    """Waits and conflicts of every map."""

    def __init__(self, db: Database, layouts: Layouts) -> None:
        self._db = db
        self._layouts = layouts

    # ------------------------------------------------------------------------ waits

    def waits(self, map: str) -> Iterator[Wait]:
        """Distinct targets, read page by page so that commits may go on between them."""
        target = (waits.c.side, waits.c.entity, waits.c.column_name, waits.c.value)
        query = sa.select(*target).where(waits.c.map == map).distinct().order_by(*target)
        query = query.limit(_PAGE)
        rows = self._db.rows(query)
        while rows:
            for side, entity, column, value in rows:
                yield Wait("", Side(side), entity, column, value)
            rows = self._db.rows(query.where(sa.tuple_(*target) > sa.tuple_(*rows[-1])))

    def write_waits(
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

    # ------------------------------------------------------------------------ conflicts

    def open_conflicts(self, map: str, after: int, limit: int) -> Sequence[OpenConflict]:
        """Conflicts not decided yet, by number, values with their types."""
        c, r = conflicts.c, records.c
        spelled = sa.func.coalesce(r.commerce_key, r.dataverse_key, r.key).label("spelled")
        query = (
            sa.select(conflicts, spelled)
            .join(records, records.c.number == c.record)
            .where(c.map == map, c.number > after, _OPEN)
            .order_by(c.number)
            .limit(limit)
        )
        found = []
        for row in self._db.rows(query):
            codec = self._layouts.codec(row.layout)
            conflict = Conflict(
                row.group_name, codec.decode_pair(row.base), codec.decode_pair(row.seen)
            )
            found.append(OpenConflict(row.number, row.record, row.spelled, row.opened_at, conflict))
        return found

    def write_conflicts(
        self,
        connection: sa.Connection,
        map: str,
        run: int,
        at: float,
        by_record: Mapping[int, Sequence[Conflict]],
    ) -> None:
        """Keep, change, open and close conflicts so that exactly the given ones are open.

        A conflict still open keeps its number and the time it was opened; its values become
        the new ones.
        """
        if not by_record:
            return
        c, dialect = conflicts.c, self._db.dialect
        codec = self._layouts.current(map)
        query = sa.select(c.number, c.record, c.group_name).where(
            dialect.among(c.record, "numbers"), _OPEN
        )
        rows = connection.execute(query, {"numbers": dialect.listed(list(by_record))})
        known = {(record, group): number for number, record, group in rows}
        new = []
        for record, groups in by_record.items():
            for conflict in groups:
                values = {
                    "layout": codec.layout.id,
                    "base": codec.encode_pair(conflict.base),
                    "seen": codec.encode_pair(conflict.seen),
                }
                number = known.pop((record, conflict.group), None)
                if number is None:
                    identity = {"record": record, "map": map, "group_name": conflict.group}
                    new.append({**identity, **values, "run": run, "opened_at": at})
                else:
                    connection.execute(
                        sa.update(conflicts).where(c.number == number).values(values)
                    )
        if new:
            connection.execute(sa.insert(conflicts), new)
        if known:
            closed = sa.update(conflicts).where(dialect.among(c.number, "numbers"))
            connection.execute(
                closed.values(closed_at=at), {"numbers": dialect.listed(list(known.values()))}
            )
