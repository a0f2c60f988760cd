"""Two edits of one group: opened, followed while people go on editing, decided, closed.

Owns: the table `conflicts`.
Never does: deciding a conflict; opening a transaction.
Tested in: tests/contract/store/test_conflicts.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from connector.errors import StateError, Subject
from connector.store.database import Database, bound
from connector.store.images import encode_pair
from connector.store.layouts import Layouts
from connector.store.record import Conflict
from connector.store.schema import conflicts, records
from connector.store.work import ConflictRow, Decided, OpenConflict

_OPEN = sa.text("closed_at IS NULL")
"""Spelled as in the partial index of open conflicts."""


class Conflicts:
    """The conflicts of every map."""

    def __init__(self, db: Database, layouts: Layouts) -> None:
        self._db = db
        self._layouts = layouts
        c, r, among = conflicts.c, records.c, db.dialect.among
        spelled = sa.func.coalesce(r.commerce_key, r.dataverse_key, r.key).label("spelled")
        self._open = (
            sa.select(conflicts, spelled)
            .join(records, r.number == c.record)
            .where(c.map == bindparam("map"), c.number > bindparam("after"), _OPEN)
            .order_by(c.number)
            .limit(bindparam("limit"))
        )
        self._of_record = (
            sa.select(conflicts).where(c.record == bindparam("record")).order_by(c.number)
        )
        self._known = sa.select(c.number, c.record, c.group_name, c.layout, c.base, c.seen).where(
            among(c.record, "records"), _OPEN
        )
        self._insert = sa.insert(conflicts)
        this = c.number == bindparam("b_number")
        self._change = (
            sa.update(conflicts)
            .where(this)
            .values(**bound(("layout", "base", "seen")), revision=c.revision + 1)
        )
        self._close = (
            sa.update(conflicts).where(among(c.number, "numbers")).values(bound(["closed_at"]))
        )
        self._decide = (
            sa.update(conflicts)
            .where(this, c.map == bindparam("b_map"))
            .values(bound(("decision", "decided_by", "decided_at")))
        )

    # ------------------------------------------------------------------------ reading

    def open(self, map: str, after: int, limit: int) -> Sequence[OpenConflict]:
        """Conflicts not closed yet, by number, values with their types."""
        return [
            OpenConflict(
                row.number,
                row.record,
                row.spelled,
                row.opened_at,
                self._conflict(row),
                row.revision,
            )
            for row in self._db.rows(self._open, map=map, after=after, limit=limit)
        ]

    def of_record(self, record: int) -> Sequence[ConflictRow]:
        """The open and the closed conflicts of one record, by number."""
        return [
            ConflictRow(
                row.number,
                row.record,
                row.map,
                row.group_name,
                row.opened_at,
                row.closed_at,
                row.revision,
                self._conflict(row),
                row.decision,
                row.decided_by,
                row.decided_at,
            )
            for row in self._db.rows(self._of_record, record=record)
        ]

    def _conflict(self, row: Any) -> Conflict:
        codec = self._layouts.codec(row.layout)
        return Conflict(row.group_name, codec.decode_pair(row.base), codec.decode_pair(row.seen))

    # ------------------------------------------------------------------------ writing

    def replace(
        self,
        connection: sa.Connection,
        map: str,
        run: int,
        at: float,
        by_record: Mapping[int, Sequence[Conflict]],
    ) -> None:
        """Keep, change, open and close conflicts so that exactly the given ones are open.

        A conflict still open keeps its number and the time it was opened; where its values
        changed, they become the new ones under the next revision.
        """
        if not by_record:
            return
        codec, listed = self._layouts.current(map), self._db.dialect.listed
        rows = connection.execute(self._known, {"records": listed(list(by_record))})
        known = {(row.record, row.group_name): row for row in rows}
        new = []
        for record, groups in by_record.items():
            for conflict in groups:
                values = {
                    "layout": codec.layout.id,
                    "base": encode_pair(conflict.base),
                    "seen": encode_pair(conflict.seen),
                }
                row = known.pop((record, conflict.group), None)
                if row is None:
                    identity = {"record": record, "map": map, "group_name": conflict.group}
                    new.append({**identity, **values, "run": run, "opened_at": at})
                elif self._conflict(row) != conflict:
                    connection.execute(self._change, {**values, "b_number": row.number})
        if new:
            connection.execute(self._insert, new)
        if known:
            numbers = listed([row.number for row in known.values()])
            connection.execute(self._close, {"numbers": numbers, "closed_at": at})

    def decide(
        self, connection: sa.Connection, map: str, at: float, decided: Sequence[Decided]
    ) -> None:
        """Write what people chose; raises StateError `conflict-missing`."""
        for one in decided:
            values = {"decision": one.decision, "decided_by": one.by, "decided_at": at}
            which = {"b_number": one.conflict, "b_map": map}
            if not connection.execute(self._decide, {**which, **values}).rowcount:
                raise StateError(
                    "conflict-missing",
                    f"conflict {one.conflict} is not in the sync state",
                    subject=Subject(map=map),
                    remedy="list the conflicts again: dualwrite conflicts list",
                )
