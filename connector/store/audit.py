"""The audit: what was seen, intended and written.

Owns: the table `changes`, and the two statements that settle a whole batch by its intents.
Never does: changing a row that has an outcome; opening a transaction.
Tested in: tests/contract/store/.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import sqlalchemy as sa

from connector.errors import StateError, Subject
from connector.mapping.values import Side
from connector.store import images
from connector.store.database import Database, bound, run
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


class Audit:
    """The audit rows of every map."""

    def __init__(self, db: Database) -> None:
        self._db = db
        c = changes.c
        self._insert = db.hot(sa.insert(changes).values(bound(_WRITTEN)), *_WRITTEN)
        self._complete = db.hot(
            sa.update(changes)
            .where(c.number == sa.bindparam("b_number"), c.map == sa.bindparam("b_map"), _OPEN)
            .values(
                version=sa.bindparam("b_version"),
                outcome=sa.bindparam("b_outcome"),
                detail=sa.func.coalesce(sa.bindparam("b_detail"), c.detail),
            ),
            "b_version",
            "b_outcome",
            "b_detail",
            "b_number",
            "b_map",
        )
        self._complete_batch = db.hot(
            sa.update(changes)
            .where(c.map == sa.bindparam("b_map"), c.batch == sa.bindparam("b_batch"), _OPEN)
            .values(outcome=sa.bindparam("b_outcome")),
            "b_outcome",
            "b_map",
            "b_batch",
        )

    # ------------------------------------------------------------------------ reading

    def history(self, record: int) -> Sequence[ChangeRow]:
        """All audit rows of one record, oldest first."""
        return self.histories([record], None).get(record, [])

    def histories(
        self, numbers: Sequence[int], since: float | None
    ) -> Mapping[int, Sequence[ChangeRow]]:
        """Audit rows of many records, each's oldest first; a record without any is left out."""
        c, dialect = changes.c, self._db.dialect
        query = sa.select(changes).where(dialect.among(c.record, "numbers")).order_by(c.number)
        if since is not None:
            query = query.where(c.at >= since)
        found: dict[int, list[ChangeRow]] = {}
        for row in self._db.rows(query.params(numbers=dialect.listed(numbers))):
            found.setdefault(row.record, []).append(_change_row(row))
        return found

    def written_by(self, run: int, after: int, limit: int) -> Sequence[int]:
        """Records a run wrote to, ascending, above `after`.

        Every call walks the audit of the run, which lies between the first number of this run
        and that of its map's next one: ask for large pages.
        """
        c, first = changes.c, runs.c.first_change
        begun = self._db.row(sa.select(runs.c.map, first).where(runs.c.number == run))
        if begun is None or begun.first_change is None:
            return ()
        following = sa.select(sa.func.min(first))
        end = self._db.scalar(following.where(runs.c.map == begun.map, runs.c.number > run))
        query = (
            sa.select(c.record)
            .distinct()
            .where(
                c.number >= begun.first_change, c.run == run, c.kind.in_(_WRITES), c.record > after
            )
        )
        if end is not None:
            query = query.where(c.number < end)
        return [number for (number,) in self._db.rows(query.order_by(c.record).limit(limit))]

    def deleted_since(self, map: str, side: Side, since: float) -> AbstractSet[int]:
        """Records whose delete was sent to one side since a time and may have happened."""
        c = changes.c
        may_have_happened = c.outcome.is_(None) | c.outcome.not_in(sorted(NOT_DONE))
        query = (
            sa.select(c.record)
            .distinct()
            .where(c.map == map, c.side == side.value, c.at >= since, sa.text("kind = 'delete'"))
            .where(may_have_happened)
        )
        return {record for (record,) in self._db.rows(query)}

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
            (end.version, end.outcome, plain_text(end.detail), end.change, map) for end in ended
        ]
        touched = run(connection, self._complete, rows)
        if touched != len(rows):
            raise StateError(
                "intent-missing",
                f"{len(rows) - touched} of {len(rows)} outcomes belong to no open intent",
                subject=Subject(map=map),
                remedy="run the command again; if it repeats, please report it",
            )

    def complete_batch(self, connection: sa.Connection, map: str, batch: int, outcome: str) -> None:
        """Give every intent of the batch that has no outcome this one."""
        run(connection, self._complete_batch, [(outcome, map, batch)])

    def reopen(self, connection: sa.Connection, map: str, number: int, at: float) -> int:
        """End intents without outcome as `unknown`, their sides too, found by run `number`."""
        for side in Side:
            intents = _intents(map).where(changes.c.side == side.value)
            connection.execute(
                sa.update(records)
                .where(records.c.number.in_(intents))
                .values(
                    {
                        side_column(side, "presence"): Presence.UNKNOWN.value,
                        records.c.due: at,
                        records.c.attempts: records.c.attempts + 1,
                        records.c.state: pending_if_settled(),
                    }
                )
            )
        detail = sa.func.coalesce(changes.c.detail, f"no reply was kept before run {number}")
        return connection.execute(
            sa.update(changes)
            .where(changes.c.map == map, _OPEN)
            .values(outcome="unknown", detail=detail)
        ).rowcount


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


def _intents(map: str | sa.BindParameter[str]) -> sa.Select[tuple[int]]:
    """The records of the map's intents without outcome."""
    return sa.select(changes.c.record).where(changes.c.map == map, _OPEN)
