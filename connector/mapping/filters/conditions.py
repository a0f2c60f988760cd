"""Row filters: an OData V4 boolean expression over the columns of one table.

Owns: which expressions are understood, whether their types fit the columns, and whether the
values of one row are admitted.
Never does: asking a system to filter; the expression is run here, over canonical values.
Tested in: tests/unit/mapping/test_filters.py.

Facts: "OData Version 4.01, Part 2: URL Conventions", 5.1.1 (logical operators and null). Text is
compared as both systems compare it: without case, and without trailing blanks where whole values
are compared.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from operator import ge, gt, le, lt
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from connector.mapping.columns import Column
from connector.mapping.filters.text import KNOWN, BadFilter, chain_of, parse_filter, syntax
from connector.mapping.transforms.scalars import canonical
from connector.mapping.transforms.translate import Untranslatable
from connector.mapping.values import Image, Value, ValueType

if TYPE_CHECKING:
    from odata_query import ast

Test: TypeAlias = Callable[[Sequence[Value]], bool | None]
"""Whether the values of a filter's columns meet a condition; None is OData's null."""

_DEEPEST = 50
_NUMBERS = frozenset({ValueType.INTEGER, ValueType.DECIMAL})
_UNORDERED = frozenset({ValueType.BOOLEAN, ValueType.CHOICE, ValueType.REFERENCE})
_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {"Gt": gt, "GtE": ge, "Lt": lt, "LtE": le}
_MIRRORED = {"Gt": "Lt", "GtE": "LtE", "Lt": "Gt", "LtE": "GtE"}
_TEXT_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "startswith": str.startswith,
    "endswith": str.endswith,
}


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter that runs: the columns it needs, and the test over their values."""

    text: str
    columns: tuple[Column, ...]
    """Each once, in the order in which `admits` takes their values."""
    test: Test
    compared: Mapping[str, frozenset[Value]] | None = None
    """The values each column is compared with; None where the filter asks for something else, such
    as a part of a text or another column."""

    def admits(self, values: Sequence[Value]) -> bool:
        """Whether a row with these values passes; one whose answer is null does not."""
        return self.test(values) is True


@dataclass(frozen=True, slots=True)
class RowFilter:
    """A filter over the images of one side."""

    filter: Filter
    places: tuple[int, ...]
    """Where an image holds the values of the filter's columns."""

    def admits(self, image: Image) -> bool:
        """Whether the map takes a row with this image."""
        return self.filter.admits([image[place] for place in self.places])


def compile_filter(
    text: str, columns: Mapping[str, Column], name: Callable[[str], str] = str
) -> Filter:
    """The filter in `text` over `columns`; `name` turns a written name into a key of them.

    Understood are eq, ne, gt, ge, lt, le, in, and, or, not, null, contains, startswith, endswith
    and tolower. Raises `BadFilter`.
    """
    compiler = _Compiler(columns, name)
    test = compiler.condition(parse_filter(text), 0)
    compared = None
    if not compiler.asks_more:
        compared = {name: frozenset(values) for name, values in compiler.compared.items()}
    return Filter(text, tuple(compiler.used), test, compared)


# ---------------------------------------------------------------------------- compiling


class _Operand(NamedTuple):
    """A column, or a function of one, whose values are read from a row."""

    column: Column
    read: Callable[[Sequence[Value]], Value]


