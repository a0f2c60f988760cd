"""`$filter`: from its text to SQL.

Owns: enumeration literals, wildcards, which operators fit which type.
Never does: paging (`queries.py`).
Tested in: tests/integration/sandbox/finops/test_filters.py.

Facts: "Finance and Operations: odata": comparison, `and or not`, arithmetic; an enumeration is
compared with `eq` and `ne` only, to its qualified literal; `eq '*text*'` is how to ask for a part
of a text; `in` and `has` are not supported. Text compares without case and trailing blanks, and
days without their time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import TypeAlias

from odata_query import ast

from connector.odata.filters import parse_filter
from connector.odata.literals import QUOTED
from connector.odata.malformed import MalformedError
from connector.sandbox.comparing import fold
from connector.sandbox.finops import errors
from connector.sandbox.finops.entities import NAMESPACE, Entity, Field, Kind
from connector.sandbox.finops.rows import expression
from connector.sandbox.finops.values import UnfitError, parse

Sql: TypeAlias = tuple[str, list[object]]
"""A condition or value, and its parameters."""

_ENUM = re.compile(rf"{QUOTED}|([A-Za-z_][\w.]*\.[A-Za-z_]\w*)('(?:[^']|'')*')")
_MARK = "\x01"
"""Begins the text that stands for an enumeration literal while the filter is parsed."""
_COMPARE: Mapping[type[ast._Node], str] = {
    ast.Eq: "=",
    ast.NotEq: "<>",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
_SWAPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_ARITHMETIC: Mapping[type[ast._Node], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
}
MAX_DEPTH = 25
_GROUP = 100
_NUMBERS = (Kind.INT32, Kind.INT64, Kind.DECIMAL)


def compile_filter(entity: Entity, text: str) -> Sql:
    """The SQL condition of a decoded `$filter`. Raises `AxError`."""
    if _MARK in text:
        raise errors.bad_query("A control character stands in the filter.")
    try:
        tree = parse_filter(_ENUM.sub(_lift, text))
        return _Compiler(entity).condition(tree)
    except (MalformedError, RecursionError) as error:
        raise errors.bad_query(f"Syntax error in '{text[:120]}'. {error}"[:400]) from error


def _lift(match: re.Match[str]) -> str:
    """An enumeration literal as a text that says what it was."""
    return match[0] if match[1] is None else f"'{_MARK}{match[1]}{_MARK}{match[2][1:]}"


class _Compiler:
    """One filter over one entity."""

    def __init__(self, entity: Entity) -> None:
        self._entity = entity
        self._depth = 0

    def condition(self, node: ast._Node) -> Sql:
        """A node that is true or false."""
        with self._deeper():
            return self._condition(node)

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        """One level further in; the filter is refused where there are too many."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise errors.bad_query(f"The filter is nested more than {MAX_DEPTH} levels deep.")
        yield
        self._depth -= 1

    def _condition(self, node: ast._Node) -> Sql:
        if isinstance(node, ast.BoolOp):
            word = "AND" if isinstance(node.op, ast.And) else "OR"
            parts = [self.condition(one) for one in _chain(node)]
            return _joined(word, [one for one, _ in parts]), [v for _, vs in parts for v in vs]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            inner, values = self.condition(node.operand)
            return f"(NOT {inner})", values
        if isinstance(node, ast.Compare):
            return self._compare(node)
        if isinstance(node, ast.Boolean):
            return ("1" if node.val == "true" else "0"), []
        raise self._unsupported(node)

    def _compare(self, node: ast.Compare) -> Sql:
        operator = _COMPARE.get(type(node.comparator))
        if operator is None:
            raise errors.bad_query("The operator 'in' is not supported.")
        left, right = node.left, node.right
        if not isinstance(left, ast.Identifier) and isinstance(right, ast.Identifier):
            left, right = right, left
            operator = _SWAPPED.get(operator, operator)
        if isinstance(left, ast.Identifier) and not isinstance(right, ast.Identifier | ast.BinOp):
            return self._against(self._field(left.name), operator, right)
        one, first = self._number(left)
        other, second = self._number(right)
        return f"({one} {operator} {other})", first + second

    def _against(self, field: Field, operator: str, literal: ast._Node) -> Sql:
        """A field against a literal."""
        column = expression(field)
        if isinstance(literal, ast.Null):
            if operator not in ("=", "<>"):
                raise self._mismatch(field)
            return ("0" if operator == "=" else "1"), []  # a field is never null
        if field.kind is Kind.STRING:
            return _text(column, operator, self._string(field, literal))
        if field.enum is not None:
            return f"({column} {self._equality(operator)} ?)", [self._symbol(field, literal)]
        if field.kind in (Kind.DATE, Kind.MOMENT):
            if not isinstance(literal, ast.DateTime):
                raise self._mismatch(field)
            return f"({column} {operator} ?)", [self._parsed(field, literal.val)]
        one, first = self._number(ast.Identifier(field.name))
        other, second = self._number(literal)
        return f"({one} {operator} {other})", first + second

    def _equality(self, operator: str) -> str:
        if operator not in ("=", "<>"):
            raise errors.bad_query("Enumerations support the operators eq and ne only.")
        return operator

    def _string(self, field: Field, literal: ast._Node) -> str:
        if not isinstance(literal, ast.String) or literal.val.startswith(_MARK):
            raise self._mismatch(field)
        return str(literal.val)

    def _symbol(self, field: Field, literal: ast._Node) -> object:
        if not isinstance(literal, ast.String) or not literal.val.startswith(_MARK):
            raise self._mismatch(field)
        _, name, symbol = literal.val.split(_MARK)
        assert field.enum is not None
        if name != f"{NAMESPACE}.{field.enum.name}":
            raise self._mismatch(field)
        return self._parsed(field, symbol)

    def _parsed(self, field: Field, value: str) -> object:
        try:
            return parse(field, value)
        except UnfitError as error:
            raise errors.bad_query(str(error)) from error

    def _number(self, node: ast._Node) -> Sql:
        """A node that is a number."""
        if isinstance(node, ast.Integer):
            return "?", [int(node.val)] if abs(int(node.val)) < 2**63 else [float(node.val)]
        if isinstance(node, ast.Float):
            return "?", [float(Decimal(node.val))]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            inner, values = self._number(node.operand)
            return f"(-{inner})", values
        if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
            with self._deeper():
                left, one = self._number(node.left)
                right, other = self._number(node.right)
            return f"({left} {_ARITHMETIC[type(node.op)]} {right})", one + other
        if isinstance(node, ast.Identifier):
            field = self._field(node.name)
            if field.kind in _NUMBERS:
                column = expression(field)
                scale = f" / {10**field.places}.0" if field.kind is Kind.DECIMAL else ""
                return f"({column}{scale})", []
            raise self._mismatch(field)
        raise self._unsupported(node)

    def _field(self, name: str) -> Field:
        try:
            return self._entity.fields[name]
        except KeyError:
            raise errors.bad_query(errors.unknown_property(self._entity, name)) from None

    def _mismatch(self, field: Field) -> errors.AxError:
        return errors.bad_query(
            "A binary operator with incompatible types was detected. Found operand types "
            f"'{field.edm}' and another one."
        )

    def _unsupported(self, node: ast._Node) -> errors.AxError:
        name = node.func.name if isinstance(node, ast.Call) else type(node).__name__
        return errors.bad_query(f"The expression '{name}' is not supported here.")


def _chain(node: ast.BoolOp) -> list[ast._Node]:
    """The operands of `a or b or c …`, in order; the parser nests them to the left."""
    operands: list[ast._Node] = []
    current: ast._Node = node
    while isinstance(current, ast.BoolOp) and type(current.op) is type(node.op):
        operands.append(current.right)
        current = current.left
    return [current, *reversed(operands)]


def _joined(word: str, parts: list[str]) -> str:
    """Conditions side by side, in groups, because SQLite takes no more than 1,000 in a row."""
    while len(parts) > 1:
        groups = (parts[place : place + _GROUP] for place in range(0, len(parts), _GROUP))
        parts = [f"({f' {word} '.join(group)})" for group in groups]
    return parts[0]


def _text(column: str, operator: str, wanted: str) -> Sql:
    """Text against text; a star stands for any characters with `eq` and `ne`."""
    folded = fold(wanted) or ""
    if "*" in folded and operator in ("=", "<>"):
        pattern = re.sub(r"([\\%_])", r"\\\1", folded).replace("*", "%")
        negation = "NOT " if operator == "<>" else ""
        return f"(fold({column}) {negation}LIKE ? ESCAPE '\\')", [pattern]
    return f"(fold({column}) {operator} ?)", [folded]
