"""A table of the service as the snapshot compare and the watermark read it.

Owns: whole reads with marks to go on from, keys with versions alone, rows above a watermark.
Never does: remembering what was read (`connector/endpoints/snapshots/`).
Tested in: tests/unit/endpoints/odata_v2/test_changes.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import orjson

from connector.endpoints.base import Row
from connector.endpoints.odata_v2.connection import Connection
from connector.endpoints.odata_v2.keys import id_of, is_behind, parse_id
from connector.endpoints.odata_v2.metadata import Table, column_unknown
from connector.endpoints.odata_v2.reads import Place, Reader
from connector.endpoints.odata_v2.rows import Projection, cut, etag_of
from connector.endpoints.snapshots import Batch, Mark, Marked
from connector.errors import MapError, PositionExpiredError, Subject
from connector.mapping.values import ValueType

_UNREAD = "the mark cannot be read"


class TableSource:
    """One table under one column list; see `connector.endpoints.snapshots.Source`."""

    def __init__(self, reader: Reader, table: Table, columns: Sequence[str]) -> None:
        self._reader = reader
        self._table = table
        self._columns = columns
        self._projection = reader.projection(table, columns)

    def rows(self, mark: str | None) -> Iterator[Batch]:
        """Whole rows, from a mark on; a mark that leads nowhere any more asks for a new scan."""
        start = self._place(mark)
        try:
            for fetched, place in self._reader.pages(
                self._table, self._projection.select, start, self._table.keys
            ):
                rows = self._reader.rows(self._table, self._projection, fetched)
                yield Batch(rows, None if place is None else self._mark(place))
                start = Place()
        except MapError as error:
            if start.link is None:
                raise
            raise self._expired(str(error)) from error

    def versions(self) -> Iterator[Sequence[tuple[str, str]]]:
        """Ids with ETags; where there are none, whole rows are read for what they hold."""
        if not self._table.versioned:
            for batch in self.rows(None):
                yield [(row.id, row.version or "") for row in batch.rows]
            return
        bare = Projection(self._table, [])
        pages = self._reader.pages(self._table, bare.select, Place(), self._table.keys)
        for fetched, _ in pages:
            yield [(bare.id(one), etag_of(one) or "") for one in fetched.answer.entities]

    def read(self, ids: Sequence[str]) -> list[Row]:
        """The rows with these ids."""
        found = self._reader.by_ids(self._table, self._columns, ids)
        return list({row.id: row for row in found.values()}.values())

    # ------------------------------------------------------------------------ marks

    def _mark(self, place: Place) -> str:
        if place.link is not None:
            return orjson.dumps({"link": place.link}).decode()
        assert place.behind is not None
        return orjson.dumps({"behind": id_of(self._table, place.behind)}).decode()

    def _place(self, mark: str | None) -> Place:
        if mark is None:
            return Place()
        try:
            told = orjson.loads(mark)
            if isinstance(told.get("link"), str):
                return Place(link=told["link"])
            behind = parse_id(self._table, told["behind"])
        except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
            raise self._expired(_UNREAD) from error
        if behind is None:
            raise self._expired(_UNREAD)
        return Place(behind=behind)

    def _expired(self, cause: str) -> PositionExpiredError:
        return PositionExpiredError(
            "position-expired",
            f"the read of {self._table.name} cannot go on where it was left",
            remedy="none needed: the table is read from its beginning",
            subject=Subject(entity=self._table.name),
            cause=cause,
        )


class WatermarkSource(TableSource):
    """The same with a column that grows with every write; see `snapshots.TimedSource`."""

    def __init__(
        self,
        connection: Connection,
        reader: Reader,
        table: Table,
        columns: Sequence[str],
        watermark: tuple[str, str | None],
    ) -> None:
        super().__init__(reader, table, columns)
        self._connection = connection
        name, key = watermark
        (self._stamp,) = table.select([name])
        if self._stamp.edm.type not in (ValueType.INSTANT, ValueType.INTEGER):
            raise column_unknown(table.entity, [f"{name} (no time or number that could grow)"])
        first = table.select([key]) if key else []
        self._order = [*first, *(one for one in table.keys if one not in first)]
        self._marked = reader.projection(
            table, [*columns, self._stamp.name, *(field.name for field in self._order)]
        )

    def since(self, mark: Mark, after: str | None) -> Iterator[Sequence[Marked]]:
        """Rows at the mark or above it, or behind a row of it."""
        where = f"{self._stamp.name} ge {self._stamp.literal(mark)}"
        if after is not None:
            key = tuple(
                field.edm.read(part)
                for field, part in zip(self._order, orjson.loads(after), strict=True)
            )
            where = is_behind([self._stamp, *self._order], (mark, *key))
        order = [self._stamp, *self._order]
        width = len(self._columns)
        for fetched in self._reader.rising(self._table, self._marked.select, order, where):
            rows = self._reader.rows(self._table, self._marked, fetched)
            yield [self._marked_row(row, width) for row in rows]

    def _marked_row(self, row: Row, width: int) -> Marked:
        mark, *key = row.image[width:]
        assert isinstance(mark, int | datetime)
        parts = [field.edm.write(part) for field, part in zip(self._order, key, strict=True)]
        return Marked(mark, orjson.dumps(parts).decode(), cut(row, width))

    def horizon(self) -> Mark | None:
        """The service's clock; for a number the highest there is."""
        if self._stamp.edm.type is ValueType.INSTANT:
            return self._connection.clock().told
        for row in self._top():
            (mark,) = row.image
            assert isinstance(mark, int)
            return mark
        return None

    def _top(self) -> list[Row]:
        projection = Projection(self._table, [self._stamp.name])
        fetched = self._reader.fetch(
            self._table,
            lambda request: (
                request.select(projection.select)
                .filter(f"{self._stamp.name} ne null")
                .order_by(f"{self._stamp.name} desc")
                .top(1)
            ),
        )
        return self._reader.rows(self._table, projection, fetched)
