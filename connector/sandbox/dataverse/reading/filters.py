"""A filter tree as a SQL condition.

Owns: operators, functions, lambdas and paths of `$filter` and `$orderby`, in the service's
meaning.
Never does: parsing (`connector.odata.queries`), choosing columns to return.
Tested in: tests/integration/sandbox/test_filters.py, test_functions.py.

Facts: "Dataverse Web API: webapi/query/filter-rows". Text compares without case; `%`, `_` and
`[]` are wildcards in the text functions; `ne` is true for null.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import orjson
from odata_query import ast

from connector.sandbox.dataverse import errors
from connector.sandbox.dataverse.definitions.catalog import Catalog
from connector.sandbox.dataverse.definitions.ddl import shadow
from connector.sandbox.dataverse.definitions.tables import TEXTS, Column, Kind, Table
from connector.sandbox.dataverse.reading.operands import (
    Operand,
    argument,
    incompatible,
    text_argument,
)
from connector.sandbox.dataverse.reading.operators import Reader, condition, operator_name
from connector.sandbox.dataverse.storage import Stored

MAX_CONDITIONS = 500
MAX_DEPTH = 40
_OPERATORS: dict[type[ast._Node], str] = {
    ast.Eq: "=",
    ast.NotEq: "IS NOT",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Lt: "<",
    ast.LtE: "<=",
}
_TEXT_FUNCTIONS = {"contains": "%{}%", "startswith": "{}%", "endswith": "%{}"}
_NAMESPACE = ("Microsoft", "Dynamics", "CRM")
_VALUES = ("PropertyValue", "PropertyValue1", "PropertyValue2")


@dataclass(frozen=True, slots=True)
class Row:
    """A row that paths start from: its table, and the SQL name it goes by."""

    table: Table
    sql: str


@dataclass(slots=True)
class Condition:
    """SQL with its arguments, built up while the tree is walked."""

    catalog: Catalog
    table: Table
    reader: Reader
    arguments: list[Stored] = field(default_factory=list)
    _rows: dict[str, Row] = field(default_factory=dict)
    """The rows that lambdas have named."""
    _aliases: int = 0

    def where(self, node: ast._Node | None) -> str:
        """The condition of a whole filter, true where there is none. Raises `WireError`."""
        if node is None:
            return "1"
        condition = self._sql(node, 0)
        if len(self.arguments) > MAX_CONDITIONS:
            raise errors.too_many_conditions()
        return condition

    def _bind(self, value: Stored) -> str:
        self.arguments.append(value)
        return "?"

    def _sql(self, node: ast._Node, depth: int) -> str:
        if depth > MAX_DEPTH:
            raise errors.too_many_conditions()
        if isinstance(node, ast.BoolOp):
            word = " AND " if isinstance(node.op, ast.And) else " OR "
            return f"({word.join([self._sql(one, depth + 1) for one in _chain(node)])})"
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return f"NOT ({self._sql(node.operand, depth + 1)})"
        if isinstance(node, ast.Compare):
            return self._compare(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.CollectionLambda):
            return self._lambda(node, depth)
        if isinstance(node, ast.Identifier | ast.Attribute):
            operand = self.operand(_path(node))
            if operand.column.kind is Kind.BOOLEAN:
                return f"{operand.sql} = 1"
        raise errors.bad_request("The filter is not a condition the service supports.", "0x0")

    def operand(self, path: list[str], *, logical: bool = False) -> Operand:
        """The column at the end of a navigation path, in the form it is compared in.

        `logical` takes logical names too, as the service's own functions do.
        """
        table, column, sql = self._end(path, logical)
        if sql.startswith('"') and column.name in table.folded:
            return Operand(column, f'"{table.name}"."{shadow(column.name)}"')
        return Operand(column, f"fold({sql})" if column.kind in TEXTS else sql)

    def _end(self, path: list[str], logical: bool) -> tuple[Table, Column, str]:
        """The column a path ends in, with its table and its bare SQL."""
        table, start, key = self._walk(path[:-1])
        column = table.by_wire_name.get(path[-1])
        if column is None and logical:
            column = table.columns.get(path[-1])
        if column is None:
            raise errors.unknown_property(path[-1], table.name)
        return table, column, self._value(table, column, start, key)

    def _walk(self, names: list[str]) -> tuple[Table, str, str | None]:
        """The table that lookups lead to, the row they start from, the SQL of the id there.

        The first name may be that of a row in a lambda; without lookups there is no id.
        """
        table, start = self.table, f'"{self.table.name}"'
        row = self._rows.get(names[0]) if names else None
        if row is not None:
            table, start, names = row.table, row.sql, names[1:]
        key: str | None = None
        for name in names:
            reference = table.by_navigation.get(name)
            if reference is None:
                raise errors.unknown_property(name, table.name)
            key = self._value(table, reference, start, key)
            table = self.catalog.by_name[reference.target]
        return table, start, key

    def _value(self, table: Table, column: Column, start: str, key: str | None) -> str:
        """A column of the row named `start`, or of the row of `table` whose id is the SQL `key`."""
        if not column.readable:
            return "NULL"
        if key is None:
            return f'{start}."{column.name}"'
        alias = self._alias()
        return (
            f'(SELECT {alias}."{column.name}" FROM "{table.name}" AS {alias} '
            f'WHERE {alias}."{table.id_column}" = {key})'
        )

    def _alias(self) -> str:
        self._aliases += 1
        return f"t{self._aliases}"

    def _compare(self, node: ast.Compare) -> str:
        left, right = node.left, node.right
        if isinstance(node.comparator, ast.In):
            return self._membership(left, right)
        operator = _OPERATORS[type(node.comparator)]
        if isinstance(left, ast._Literal):
            left, right = right, left
            operator = operator.translate(str.maketrans("<>", "><"))
        operand = self.operand(_path(left))
        if isinstance(right, ast.Identifier | ast.Attribute):
            return f"{operand.sql} {operator} {self.operand(_path(right)).sql}"
        if isinstance(right, ast.Null):
            if operator not in ("=", "IS NOT"):
                raise incompatible(operand.column, right)
            return f"{operand.sql} {'IS NULL' if operator == '=' else 'IS NOT NULL'}"
        return f"{operand.sql} {operator} {self._bind(argument(operand.column, right))}"

    def _membership(self, left: ast._Node, right: ast._Node) -> str:
        operand = self.operand(_path(left), logical=True)
        if not isinstance(right, ast.List):
            raise errors.bad_request("In takes a list of values.", "0x0")
        values = [text_argument(operand.column, _text(value)) for value in right.val]
        listed = self._bind(orjson.dumps(values).decode())
        return f"{operand.sql} IN (SELECT value FROM json_each({listed}))"

    def _call(self, node: ast.Call) -> str:
        if node.func.namespace == _NAMESPACE:
            return self._function(node)
        pattern = _TEXT_FUNCTIONS.get(node.func.name)
        if pattern is None:
            raise errors.not_implemented(f"The function {node.func.name}")
        if len(node.args) != 2 or not isinstance(node.args[1], ast.String):
            raise errors.bad_request(f"{node.func.name} takes a column and a text.", "0x0")
        operand = self.operand(_path(node.args[0]))
        if operand.column.kind not in TEXTS:
            raise incompatible(operand.column, node.args[1])
        # Not `fold`: a blank at the end of a pattern counts.
        place = self._bind(pattern.format(node.args[1].val.casefold()))
        return f"matches({operand.sql}, {place})"

    def _function(self, node: ast.Call) -> str:
        """`Microsoft.Dynamics.CRM.X(PropertyName='column',…)`."""
        named = {one.name.name: one.param for one in node.args if isinstance(one, ast.NamedParam)}
        column = named.pop("PropertyName", None)
        if not isinstance(column, ast.String):
            raise errors.bad_request(f"{node.func.name} takes PropertyName.", "0x0")
        operand = self.operand(column.val.split("/"), logical=True)
        listed = named.get("PropertyValues")
        given = listed.val if isinstance(listed, ast.List) else []
        texts = [_text(one) for one in given]
        texts += [_text(named[name]) for name in _VALUES if name in named]
        operator = operator_name(node.func.name)
        return f"({condition(operator, operand, texts, self.reader, self._bind)})"

    def _lambda(self, node: ast.CollectionLambda, depth: int) -> str:
        """`collection/any(x:…)`: some related row; `all`: no related row but such."""
        *path, name = _path(node.owner)
        table, start, key = self._walk(path)
        key = key or f'{start}."{table.id_column}"'
        way = self.catalog.way(table, name)
        if way is None:
            raise errors.unknown_property(name, table.name)
        alias = self._alias()
        related = f'SELECT 1 FROM "{way.far.name}" AS {alias} WHERE {way.joins(alias, key)}'
        if node.lambda_ is None:
            return f"EXISTS ({related})"
        shadowed = dict(self._rows)
        self._rows[node.lambda_.identifier.name] = Row(way.far, alias)
        inner = self._sql(node.lambda_.expression, depth + 1)
        self._rows = shadowed
        if isinstance(node.operator, ast.Any):
            return f"EXISTS ({related} AND {inner})"
        return f"NOT EXISTS ({related} AND ({inner}) IS NOT 1)"


def _chain(node: ast.BoolOp) -> list[ast._Node]:
    """The operands of `a or b or c …`; flat, because SQLite nests parentheses only so deep."""
    operands: list[ast._Node] = []
    rest: ast._Node = node
    while isinstance(rest, ast.BoolOp) and type(rest.op) is type(node.op):
        operands.append(rest.right)
        rest = rest.left
    return [rest, *reversed(operands)]


def _path(node: ast._Node) -> list[str]:
    if isinstance(node, ast.Identifier):
        return [node.name]
    if isinstance(node, ast.Attribute):
        return [*_path(node.owner), node.attr]
    raise errors.bad_request("A condition must compare a column.", "0x0")


def _text(node: ast._Node) -> str:
    """A literal as it was written."""
    if not isinstance(node, ast._Literal) or isinstance(node, ast.Null | ast.List):
        raise errors.bad_request("A condition takes values, not columns.", "0x0")
    return str(getattr(node, "val"))  # noqa: B009  # not every literal declares it
