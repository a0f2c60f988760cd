"""The embedded ledger behind the endpoint protocol.

Owns: translating between the protocol's operations and records and the ledger's own.
Never does: SQL, validation, deciding what a write does; all that is `connector.ledger`.
Tested in: tests/contract/endpoints/, tests/unit/endpoints/test_ledger_endpoint.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TypeAlias

from connector.endpoints.base import (
    Applied,
    Capabilities,
    Column,
    Create,
    Entity,
    Exists,
    Found,
    Identity,
    Key,
    Missing,
    Operation,
    Outcome,
    Pace,
    Page,
    Rejected,
    Row,
    Stale,
    Throttling,
    Update,
)
from connector.endpoints.ledger import tokens
from connector.errors import Problem, Subject
from connector.ledger import fields
from connector.ledger import operations as own
from connector.ledger.entity_store import EntityStore
from connector.ledger.journal.amounts import SCALE
from connector.ledger.ledger import Ledger
from connector.ledger.replacing import unfinished
from connector.ledger.schema import CARDS, EntityType
from connector.ledger.shown.days import keep_up
from connector.ledger.shown.entities import FOLLOWS
from connector.mapping.values import Image, Value, ValueType

MODIFIER = "dualwrite"
"""The last modifier of everything written through this endpoint."""

PAGE_ROWS = 5_000
BATCH_OPERATIONS = 1_000
SHOWN = 10
"""Cards that one finding names."""

_TYPES = {
    fields.Kind.TEXT: ValueType.TEXT,
    fields.Kind.INTEGER: ValueType.INTEGER,
    fields.Kind.DECIMAL: ValueType.DECIMAL,
    fields.Kind.DATE: ValueType.DATE,
    fields.Kind.INSTANT: ValueType.INSTANT,
    fields.Kind.CHOICE: ValueType.CHOICE,
}

_CAPABILITIES = Capabilities(
    preconditions="version",
    create="once",
    modified_time=True,
    ordered_versions=True,
    change_feed=True,
    batch=BATCH_OPERATIONS,
)

Pick: TypeAlias = Callable[[own.Record], Image]


class LedgerEndpoint:
    """One open ledger as a side of the sync; closing the endpoint closes the ledger.

    A version is the sequence of the record's last change in the ledger's feed. What is shown of
    points is brought to the present day before it is read, so no job has to do that.
    """

    def __init__(self, ledger: Ledger, *, page_rows: int = PAGE_ROWS) -> None:
        self._ledger = ledger
        self._page_rows = page_rows

    def _store(self, entity: str) -> EntityStore:
        """The entity as it is today: points vest and expire without anybody writing."""
        store = self._ledger.store(entity)
        keep_up(self._ledger, store.entity)
        return store

    def identity(self) -> Identity:
        """The ledger's own id; it runs in this process, so its clock is ours."""
        return Identity(self._ledger.id, self._ledger.title, users=frozenset({MODIFIER}))

    def describe(self, entity: str) -> Entity:
        """The entity's columns as the ledger enforces them."""
        kind = self._ledger.store(entity).entity
        return Entity(
            name=kind.name,
            title=kind.title,
            id_column="RecordId",
            columns=MappingProxyType(
                {one.name: _column(one, kind.read_only or one.read_only) for one in kind.fields}
            ),
            keys=(Key(kind.key.name, (kind.key.name,)),),
            capabilities=replace(_CAPABILITIES, append_only=kind.append_only),
            follows=FOLLOWS.get(kind.name, frozenset()),
        )

    def scan(self, entity: str, columns: Sequence[str], resume: str | None) -> Iterator[Page]:
        """Pages in the order of ids; the position is the feed's head before the first page."""
        store = self._store(entity)
        names, tie = _names(store.entity, columns)
        if resume is None:
            token = tokens.Token(store.head())
        else:
            token = tokens.parse(resume, "scan", tie, store.entity.name)
            store.require_reach(token.sequence)
        return self._scan(store, names, tie, token)

    def _scan(
        self, store: EntityStore, names: Sequence[str], tie: str, token: tokens.Token
    ) -> Iterator[Page]:
        after, last = token.after, False
        while not last:
            # One more than a page holds, to know whether another page follows.
            records = store.page(after, self._page_rows + 1, names)
            last = len(records) <= self._page_rows
            records = records[: self._page_rows]
            rows = [_row(record) for record in records]
            if last:
                yield Page(rows, position=tokens.position(token.sequence, tie), last=True)
            else:
                after = records[-1].id
                yield Page(rows, resume=tokens.place(token.sequence, after, tie))

    def changes(self, entity: str, columns: Sequence[str], position: str) -> Iterator[Page]:
        """Pages in the order of commits, up to the feed's head at the time of the call."""
        store = self._store(entity)
        names, tie = _names(store.entity, columns)
        since = tokens.parse(position, "feed", tie, store.entity.name).sequence
        store.require_reach(since)
        return self._changes(store, names, tie, since)

    def _changes(
        self, store: EntityStore, names: Sequence[str], tie: str, since: int
    ) -> Iterator[Page]:
        head, last = store.head(), False
        while not last:
            page = store.changes(since, head, self._page_rows, names)
            since, last = page.through, page.last
            here = tokens.position(since, tie)
            rows = [_row(record) for record in page.records]
            yield Page(
                rows,
                deleted=page.deleted,
                resume=None if last else here,
                position=here if last else None,
                last=last,
            )

    def read(
        self, entity: str, columns: Sequence[str], *, by: str | None, values: Sequence[str]
    ) -> Found:
        """Records by id, or by a text column without regard to case and trailing blanks."""
        store = self._store(entity)
        names, _ = _names(store.entity, columns)
        if by is None:
            by_id = {record.id: [_row(record)] for record in store.read(values, names)}
            return Found({one: by_id[one.lower()] for one in values if one.lower() in by_id})
        found = {
            key: [_row(record) for record in records]
            for key, records in store.read_by(by, values, names).items()
        }
        return Found({one: found[key] for one in values if (key := fields.fold(one)) in found})

    def id_for(
        self,
        entity: str,  # noqa: ARG002 - ids are ours to choose in all its tables
        values: Mapping[str, Value],  # noqa: ARG002
        proposed: str,
    ) -> str:
        """The id we chose; it says nothing of the row."""
        return proposed

    def write(
        self, entity: str, columns: Sequence[str], operations: Sequence[Operation]
    ) -> Sequence[Outcome]:
        """All operations in one transaction; each that is refused is answered for itself."""
        assert len(operations) <= BATCH_OPERATIONS, "more operations than one call takes"
        store = self._ledger.store(entity)
        pick = _pick(store.entity.places(columns))
        wanted = [_operation(one) for one in operations]
        results = store.apply(wanted, by=MODIFIER)
        return [
            _outcome(result, one.id, pick) for result, one in zip(results, operations, strict=True)
        ]

    def newer(self, a: str, b: str) -> bool | None:
        """Versions are sequences of one feed, so they order all changes of the ledger."""
        return int(a) > int(b) if a.isdecimal() and b.isdecimal() else None

    def throttling(self) -> Throttling:
        """A database of our own never asks us to slow down."""
        return Throttling()

    def pace(self, entity: str) -> Pace:  # noqa: ARG002 - all its tables are alike
        """A database of our own takes what it is given."""
        return Pace()

    def advice(self, entity: str) -> Iterator[Problem]:
        """Programs that owe, and cards that name a replacement to which nothing was handed over."""
        if self._ledger.store(entity).entity is not CARDS:
            return
        # Here, because whoever only reads a ledger needs no programs.
        from connector.ledger.programs import owing, store

        with self._ledger.reading() as connection:
            found = unfinished(connection, self._ledger.today())
            doubts = list(owing.doubts(connection, store.load(connection)))
        yield from doubts
        if not found:
            return
        shown = ", ".join(one.card for one in found[:SHOWN])
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        yield Problem(
            "replacement-unfinished",
            f"cards that name a replacement still hold points or programs: {shown}{more}",
            f"`{found[0].command}` hands everything over; where the number is wrong, correct "
            "ReplacementCardNumber",
            Subject(entity=entity, field="ReplacementCardNumber"),
            "warning",
        )

    def close(self) -> None:
        """Close the ledger."""
        self._ledger.close()


