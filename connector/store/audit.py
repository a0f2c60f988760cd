"""The audit: what was seen, intended and written.

Owns: the table `changes`, and the two statements that settle a whole batch by its intents.
Never does: changing a row that has an outcome; opening a transaction.
Tested in: tests/contract/store/.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from connector.errors import StateError, Subject
from connector.mapping.values import Side
from connector.store import images
from connector.store.database import Database, bound, run, word
from connector.store.images import encode_named, encode_pair, plain_text
from connector.store.record import Presence
from connector.store.records import pending_if_settled, side_column
from connector.store.schema import changes, records, runs
from connector.store.work import NOT_DONE, Change, ChangeKind, ChangeRow, Completion

_WRITTEN = (
    "number", "run", "batch", "at", "map", "record", "kind", "side", "target", "expected",
    "before", "after", "outcome", "detail", "agreed",
)  # fmt: skip
_WRITES = (ChangeKind.CREATE.value, ChangeKind.UPDATE.value, ChangeKind.DELETE.value)
_OPEN = sa.text("outcome IS NULL")
"""Spelled as in the partial index of intents."""
_NO_END = 2**63 - 1
"""Above every audit number."""


class Audit:
    """The audit rows of every map."""

    def __init__(self, db: Database) -> None:
        self._db = db
        c = changes.c
        self._insert = db.hot(sa.insert(changes).values(bound(_WRITTEN)), *_WRITTEN)
        self._complete = db.hot(
            sa.update(changes)
            .where(c.number == bindparam("b_number"), c.map == bindparam("b_map"), _OPEN)
            .values(
                target=sa.func.coalesce(bindparam("b_target"), c.target),
                version=bindparam("b_version"),
                outcome=bindparam("b_outcome"),
                detail=sa.func.coalesce(bindparam("b_detail"), c.detail),
            ),
            "b_target",
            "b_version",
            "b_outcome",
            "b_detail",
            "b_number",
            "b_map",
        )
        self._complete_batch = db.hot(
            sa.update(changes)
            .where(c.map == bindparam("b_map"), c.batch == bindparam("b_batch"), _OPEN)
            .values(outcome=bindparam("b_outcome")),
            "b_outcome",
            "b_map",
            "b_batch",
        )
        self._histories = (
            sa.select(changes)
            .where(db.dialect.among(c.record, "records"), c.at >= bindparam("since"))
            .order_by(c.number)
        )
        self._extent = _extent()
        self._written_by = (
            sa.select(c.record)
            .distinct()
            .where(
                c.number >= bindparam("first"),
                c.number < bindparam("end"),
                c.run == bindparam("run"),
                c.kind.in_([word(kind) for kind in _WRITES]),
                c.record > bindparam("after"),
            )
            .order_by(c.record)
            .limit(bindparam("limit"))
        )
        may_have_happened = c.outcome.is_(None) | c.outcome.not_in(
            [word(no) for no in sorted(NOT_DONE)]
        )
        self._deleted_since = (
            sa.select(c.record)
            .distinct()
            .where(
                c.map == bindparam("map"),
                c.side == bindparam("side"),
                c.at >= bindparam("since"),
                c.kind == word(ChangeKind.DELETE.value),
                may_have_happened,
            )
        )
        self._doubt = [_doubt(side) for side in Side]
        self._end = (
            sa.update(changes)
            .where(c.map == bindparam("b_map"), _OPEN)
            .values(outcome="unknown", detail=sa.func.coalesce(c.detail, bindparam("b_detail")))
        )

    # ------------------------------------------------------------------------ reading

    def history(self, record: int) -> Sequence[ChangeRow]:
        """All audit rows of one record, oldest first."""
        return self.histories([record], None).get(record, [])

    def histories(
        self, numbers: Sequence[int], since: float | None
    ) -> Mapping[int, Sequence[ChangeRow]]:
        """Audit rows of many records, each's oldest first; a record without any is left out."""
        found: dict[int, list[ChangeRow]] = {}
        begin = -math.inf if since is None else since
        listed = self._db.dialect.listed(numbers)
        for row in self._db.rows(self._histories, records=listed, since=begin):
            found.setdefault(row.record, []).append(_change_row(row))
        return found

    def written_by(self, run: int, after: int, limit: int) -> Sequence[int]:
        """Records a run wrote to, ascending, above `after`.

        Every call walks the audit of the run, which lies between the first number of this run
        and that of its map's next one: ask for large pages.
        """
        extent = self._db.row(self._extent, run=run)
        if extent is None or extent.first is None:
            return ()
        rows = self._db.rows(
            self._written_by, first=extent.first, end=extent.end, run=run, after=after, limit=limit
        )
        return [number for (number,) in rows]

    def deleted_since(self, map: str, side: Side, since: float) -> AbstractSet[int]:
        """Records whose delete was sent to one side since a time and may have happened."""
        rows = self._db.rows(self._deleted_since, map=map, side=side.value, since=since)
        return {record for (record,) in rows}

    # ------------------------------------------------------------------------ writing

    def insert(
        self, connection: sa.Connection, map: str, number: int, at: float, new: Sequence[Change]
    ) -> None:
        """Append rows to run `number`."""
        rows = [
            (
                change.number,
                number,
                change.batch,
                at,
                map,
                change.record,
                change.kind._value_,
                change.side._value_,
                change.target,
                change.expected,
                encode_named(change.before),
                encode_named(change.after),
                change.outcome,
                plain_text(change.detail),
                encode_pair(change.agreed),
            )
            for change in new
        ]
        run(connection, self._insert, rows)

    def complete(self, connection: sa.Connection, map: str, ended: Sequence[Completion]) -> None:
        """Give intents their outcome; raises StateError `intent-missing` where there is none."""
        rows = [
            (end.target, end.version, end.outcome, plain_text(end.detail), end.change, map)
            for end in ended
        ]
        touched = run(connection, self._complete, rows)
        if touched != len(rows):
            raise StateError(
                "intent-missing",
                f"{len(rows) - touched} of {len(rows)} outcomes belong to no open intent",
                subject=Subject(map=map),
                remedy="run the command again; if it repeats, please report it",
            )

    def complete_batches(
        self, connection: sa.Connection, map: str, batches: Sequence[tuple[int, str]]
    ) -> None:
        """Give every intent of each batch that has no outcome the one given with it."""
        run(connection, self._complete_batch, [(outcome, map, batch) for batch, outcome in batches])

    def reopen(self, connection: sa.Connection, map: str, number: int, at: float) -> int:
        """End intents without outcome as `unknown`, their sides too, found by run `number`."""
        for doubt in self._doubt:
            connection.execute(doubt, {"b_map": map, "due": at})
        detail = f"no reply was kept before run {number}"
        return connection.execute(self._end, {"b_map": map, "b_detail": detail}).rowcount


