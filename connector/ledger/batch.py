"""One batch of operations on one entity, inside one write transaction.

Owns: the order of checks, the working state between operations of a batch, the set-based
writes. Operations take effect in order; a refused one leaves no trace and stops nobody.
Never does: opening or ending the transaction (`ledger.py`).
Tested in: tests/unit/ledger/test_batch.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any, TypeAlias

import sqlalchemy as sa

from connector.errors import RecordError, Subject
from connector.ledger.barring import PARTY, Barring
from connector.ledger.feed import FeedWriter
from connector.ledger.fields import Value, fold
from connector.ledger.keeping import kept
from connector.ledger.operations import (
    Absent,
    Change,
    Done,
    Insert,
    Operation,
    Outdated,
    Record,
    Refused,
    Remove,
    Result,
    Taken,
    Upsert,
)
from connector.ledger.references import References
from connector.ledger.schema import CARDS, EntityType
from connector.ledger.sql import rows_in

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

Values: TypeAlias = dict[int, Value]
"""Accepted values by the place of their field."""


@dataclass(slots=True)
class _Slot:
    """One record as it stands after the operations so far."""

    record: Record
    key: str
    stored: bool
    """Whether the table has a row with this id."""
    live: bool = True
    changed: frozenset[int] = frozenset()
    """Places whose values the table does not have yet, for a record it has."""


class Batch:
    """The working state of one batch: load once, apply in memory, write once.

    `create_references` lets unknown parties and operating units be added instead of refused.
    """

    def __init__(
        self,
        connection: sa.Connection,
        entity: EntityType,
        feed: FeedWriter,
        new_id: Callable[[], str],
        *,
        create_references: bool,
    ) -> None:
        self._connection = connection
        self._entity = entity
        self._feed = feed
        self._new_id = new_id
        self._references = References(connection, create=create_references)
        self._slots: dict[str, _Slot] = {}
        self._by_key: dict[str, _Slot] = {}
        self._touched: dict[str, _Slot] = {}
        self._places: dict[str, int] = {}
        self._kept: Mapping[str, RecordError] = {}
        self._barring: Barring | None = None
        self.renamed: dict[str, str] = {}
        """Ids of records whose key changed, with the one they had before the batch."""
        self.inserted: list[str] = []
        """Ids of new records."""
        self.changed: dict[str, frozenset[int]] = {}
        """Ids of changed records, with the places of what was given."""
        self.removed: set[str] = set()
        """Keys of records that were deleted."""
        fields = entity.fields
        self._mandatory = [place for place, one in enumerate(fields) if not one.nullable]
        self._pointers = {place: one.reference for place, one in enumerate(fields) if one.reference}
        self._defaults = [one.default for one in fields]

    def apply(self, operations: Sequence[Operation]) -> list[Result]:
        """Carry out `operations`; one result each, in order.

        Raises MapError `column-unknown` before anything is done.
        """
        accepted = [self._accept(operation) for operation in operations]
        self._load(operations, accepted)
        gone = [one.id.lower() for one in operations if isinstance(one, Remove)]
        self._kept = kept(self._connection, self._entity, gone)
        results: list[Result] = []
        for operation, values in zip(operations, accepted, strict=True):
            results.append(self._apply(operation, values))
        self._flush()
        return results

    # ------------------------------------------------------------------ before

    def _accept(self, operation: Operation) -> Values | RecordError:
        """The operation's values as they will be stored, or why one cannot be."""
        if isinstance(operation, Remove):
            return {}
        fields, values = self._entity.fields, Values()
        # Column names are checked for the whole operation first: a wrong one is the caller's
        # mistake, whatever the values are.
        places = [self._place(name) for name in operation.values]
        try:
            for place, value in zip(places, operation.values.values(), strict=True):
                values[place] = fields[place].accept(value)
        except RecordError as error:
            return error
        return values

    def _place(self, name: str) -> int:
        place = self._places.get(name)
        if place is None:
            (place,) = self._entity.places([name])
            self._places[name] = place
        return place

    def _load(
        self, operations: Sequence[Operation], accepted: Sequence[Values | RecordError]
    ) -> None:
        """Fetch every record and reference the batch may touch."""
        ids = dict.fromkeys(one.id.lower() for one in operations if not isinstance(one, Upsert))
        keys: dict[str, None] = {}
        wanted: dict[str, dict[str, str]] = {}
        for values in accepted:
            if isinstance(values, RecordError):
                continue
            key = values.get(0)
            if isinstance(key, str):
                keys[fold(key)] = None
            for place, table in self._pointers.items():
                number = values.get(place)
                if isinstance(number, str):
                    wanted.setdefault(table, {}).setdefault(fold(number), number)
        columns = self._entity.table.c
        self._remember(columns.id, list(ids))
        self._remember(columns.key, list(keys))
        self._references.load(wanted)
        if self._entity is CARDS:
            given = wanted.get("parties", {})
            there = (slot.record.values[PARTY] for slot in self._slots.values())
            holders = (one for one in there if isinstance(one, str))
            self._barring = Barring(self._connection, [*given, *holders])

    def _remember(self, column: sa.Column[Any], values: Sequence[str]) -> None:
        table = self._entity.table.c
        head = [table.id, table.version, table.modified_at, table.modified_by, table.key]
        tail = [table[one.column] for one in self._entity.fields]
        for row in rows_in(self._connection, head + tail, column, values):
            if row[0] not in self._slots:
                at = row[2].replace(tzinfo=UTC)
                slot = _Slot(Record(row[0], row[1], at, row[3], tuple(row[5:])), row[4], True)
                self._slots[row[0]] = self._by_key[row[4]] = slot

    # ------------------------------------------------------------------ one by one

    def _apply(self, operation: Operation, values: Values | RecordError) -> Result:
        if isinstance(values, RecordError):
            return Refused(values)
        try:
            if isinstance(operation, Insert):
                return self._insert(operation.id.lower(), values)
            if isinstance(operation, Upsert):
                return self._upsert(values)
            return self._existing(operation, values)
        except RecordError as error:
            return Refused(error)

    def _insert(self, row_id: str, values: Values) -> Result:
        if not _GUID.fullmatch(row_id):
            raise RecordError(
                "id-invalid",
                "the id of a new record is no GUID",
                remedy="give 32 hexadecimal digits in the form 8-4-4-4-12",
                subject=Subject(entity=self._entity.name),
            )
        slot = self._slots.get(row_id)
        if slot is not None and slot.live:
            return Taken(row_id)
        key = self._key(values)
        holder = self._by_key.get(key)
        if holder is not None:
            return Taken(holder.record.id)
        given = map(values.get, range(len(self._defaults)))
        filled = [
            default if value is None else value
            for value, default in zip(given, self._defaults, strict=True)
        ]
        whole = self._checked(filled, values)
        if self._barring is not None:
            self._barring.judge(None, whole)
        new = _Slot(self._next(row_id, whole), key, stored=False)
        if slot is not None and slot.stored:  # deleted a moment ago, the row is still there
            new.stored, new.changed = True, frozenset(range(len(whole)))
        self._slots[row_id] = self._by_key[key] = self._touched[row_id] = new
        self.inserted.append(row_id)
        return Done(new.record, "created")

    def _upsert(self, values: Values) -> Result:
        slot = self._by_key.get(self._key(values))
        if slot is None:
            return self._insert(self._new_id(), values)
        return self._change(slot, values)

    def _existing(self, operation: Change | Remove, values: Values) -> Result:
        slot = self._slots.get(operation.id.lower())
        if slot is None or not slot.live:
            return Absent()
        if operation.version is not None and operation.version != slot.record.version:
            return Outdated(slot.record.version)
        if isinstance(operation, Change):
            return self._change(slot, values)
        if slot.record.id in self._kept:
            raise self._kept[slot.record.id]
        slot.live = False
        self.removed.add(str(slot.record.values[0]))
        del self._by_key[slot.key]
        self._touched[slot.record.id] = slot
        self._feed.delete(self._entity, slot.record.id)
        return Done(None, "deleted")

    def _change(self, slot: _Slot, values: Values) -> Result:
        before = slot.record.values
        merged = list(before)
        for place, value in values.items():
            merged[place] = value
        after = self._checked(merged, values)
        if after == before:
            return Done(slot.record, "unchanged")
        if self._barring is not None:
            self._barring.judge(before, after)
        key = self._key({0: after[0]})
        if key != slot.key:
            holder = self._by_key.get(key)
            if holder is not None:
                return Taken(holder.record.id)
            del self._by_key[slot.key]
            slot.key = key
            self._by_key[key] = slot
        slot.record = self._next(slot.record.id, after)
        slot.changed = slot.changed.union(values)
        self.changed[slot.record.id] = self.changed.get(slot.record.id, frozenset()).union(values)
        self._touched[slot.record.id] = slot
        if after[0] != before[0]:
            self.renamed.setdefault(slot.record.id, str(before[0]))
            # Keys handed on within a batch must reach the table in order, or its unique
            # index would meet the same key twice.
            self._flush()
        return Done(slot.record, "updated")

    def _key(self, values: Mapping[int, Value]) -> str:
        key = values.get(0)
        if not isinstance(key, str):
            name = self._entity.key.name
            raise RecordError(
                "key-missing",
                f"field '{name}' is the key and is empty",
                remedy="give it a value",
                subject=Subject(entity=self._entity.name, field=name),
            )
        return fold(key)

    def _checked(self, whole: list[Value], given: Values) -> tuple[Value, ...]:
        """The values of a whole record; references among the given as their table spells them."""
        fields = self._entity.fields
        for place in self._mandatory:
            if whole[place] is None:
                name = fields[place].name
                raise fields[place].error(
                    "value-missing", f"field '{name}' must have a value", "give it a value"
                )
        for place in self._pointers:
            value = given.get(place)
            if isinstance(value, str):
                whole[place] = self._references.resolve(fields[place], value)
        if self._entity.check is not None:
            self._entity.check(dict(zip(self._entity.names, whole, strict=True)))
        return tuple(whole)

    def _next(self, row_id: str, values: tuple[Value, ...]) -> Record:
        return Record(row_id, self._feed.number(), self._feed.at, self._feed.by, values)

    # ------------------------------------------------------------------ after

    def _flush(self) -> None:
        """Write what the operations so far amount to: deletes, then updates, then inserts."""
        slots = self._touched.values()
        gone = [{"row_id": slot.record.id} for slot in slots if slot.stored and not slot.live]
        new = [slot for slot in slots if not slot.stored and slot.live]
        kept: dict[frozenset[int], list[_Slot]] = {}
        for slot in slots:
            if slot.stored and slot.live:
                kept.setdefault(slot.changed, []).append(slot)
        table, execute = self._entity.table, self._connection.execute
        by_id = table.c.id == sa.bindparam("row_id")
        if gone:
            execute(sa.delete(table).where(by_id), gone)
        # Only what changed is named: a database maintains the index of every column in a SET,
        # changed or not. Likewise columns that no new record fills are left out.
        for places, same in kept.items():
            execute(sa.update(table).where(by_id), self._rows(same, "row_id", sorted(places)))
        if new:
            filled = [
                place
                for place in range(len(self._entity.fields))
                if any(slot.record.values[place] is not None for slot in new)
            ]
            execute(sa.insert(table), self._rows(new, "id", filled))
        for slot in slots:
            slot.stored, slot.changed = slot.live, frozenset()
        self._touched = {}
        self._feed.flush(self._entity)

    def _rows(
        self, slots: Iterable[_Slot], id_name: str, places: Sequence[int]
    ) -> list[dict[str, Any]]:
        """What a statement over these fields is given, one dict per record."""
        columns = [(place, self._entity.fields[place].column) for place in places]
        at, by = self._feed.stored_at, self._feed.by
        rows: list[dict[str, Any]] = []
        for slot in slots:
            record = slot.record
            row = {
                id_name: record.id,
                "version": record.version,
                "modified_at": at,
                "modified_by": by,
            }
            for place, column in columns:
                row[column] = record.values[place]
            if 0 in places:
                row["key"] = slot.key
            rows.append(row)
        return rows
