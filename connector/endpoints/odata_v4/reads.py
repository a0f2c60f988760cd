"""Records by id or by a text column, by filters of bounded length.

Owns: splitting many values into conditions a service takes, sending many of them in one batch,
matching rows back to what was asked.
Never does: keys in URLs, which cannot take every character; a filter can.
Tested in: tests/unit/endpoints/odata_v4/test_reads.py.

Facts: OData URL conventions, 5.1.1 (comparison). Servers bound a filter: ASP.NET takes a hundred
nodes of a tree, Internet Information Services 2,048 characters of a query, unless told otherwise.
A service may find more than was asked, such as other case, or by a wildcard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from connector.endpoints.base import Found, Row
from connector.endpoints.odata_v4.batches import Batches
from connector.endpoints.odata_v4.client import NEXT, Client, Item
from connector.endpoints.odata_v4.dialect import Dialect
from connector.endpoints.odata_v4.faults import column_unknown, unreadable
from connector.endpoints.odata_v4.rows import Projection, fields_of
from connector.endpoints.odata_v4.tables import Table
from connector.endpoints.web.portions import conditions_in
from connector.endpoints.web.texts import untaken_text
from connector.mapping.values import ValueType, normal_key
from connector.odata.batch import BatchRequest

MOST_COMPARISONS = 20
"""In one filter."""
LONGEST_FILTER = 1_400
"""Percent-encoded characters of one filter."""
TOGETHER = 50
"""Lists asked for in one batch."""

T = TypeVar("T")


class Reader:
    """Reads by id and by text for all tables of one service; `batches` is None where it has none.

    `modified` names the column that tells when a row of an entity was changed, if there is one.
    """

    def __init__(
        self,
        client: Client,
        dialect: Dialect,
        batches: Batches | None,
        modified: Callable[[str], str | None],
    ) -> None:
        self._client = client
        self._dialect = dialect
        self._batches = batches
        self._modified = modified

    def projection(self, table: Table, columns: Sequence[str]) -> Projection:
        """Rows of a table with these columns; raises `MapError`."""
        return Projection(self._client.naming, table, columns, self._modified(table.name))

    def read(
        self, table: Table, columns: Sequence[str], *, by: str | None, values: Sequence[str]
    ) -> Found:
        """Rows under the spelling they were asked by; see `Endpoint.read`."""
        if by is None:
            return self._by_id(table, columns, values)
        (field,) = fields_of(self._client.naming, table, [by])
        if field.column.type is not ValueType.TEXT or not field.column.readable:
            raise column_unknown(
                self._client.naming, table.name, [by], "it is no column to search by"
            )
        asked = [one for one in dict.fromkeys(values) if one and not untaken_text({by: one})]
        folded = dict.fromkeys(asked) if not self._dialect.folds else _first_spellings(asked)
        conditions = [f"{field.name} eq {field.literal(one)}" for one in folded]
        rows = self.rows(table, self.projection(table, [*columns, by]), conditions, 1)
        plain = ((row.image[-1], row._replace(image=row.image[:-1])) for row in rows)
        return Found(self._matched(asked, plain))

    def by_ids(self, table: Table, projection: Projection, ids: Iterable[str]) -> list[Row]:
        """The rows with these ids, in any order; what is not there lacks."""
        keys = filter(None, map(table.parse_id, ids))
        conditions = [table.condition(key) for key in keys]
        return list(self.rows(table, projection, conditions, len(table.key)))

    def rows(
        self, table: Table, projection: Projection, conditions: Sequence[str], comparisons: int
    ) -> Iterator[Row]:
        """Rows that meet one of the conditions, of so many comparisons each; none twice."""
        chunks = list(
            conditions_in(conditions, LONGEST_FILTER, max(1, MOST_COMPARISONS // comparisons))
        )
        urls = [self.url(table, projection, " or ".join(chunk)) for chunk in chunks]
        seen: set[str] = set()
        for start in range(0, len(urls), TOGETHER):
            for items in self._lists(table, projection, urls[start : start + TOGETHER]):
                for row in self.parsed(table, projection, items):
                    if row.id not in seen:
                        seen.add(row.id)
                        yield row

    def url(
        self,
        table: Table,
        projection: Projection | None,
        where: str | None = None,
        **more: str,
    ) -> str:
        """A list of the table: what it selects, its filter, and further options by name."""
        conditions = [one for one in (self._dialect.scope(table), where) if one]
        options = {} if projection is None else {"$select": projection.select}
        if len(conditions) == 2:
            conditions = [f"({one})" for one in conditions]
        if conditions:
            options["$filter"] = " and ".join(conditions)
        return self._client.url(
            table.name, {**options, **{f"${name}": value for name, value in more.items()}}
        )

    def parsed(self, table: Table, projection: Projection, items: Sequence[Item]) -> list[Row]:
        """The rows of a page; raises `UnreachableError` for what is none."""
        try:
            return projection.rows(items)
        except (ValueError, TypeError, AttributeError, ArithmeticError) as error:
            tried = f"GET {table.name}"
            raise unreadable(self._client.naming, table.name, tried, error) from error

    # ------------------------------------------------------------------------ lists

    def _lists(
        self, table: Table, projection: Projection, urls: Sequence[str]
    ) -> Iterator[Sequence[Item]]:
        """The pages of several lists; what a batch does not answer is asked for alone."""
        if self._batches is None or len(urls) == 1:
            for url in urls:
                for items, _ in self._client.pages(table.name, url, projection.loads):
                    yield items
            return
        parts = [BatchRequest("GET", self._batches.path(url), _ACCEPT) for url in urls]
        answers = self._batches.send(parts)
        for place, url in enumerate(urls):
            answer = answers[place] if place < len(answers) else None
            if answer is None or answer.status != 200:
                rest = self._client.pages(table.name, url, projection.loads)
            else:
                object_ = self._batches.object(answer, table.name, projection.loads)
                yield object_["value"]
                after = object_.get(NEXT)
                if after is None:
                    continue
                link = self._client.absolute(url, str(after))
                rest = self._client.pages(table.name, link, projection.loads)
            for items, _ in rest:
                yield items

    # ------------------------------------------------------------------------ matching

    def _by_id(self, table: Table, columns: Sequence[str], ids: Sequence[str]) -> Found:
        asked = {id: key for id in dict.fromkeys(ids) if (key := table.parse_id(id)) is not None}
        conditions = dict.fromkeys(table.condition(key) for key in asked.values())
        projection = self.projection(table, columns)
        found = {
            row.id: row for row in self.rows(table, projection, list(conditions), len(table.key))
        }
        spelled = {id: table.id_of(key) for id, key in asked.items()}
        exact = {id: [found[own]] for id, own in spelled.items() if own in found}
        if self._dialect.folds and len(exact) < len(asked):
            by_fold = {id.casefold(): row for id, row in found.items()}
            for id, own in spelled.items():
                row = by_fold.get(own.casefold())
                if id not in exact and row is not None:
                    exact[id] = [row]
        return Found(exact)

    def _matched(
        self, asked: Sequence[str], rows: Iterable[tuple[object, Row]]
    ) -> dict[str, list[Row]]:
        """Rows by the value they were asked by; a service may have found more than that."""
        found: dict[object, list[Row]] = {}
        for value, row in rows:
            key = normal_key(value) if self._dialect.folds else value  # type: ignore[arg-type]
            found.setdefault(key, []).append(row)
        own = {one: normal_key(one) if self._dialect.folds else one for one in asked}
        return {one: found[key] for one, key in own.items() if key in found}


_ACCEPT = {"Accept": "application/json"}


def _first_spellings(values: Iterable[str]) -> dict[str, None]:
    """One spelling of each value that is the same to the service."""
    by_key: dict[str | None, str] = {}
    for value in values:
        by_key.setdefault(normal_key(value), value)
    return dict.fromkeys(by_key.values())
