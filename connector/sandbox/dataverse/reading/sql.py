"""SQL a client sends, translated to a query over joined tables.

Owns: the part of T-SQL the service reads: one SELECT over tables joined by columns.
Never does: handing text of the client to the database; every name is looked up, every value
is bound.
Tested in: tests/integration/sandbox/test_sql.py.

Facts: "Dataverse Web API: webapi/query/sql" and what the official Python client documents. The
two differ on TOP and OFFSET … FETCH; they are taken. Columns are logical names, also of
lookups; a property is called like its column, whatever table it comes from.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from connector.sandbox.dataverse import errors
from connector.sandbox.dataverse.definitions.tables import Column
from connector.sandbox.dataverse.reading import query_errors
from connector.sandbox.dataverse.reading.joins import Joined, Source, by_alias
from connector.sandbox.dataverse.reading.operators import condition
from connector.sandbox.dataverse.reading.paging import MAX_PAGE
from connector.sandbox.dataverse.storage import Stored

MAX_CONDITIONS = 500
MAX_DEPTH = 60
_CLAUSES = frozenset(
    {"expressions", "from_", "joins", "where", "group", "order", "limit", "offset", "distinct"}
)
_COMPARISONS: dict[type[exp.Expr], tuple[str, str]] = {
    exp.EQ: ("eq", "eq"),
    exp.NEQ: ("ne", "ne"),
    exp.GT: ("gt", "lt"),
    exp.GTE: ("ge", "le"),
    exp.LT: ("lt", "gt"),
    exp.LTE: ("le", "ge"),
}
"""Operator names, and those with the sides exchanged."""
_AGGREGATES: dict[type[exp.Expr], str] = {
    exp.Sum: "sum",
    exp.Avg: "avg",
    exp.Min: "min",
    exp.Max: "max",
}


# It tells of every statement it does not know, which are refused below anyway.
logging.getLogger("sqlglot").setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True)
class Window:
    """Which rows of the result: at most `limit` from `offset` on; None is all of them."""

    limit: int | None
    offset: int


def translate(text: str, joined: Joined) -> Window:
    """Fill `joined` with what the text asks for. Raises `WireError`."""
    return _Translation(joined).select(_parse(text))


def _parse(text: str) -> exp.Select:
    try:
        found = sqlglot.parse(text, dialect="tsql")
    except (SqlglotError, RecursionError) as error:
        first = str(error).partition("\n")[0]
        raise query_errors.malformed(f"Incorrect syntax. {first}") from error
    if len(found) != 1 or not isinstance(found[0], exp.Select):
        raise query_errors.sql_unsupported("Anything but a single SELECT statement")
    select = found[0]
    for name, value in select.args.items():
        if value and name not in _CLAUSES:
            raise query_errors.sql_unsupported(f"The clause {name.strip('_').upper()}")
    return select


class _Translation:
    """One statement on its way."""

    def __init__(self, joined: Joined) -> None:
        self._joined = joined
        self._conditions = 0

    def select(self, select: exp.Select) -> Window:
        """The whole statement."""
        origin = select.args.get("from_")
        if origin is None or not select.expressions:
            raise query_errors.sql_unsupported("A SELECT without columns or without FROM")
        self._joined.distinct = select.args.get("distinct") is not None
        self._table(origin.this)
        for join in select.args.get("joins") or ():
            self._join(join)
        group = select.args.get("group")
        grouped = [] if group is None else [self._column(one) for one in group.expressions]
        for number, one in enumerate(select.expressions, start=1):
            self._output(one, number, grouped, aggregated=group is not None)
        if grouped or self._joined.aggregated:
            self._joined.aggregated = True
            self._joined.groups = [source.operand(column.name).sql for source, column in grouped]
        if select.args.get("where") is not None:
            where = self._condition(select.args["where"].this, 0)
            self._joined.where.append(where)
        for ordered in getattr(select.args.get("order"), "expressions", ()):
            self._order(ordered)
        return _window(select)

    # ------------------------------------------------------------------------ tables

    def _table(self, node: exp.Expr) -> Source:
        if not isinstance(node, exp.Table) or node.args.get("db") is not None:
            raise query_errors.sql_unsupported("A table other than by its logical name")
        source = self._joined.source(node.name.lower())
        self._joined.name(node.alias_or_name.lower(), source)
        return source

    def _join(self, join: exp.Join) -> None:
        side, kind = join.side.upper(), join.kind.upper()
        if side not in ("", "LEFT") or kind not in ("", "INNER", "OUTER") or join.args.get("using"):
            raise query_errors.sql_unsupported(f"{side or kind} JOIN")
        source = self._table(join.this)
        on = join.args.get("on")
        condition = "1" if on is None else self._on(on)
        word = "LEFT JOIN" if side else "JOIN"
        self._joined.joins.append(f'{word} "{source.table.name}" AS {source.alias} ON {condition}')

    def _on(self, node: exp.Expr) -> str:
        """Equal columns, and whatever else compares a column with a value."""
        if isinstance(node, exp.And):
            return f"{self._on(node.left)} AND {self._on(node.right)}"
        if isinstance(node, exp.Paren):
            return f"({self._on(node.this)})"
        if isinstance(node, exp.EQ) and isinstance(node.right, exp.Column):
            return f"{self._operand_sql(node.left)} = {self._operand_sql(node.right)}"
        return self._condition(node, 0, self._joined.bind_join)

    # ------------------------------------------------------------------------ columns

    def _column(self, node: exp.Expr) -> tuple[Source, Column]:
        if not isinstance(node, exp.Column) or isinstance(node.this, exp.Star):
            what = "SELECT *" if node.find(exp.Star) else f"The expression {node.sql('tsql')}"
            raise query_errors.sql_unsupported(what)
        name = node.name.lower()
        if node.table:
            source = by_alias(self._joined.sources, node.table.lower())
            return source, source.column(name)
        having = [one for one in self._joined.sources.values() if name in one.table.columns]
        if len(having) > 1:
            raise query_errors.malformed(f"Ambiguous column name '{name}'.")
        source = having[0] if having else self._joined.root
        return source, source.column(name)

    def _operand_sql(self, node: exp.Expr) -> str:
        source, column = self._column(node)
        return source.operand(column.name).sql

    def _output(
        self,
        node: exp.Expr,
        number: int,
        grouped: list[tuple[Source, Column]],
        *,
        aggregated: bool,
    ) -> None:
        alias = node.alias if isinstance(node, exp.Alias) else ""
        inner = node.this if isinstance(node, exp.Alias) else node
        function = _AGGREGATES.get(type(inner))
        if function is not None:
            source, column = self._column(inner.this)
            self._joined.aggregate(source, column, function, alias or f"Column{number}")
        elif isinstance(inner, exp.Count):
            self._count(inner, alias or f"Column{number}")
        else:
            source, column = self._column(inner)
            if aggregated and (source, column) not in grouped:
                raise query_errors.malformed(f"Column '{column.name}' is not in the GROUP BY list.")
            root = source is self._joined.root
            name = alias or (column.wire_name if root else column.name)
            self._joined.select(source, column, name)

    def _count(self, node: exp.Count, name: str) -> None:
        inner = node.this
        if isinstance(inner, exp.Star):
            self._joined.aggregate(self._joined.root, None, "count", name)
        elif isinstance(inner, exp.Distinct) and len(inner.expressions) == 1:
            source, column = self._column(inner.expressions[0])
            self._joined.aggregate(source, column, "countdistinct", name)
        else:
            source, column = self._column(inner)
            self._joined.aggregate(source, column, "countcolumn", name)

    def _order(self, node: exp.Ordered) -> None:
        descending = bool(node.args.get("desc"))
        inner = node.this
        if isinstance(inner, exp.Column) and not inner.table:
            names = {output.name for output in self._joined.outputs}
            if inner.name in names:
                self._joined.sort_by_output(inner.name, descending=descending)
                return
        self._joined.sort(self._operand_sql(inner), descending=descending)

    # ------------------------------------------------------------------------ conditions

    def _condition(
        self, node: exp.Expr, depth: int, bind: Callable[[Stored], str] | None = None
    ) -> str:
        """A boolean expression whose leaves compare a column with literal values."""
        bind = bind or self._joined.bind
        if depth > MAX_DEPTH:
            raise errors.too_many_conditions()
        if isinstance(node, exp.And | exp.Or):
            word = "AND" if isinstance(node, exp.And) else "OR"
            left = self._condition(node.left, depth + 1, bind)
            return f"({left} {word} {self._condition(node.right, depth + 1, bind)})"
        if isinstance(node, exp.Paren):
            return self._condition(node.this, depth + 1, bind)
        if isinstance(node, exp.Not):
            return f"NOT ({self._condition(node.this, depth + 1, bind)})"
        self._conditions += 1
        if self._conditions > MAX_CONDITIONS:
            raise errors.too_many_conditions()
        operator, column, values = self._leaf(node)
        source, found = self._column(column)
        operand = source.operand(found.name)
        texts = [_literal(one) for one in values]
        return f"({condition(operator, operand, texts, self._joined.reader, bind)})"

    def _leaf(self, node: exp.Expr) -> tuple[str, exp.Expr, list[exp.Expr]]:
        """Operator, column and values of one comparison."""
        compared = _COMPARISONS.get(type(node))
        if compared is not None:
            left, right = node.this, node.expression
            if isinstance(left, exp.Column):
                return compared[0], left, [right]
            return compared[1], right, [left]
        if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
            return "null", node.this, []
        if isinstance(node, exp.In) and node.expressions:
            return "in", node.this, node.expressions
        if isinstance(node, exp.Between):
            return "between", node.this, [node.args["low"], node.args["high"]]
        if isinstance(node, exp.Like):
            return "not-like" if node.args.get("negate") else "like", node.this, [node.expression]
        raise query_errors.sql_unsupported(f"The condition {node.sql('tsql')}")


def _literal(node: exp.Expr) -> str:
    """A literal as text; everything else in a condition is refused."""
    if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal):
        return f"-{node.this.this}"
    if isinstance(node, exp.National | exp.Literal):
        return str(node.this)
    raise query_errors.sql_unsupported(f"The value {node.sql('tsql')}")


def _window(select: exp.Select) -> Window:
    """TOP, or OFFSET … FETCH."""
    limit, offset = select.args.get("limit"), select.args.get("offset")
    number: int | None = None
    if limit is not None:
        options = limit.args.get("limit_options")
        if options is not None and (options.args.get("percent") or options.args.get("with_ties")):
            raise query_errors.sql_unsupported("TOP with PERCENT or WITH TIES")
        number = _count(limit.args.get("count") or limit.expression)
    start = 0 if offset is None else _count(offset.expression)
    if number is not None and number > MAX_PAGE:
        raise query_errors.malformed(f"TOP takes a number from 0 to {MAX_PAGE}.")
    return Window(number, start)


def _count(node: exp.Expr | None) -> int:
    while isinstance(node, exp.Paren):
        node = node.this
    if not isinstance(node, exp.Literal) or node.is_string or not node.this.isdecimal():
        shown = "" if node is None else node.sql("tsql")
        raise query_errors.sql_unsupported(f"The number of rows '{shown}'")
    return int(node.this)
