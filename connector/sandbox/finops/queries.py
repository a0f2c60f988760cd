"""Reading lists: filters, order, pages.

Owns: the query of a collection, its page size, the link to the next page.
Never does: writing; rendering a row (`rows.py`).
Tested in: tests/integration/sandbox/finops/test_reads.py, test_paging.py, test_companies.py.

Facts: "Finance and Operations: odata": pages of at most 10,000 rows, `$count` counts all rows
whatever `$top` says, and a list without `cross-company=true` has rows of the default company only,
also when the filter names another one. Public clients read `$skip` out of the link, so the pages
shift when rows come or go meanwhile.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from connector.odata.paths import Segment
from connector.sandbox.finops import errors
from connector.sandbox.finops.entities import COMPANY, Entity, Field
from connector.sandbox.finops.expands import Expands
from connector.sandbox.finops.filters import Sql, compile_filter
from connector.sandbox.finops.keys import existing
from connector.sandbox.finops.messages import PLAIN_TYPE, Request, json_response
from connector.sandbox.finops.options import Options
from connector.sandbox.finops.people import User
from connector.sandbox.finops.rows import Level, Renderer, expression, selection, source
from connector.sandbox.finops.storage import Storage
from connector.sandbox.messages import Response

PAGE_SIZE = 10_000
_PAGING = re.compile(r"(?:^|&)(?:\$|%24)(?:skip|top)=[^&]*", re.IGNORECASE)


class Queries:
    """Reads of one storage; `page_size` is what a switch can change."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._expands = Expands(storage)
        self.page_size = PAGE_SIZE

    def page(self, entity: Entity, request: Request, options: Options) -> Response:
        """One page of a list."""
        fields = chosen(entity, options)
        where, values = self._where(entity, request.user, options)
        size = self.page_size if options.top is None else min(options.top, self.page_size)
        order = _order(entity, options)
        shown = _with_pairs(entity, fields, options)
        rows = self._storage.connection.execute(
            f"SELECT {selection(entity, shown)} FROM {source(entity)}{where} "
            f"ORDER BY {order} LIMIT ? OFFSET ?",
            [*values, size + 1, options.skip],
        ).fetchall()
        level = request.level(options.format)
        renderer = Renderer(entity, shown, Level(level, request.base))
        found = [renderer(tuple(row)) for row in rows[:size]]
        self._expands.add(entity, found, options.expand, renderer.level)
        _drop(found, shown, fields)
        body: dict[str, Any] = {}
        if level != "none":
            body["@odata.context"] = f"{request.base}/$metadata#{_context(entity, options)}"
        if options.count:
            body["@odata.count"] = self._count(entity, where, values)
        body["value"] = found
        more = len(rows) > size and (options.top is None or options.top > size)
        if more:
            body["@odata.nextLink"] = _next(request, options, size)
        answer = json_response(body, level=level)
        answer.rows = len(found)
        return answer

    def count(self, entity: Entity, request: Request, options: Options) -> Response:
        """`Set/$count`: a plain number."""
        where, values = self._where(entity, request.user, options)
        number = self._count(entity, where, values)
        return Response(200, {"Content-Type": PLAIN_TYPE}, str(number).encode())

    def single(
        self, entity: Entity, segment: Segment, request: Request, options: Options
    ) -> Response:
        """`Set(key)`."""
        fields = chosen(entity, options)
        shown = _with_pairs(entity, fields, options)
        cross = options.cross_company
        row = existing(self._storage, entity, segment, request, shown, cross_company=cross)
        level = request.level(options.format)
        renderer = Renderer(entity, shown, Level(level, request.base))
        found = [renderer(row)]
        self._expands.add(entity, found, options.expand, renderer.level)
        _drop(found, shown, fields)
        body: dict[str, Any] = {}
        if level != "none":
            body["@odata.context"] = f"{request.base}/$metadata#{_context(entity, options)}/$entity"
        answer = json_response({**body, **found[0]}, level=level)
        answer.rows = 1
        return answer

    def property(
        self, entity: Entity, segment: Segment, name: str, request: Request, options: Options
    ) -> Response:
        """`Set(key)/Property`."""
        if name not in entity.fields:
            raise errors.no_such_resource(request.url)
        fields, cross = (entity.fields[name],), options.cross_company
        row = existing(self._storage, entity, segment, request, fields, cross_company=cross)
        shown = Renderer(entity, fields, Level("none", request.base))(row)
        context = f"{request.base}/$metadata#{request.path}"
        return json_response({"@odata.context": context, "value": shown[name]})

    # ------------------------------------------------------------------------ SQL

    def _count(self, entity: Entity, where: str, values: list[object]) -> int:
        row = self._storage.connection.execute(
            f"SELECT count(*) FROM {source(entity)}{where}",
            values,
        ).fetchone()
        return int(row[0])

    def _where(self, entity: Entity, user: User, options: Options) -> Sql:
        conditions, values = company_gate(entity, user, cross_company=options.cross_company)
        if options.filter is not None:
            condition, more = compile_filter(entity, options.filter)
            conditions.append(condition)
            values += more
        return (f" WHERE {' AND '.join(conditions)}" if conditions else ""), values


