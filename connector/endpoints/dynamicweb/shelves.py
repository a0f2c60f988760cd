"""What the endpoint asks of each kind of record, and the reading all of them share.

Owns: the protocol of a shelf (one entity), and a shelf as a source of snapshots and watermarks.
Never does: knowing a table (`rewards.py`, `members.py`, `transactions.py`).
Tested in: tests/contract/, tests/unit/endpoints/dynamicweb/.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import sqlalchemy as sa

from connector.endpoints.base import Capabilities, Entity, Row
from connector.endpoints.dynamicweb.database import Database
from connector.endpoints.dynamicweb.fields import Field
from connector.endpoints.snapshots import Batch, Mark, Marked, image_version
from connector.errors import MapError, Subject
from connector.mapping.values import Value

IN_CHUNK = 500
"""Values per IN list: below every database's limit of bound parameters."""


class Shelf(Protocol):
    """One entity of the shop. Ids are the whole numbers the database gave its rows."""

    def describe(self, connection: sa.Connection) -> Entity:
        """Its columns as they are now; raises `MapError` where its table is not as known."""
        ...

    def page(
        self, connection: sa.Connection, columns: Sequence[str], after: int | None, limit: int
    ) -> Sequence[Row]:
        """Rows with ids above `after`, in their order, with these columns."""
        ...

    def read(
        self, connection: sa.Connection, columns: Sequence[str], ids: Sequence[int]
    ) -> Iterable[Row]:
        """The rows with these ids; at most `IN_CHUNK` are asked for."""
        ...

    def find(
        self, connection: sa.Connection, columns: Sequence[str], by: str, wanted: Sequence[str]
    ) -> Iterable[tuple[str, Row]]:
        """Rows whose column `by` is one of at most `IN_CHUNK` texts, each with the text it holds.

        Case and blanks at the end do not count.
        """
        ...

    def highest(self, connection: sa.Connection) -> int | None:
        """The highest id there is."""
        ...


class Reading:
    """A shelf under one column list, read page by page; each page is a transaction of its own."""

    def __init__(
        self, database: Database, shelf: Shelf, columns: Sequence[str], page_rows: int
    ) -> None:
        self._database = database
        self._shelf = shelf
        self._columns = columns
        self._page_rows = page_rows

    def rows(self, mark: str | None) -> Iterator[Batch]:
        """All rows in the order of their ids; the mark is the last id of a page."""
        for rows, last in self._pages(None if mark is None else id_of(mark)):
            yield Batch(rows, None if last else rows[-1].id)

    def versions(self) -> Iterator[Sequence[tuple[str, str]]]:
        """Ids with versions; a row without one is read whole for it."""
        for rows, _last in self._pages(None):
            yield [(row.id, row.version or image_version(row.image)) for row in rows]

    def read(self, ids: Sequence[str]) -> Iterator[Row]:
        """Rows by id."""
        numbers = [number for id in ids if (number := id_of(id)) is not None]
        for some in chunks(numbers):
            with self._database.transaction() as connection:
                yield from list(self._shelf.read(connection, self._columns, some))

    def since(self, mark: Mark, after: str | None) -> Iterator[Sequence[Marked]]:
        """Rows from the id `mark` on, or behind `after`."""
        assert isinstance(mark, int)
        begin = mark - 1 if after is None else id_of(after)
        for rows, _last in self._pages(begin):
            yield [Marked(int(row.id), row.id, row) for row in rows]

    def horizon(self) -> Mark | None:
        """The highest id there is."""
        with self._database.transaction() as connection:
            return self._shelf.highest(connection)

    def _pages(self, after: int | None) -> Iterator[tuple[Sequence[Row], bool]]:
        last = False
        while not last:
            with self._database.transaction() as connection:
                # One more than a page holds, to know whether another page follows.
                rows = self._shelf.page(connection, self._columns, after, self._page_rows + 1)
            last = len(rows) <= self._page_rows
            rows = rows[: self._page_rows]
            after = int(rows[-1].id) if rows else after
            yield rows, last


def id_of(text: str) -> int | None:
    """The number a row's id is the text of; None for a text that is no id here."""
    if not text.isascii() or not text.isdecimal() or len(text) > 19 or text != str(int(text)):
        return None
    return int(text) if int(text) < 2**63 else None


def folded(text: str) -> str:
    """The form in which texts are compared when rows are looked for by one."""
    return text.rstrip(" ").casefold()


def chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """The values, so many at a time as one statement takes."""
    for start in range(0, len(values), IN_CHUNK):
        yield values[start : start + IN_CHUNK]


def picked(entity: str, fields: Mapping[str, Field], names: Sequence[str]) -> list[Field]:
    """The fields of these names; raises `MapError` (`column-unknown`)."""
    by_name = {name.casefold(): field for name, field in fields.items()}
    found: list[Field] = []
    for name in names:
        field = by_name.get(name.casefold())
        if field is None:
            raise MapError(
                "column-unknown",
                f"`{entity}` of the shop has no column `{name}`",
                remedy=f"use one of: {', '.join(fields)}",
                subject=Subject(side="commerce", entity=entity, field=name),
            )
        found.append(field)
    return found


def checked(connection: sa.Connection, table: sa.Table, needed: Iterable[str]) -> None:
    """Raise `MapError` (`entity-unknown`) unless the database has the table with these columns."""
    inspector = sa.inspect(connection)
    try:
        there = {str(one["name"]) for one in inspector.get_columns(table.name, table.schema)}
    except sa.exc.NoSuchTableError:
        there = set()
    lacking = [name for name in needed if name not in there]
    if lacking:
        what = f"lacks {', '.join(lacking)}" if there else "is not there"
        raise MapError(
            "entity-unknown",
            f"the table {table.fullname} of the shop {what}",
            remedy="check the `url` of this side; where the table has another name, say it in its "
            "`tables`; the user needs SELECT on it",
            subject=Subject(side="commerce", entity=table.name),
        )


def matching(rows: Iterable[tuple[Value, Row]], wanted: Sequence[str]) -> Iterator[tuple[str, Row]]:
    """Those rows whose text is one of the wanted ones."""
    texts = {folded(text) for text in wanted if text.strip(" ")}
    for value, row in rows:
        if isinstance(value, str) and folded(value) in texts:
            yield value, row


def looks_like(column: sa.ColumnElement[Any], wanted: Sequence[str]) -> sa.ColumnElement[bool]:
    """A condition that `matching` makes exact: the database may fold fewer letters than we do."""
    texts = {text.rstrip(" ") for text in wanted if text.strip(" ")}
    spelled = texts | {text.lower() for text in texts}
    return sa.or_(
        sa.func.rtrim(column).in_(sorted(spelled)),
        sa.func.lower(sa.func.rtrim(column)).in_(sorted(spelled)),
    )


def highest(connection: sa.Connection, column: sa.ColumnElement[Any]) -> int | None:
    """The highest number in a column."""
    found: int | None = connection.scalar(sa.select(sa.func.max(column)))
    return found


def read_only() -> Capabilities:
    """What an entity can do that nobody writes to."""
    return Capabilities(
        preconditions="compare",
        create="at-least-once",
        modified_time=False,
        ordered_versions=False,
        change_feed=True,
        batch=100,
        ids="allotted",
    )
