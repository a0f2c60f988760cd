"""The change feed: one entry per change, numbered in the order of commits.

Owns: the counter and the entries, which stay for as long as the ledger does.
Never does: deciding what is a change (`batch.py`); reading records (`entity_store.py`).
Tested in: tests/unit/ledger/test_feed.py, tests/integration/test_ledger_feed.py.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from connector.errors import PositionExpiredError
from connector.ledger.schema import EntityType, changes, feed_counter


class FeedWriter:
    """Numbers the changes of one write transaction and stores them with it.

    Why a reader can never miss a change that commits late: every writer takes the single row
    of `feed_counter` first and holds it until its commit (FOR UPDATE; on SQLite the write lock
    of BEGIN IMMEDIATE). So no second writer can number anything while a first one is
    uncommitted: sequences become visible in rising order, without gaps that fill up later, and
    whoever has seen sequence N has seen everything up to N. A database sequence would not do:
    it hands out 7 and 8 to two transactions, 8 may commit first, a reader moves on to 8, and 7
    is lost. Taking the counter before any record also means that writers cannot deadlock.
    """

    def __init__(self, connection: sa.Connection, at: datetime, by: str) -> None:
        self._connection = connection
        self.at = at.astimezone(UTC)
        self.stored_at = self.at.replace(tzinfo=None)
        """`at` as the tables hold it: UTC without saying so."""
        self.by = by
        self._stored_head = self._head = int(connection.scalar(_TAKE) or 0)
        self._deletes: list[dict[str, Any]] = []

    def number(self) -> int:
        """The sequence of one more insert or update: the record's new version."""
        self._head += 1
        return self._head

    def delete(self, entity: EntityType, row_id: str) -> None:
        """Number one more delete; stored by the next `flush`."""
        self._head += 1
        self._deletes.append(
            {
                "sequence": self._head,
                "entity": entity.name,
                "row_id": row_id,
                "kind": "delete",
                "at": self.stored_at,
                "by": self.by,
            }
        )

    def flush(self, entity: EntityType) -> None:
        """Store the entries numbered since the last flush; all belong to `entity`.

        Set-based: the entity's table holds the new versions by now, and whatever is above the
        stored head was written since. A version that was written over within the batch leaves
        no entry of its own.
        """
        if self._head == self._stored_head:
            return
        self._connection.execute(_written(entity.name, entity.table), {"since": self._stored_head})
        if self._deletes:
            self._connection.execute(sa.insert(changes), self._deletes)
        self._connection.execute(_COUNT, {"head": self._head})
        self._deletes = []
        self._stored_head = self._head


_TAKE = sa.select(feed_counter.c.head).with_for_update()
_COUNT = sa.update(feed_counter)


@cache
def _written(name: str, table: sa.Table) -> sa.Insert:
    """Enter what was written since; built once, as a till commits one sale after the other."""
    record = table.c
    written = sa.select(
        record.version,
        sa.literal(name),
        record.id,
        sa.literal("upsert"),
        record.modified_at,
        record.modified_by,
    ).where(record.version > sa.bindparam("since"))
    columns = ["sequence", "entity", "row_id", "kind", "at", "by"]
    return sa.insert(changes).from_select(columns, written)


def head(connection: sa.Connection, entity: EntityType | None = None) -> int:
    """The last sequence that is committed; of an entity that only grows, its last number."""
    if entity is not None and entity.append_only:
        return int(connection.scalar(sa.select(sa.func.max(entity.table.c.number))) or 0)
    return int(connection.scalar(sa.select(feed_counter.c.head)) or 0)


def require_reach(connection: sa.Connection, entity: EntityType, since: int) -> None:
    """Raise PositionExpiredError unless the feed has come as far as `since`.

    A position ahead of it (`position-ahead`) means that the ledger itself went back.
    """
    last = head(connection, entity)
    if since > last:
        raise PositionExpiredError(
            "position-ahead",
            "the ledger's change feed has not come as far as this position",
            cause=f"the position is {since}, the feed ends at {last}: an older copy was restored",
            remedy="scan the whole entity, then go on from the scan's position",
        )


def page_end(
    connection: sa.Connection, entity: EntityType, since: int, until: int, size: int
) -> int:
    """The sequence that ends the next page of at most `size` entries of `entity`.

    `until` when no more than `size` entries are left.
    """
    if entity.append_only:
        sequence: sa.Column[int] = entity.table.c.number
        query = sa.select(sequence)
    else:
        sequence = changes.c.sequence
        query = sa.select(sequence).where(changes.c.entity == entity.name)
    query = (
        query.where(sequence > since, sequence <= until)
        .order_by(sequence)
        .limit(1)
        .offset(size - 1)
    )
    return int(connection.scalar(query) or until)


def deleted_ids(
    connection: sa.Connection, entity: EntityType, since: int, through: int
) -> list[str]:
    """Ids deleted in (since, through] that do not exist now, in the order of their deletes."""
    if entity.append_only:
        return []
    entry, record = changes.c, entity.table.c
    query = (
        sa.select(entry.row_id)
        .where(
            entry.sequence > since,
            entry.sequence <= through,
            entry.entity == entity.name,
            entry.kind == "delete",
            ~sa.exists().where(record.id == entry.row_id),
        )
        .order_by(entry.sequence)
    )
    return list(dict.fromkeys(connection.scalars(query)))