def company_gate(
    entity: Entity, user: User, *, cross_company: bool
) -> tuple[list[str], list[object]]:
    """The conditions that leave only the companies this request sees."""
    if not entity.company:
        return [], []
    companies = user.companies if cross_company else (user.company,)
    marks = ", ".join("?" for _ in companies)
    return [f'fold(t."{COMPANY}") IN ({marks})'], list(companies)


def chosen(entity: Entity, options: Options) -> tuple[Field, ...]:
    """The fields to show. Raises `AxError` for a name the type does not have."""
    return _named(entity, options.select) if options.select else entity.listed


def _named(entity: Entity, names: Iterable[str]) -> tuple[Field, ...]:
    fields = []
    for name in names:
        if name not in entity.fields:
            raise errors.bad_query(errors.unknown_property(entity, name))
        fields.append(entity.fields[name])
    return tuple(dict.fromkeys(fields))


def _with_pairs(entity: Entity, fields: tuple[Field, ...], options: Options) -> tuple[Field, ...]:
    """With the fields that an expansion needs to find its rows."""
    names = {
        own
        for one in options.expand
        if one.name in entity.navigations
        for own in entity.navigations[one.name].pairs
    }
    missing = [entity.fields[name] for name in sorted(names) if entity.fields[name] not in fields]
    return (*fields, *missing)


def _drop(rows: list[dict[str, Any]], shown: tuple[Field, ...], asked: tuple[Field, ...]) -> None:
    """Take out what only an expansion needed."""
    for one in shown[len(asked) :]:
        for row in rows:
            del row[one.name]


def _order(entity: Entity, options: Options) -> str:
    parts = [
        f"{_sortable(field)}{' DESC' if descending else ''}"
        for (name, descending) in options.order
        for field in _named(entity, [name])
    ]
    # The key makes the order a whole one, as the service does for its pages.
    return ", ".join([*parts, *(f'fold(t."{name}")' for name in entity.key)])


def _sortable(field: Field) -> str:
    column = expression(field)
    return f"fold({column})" if field.length else column


def _context(entity: Entity, options: Options) -> str:
    names = [*options.select, *(f"{one.name}({','.join(one.select)})" for one in options.expand)]
    return f"{entity.set_name}({','.join(names)})" if options.select else entity.set_name


def _next(request: Request, options: Options, size: int) -> str:
    """The same address, behind the rows of this page."""
    kept = _PAGING.sub("", request.query).strip("&")
    paging = f"$skip={options.skip + size}"
    if options.top is not None:
        paging = f"$top={options.top - size}&{paging}"
    return f"{request.url}?{kept}&{paging}" if kept else f"{request.url}?{paging}"
