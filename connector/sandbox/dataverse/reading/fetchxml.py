"""FetchXML, translated to a query over joined tables.

Owns: the elements and attributes of a fetch document.
Never does: SQL of an operator (`operators.py`) or of a join (`joins.py`), the answer
(`selections.py`).
Tested in: tests/integration/sandbox/test_fetchxml.py, test_fetchxml_pages.py.

Facts: "Dataverse: fetchxml/reference". Filters of an outer join belong to the join. The link
types inner, outer, exists and in are known, and any, not any inside a filter; others are
refused. Hints to the database (no-lock, options, latematerialize …) change nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from lxml import etree

from connector.sandbox.dataverse import errors
from connector.sandbox.dataverse.definitions.tables import Column
from connector.sandbox.dataverse.reading import query_errors
from connector.sandbox.dataverse.reading.joins import Joined, Source, by_alias
from connector.sandbox.dataverse.reading.operators import condition
from connector.sandbox.dataverse.reading.paging import MAX_PAGE
from connector.sandbox.dataverse.storage import Stored

MAX_CONDITIONS = 500
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
_TRUE = frozenset({"true", "1"})
_JOINS = {"inner": "JOIN", "outer": "LEFT JOIN"}
_HALF_JOINS = frozenset({"exists", "in"})
_RELATED = {"any": "EXISTS", "not any": "NOT EXISTS"}

Bind: TypeAlias = Callable[[Stored], str]


@dataclass(frozen=True, slots=True)
class Fetch:
    """What a fetch document asks for besides the rows themselves."""

    page: int
    size: int
    """Rows of a page."""
    top: int | None
    cookie: str
    count: bool
    """Whether the total is to be told."""
    by_link: bool
    """Ordered by a joined table, so that there is no paging cookie."""


def translate(text: str, joined: Joined) -> Fetch:
    """Fill `joined` with what the document asks for. Raises `WireError`."""
    root = _parse(text)
    translation = _Translation(joined, aggregate=_flag(root, "aggregate"))
    translation.entity(_entity(root))
    joined.distinct = _flag(root, "distinct")
    top = root.get("top")
    if top is not None and (root.get("count") is not None or root.get("page") is not None):
        raise query_errors.malformed("top does not go together with count or page")
    return Fetch(
        page=_number(root, "page", 1, 1),
        size=min(_number(root, "count", MAX_PAGE, 1), MAX_PAGE),
        top=None if top is None else min(_number(root, "top", 1, 1), MAX_PAGE),
        cookie=root.get("paging-cookie", ""),
        count=_flag(root, "returntotalrecordcount"),
        by_link=translation.by_link,
    )


def _parse(text: str) -> etree._Element:
    try:
        root = etree.fromstring(text.encode(), _PARSER)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise errors.bad_request(f"Invalid XML: {error}", "0x80040201") from error
    if root.tag != "fetch":
        raise query_errors.malformed(f"the document element is <{root.tag}>, not <fetch>")
    return root


def _entity(root: etree._Element) -> etree._Element:
    entity = root.find("entity")
    if entity is None or not entity.get("name"):
        raise query_errors.malformed("there is no <entity name='…'>")
    return entity


def _flag(element: etree._Element, name: str) -> bool:
    return element.get(name, "").lower() in _TRUE


def _number(element: etree._Element, name: str, default: int, least: int) -> int:
    text = element.get(name)
    if text is None:
        return default
    if not text.isdecimal() or int(text) < least:
        raise query_errors.malformed(f"{name}='{text}' is no number from {least} on")
    return int(text)


def _need(element: etree._Element, name: str) -> str:
    value = element.get(name)
    if not value:
        raise query_errors.malformed(f"<{element.tag}> lacks '{name}'")
    return value


class _Translation:
    """One document on its way."""

    def __init__(self, joined: Joined, *, aggregate: bool) -> None:
        self._joined = joined
        self._aggregate = aggregate
        self._conditions = 0
        self.by_link = False

    def entity(self, element: etree._Element) -> None:
        """The table the document is about, with all that is inside."""
        source = self._joined.source(_need(element, "name"))
        self._joined.name("", source)
        links = [self._link(one, source) for one in element.findall("link-entity")]
        self._columns(element, source, "")
        for link, joined in links:
            if joined is not None:
                self._inside_link(link, joined)
        for one in element.findall("filter"):
            self._joined.where.append(self._filter(one, source, self._joined.bind))
        for one in element.findall("order"):
            self._order(one, source)

    # ------------------------------------------------------------------------ joins

    def _link(
        self, element: etree._Element, parent: Source
    ) -> tuple[etree._Element, Source | None]:
        """Join one table, and those inside it; None where its columns cannot be had."""
        kind = element.get("link-type", "inner")
        if kind in _HALF_JOINS:
            self._joined.where.append(self._related(element, parent, "EXISTS", self._joined.bind))
            return element, None
        if kind not in _JOINS:
            raise errors.not_implemented(f"The link type '{kind}'")
        source = self._joined.source(_need(element, "name"))
        alias = element.get("alias") or self._default_alias(source)
        self._joined.name(alias, source)
        on = [_equality(element, source, parent)]
        if kind == "outer":
            on += self._filters(element, source, self._joined.bind_join)
        self._joined.joins.append(
            f'{_JOINS[kind]} "{source.table.name}" AS {source.alias} ON {" AND ".join(on)}'
        )
        if kind == "inner":
            self._joined.where += self._filters(element, source, self._joined.bind)
        return element, source

    def _default_alias(self, source: Source) -> str:
        number = 1
        while f"{source.table.name}{number}" in self._joined.sources:
            number += 1
        return f"{source.table.name}{number}"

    def _inside_link(self, element: etree._Element, source: Source) -> None:
        """Columns, orders and further joins of a joined table."""
        alias = next(name for name, one in self._joined.sources.items() if one is source)
        self._columns(element, source, alias)
        for one in element.findall("order"):
            self._order(one, source)
        for one in element.findall("link-entity"):
            link, joined = self._link(one, source)
            if joined is not None:
                self._inside_link(link, joined)

    def _related(self, element: etree._Element, parent: Source, word: str, bind: Bind) -> str:
        """Whether there is a related row at all."""
        source = self._joined.source(_need(element, "name"))
        inner = [_equality(element, source, parent), *self._filters(element, source, bind)]
        inner += [
            self._related(one, source, "EXISTS", bind) for one in element.findall("link-entity")
        ]
        return (
            f'{word} (SELECT 1 FROM "{source.table.name}" AS {source.alias} '
            f"WHERE {' AND '.join(inner)})"
        )

    # ------------------------------------------------------------------------ columns

    def _columns(self, element: etree._Element, source: Source, alias: str) -> None:
        """The columns an entity or link asks for; a first table that asks for none gives all."""
        wanted = element.findall("attribute")
        every = element.find("all-attributes") is not None
        if every or (not alias and not wanted and not self._aggregate):
            for column in source.table.columns.values():
                if column.readable:
                    self._joined.select(source, column, _property(alias, column))
        for one in wanted:
            self._column(one, source, alias)

    def _column(self, element: etree._Element, source: Source, alias: str) -> None:
        column = source.column(_need(element, "name"))
        name = element.get("alias") or _property(alias, column)
        if not self._aggregate:
            self._joined.select(source, column, name)
        elif _flag(element, "groupby"):
            part = element.get("dategrouping", "")
            self._joined.group(source, column, _need(element, "alias"), part)
        else:
            function = _need(element, "aggregate")
            if function == "countcolumn" and _flag(element, "distinct"):
                function = "countdistinct"
            self._joined.aggregate(source, column, function, _need(element, "alias"))

    def _order(self, element: etree._Element, source: Source) -> None:
        descending = _flag(element, "descending")
        if element.get("alias"):
            self._joined.sort_by_output(_need(element, "alias"), descending=descending)
            return
        if element.get("entityname"):
            source = by_alias(self._joined.sources, _need(element, "entityname"))
        self.by_link = self.by_link or source is not self._joined.root
        self._joined.sort(source.operand(_need(element, "attribute")).sql, descending=descending)

    # ------------------------------------------------------------------------ conditions

    def _filters(self, element: etree._Element, source: Source, bind: Bind) -> list[str]:
        return [self._filter(one, source, bind) for one in element.findall("filter")]

    def _filter(self, element: etree._Element, source: Source, bind: Bind) -> str:
        parts = [*self._parts(element, source, bind)]
        word = " OR " if element.get("type", "and").lower() == "or" else " AND "
        return f"({word.join(parts)})" if parts else "1"

    def _parts(self, element: etree._Element, source: Source, bind: Bind) -> Iterator[str]:
        """The members of a filter, in their order: arguments are bound as they come."""
        for one in element:
            if one.tag == "condition":
                yield self._condition(one, source, bind)
            elif one.tag == "filter":
                yield self._filter(one, source, bind)
            elif one.tag == "link-entity":
                word = _RELATED.get(one.get("link-type", ""))
                if word is None:
                    kind = one.get("link-type", "inner")
                    raise errors.not_implemented(f"The link type '{kind}' inside a filter")
                yield self._related(one, source, word, bind)
            else:
                raise query_errors.malformed(f"<{one.tag}> inside <filter>")

    def _condition(self, element: etree._Element, source: Source, bind: Bind) -> str:
        self._conditions += 1
        if self._conditions > MAX_CONDITIONS:
            raise errors.too_many_conditions()
        if element.get("entityname"):
            source = by_alias(self._joined.sources, _need(element, "entityname"))
        operand = source.operand(_need(element, "attribute"))
        operator = _need(element, "operator")
        other = element.get("valueof")
        if other:
            return self._comparison(operand.sql, operator, other, source)
        values = [one.text or "" for one in element.findall("value")]
        if element.get("value") is not None:
            values = [element.get("value", ""), *values]
        return f"({condition(operator, operand, values, self._joined.reader, bind)})"

    def _comparison(self, sql: str, operator: str, other: str, source: Source) -> str:
        """Two columns of one row compared."""
        words = {"eq": "=", "ne": "<>", "neq": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
        if operator not in words:
            raise query_errors.malformed(f"valueof does not go together with '{operator}'")
        alias, dot, name = other.rpartition(".")
        if dot:
            source = by_alias(self._joined.sources, alias)
        return f"{sql} {words[operator]} {source.operand(name).sql}"


def _property(alias: str, column: Column) -> str:
    return f"{alias}.{column.name}" if alias else column.wire_name


def _equality(element: etree._Element, source: Source, parent: Source) -> str:
    """The condition of a join."""
    one = source.operand(_need(element, "from")).sql
    return f"{one} = {parent.operand(_need(element, 'to')).sql}"
