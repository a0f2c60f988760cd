"""A filter tree as a SQL condition.

Owns: operators, functions and literals of `$filter` and `$orderby`, in the service's meaning.
Never does: parsing (`connector.odata.queries`), choosing columns to return.
Tested in: tests/integration/sandbox/test_filters.py.

Facts: "Dataverse Web API: webapi/query/filter-rows". Text compares without case; `%`, `_` and
`[]` are wildcards in the text functions; `ne` is true for null.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC
from decimal import Decimal

import orjson
from odata_query import ast

from connector.odata.literals import GUID
from connector.sandbox import errors
from connector.sandbox.catalog import Catalog
from connector.sandbox.comparing import fold
from connector.sandbox.ddl import shadow
from connector.sandbox.storage import Stored
from connector.sandbox.tables import REFERENCES, SCALED, TEXTS, Column, Kind, Table

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
_WHOLE = frozenset({Kind.INTEGER, Kind.BIGINT, Kind.PICKLIST, Kind.STATE, Kind.STATUS})
_IDS = REFERENCES | {Kind.GUID}


@dataclass(frozen=True, slots=True)
class Operand:
    """A column as SQL, in the form it is compared in."""

    column: Column
    sql: str


@dataclass(slots=True)
class Condition:
    """SQL with its arguments, built up while the tree is walked."""

    catalog: Catalog
    table: Table
    arguments: list[Stored] = field(default_factory=list)
    _aliases: int = 0

    def where(self, node: ast._Node | None) -> str:
        """The condition of a whole filter, true where there is none. Raises `WireError`."""
        if node is None:
            return "1"
        condition = self._sql(node, 0)
        if len(self.arguments) > MAX_CONDITIONS:
            raise errors.too_many_conditions()
        return condition

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
        if isinstance(node, ast.Identifier | ast.Attribute):
            operand = self.operand(_path(node))
            if operand.column.kind is Kind.BOOLEAN:
                return f"{operand.sql} = 1"
        raise errors.bad_request("The filter is not a condition the service supports.", "0x0")

    def operand(self, path: list[str]) -> Operand:
        """The column at the end of a navigation path, folded if it is text."""
        table, key = self.table, None
        for name in path[:-1]:
            reference = table.by_navigation.get(name)
            if reference is None:
                raise errors.unknown_property(name, table.name)
            key = self._value(table, reference, key)
            table = self.catalog.by_name[reference.target]
        column = table.by_wire_name.get(path[-1])
        if column is None:
            raise errors.unknown_property(path[-1], table.name)
        if key is None and column.name in table.folded:
            return Operand(column, f'"{shadow(column.name)}"')
        sql = self._value(table, column, key)
        return Operand(column, f"fold({sql})" if column.kind in TEXTS else sql)

    def _value(self, table: Table, column: Column, key: str | None) -> str:
        """A column of this row, or of the row of `table` whose id is the SQL `key`."""
        if key is None:
            return f'"{table.name}"."{column.name}"'
        self._aliases += 1
        alias = f"t{self._aliases}"
        return (
            f'(SELECT {alias}."{column.name}" FROM "{table.name}" AS {alias} '
            f'WHERE {alias}."{table.id_column}" = {key})'
        )

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
                raise _incompatible(operand.column, right)
            return f"{operand.sql} {'IS NULL' if operator == '=' else 'IS NOT NULL'}"
        self.arguments.append(_argument(operand.column, right))
        return f"{operand.sql} {operator} ?"

    def _membership(self, left: ast._Node, right: ast._Node) -> str:
        operand = self.operand(_path(left))
        if not isinstance(right, ast.List):
            raise errors.bad_request("In takes a list of values.", "0x0")
        values = [_argument(operand.column, value, loose=True) for value in right.val]
        self.arguments.append(orjson.dumps(values).decode())
        return f"{operand.sql} IN (SELECT value FROM json_each(?))"

    def _call(self, node: ast.Call) -> str:
        pattern = _TEXT_FUNCTIONS.get(node.func.name)
        if pattern is None:
            raise errors.not_implemented(f"The function {node.func.name}")
        if len(node.args) != 2 or not isinstance(node.args[1], ast.String):
            raise errors.bad_request(f"{node.func.name} takes a column and a text.", "0x0")
        operand = self.operand(_path(node.args[0]))
        if operand.column.kind not in TEXTS:
            raise _incompatible(operand.column, node.args[1])
        # Not `fold`: a blank at the end of a pattern counts.
        self.arguments.append(pattern.format(node.args[1].val.casefold()))
        return f"matches({operand.sql}, ?)"


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


def _incompatible(column: Column, node: ast._Node) -> errors.WireError:
    return errors.bad_request(
        "A binary operator with incompatible types was detected. Found operand types "
        f"'{column.kind}' and '{type(node).__name__}' for column '{column.wire_name}'.",
        "0x0",
    )


def _argument(column: Column, node: ast._Node, *, loose: bool = False) -> Stored:
    """A literal in the stored form of `column`; `loose` reads text by the column's type."""
    convert = _BY_KIND.get(column.kind, _whole)
    if isinstance(node, ast.String) and (column.kind in _IDS or loose):
        node = _reread(column, node)
    try:
        stored = convert(column, node)
    except (TypeError, ValueError) as error:
        raise _incompatible(column, node) from error
    if isinstance(stored, int) and not -(2**63) <= stored < 2**63:
        raise _incompatible(column, node)
    return stored


