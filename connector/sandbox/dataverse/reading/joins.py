"""A query over joined tables: what FetchXML and SQL are both translated to.

Owns: sources, joins, output columns and their JSON with annotations, running one page.
Never does: parsing (`fetchxml.py`, `sql.py`), paging links and cookies (they belong to a language).
Tested in: tests/integration/sandbox/test_fetchxml.py, test_sql.py.

Facts: "Dataverse: fetchxml/select-columns, join-tables, aggregate-data". Columns without a
value are left out of the JSON, the primary id of the first table always comes along, except
where rows are grouped or made distinct. An aggregate over more than 50,000 rows is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any, TypeAlias

from connector.sandbox.dataverse import errors
from connector.sandbox.dataverse.definitions.catalog import Catalog
from connector.sandbox.dataverse.definitions.tables import REFERENCES, TEXTS, Column, Kind, Table
from connector.sandbox.dataverse.reading import query_errors
from connector.sandbox.dataverse.reading.operands import Operand
from connector.sandbox.dataverse.reading.operators import Reader
from connector.sandbox.dataverse.reading.paging import MAX_PAGE
from connector.sandbox.dataverse.reading.projections import (
    FORMATTED,
    Annotate,
    JsonRow,
    annotations_of,
    json_form,
    name_of_target,
    wants,
)
from connector.sandbox.dataverse.storage import Stored

MAX_LINKS = 15
AGGREGATE_LIMIT = 50_000
ATTRIBUTE_NAME = "OData.Community.Display.V1.AttributeName"
_FUNCTIONS = {
    "count": "count(*)",
    "countcolumn": "count({})",
    "countdistinct": "count(DISTINCT {})",
    "sum": "coalesce(sum({}), 0)",
    "min": "min({})",
    "max": "max({})",
}
_AVERAGES = {Kind.DOUBLE: "avg({})", Kind.INTEGER: "CAST(avg({}) AS INTEGER)"}
_COUNTS = frozenset({"count", "countcolumn", "countdistinct"})
_DATE_PARTS = {"day": "%d", "month": "%m", "year": "%Y"}

Hidden: TypeAlias = Callable[[Table], frozenset[str]]
"""The columns of a table that read as null; raises `WireError` where it may not be read."""
Execute: TypeAlias = Callable[[str, Sequence[Stored]], Any]


@dataclass(frozen=True, slots=True)
class Source:
    """One table in the query, under the alias it has in SQL."""

    table: Table
    alias: str
    hidden: frozenset[str]

    def value(self, column: Column) -> str:
        """A column of it as SQL."""
        if not column.readable or column.name in self.hidden:
            return "NULL"
        return f'{self.alias}."{column.name}"'

    def column(self, name: str) -> Column:
        """A column by its logical name. Raises `WireError`."""
        column = self.table.columns.get(name)
        if column is None:
            raise query_errors.no_attribute(name, self.table.name)
        return column

    def operand(self, name: str) -> Operand:
        """A column by its logical name, in the form it is compared in. Raises `WireError`."""
        column = self.column(name)
        sql = self.value(column)
        return Operand(column, f"fold({sql})" if column.kind in TEXTS else sql)


@dataclass(frozen=True, slots=True)
class Output:
    """One property of the answer: its SQL, how it becomes JSON, and its annotations.

    `label` is SQL too: what a reference is shown as.
    """

    name: str
    sql: str
    label: str = "NULL"
    form: Callable[[Any], Any] | None = None
    notes: tuple[tuple[str, Annotate], ...] = ()


@dataclass
class Joined:
    """The query, built up while its text is walked; then run."""

    catalog: Catalog
    reader: Reader
    hide: Hidden
    annotations: str | None = None
    sources: dict[str, Source] = field(default_factory=dict)
    """By the name the text has for them."""
    outputs: list[Output] = field(default_factory=list)
    joins: list[str] = field(default_factory=list)
    join_arguments: list[Stored] = field(default_factory=list)
    where: list[str] = field(default_factory=list)
    arguments: list[Stored] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    distinct: bool = False
    aggregated: bool = False
    _made: int = 0
    _sorted_by: dict[str, str] = field(default_factory=dict)
    """SQL by which rows are ordered, per property of the answer."""

    # ------------------------------------------------------------------------ building

    @property
    def root(self) -> Source:
        """The table the query is about."""
        return next(iter(self.sources.values()))

    def source(self, table_name: str) -> Source:
        """A table under a new alias; not yet part of the query. Raises `WireError`."""
        table = self.catalog.by_name.get(table_name)
        if table is None:
            raise query_errors.no_entity(table_name)
        self._made += 1
        if self._made > MAX_LINKS + 1:
            raise query_errors.too_many_links(MAX_LINKS)
        return Source(table, f"s{self._made}", self.hide(table))

    def name(self, name: str, source: Source) -> None:
        """Let the text refer to `source` by `name`. Raises `WireError` if it is taken."""
        if name in self.sources:
            raise query_errors.name_taken(name)
        self.sources[name] = source

    def bind(self, value: Stored) -> str:
        """The place of an argument of the condition."""
        self.arguments.append(value)
        return "?"

    def bind_join(self, value: Stored) -> str:
        """The place of an argument of a join."""
        self.join_arguments.append(value)
        return "?"

    def select(self, source: Source, column: Column, name: str) -> None:
        """Put a column into the answer as the property `name`."""
        label = "NULL"
        if column.kind in REFERENCES:
            label = name_of_target(self.catalog, source.value(column), column)
        notes = [*self._notes(column)]
        if name not in (column.name, column.wire_name) and self._wants(ATTRIBUTE_NAME):
            notes.append((ATTRIBUTE_NAME, lambda _value, _label: column.name))
        output = Output(name, source.value(column), label, json_form(column), tuple(notes))
        self._add(output, source.operand(column.name).sql)

    def aggregate(self, source: Source, column: Column | None, function: str, name: str) -> None:
        """Put an aggregate into the answer; `column` None stands for the rows themselves."""
        value = "1" if column is None else source.value(column)
        pattern = _FUNCTIONS.get(function)
        if function == "avg" and column is not None:
            pattern = _AVERAGES.get(column.kind, "CAST(round(avg({})) AS INTEGER)")
        if pattern is None:
            raise query_errors.malformed(f"the aggregate '{function}' is unknown")
        if function in ("sum", "avg") and (column is None or not _is_number(column)):
            raise query_errors.malformed(f"{function} takes a column of numbers")
        self.aggregated = True
        form = None
        notes: tuple[tuple[str, Annotate], ...] = ()
        if column is not None and function not in _COUNTS:
            form, notes = json_form(column), tuple(self._notes(column))
        elif self._wants(FORMATTED):
            notes = ((FORMATTED, _grouped),)
        sql = pattern.format(value)
        self._add(Output(name, sql, "NULL", form, notes), sql)

    def group(self, source: Source, column: Column, name: str, part: str = "") -> None:
        """Group by a column, or by a `part` of its date, and put it into the answer."""
        self.aggregated = True
        sql = source.value(column)
        if not part:
            self.groups.append(source.operand(column.name).sql)
            self.select(source, column, name)
            return
        sql = _date_part(sql, part)
        self.groups.append(sql)
        notes = ((FORMATTED, _grouped),) if self._wants(FORMATTED) else ()
        self._add(Output(name, sql, notes=notes), sql)

    def sort(self, sql: str, *, descending: bool) -> None:
        """Order by one more expression."""
        self.order.append(f"{sql} {'DESC' if descending else 'ASC'}")

    def sort_by_output(self, name: str, *, descending: bool) -> None:
        """Order by a column of the answer. Raises `WireError` if there is none of the name."""
        if name not in self._sorted_by:
            raise query_errors.no_alias(name)
        self.sort(self._sorted_by[name], descending=descending)

    def _add(self, output: Output, sorted_by: str) -> None:
        if any(one.name == output.name for one in self.outputs):
            raise query_errors.name_taken(output.name)
        self.outputs.append(output)
        self._sorted_by[output.name] = sorted_by

    def _wants(self, annotation: str) -> bool:
        return self.annotations is not None and wants(self.annotations, annotation)

    def _notes(self, column: Column) -> Iterator[tuple[str, Annotate]]:
        if self.annotations is not None:
            zone = self.reader.now.tzinfo or UTC
            yield from annotations_of(column, self.annotations, zone)

    # ------------------------------------------------------------------------ running

    def run(self, execute: Execute, limit: int, offset: int = 0) -> list[JsonRow]:
        """The rows from `offset` on, at most `limit`. Raises `WireError`."""
        self._complete()
        if self.aggregated:
            self._check_aggregate(execute)
        listed = ", ".join(f"{one.sql}, {one.label}" for one in self.outputs)
        word = "SELECT DISTINCT" if self.distinct else "SELECT"
        group = f" GROUP BY {', '.join(self.groups)}" if self.groups else ""
        order = f" ORDER BY {', '.join(self.order)}" if self.order else ""
        found = execute(
            f"{word} {listed} {self._body()}{group}{order} LIMIT ? OFFSET ?",
            (*self.join_arguments, *self.arguments, limit, offset),
        ).fetchall()
        return [self._row(values) for values in found]

    def continue_after(self, record: str) -> bool:
        """Leave out the rows up to one, if they come in the order of their ids alone.

        Joined rows may share an id, so that a page can end between them.
        """
        if self.order or self.joins or self.distinct or self.aggregated:
            return False
        root = self.root
        self.where.append(f'{root.alias}."{root.table.id_column}" > {self.bind(record)}')
        return True

    def count(self, execute: Execute) -> int:
        """All rows, at most one more than a page can hold. Only for rows as they are."""
        (number,) = execute(
            f"SELECT count(*) FROM (SELECT 1 {self._body()} LIMIT ?)",
            (*self.join_arguments, *self.arguments, MAX_PAGE + 1),
        ).fetchone()
        return int(number)

    def _complete(self) -> None:
        """What every answer has: the primary id, the etag, one order for all pages."""
        if self.aggregated or self.distinct:
            return
        root = self.root
        identity = root.table.columns[root.table.id_column]
        if all(one.name != identity.name for one in self.outputs):
            self.select(root, identity, identity.name)
        etag = f"'W/\"' || {root.alias}.versionnumber || '\"'"
        self.outputs.insert(0, Output("@odata.etag", etag))
        self.order.append(f'{root.alias}."{identity.name}"')

    def _body(self) -> str:
        root = self.root
        where = f" WHERE {' AND '.join(self.where)}" if self.where else ""
        return f'FROM "{root.table.name}" AS {root.alias} {" ".join(self.joins)}{where}'

    def _check_aggregate(self, execute: Execute) -> None:
        (number,) = execute(
            f"SELECT count(*) FROM (SELECT 1 {self._body()} LIMIT ?)",
            (*self.join_arguments, *self.arguments, AGGREGATE_LIMIT + 1),
        ).fetchone()
        if number > AGGREGATE_LIMIT:
            raise query_errors.too_many_to_aggregate()

    def _row(self, values: Sequence[Stored]) -> JsonRow:
        """One JSON object; annotations stand before the property they describe."""
        row: JsonRow = {}
        for output, value, label in zip(self.outputs, values[::2], values[1::2], strict=True):
            if value is None:
                continue
            for annotation, text in output.notes:
                note = text(value, label)
                if note is not None:
                    row[f"{output.name}@{annotation}"] = note
            row[output.name] = value if output.form is None else output.form(value)
        return row


def by_alias(sources: Mapping[str, Source], name: str) -> Source:
    """The source a text calls `name`. Raises `WireError`."""
    found = sources.get(name)
    if found is None:
        raise errors.bad_request(f"There is no table with the alias '{name}'.", "0x80040203")
    return found


def _is_number(column: Column) -> bool:
    return column.kind in (Kind.INTEGER, Kind.BIGINT, Kind.DECIMAL, Kind.MONEY, Kind.DOUBLE)


def _grouped(value: Any, _label: Stored) -> str:
    return f"{value:,}"


def _date_part(sql: str, part: str) -> str:
    if part in _DATE_PARTS:
        return f"CAST(strftime('{_DATE_PARTS[part]}', {sql}) AS INTEGER)"
    if part == "quarter":
        return f"((CAST(strftime('%m', {sql}) AS INTEGER) + 2) / 3)"
    if part == "week":
        # Weeks begin on Sunday, the first of January is in the first week.
        day, weekday = (f"CAST(strftime('{one}', {sql}) AS INTEGER)" for one in ("%j", "%w"))
        return f"((({day} - 1) + (({weekday} - {day} + 1) % 7 + 7) % 7) / 7 + 1)"
    raise errors.not_implemented(f"Grouping by {part}")
