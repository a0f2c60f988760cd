"""Reading rows: whole tables page by page, and single rows by id or by a column.

Owns: the queries, paging, and matching rows to what was asked.
Never does: writing; remembering what was read.
Tested in: tests/unit/endpoints/odata_v2/test_pyodata.py.

Facts: "OData V2: URI conventions, 4. query options"; a service may answer with fewer rows than
asked and a `__next` link to the others (server-driven paging), or with fewer and no link. Offsets
(`$skip`) shift when rows are deleted meanwhile, so pages go on behind the last key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from pyodata.exceptions import PyODataException
from pyodata.v2.service import GetEntitySetRequest

from connector.endpoints.base import Found, Row
from connector.endpoints.odata_v2.connection import Connection, Received
from connector.endpoints.odata_v2.faults import unreadable
from connector.endpoints.odata_v2.keys import KeyValues, id_of, is_behind, is_row, parse_id
from connector.endpoints.odata_v2.metadata import Field, Table, column_unknown
from connector.endpoints.odata_v2.rows import Answer, Projection, answer_of, cut
from connector.endpoints.web.portions import conditions_in
from connector.errors import MapError
from connector.mapping.values import Value, ValueType, has_control, normal_key

LONGEST_FILTER = 5_000
"""Encoded bytes of one filter; most servers take 8,192 for a whole request line."""
SHORT_FILTER = 1_500
"""The same for a service that refused a longer one: some take 2,048 for a whole query."""
_UNREADABLE = (ValueError, TypeError, KeyError, IndexError, AttributeError)

_BACK = "a page that leads back to itself"

Ask: TypeAlias = Callable[[GetEntitySetRequest], GetEntitySetRequest]


class Fetched(NamedTuple):
    """Entities of one answer, and the absolute link to those that follow."""

    answer: Answer
    next: str | None


class Reader:
    """Reads of all tables of one service; `modified` names the column of the last change."""

    def __init__(
        self,
        connection: Connection,
        page_size: int,
        modified: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        self._connection = connection
        self._page_size = page_size
        self._modified = modified
        self._longest = LONGEST_FILTER

    def projection(self, table: Table, columns: Sequence[str]) -> Projection:
        """How rows of these columns are read; raises `MapError` for unknown ones."""
        return Projection(table, columns, self._modified(table.name))

    # ------------------------------------------------------------------------ requests

    def fetch(self, table: Table, ask: Ask | None = None, link: str | None = None) -> Fetched:
        """One answer: to a query that `ask` makes of pyodata's request, or behind a link."""
        request = GetEntitySetRequest(
            self._connection.url, self._connection, _taken, table.name, table.declared.entity_type
        )
        if link is not None:
            request.next_url(link)
        elif ask is not None:
            ask(request)
        try:
            answer, came_from = request.execute()
        except PyODataException as error:  # a link to another host, which it will not follow
            raise self._unreadable(table, error) from error
        except _UNREADABLE as error:
            raise self._unreadable(table, error) from error
        link = answer.next
        return Fetched(answer, self._connection.resolved(link, came_from) if link else None)

    def rows(self, table: Table, projection: Projection, fetched: Fetched) -> list[Row]:
        """The rows of an answer; raises `UnreachableError` for one that cannot be read."""
        try:
            return projection.rows(fetched.answer.entities)
        except _UNREADABLE as error:
            raise self._unreadable(table, error) from error

    def _unreadable(self, table: Table, error: Exception) -> Exception:
        tried = f"reading {table.name}"
        return unreadable(self._connection.side, table.name, tried, error)

    # ------------------------------------------------------------------------ tables

    def pages(
        self, table: Table, select: str, start: Place, order: Sequence[Field], where: str = ""
    ) -> Iterator[tuple[Fetched, Place | None]]:
        """Answers in the order of `order` from a place on, each with the place behind it.

        The last one has no place, and no rows. A service's own links are followed as they are.
        """
        place: Place | None = start
        while place is not None:
            fetched = self.fetch(table, self._window(select, place, order, where), place.link)
            behind = self._behind(table, fetched, order)
            if behind == place:
                raise self._unreadable(table, ValueError(_BACK))
            place = behind
            yield fetched, place

    def rising(
        self, table: Table, select: str, order: Sequence[Field], where: str
    ) -> Iterator[Fetched]:
        """Answers in an order in which a row that is written meanwhile moves to the end.

        Each begins behind the last row of the one before: links and offsets count rows, and would
        pass over one for each that moved. They are used only among rows of one mark that is kept
        more exactly than it is told, which shows where the row a page begins behind is in it.
        """
        place, exact = Place(), True
        while True:
            fetched = self.fetch(table, self._window(select, place, order, where), place.link)
            yield fetched
            places = self._places(table, fetched, order)
            if not places and fetched.next is None:
                return
            exact = exact and place.behind not in places
            if places and (exact or place.behind is None or place.behind[0] != places[-1][0]):
                place = Place(behind=places[-1])
            elif fetched.next is None:
                place = Place(behind=place.behind, skip=place.skip + len(places))
            elif fetched.next == place.link:
                raise self._unreadable(table, ValueError(_BACK))
            else:
                place = Place(fetched.next, place.behind)

    def _window(self, select: str, place: Place, order: Sequence[Field], where: str) -> Ask:
        behind = is_behind(order, place.behind) if place.behind is not None else ""
        condition = f"({where}) and ({behind})" if where and behind else where or behind

        def ask(request: GetEntitySetRequest) -> GetEntitySetRequest:
            if condition:
                request.filter(condition)
            request.order_by(",".join(field.name for field in order))
            if place.skip:
                request.skip(place.skip)
            return request.select(select).top(self._page_size)

        return ask

    def _behind(self, table: Table, fetched: Fetched, order: Sequence[Field]) -> Place | None:
        """Where to go on: a link if there is one, else behind the last row, else nowhere.

        A page shorter than asked for is no sign of the end: services have bounds of their own.
        """
        if fetched.next is not None:
            return Place(link=fetched.next)
        if not fetched.answer.entities:
            return None
        return Place(behind=self._places(table, fetched, order)[-1])

    def _places(self, table: Table, fetched: Fetched, order: Sequence[Field]) -> list[KeyValues]:
        """Where each row stands in an order."""
        try:
            return [
                tuple([field.edm.read(one[field.name]) for field in order])
                for one in fetched.answer.entities
            ]
        except _UNREADABLE as error:
            raise self._unreadable(table, error) from error

    # ------------------------------------------------------------------------ single rows

    def by_ids(self, table: Table, columns: Sequence[str], ids: Sequence[str]) -> dict[str, Row]:
        """The rows with these ids, under the spelling that was asked."""
        asked: dict[str, list[str]] = {}
        keys: dict[str, KeyValues] = {}
        for id in dict.fromkeys(ids):
            key = parse_id(table, id)
            if key is not None and not any(has_control(part) for part in key):
                canonical = id_of(table, key)
                asked.setdefault(canonical, []).append(id)
                keys[canonical] = key
        conditions = [is_row(table, key) for key in keys.values()]
        rows = {row.id: row for row in self._where(table, columns, conditions)}
        alike: dict[str | None, list[Row]] = {}
        for row in rows.values():
            alike.setdefault(_normal(parse_id(table, row.id)), []).append(row)
        found: dict[str, Row] = {}
        for canonical, spellings in asked.items():
            # The service may compare keys without case: what it found is then what was meant.
            like = alike.get(_normal(keys[canonical]), [])
            meant = rows.get(canonical) or (like[0] if len(like) == 1 else None)
            if meant is not None:
                found.update((spelling, meant) for spelling in spellings)
        return found

    def whole(self, table: Table, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Whole entities as they came, by canonical id, for a write that replaces them."""
        keys = [key for id in ids if (key := parse_id(table, id)) is not None]
        projection = self.projection(table, [])
        return {
            projection.id(entity): entity
            for fetched in self._matching(table, None, [is_row(table, key) for key in keys])
            for entity in fetched.answer.entities
        }

    def read(
        self, table: Table, columns: Sequence[str], *, by: str | None, values: Sequence[str]
    ) -> Found:
        """Records by id or by equality of a column; see `Endpoint.read`."""
        if by is None:
            return Found({id: [row] for id, row in self.by_ids(table, columns, values).items()})
        (field,) = table.select([by])
        if field.edm.type not in (ValueType.TEXT, ValueType.INTEGER):
            raise column_unknown(table.entity, [f"{by} (it is no column to search by)"])
        asked: dict[str, list[str]] = {}
        for value in dict.fromkeys(values):
            normal = normal_key(value)
            if normal is not None:
                asked.setdefault(normal, []).append(value)
        conditions = [
            f"{field.name} eq {literal}"
            for spellings in asked.values()
            for literal in _literals(field, spellings)
        ]
        found: dict[str, list[Row]] = {}
        for row in self._where(table, [*columns, field.name], conditions):
            plain = cut(row, len(columns))
            for value in asked.get(normal_key(row.image[-1]) or "", ()):
                found.setdefault(value, []).append(plain)
        return Found(found)

    def _where(
        self, table: Table, columns: Sequence[str], conditions: Sequence[str]
    ) -> Iterator[Row]:
        """Rows for which one of the conditions holds, each once."""
        projection = self.projection(table, columns)
        seen: set[str] = set()
        for fetched in self._matching(table, projection.select, conditions):
            for row in self.rows(table, projection, fetched):
                if row.id not in seen:
                    seen.add(row.id)
                    yield row

    def _matching(
        self, table: Table, select: str | None, conditions: Sequence[str]
    ) -> Iterator[Fetched]:
        """Answers with the entities for which one of the conditions holds."""
        for chunk in conditions_in(conditions, self._longest):
            try:
                fetched = self.fetch(table, _asking(select, chunk))
            except MapError:
                # Too long for it, or too many terms: it is asked for half of them at a time.
                if len(chunk) == 1:
                    raise
                self._longest = SHORT_FILTER
                half = len(chunk) // 2
                yield from self._matching(table, select, chunk[:half])
                yield from self._matching(table, select, chunk[half:])
                continue
            yield from self._following(table, fetched)

    def _following(self, table: Table, fetched: Fetched) -> Iterator[Fetched]:
        """An answer, and those its links lead to."""
        yield fetched
        while fetched.next is not None:
            link = fetched.next
            fetched = self.fetch(table, link=link)
            if fetched.next == link:
                raise self._unreadable(table, ValueError(_BACK))
            yield fetched


class Place(NamedTuple):
    """Where a table is read on: at a link of the service, behind a key, or from its beginning.

    A link comes before a key.
    """

    link: str | None = None
    behind: KeyValues | None = None
    skip: int = 0
    """Rows left out behind the key."""


def _normal(key: KeyValues | None) -> str | None:
    return None if key is None else normal_key(*key)


def _asking(select: str | None, conditions: Sequence[str]) -> Ask:
    def ask(request: GetEntitySetRequest) -> GetEntitySetRequest:
        return request.filter(" or ".join(conditions)).select(select)

    return ask


def _taken(received: Received) -> tuple[Answer, str]:
    """What pyodata hands on instead of proxies: plain values, at once."""
    return answer_of(received.content), received.url


def _literals(field: Field, spellings: Iterable[str]) -> list[str]:
    """A value as rows may hold it: services that compare with case have it in one of these."""
    told: dict[str, None] = {}
    for spelling in spellings:
        plain = spelling.rstrip(" ")
        for text in (spelling, plain, plain.upper(), plain.lower()):
            value: Value = text
            try:
                if field.edm.type is ValueType.INTEGER:
                    value = int(text)
                    field.edm.write(value)
                told[field.literal(value)] = None
            except (ValueError, TypeError):
                continue  # no row holds it
    return list(told)
