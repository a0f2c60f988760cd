"""How the changes of an entity set are found, for a standard that has no change feed of its own.

Owns: the ways the config chooses from, and a table as something that can be compared.
Never does: comparing, keeping what was seen (`connector/endpoints/snapshots`).
Tested in: tests/unit/endpoints/odata_v4/test_feeds.py, tests/contract/endpoints/test_feeds.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

from connector.endpoints.base import Row
from connector.endpoints.odata_v4.client import Client, tried
from connector.endpoints.odata_v4.faults import column_unknown, unreadable
from connector.endpoints.odata_v4.fields import Field
from connector.endpoints.odata_v4.reads import Reader
from connector.endpoints.odata_v4.rows import fields_of
from connector.endpoints.odata_v4.tables import Table as EntityTable
from connector.endpoints.snapshots import Batch, Mark, Marked, image_version
from connector.errors import MapError, PositionExpiredError, Subject
from connector.mapping.values import ValueType

EARLIEST = 1900
"""No service is asked for what changed before this year: it may not take the date."""


@dataclass(frozen=True, slots=True)
class Way:
    """How the changes of one entity are found; seconds where not said otherwise."""

    by: Literal["snapshot", "watermark", "export"] = "snapshot"
    column: str | None = None
    """The watermark."""
    key_column: str | None = None
    overlap: float = 120.0
    sweep: float = 6 * 3600.0
    project: str | None = None
    """The export project."""


class SetSource:
    """One entity set under one column list; see `snapshots.TimedSource`."""

    def __init__(
        self,
        client: Client,
        reader: Reader,
        table: EntityTable,
        columns: Sequence[str],
        way: Way,
    ) -> None:
        self._client = client
        self._reader = reader
        self._table = table
        self._columns = columns
        self._way = way
        self._projection = reader.projection(table, columns)

    def rows(self, mark: str | None) -> Iterator[Batch]:
        """Whole rows, all or from a link on."""
        url = mark or self._reader.url(self._table, self._projection)
        pages = self._client.pages(self._table.name, url, self._projection.loads)
        while True:
            try:
                items, link = next(pages)
            except StopIteration:
                return
            except MapError as error:
                if mark is None:
                    raise
                raise self._expired(error) from error
            mark = None
            yield Batch(self._reader.parsed(self._table, self._projection, items), link)

    def versions(self) -> Iterator[Sequence[tuple[str, str]]]:
        """Id and ETag of every row; of rows without ETags a hash of what they hold."""
        table = self._table
        projection = self._reader.projection(table, []) if table.versioned else self._projection
        url = self._reader.url(table, projection)
        for items, _ in self._client.pages(table.name, url, projection.loads):
            rows = self._reader.parsed(table, projection, items)
            if table.versioned and any(row.version is None for row in rows):
                raise unreadable(self._client.naming, table.name, tried(url), "rows lack ETags")
            yield [
                (row.id, image_version(row.image) if row.version is None else row.version)
                for row in rows
            ]

    def read(self, ids: Sequence[str]) -> Iterable[Row]:
        """The rows with these ids."""
        return self._reader.by_ids(self._table, self._projection, ids)

    # ------------------------------------------------------------------------ watermarks

    def since(self, mark: Mark, after: str | None) -> Iterator[Sequence[Marked]]:
        """Rows from a mark on, or behind `(mark, after)`, in the order of mark and key."""
        watermark, tie = self._watermark(), self._tie()
        shown = [*self._columns, watermark.name, *([tie.name] if tie else [])]
        projection = self._reader.projection(self._table, shown)
        order = ",".join([watermark.name, *([tie.name] if tie else [])])
        where = self._behind(watermark, tie, mark, after)
        url = self._reader.url(self._table, projection, where, orderby=order)
        width = len(self._columns)
        for items, _ in self._client.pages(self._table.name, url, projection.loads):
            rows = self._reader.parsed(self._table, projection, items)
            yield [
                Marked(at, str(row.image[-1]), row._replace(image=row.image[:width]))
                for row in rows
                if isinstance(at := row.image[width], int | datetime)
            ]

    def horizon(self) -> Mark | None:
        """The clock of the service, or the highest number of the column."""
        watermark = self._watermark()
        if watermark.column.type is ValueType.INSTANT:
            url = self._reader.url(self._table, self._reader.projection(self._table, []), top="1")
            told = self._client.transport.get(url).headers.get("Date", "")
            try:
                # Always GMT (RFC 9110, section 5.6.7), also where a proxy writes no zone.
                return parsedate_to_datetime(told).replace(tzinfo=UTC)
            except ValueError as error:
                raise unreadable(
                    self._client.naming, self._table.name, tried(url), "it has no Date"
                ) from error
        projection = self._reader.projection(self._table, [watermark.name])
        order = f"{watermark.name} desc"
        url = self._reader.url(self._table, projection, orderby=order, top="1")
        items, _ = next(self._client.pages(self._table.name, url, projection.loads))
        rows = self._reader.parsed(self._table, projection, items)
        highest = rows[0].image[0] if rows else None
        return highest if isinstance(highest, int) else None

    def _behind(
        self, watermark: Field, tie: Field | None, mark: Mark, after: str | None
    ) -> str | None:
        if isinstance(mark, datetime) and mark.year < EARLIEST:
            return None
        if isinstance(mark, int) and mark < (watermark.column.minimum or 0):
            return None
        place = watermark.literal(mark)
        if after is None or tie is None:
            return f"{watermark.name} ge {place}"
        key = tie.literal(int(after) if tie.column.type is ValueType.INTEGER else after)
        return (
            f"{watermark.name} gt {place} or ({watermark.name} eq {place} and {tie.name} gt {key})"
        )

    def _watermark(self) -> Field:
        assert self._way.column is not None, "the settings see to it"
        (field,) = fields_of(self._client.naming, self._table, [self._way.column])
        if field.column.type not in (ValueType.INSTANT, ValueType.INTEGER):
            raise column_unknown(
                self._client.naming,
                self._table.name,
                [field.name],
                "a watermark is an instant or a whole number",
            )
        return field

    def _tie(self) -> Field | None:
        """The column that orders rows of one mark, if one column does."""
        if self._way.key_column is not None:
            return fields_of(self._client.naming, self._table, [self._way.key_column])[0]
        only = self._table.key[0] if len(self._table.key) == 1 else None
        fits = only and only.column.type in (ValueType.TEXT, ValueType.INTEGER)
        return only if fits else None

    def _expired(self, error: MapError) -> PositionExpiredError:
        return PositionExpiredError(
            "position-expired",
            f"the list of {self._table.name} cannot be gone on with from the noted page",
            remedy="the table is read in full next",
            subject=Subject(side=self._client.naming.side, entity=self._table.name),
            cause=error.cause,
        )