class _Compiler:
    def __init__(self, columns: Mapping[str, Column], name: Callable[[str], str]) -> None:
        from odata_query import ast as nodes

        self.ast = nodes
        self.columns = columns
        self.name = name
        self.used: list[Column] = []
        self.compared: dict[str, set[Value]] = {}
        self.asks_more = False

    def condition(self, node: ast._Node, depth: int) -> Test:
        """A node that is true, false or null."""
        ast = self.ast
        if depth > _DEEPEST:
            raise syntax(f"the filter nests deeper than {_DEEPEST} levels")
        if isinstance(node, ast.BoolOp):
            parts = [self.condition(part, depth + 1) for part in chain_of(node)]
            return _all(parts) if isinstance(node.op, ast.And) else _any(parts)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return _not(self.condition(node.operand, depth + 1))
        if isinstance(node, ast.Compare):
            return self._compare(node, depth)
        if isinstance(node, ast.Call):
            return self._text_test(node)
        if isinstance(node, ast.Boolean):
            answer = node.py_val
            return lambda _values: answer
        if isinstance(node, ast.Identifier):
            operand = self._operand(node)
            if operand.column.type is ValueType.BOOLEAN:
                return operand.read  # type: ignore[return-value]
            raise _mistyped(f"`{operand.column.name}` is no condition by itself")
        raise BadFilter("filter-unsupported", "a part of the filter is no condition", KNOWN)

    def _compare(self, node: ast.Compare, depth: int) -> Test:
        ast = self.ast
        left, right, operator = node.left, node.right, type(node.comparator).__name__
        if isinstance(node.comparator, ast.In):
            operand = self._operand(left)
            if not isinstance(right, ast.List):
                raise syntax("`in` takes a list: `Column in ('A', 'B')`")
            return _among(operand, [self._literal(one, operand.column) for one in right.val])
        if isinstance(left, ast._Literal):
            left, right, operator = right, left, _MIRRORED.get(operator, operator)
        if isinstance(left, ast._Literal):
            raise _mistyped("a comparison needs a column")
        if self._is_test(left):
            return self._compared_truth(left, right, operator, depth)
        operand = self._operand(left)
        if operator in _ORDER and operand.column.type in _UNORDERED:
            raise _mistyped(f"`{operand.column.name}` ({operand.column.type}) has no order")
        if isinstance(right, ast._Literal):
            return _compared(operand, operator, self._literal(right, operand.column))
        other = self._operand(right)
        self.asks_more = True
        types = {operand.column.type, other.column.type}
        if (len(types) > 1 and not types <= _NUMBERS) or ValueType.CHOICE in types:
            raise _mistyped(f"`{operand.column.name}` and `{other.column.name}` do not compare")
        return _compared_columns(operand, operator, other)

    def _is_test(self, node: ast._Node) -> bool:
        return isinstance(node, self.ast.Call) and node.func.name in _TEXT_TESTS

    def _compared_truth(self, left: ast._Node, right: ast._Node, operator: str, depth: int) -> Test:
        """`contains(…) eq true`, as generators of filters like to write."""
        if operator not in ("Eq", "NotEq") or not isinstance(right, self.ast.Boolean):
            raise _mistyped("a condition is compared with true or false only")
        test, wanted = self.condition(left, depth + 1), right.py_val is (operator == "Eq")
        return test if wanted else _not(test)

    def _text_test(self, node: ast.Call) -> Test:
        test = _TEXT_TESTS.get(node.func.name)
        if test is None or node.func.namespace:
            raise BadFilter(
                "filter-unsupported", f"`{node.func.name}` is no condition known here", KNOWN
            )
        operand = self._operand(node.args[0])
        if operand.column.type is not ValueType.TEXT or not isinstance(
            node.args[1], self.ast.String
        ):
            raise _mistyped(f"`{node.func.name}` takes a text column and a text in quotes")
        self.asks_more = True
        read, part = operand.read, node.args[1].py_val.casefold()

        def run(values: Sequence[Value]) -> bool | None:
            value = read(values)
            return None if value is None else test(str(value).casefold(), part)

        return run

    def _operand(self, node: ast._Node) -> _Operand:
        ast = self.ast
        if isinstance(node, ast.Call) and node.func.name == "tolower":
            inner = self._operand(node.args[0])
            if inner.column.type is not ValueType.TEXT:
                raise _mistyped("`tolower` takes a text column")
            return inner  # text is compared without case anyhow
        if isinstance(node, ast.Identifier) and not node.namespace:
            column = self._column(node.name)
            if column not in self.used:
                self.used.append(column)
            place = self.used.index(column)
            return _Operand(column, lambda values: values[place])
        if isinstance(node, ast.Attribute) and isinstance(node.owner, ast.Identifier):
            return self._operand(ast.Identifier(self._looked_up(node.owner.name, node.attr)))
        raise BadFilter(
            "filter-unsupported",
            "a filter compares columns of its own table with values",
            KNOWN,
        )

    def _looked_up(self, lookup: str, column: str) -> str:
        """What a key looks up is read as a column of the table (`compiling/row_compiler.py`)."""
        name = f"{lookup}.{column}"
        if name in self.columns:
            return name
        known = [one.replace(".", "/") for one in self.columns if "." in one]
        near = difflib.get_close_matches(f"{lookup}/{column}", known, n=1)
        raise BadFilter(
            "filter-unsupported",
            f"`{lookup}/{column}` is a column of another table, and a filter sees its own table",
            f"write `{near[0]}`"
            if near
            else "compare a column of its own table; only what a key looks up is named so",
        )

    def _column(self, written: str) -> Column:
        column = self.columns.get(self.name(written))
        if column is None:
            names = sorted(c.name for c in self.columns.values())
            near = difflib.get_close_matches(written, names, n=1)
            raise BadFilter(
                "column-unknown",
                f"the filter names `{written}`, which is no column of the table",
                f"write `{near[0]}`"
                if near
                else f"put a text in single quotes, '{written}'; the table has {', '.join(names)}",
            )
        if not column.readable:
            raise BadFilter(
                "column-unreadable",
                f"the filter names `{column.name}`, which cannot be read",
                "filter by another column, or make it readable for the application user",
            )
        return column

    def _literal(self, node: ast._Node, column: Column) -> Value:
        """A literal as the column's canonical value, in the form it is compared in."""
        ast = self.ast
        if isinstance(node, ast.Null):
            return None
        value = _read(node, column, type(node).__name__)
        if value is None:
            written = getattr(node, "val", "this")
            message = f"{written!r} is no value for `{column.name}` ({column.type})"
            raise _mistyped(message, column)
        self.compared.setdefault(column.name, set()).add(value)
        return value


