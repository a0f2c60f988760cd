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

import orjson

from connector.endpoints.base import Row
from connector.endpoints.odata_v4.client import Client, tried
from connector.endpoints.odata_v4.faults import column_unknown, unreadable
from connector.endpoints.odata_v4.fields import Field
from connector.endpoints.odata_v4.reads import Reader
from connector.endpoints.odata_v4.rows import Projection, fields_of
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
                raise self._expired(error.cause) from error
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
        """Rows from a mark on, or behind `(mark, after)`, in the order of mark and key.

        A row that is written meanwhile moves to the end, and all behind it come one place nearer: a
        link that counts rows (`$skip`) would pass one of them over. So each page is asked for by
        the last row of the one before. Links are followed among rows of one mark that cannot be
        told apart: where nothing orders them, or marks are kept more exactly than they are told.
        """
        watermark, ties = self._watermark(), self._ties()
        order = [watermark.name, *(tie.name for tie in ties)]
        projection = self._reader.projection(self._table, [*self._columns, *order])
        place = None if after is None else (mark, after)
        where = self._from(watermark, mark) if after is None else self._behind(mark, after)
        exact = bool(ties)
        url: str | None = self._ordered(projection, where, order)
        while url is not None:
            items, url = next(self._client.pages(self._table.name, url, projection.loads))
            marked = self._marked(ties, self._reader.parsed(self._table, projection, items))
            yield marked
            if url is None or not marked:
                continue
            last = (marked[-1].mark, marked[-1].key)
            exact = exact and place not in [(one.mark, one.key) for one in marked]
            if exact or place is None or place[0] != last[0]:
                place = last
                url = self._ordered(projection, self._behind(*place), order)

    def _ordered(self, projection: Projection, where: str | None, order: Sequence[str]) -> str:
        return self._reader.url(self._table, projection, where, orderby=",".join(order))

    def _marked(self, ties: Sequence[Field], rows: Sequence[Row]) -> list[Marked]:
        """Rows with their marks; those without one are not told of."""
        width = len(self._columns)
        found: list[Marked] = []
        for row in rows:
            at, *key = row.image[width:]
            if isinstance(at, int | datetime):
                spelled = [tie.literal(part) for tie, part in zip(ties, key, strict=True)]
                text = orjson.dumps(spelled).decode()
                found.append(Marked(at, text, row._replace(image=row.image[:width])))
        return found

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

    def _from(self, watermark: Field, mark: Mark) -> str | None:
        """The filter for rows at a mark or above; None where that is all of them."""
        if isinstance(mark, datetime) and mark.year < EARLIEST:
            return None
        if isinstance(mark, int) and mark < (watermark.column.minimum or 0):
            return None
        return f"{watermark.name} ge {watermark.literal(mark)}"

    def _behind(self, mark: Mark, after: str) -> str | None:
        """The filter for rows behind one, in the order of mark and key."""
        watermark, ties = self._watermark(), self._ties()
        if not ties:
            return self._from(watermark, mark)
        try:
            spelled = [tie.literal(tie.parse(part)) for tie, part in self._parts(ties, after)]
        except (ValueError, TypeError, ArithmeticError) as error:
            raise self._expired(str(error)) from error
        same, ways = list[str](), list[str]()
        steps = [(watermark.name, watermark.literal(mark))]
        for name, text in [*steps, *zip([tie.name for tie in ties], spelled, strict=True)]:
            ways.append(" and ".join([*same, f"{name} gt {text}"]))
            same.append(f"{name} eq {text}")
        return " or ".join(f"({way})" for way in ways)

    @staticmethod
    def _parts(ties: Sequence[Field], after: str) -> Iterator[tuple[Field, str]]:
        """The literal of each column that orders rows of one mark."""
        return zip(ties, map(str, orjson.loads(after)), strict=True)

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

    def _ties(self) -> list[Field]:
        """The columns that order rows of one mark; none where nothing orders all of them."""
        ties: list[Field] = []
        if self._way.key_column is not None:
            ties = fields_of(self._client.naming, self._table, [self._way.key_column])
        rest = [one for one in self._table.key if one not in ties]
        if all(one.column.type in (ValueType.TEXT, ValueType.INTEGER) for one in rest):
            ties += rest
        return ties

    def _expired(self, cause: str | None) -> PositionExpiredError:
        return PositionExpiredError(
            "position-expired",
            f"the list of {self._table.name} cannot be gone on with from the noted page",
            remedy="the table is read in full next",
            subject=Subject(side=self._client.naming.side, entity=self._table.name),
            cause=cause,
        )
