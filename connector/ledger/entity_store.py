"""All reads and writes of one entity of the ledger.

Owns: reading by id, by column, by pages and by feed; one transaction per call.
Never does: deciding what a write does (`batch.py`).
Tested in: tests/unit/ledger/test_entity_store.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from connector.errors import MapError, RecordError, Subject
from connector.ledger import feed
from connector.ledger.fields import Kind, fold
from connector.ledger.operations import (
    Absent,
    Change,
    ChangePage,
    Done,
    Insert,
    Operation,
    Outdated,
    Record,
    Refused,
    Remove,
    Result,
    Taken,
)
from connector.ledger.schema import EntityType
from connector.ledger.sql import rows_in

if TYPE_CHECKING:
    from connector.ledger.ledger import Ledger


class EntityStore:
    """One entity of an open ledger.

    `columns` in every call are field names in any case; None means all, in their own order.
    Each read and each write is one transaction of its own.
    """

    def __init__(self, ledger: Ledger, entity: EntityType) -> None:
        self._ledger = ledger
        self.entity = entity
        self._own = {place for place, one in enumerate(entity.fields) if one.read_only}

    # ------------------------------------------------------------------ reads

    def read(self, ids: Sequence[str], columns: Sequence[str] | None = None) -> list[Record]:
        """The records with these ids, those that exist, in no promised order."""
        wanted = list(dict.fromkeys(one.lower() for one in ids))
        with self._ledger.reading() as connection:
            column = self.entity.source.c.id
            return _records(rows_in(connection, self._selected(columns), column, wanted))

    def read_by(
        self, column: str, values: Sequence[str], columns: Sequence[str] | None = None
    ) -> dict[str, list[Record]]:
        """The records whose text field `column` equals one of `values`, by the value found.

        Case and trailing blanks do not count; the answer's keys are folded (`fields.fold`).
        The natural key is looked up in its index, any other field by reading that field of
        every record. Raises MapError `column-not-text`.
        """
        field = self.entity.field(column)
        if field.kind is not Kind.TEXT:
            raise MapError(
                "column-not-text",
                f"records cannot be looked up by '{field.name}'",
                remedy="use a text field",
                subject=Subject(entity=self.entity.name, field=field.name),
            )
        table, wanted = self.entity.source.c, {fold(value) for value in values}
        found: dict[str, list[Record]] = {}
        with self._ledger.reading() as connection:
            if field is self.entity.key:
                match, asked = table.key, {key: key for key in wanted}
            else:
                # Databases fold case each in their own way, so the comparison is made here.
                held = sa.select(table.id, table[field.column]).where(
                    table[field.column].is_not(None)
                )
                pairs = ((row_id, fold(text)) for row_id, text in connection.execute(held))
                match, asked = table.id, {row_id: key for row_id, key in pairs if key in wanted}
            selected = [match, *self._selected(columns)]
            for row in rows_in(connection, selected, match, list(asked)):
                found.setdefault(asked[row[0]], []).append(_record(row[1:]))
        return found

    def find(self, key: str) -> Record | None:
        """The record with this natural key or, failing that, this id."""
        by_key = self.read_by(self.entity.key.name, [key])
        if by_key:
            return by_key[fold(key)][0]
        by_id = self.read([key.strip()])
        return by_id[0] if by_id else None

    def page(
        self, after: str | None, size: int, columns: Sequence[str] | None = None
    ) -> list[Record]:
        """Up to `size` records with an id greater than `after`, in the order of ids."""
        table = self.entity.source.c
        query = sa.select(*self._selected(columns)).order_by(table.id).limit(size)
        if after is not None:
            query = query.where(table.id > after)
        with self._ledger.reading() as connection:
            return _records(connection.execute(query))

    def listed(self, limit: int, after: str | None = None) -> list[Record]:
        """Up to `limit` whole records in the order of their keys, from beyond key `after`."""
        table = self.entity.source.c
        query = sa.select(*self._selected(None)).order_by(table.key).limit(limit)
        if after is not None:
            query = query.where(table.key > fold(after))
        with self._ledger.reading() as connection:
            return _records(connection.execute(query))

    def count(self) -> int:
        """How many records there are."""
        with self._ledger.reading() as connection:
            query = sa.select(sa.func.count()).select_from(self.entity.table)
            return int(connection.scalar(query) or 0)

    def changes(
        self, since: int, until: int, size: int, columns: Sequence[str] | None = None
    ) -> ChangePage:
        """What changed after sequence `since` up to `until`, at most `size` feed entries of it.

        Collapsed: a record stands once, as it is now, in the page of its last change; an id
        that is gone stands among the deleted. Raises PositionExpiredError.
        """
        table = self.entity.source.c
        with self._ledger.reading() as connection:
            feed.require_reach(connection, self.entity, since)
            through = feed.page_end(connection, self.entity, since, until, size)
            # A record's version is the sequence of its last change, so this range is the
            # collapsed feed already.
            query = (
                sa.select(*self._selected(columns))
                .where(table.version > since, table.version <= through)
                .order_by(table.version)
            )
            records = _records(connection.execute(query))
            deleted = feed.deleted_ids(connection, self.entity, since, through)
        return ChangePage(records, deleted, through, through >= until)

    def head(self) -> int:
        """Where the entity's feed ends: the sequence of the last committed change."""
        with self._ledger.reading() as connection:
            return feed.head(connection, self.entity)

    def require_reach(self, since: int) -> None:
        """Raise PositionExpiredError unless the feed has come as far as `since`."""
        with self._ledger.reading() as connection:
            feed.require_reach(connection, self.entity, since)

    def _selected(self, columns: Sequence[str] | None) -> list[sa.ColumnElement[Any]]:
        table, fields = self.entity.source.c, self.entity.fields
        names = self.entity.names if columns is None else columns
        wanted = [table[fields[place].column] for place in self.entity.places(names)]
        return [table.id, table.version, table.modified_at, table.modified_by, *wanted]

    # ------------------------------------------------------------------ writes

    def apply(
        self, operations: Sequence[Operation], *, by: str, create_references: bool = False
    ) -> list[Result]:
        """Carry out `operations` in one transaction; one result each, in order.

        Operations that cannot be done are answered one by one, the others are done; what the
        ledger alone writes is refused as `entity-read-only`, `field-read-only`. `by` becomes the
        last modifier. Raises MapError `column-unknown` with nothing done.
        """
        refused = [self._not_for_others(one) for one in operations]
        allowed = [one for one, why in zip(operations, refused, strict=True) if why is None]
        results: Iterator[Result] = iter(())
        if allowed:
            with self._ledger.writing(by) as transaction:
                done = transaction.apply(self.entity, allowed, create_references=create_references)
            results = iter(done)
        return [next(results) if why is None else Refused(why) for why in refused]

    def _not_for_others(self, operation: Operation) -> RecordError | None:
        """Why only the ledger itself may do this; None where everybody may."""
        if self.entity.read_only:
            return self.entity.closed()
        if isinstance(operation, Remove) or not self._own:
            return None
        own = self._own.intersection(self.entity.places(tuple(operation.values)))
        if not own:
            return None
        name = self.entity.fields[min(own)].name
        return RecordError(
            "field-read-only",
            f"field '{name}' is filled in by the ledger alone",
            remedy="leave it out; map it one way, from commerce",
            subject=Subject(entity=self.entity.name, field=name),
        )

    def create(self, values: Mapping[str, object], *, by: str, id: str | None = None) -> Record:
        """A new record, under `id` or one made here. Raises RecordError."""
        return _whole(self.carry_out(Insert(id or self._ledger.new_id(), values), by=by))

    def update(
        self, id: str, values: Mapping[str, object], *, by: str, version: int | None = None
    ) -> Record:
        """New values for some fields, if the record has `version`. Raises RecordError."""
        return _whole(self.carry_out(Change(id, version, values), by=by))

    def delete(self, id: str, *, by: str, version: int | None = None) -> None:
        """Delete the record, if it has `version`. Raises RecordError."""
        self.carry_out(Remove(id, version), by=by)

    def carry_out(self, operation: Operation, *, by: str, create_references: bool = False) -> Done:
        """One operation, or why not.

        Raises RecordError: a value's own, `record-changed`, `record-exists`, `record-missing`.
        """
        (result,) = self.apply([operation], by=by, create_references=create_references)
        if isinstance(result, Done):
            return result
        raise self._failure(result)

    def _failure(self, result: Outdated | Taken | Absent | Refused) -> RecordError:
        """The refusal of a single write as an error."""
        subject = Subject(entity=self.entity.name)
        if isinstance(result, Refused):
            return result.error
        if isinstance(result, Outdated):
            return RecordError(
                "record-changed",
                f"the record has been changed since, it now has version {result.version}",
                remedy="read it again and decide anew",
                subject=subject,
            )
        if isinstance(result, Taken):
            return RecordError(
                "record-exists",
                f"the record {result.id} already has this id or key",
                remedy="change that record, or use another key",
                subject=subject,
            )
        return RecordError(
            "record-missing",
            "there is no record with this id",
            remedy="create it, or correct the id",
            subject=subject,
        )


def _whole(done: Done) -> Record:
    assert done.record is not None, "only a delete leaves no record"
    return done.record


def _records(rows: Iterable[Sequence[Any]]) -> list[Record]:
    if isinstance(rows, sa.CursorResult):
        rows = rows.fetchall()  # row by row costs twice as much
    return [_record(row) for row in rows]


def _record(row: Sequence[Any]) -> Record:
    return Record(row[0], row[1], row[2].replace(tzinfo=UTC), row[3], tuple(row[4:]))