def _read(node: Any, column: Column, kind: str) -> Value:
    """None where a literal of this kind is no value of the column."""
    reader = _READERS.get((column.type, kind))
    if reader is None:
        return None
    try:
        return canonical(node.py_val, column) if column.type is ValueType.CHOICE else reader(node)
    except (ValueError, Untranslatable):
        return None


def _instant(node: Any) -> Value:
    moment = datetime.fromisoformat(node.val)
    return moment.astimezone(UTC) if moment.tzinfo is not None else None


_READERS: Mapping[tuple[ValueType, str], Callable[[Any], Value]] = {
    (ValueType.CHOICE, "String"): lambda node: node.val,
    (ValueType.CHOICE, "Integer"): lambda node: node.val,
    (ValueType.INTEGER, "Integer"): lambda node: Decimal(node.val),
    (ValueType.INTEGER, "Float"): lambda node: Decimal(node.val),
    (ValueType.DECIMAL, "Integer"): lambda node: Decimal(node.val),
    (ValueType.DECIMAL, "Float"): lambda node: Decimal(node.val),
    (ValueType.TEXT, "String"): lambda node: whole_text(node.val),
    (ValueType.REFERENCE, "GUID"): lambda node: node.val.casefold(),
    (ValueType.REFERENCE, "String"): lambda node: node.val.casefold(),
    (ValueType.BOOLEAN, "Boolean"): lambda node: node.py_val,
    (ValueType.DATE, "Date"): lambda node: date.fromisoformat(node.val),
    (ValueType.INSTANT, "Date"): lambda node: datetime.combine(
        date.fromisoformat(node.val), time(0), UTC
    ),
    (ValueType.INSTANT, "DateTime"): _instant,
}
"""What a literal stands for, by the column's type and the library's name for the literal."""


def whole_text(value: str) -> str:
    """A text in the form in which whole texts are compared."""
    return value.rstrip(" ").casefold()


def _comparable(value: Value) -> Any:
    return whole_text(value) if isinstance(value, str) else value


# ---------------------------------------------------------------------------- running


def _compared(operand: _Operand, operator: str, wanted: Value) -> Test:
    read = operand.read
    if operand.column.type is ValueType.CHOICE:
        wanted = _comparable(wanted)
    if operator == "Eq":
        return lambda values: _comparable(read(values)) == wanted
    if operator == "NotEq":
        return lambda values: _comparable(read(values)) != wanted
    order = _ORDER[operator]
    if wanted is None:
        return lambda _values: False

    def run(values: Sequence[Value]) -> bool:
        value = read(values)
        return value is not None and order(_comparable(value), wanted)

    return run


def _compared_columns(left: _Operand, operator: str, right: _Operand) -> Test:
    if operator in _ORDER:
        order = _ORDER[operator]

        def run(values: Sequence[Value]) -> bool:
            one, other = left.read(values), right.read(values)
            if one is None or other is None:
                return False
            return order(_comparable(one), _comparable(other))

        return run
    equal = operator == "Eq"
    return lambda values: (
        (_comparable(left.read(values)) == _comparable(right.read(values))) is equal
    )


def _among(operand: _Operand, wanted: Sequence[Value]) -> Test:
    known = frozenset(_comparable(value) for value in wanted)
    read = operand.read
    return lambda values: _comparable(read(values)) in known


def _all(parts: Sequence[Test]) -> Test:
    """False wins over null, null over true."""

    def run(values: Sequence[Value]) -> bool | None:
        answer: bool | None = True
        for part in parts:
            one = part(values)
            if one is False:
                return False
            if one is None:
                answer = None
        return answer

    return run


def _any(parts: Sequence[Test]) -> Test:
    """True wins over null, null over false."""
    refused = _all([_not(part) for part in parts])
    return _not(refused)


def _not(test: Test) -> Test:
    def run(values: Sequence[Value]) -> bool | None:
        answer = test(values)
        return None if answer is None else not answer

    return run


def _mistyped(message: str, column: Column | None = None) -> BadFilter:
    remedy = (
        "compare with a value of the column's type: 'text', 12, 1.5, true, 2026-01-31, "
        "2026-01-31T00:00:00Z, or null"
    )
    if column is not None and column.choices:
        names = (f"'{one}'" if isinstance(one, str) else str(one) for one in column.choices)
        remedy = f"compare with null, or one of {', '.join(names)}"
    return BadFilter("filter-type", message, remedy)