def _names(entity: EntityType, columns: Sequence[str]) -> tuple[Sequence[str], str]:
    """The columns as the entity spells them, and what ties a token to them."""
    names = [entity.fields[place].name for place in entity.places(columns)]
    return names, tokens.digest(entity.name, names)


def _column(one: fields.Field, read_only: bool) -> Column:
    choices: dict[Value, str] = dict(one.choices.items())
    return Column(
        name=one.name,
        type=_TYPES[one.kind],
        nullable=one.nullable,
        creatable=not read_only,
        updatable=not read_only,
        required=one.required and not read_only,
        max_length=one.max_length,
        minimum=one.minimum,
        maximum=one.maximum,
        scale=SCALE if one.kind is fields.Kind.DECIMAL else None,
        choices=MappingProxyType(choices) if choices else None,
    )


def _row(record: own.Record) -> Row:
    return Row(
        record.id, str(record.version), record.values, record.modified_at, record.modified_by
    )


def _pick(places: Sequence[int]) -> Pick:
    def pick(record: own.Record) -> Image:
        values = record.values
        return tuple([values[place] for place in places])

    return pick


def _operation(operation: Operation) -> own.Operation:
    if isinstance(operation, Create):
        return own.Insert(operation.id, operation.values)
    version = _version(operation.version)
    if isinstance(operation, Update):
        return own.Change(operation.id, version, operation.values)
    return own.Remove(operation.id, version)


def _version(text: str | None) -> int | None:
    """The sequence in a version; text that is none of ours matches no record."""
    if text is None:
        return None
    return int(text) if text.isdecimal() else -1


def _outcome(result: own.Result, row_id: str, pick: Pick) -> Outcome:
    if isinstance(result, own.Done):
        record = result.record
        if record is None:
            return Applied(row_id)
        version = str(record.version)
        image = pick(record)
        return Applied(
            record.id, Row(record.id, version, image, record.modified_at, record.modified_by)
        )
    if isinstance(result, own.Outdated):
        return Stale()
    if isinstance(result, own.Taken):
        same = result.id == row_id.lower()
        return Exists(result.id, "a record has this id" if same else "a record has this key")
    if isinstance(result, own.Absent):
        return Missing()
    error = result.error
    return Rejected(error.code, f"{error.message}; {error.remedy}", error.subject.field)
