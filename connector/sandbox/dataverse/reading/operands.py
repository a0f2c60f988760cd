"""The two sides of a comparison: a column as SQL, and a value in the form it is compared in.

Owns: reading a literal, or a text that stands for one, by the type of its column.
Never does: operators (`operators.py`), finding the column (`filters.py`, `joins.py`).
Tested in: tests/integration/sandbox/test_filters.py, test_fetchxml.py.

Facts: "Dataverse Web API: webapi/query/filter-rows". Text compares without case and without
trailing blanks, numbers by value, dates as UTC.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal, InvalidOperation

from odata_query import ast

from connector.odata.literals import GUID
from connector.sandbox.comparing import fold
from connector.sandbox.dataverse import errors
from connector.sandbox.dataverse.definitions.tables import REFERENCES, SCALED, TEXTS, Column, Kind
from connector.sandbox.dataverse.storage import Stored

IDS = REFERENCES | {Kind.GUID}
_WHOLE = frozenset({Kind.INTEGER, Kind.BIGINT, Kind.PICKLIST, Kind.STATE, Kind.STATUS})
_TRUTH = {"1": "true", "0": "false"}


@dataclass(frozen=True, slots=True)
class Operand:
    """A column as SQL, in the form it is compared in."""

    column: Column
    sql: str


def argument(column: Column, node: ast._Node) -> Stored:
    """A literal in the stored form of `column`. Raises `WireError` for one of another type."""
    if isinstance(node, ast.String) and column.kind in IDS:
        node = _reread(column, node)
    try:
        stored = _BY_KIND.get(column.kind, _whole)(column, node)
    except (TypeError, ValueError, InvalidOperation) as error:
        raise incompatible(column, node) from error
    if isinstance(stored, int) and not -(2**63) <= stored < 2**63:
        raise incompatible(column, node)
    return stored


def text_argument(column: Column, text: str) -> Stored:
    """The same for a value written as text, whatever the type of `column`."""
    return argument(column, _reread(column, ast.String(text)))


def incompatible(column: Column, node: ast._Node) -> errors.WireError:
    """A column and a literal that cannot be compared."""
    return errors.bad_request(
        "A binary operator with incompatible types was detected. Found operand types "
        f"'{column.kind}' and '{type(node).__name__}' for column '{column.wire_name}'.",
        "0x0",
    )


def _reread(column: Column, node: ast.String) -> ast._Node:
    """The literal that a text means under the type of `column`."""
    text = node.val
    if column.kind in IDS:
        bare = text.strip("{}")
        return ast.GUID(bare) if GUID.fullmatch(bare) else node
    if column.kind in _WHOLE:
        return ast.Integer(text)
    if column.kind in SCALED or column.kind is Kind.DOUBLE:
        return ast.Float(text)
    if column.kind is Kind.BOOLEAN:
        return ast.Boolean(_TRUTH.get(text, text.lower()))
    if column.kind is Kind.DATETIME:
        return ast.Date(text) if len(text) == 10 else ast.DateTime(text.replace(" ", "T"))
    return node


# ---------------------------------------------------------------------------- by kind


def _text(_column: Column, node: ast._Node) -> Stored:
    if not isinstance(node, ast.String):
        raise TypeError
    return fold(node.val)


def _whole(_column: Column, node: ast._Node) -> Stored:
    if not isinstance(node, ast.Integer):
        raise TypeError
    return int(node.py_val)


def _scaled(column: Column, node: ast._Node) -> Stored:
    if not isinstance(node, ast.Integer | ast.Float):
        raise TypeError
    return int(Decimal(node.val).scaleb(column.places))


def _double(_column: Column, node: ast._Node) -> Stored:
    if not isinstance(node, ast.Integer | ast.Float):
        raise TypeError
    return float(node.val)


def _several(_column: Column, node: ast._Node) -> Stored:
    """The whole list of a multi-select choice, as it is stored."""
    if not isinstance(node, ast.String):
        raise TypeError
    return ",".join(part.strip() for part in node.val.split(","))


def _boolean(_column: Column, node: ast._Node) -> Stored:
    if isinstance(node, ast.Boolean) and node.val in ("true", "false"):
        return int(node.py_val)
    raise TypeError


def _guid(_column: Column, node: ast._Node) -> Stored:
    if not isinstance(node, ast.GUID):
        raise TypeError
    return str(node.val).lower()


def _moment(column: Column, node: ast._Node) -> Stored:
    if isinstance(node, ast.Date):
        return f"{node.py_val}" if column.date_only else f"{node.py_val}T00:00:00Z"
    if not isinstance(node, ast.DateTime):
        raise TypeError
    moment = node.py_val
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return f"{moment:%Y-%m-%d}" if column.date_only else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


_BY_KIND: dict[Kind, Callable[[Column, ast._Node], Stored]] = {
    **dict.fromkeys(TEXTS, _text),
    **dict.fromkeys(SCALED, _scaled),
    Kind.DOUBLE: _double,
    Kind.MULTI_PICKLIST: _several,
    Kind.FILE: _guid,
    Kind.BOOLEAN: _boolean,
    Kind.DATETIME: _moment,
    **dict.fromkeys(IDS, _guid),
}