def _reread(column: Column, node: ast.String) -> ast._Node:
    """The values of In are written as text, whatever the column's type."""
    if column.kind in _IDS and GUID.fullmatch(node.val):
        return ast.GUID(node.val)
    if column.kind in _WHOLE:
        return ast.Integer(node.val)
    if column.kind in SCALED or column.kind is Kind.DOUBLE:
        return ast.Float(node.val)
    if column.kind is Kind.BOOLEAN:
        return ast.Boolean({"1": "true", "0": "false"}.get(node.val, node.val))
    if column.kind is Kind.DATETIME:
        return ast.Date(node.val) if len(node.val) == 10 else ast.DateTime(node.val)
    return node


def _text(_column: Column, node: ast._Node) -> Stored:
    if not isinstance(node, ast.String):
        raise TypeError
    return fold(node.val)


def _whole(_column: Column, node: ast._Node) -> Stored:
    if not isinstance(node, ast.Integer):
        raise TypeError
    return int(node.py_val)


def _decimal(column: Column, node: ast._Node) -> Stored:
    if not isinstance(node, ast.Integer | ast.Float):
        raise TypeError
    return int(Decimal(node.val).scaleb(column.places))


def _double(_column: Column, node: ast._Node) -> Stored:
    if not isinstance(node, ast.Integer | ast.Float):
        raise TypeError
    return float(node.val)


def _several(_column: Column, node: ast._Node) -> Stored:
    """The whole list of a multiple choice, as it is stored."""
    if not isinstance(node, ast.String):
        raise TypeError
    return ",".join(part.strip() for part in node.val.split(","))


def _boolean(_column: Column, node: ast._Node) -> Stored:
    if not isinstance(node, ast.Boolean):
        raise TypeError
    return int(node.py_val)


def _guid(_column: Column, node: ast._Node) -> Stored:
    if not isinstance(node, ast.GUID):
        raise TypeError
    return str(node.val).lower()


def _moment(column: Column, node: ast._Node) -> Stored:
    if isinstance(node, ast.Date):
        return str(node.val) if column.date_only else f"{node.py_val}T00:00:00Z"
    if not isinstance(node, ast.DateTime):
        raise TypeError
    moment = node.py_val.astimezone(UTC)
    return f"{moment:%Y-%m-%d}" if column.date_only else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


_BY_KIND: dict[Kind, Callable[[Column, ast._Node], Stored]] = {
    **dict.fromkeys(TEXTS, _text),
    **dict.fromkeys(SCALED, _decimal),
    Kind.DOUBLE: _double,
    Kind.MULTI_PICKLIST: _several,
    Kind.FILE: _guid,
    Kind.BOOLEAN: _boolean,
    Kind.DATETIME: _moment,
    **dict.fromkeys(_IDS, _guid),
}