# ---------------------------------------------------------------------------- rows


def _change_row(row: Any) -> ChangeRow:
    return ChangeRow(
        row.number,
        row.run,
        row.at,
        row.map,
        row.record,
        ChangeKind(row.kind),
        Side(row.side),
        row.target,
        row.expected,
        row.version,
        images.decode_named(row.before),
        images.decode_named(row.after),
        row.outcome,
        row.detail,
        images.decode_pair(row.agreed),
    )


# ---------------------------------------------------------------------------- statements


def _extent() -> sa.Select[tuple[int, int]]:
    """The first audit number of a run, and that of its map's next one."""
    c, later = runs.c, runs.alias()
    following = (
        sa.select(sa.func.min(later.c.first_change))
        .where(later.c.map == c.map, later.c.number > c.number)
        .scalar_subquery()
    )
    end = sa.func.coalesce(following, _NO_END)
    return sa.select(c.first_change.label("first"), end.label("end")).where(
        c.number == bindparam("run")
    )


def _doubt(side: Side) -> sa.Update:
    """Whatever an intent without outcome was to write to `side` may be there by now."""
    c = changes.c
    intents = sa.select(c.record).where(
        c.map == bindparam("b_map"), _OPEN, c.side == word(side.value)
    )
    return (
        sa.update(records)
        .where(records.c.number.in_(intents))
        .values(
            {
                side_column(side, "presence"): Presence.UNKNOWN.value,
                records.c.due: bindparam("due"),
                records.c.attempts: records.c.attempts + 1,
                records.c.state: pending_if_settled(),
            }
        )
    )
