"""Query ranges of Finance and Operations and OData conditions, each as the other.

Owns: the part of both languages that has the same meaning.
Never does: approximating; what has no equal raises `BadFilter`.
Tested in: tests/unit/mapping/moving/test_query_range.py.

Facts: dual-write "Customize table and column mappings" (operators, enumerations,
dates as day, month and year between backslashes, `like "A*"`). The empty text of commerce is null
here.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from connector.mapping.filters.text import BadFilter, chain_of, parse_filter

if TYPE_CHECKING:
    from odata_query import ast

_DEEPEST = 50
_LONGEST = 10_000
"""Characters of a filter that is read."""
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>"[^"]*"|'[^']*')
    | (?P<date>\d{1,2}\\\d{1,2}\\\d{4})
    | (?P<number>-?\d+(?:\.\d+)?(?![\w.]))
    | (?P<name>[A-Za-z_]\w*(?:(?:::|\.)\w+)*)
    | (?P<sign>&&|\|\||==|!=|<=|>=|[<>=!()])
    )""",
    re.VERBOSE,
)
_COMPARED_TEXT = re.compile(r"\b(eq|ne)\s+('(?:[^']|'')*')")
_SIGNS = {"==": "eq", "=": "eq", "!=": "ne", "<": "lt", ">": "gt", "<=": "le", ">=": "ge"}
_RANGE_SIGNS = {"Eq": "==", "NotEq": "!=", "Lt": "<", "Gt": ">", "LtE": "<=", "GtE": ">="}


class _Token(NamedTuple):
    kind: str
    text: str


def to_odata(text: str) -> str:
    """The OData condition of a query range; raises `BadFilter`."""
    if len(text) > _LONGEST:
        raise _unreadable(f"more than {_LONGEST} characters")
    reader = _RangeReader(_tokens(text))
    condition = reader.any(0)
    if reader.rest:
        raise _unreadable(reader.rest[0].text)
    parse_filter(condition)
    return condition


def to_query_range(text: str) -> str:
    """The query range of an OData condition; raises `BadFilter`."""
    return _range(parse_filter(text), 0)


def dataverse_condition(text: str) -> str:
    """A reversed source filter as our condition: Dataverse takes the empty text for null.

    Raises `BadFilter`.
    """
    if len(text) > _LONGEST:
        raise _unreadable(f"more than {_LONGEST} characters")
    condition = _COMPARED_TEXT.sub(
        lambda found: f"{found[1]} null" if found[2] == "''" else found[0], text
    )
    parse_filter(condition)
    return condition


# ---------------------------------------------------------------------------- to OData


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    place, end = 0, len(text.rstrip())
    while place < end:
        found = _TOKEN.match(text, place)
        if found is None:
            raise _unreadable(text[place:][:20].strip())
        kind = str(found.lastgroup)
        tokens.append(_Token(kind, found[kind]))
        place = found.end()
    return tokens


class _RangeReader:
    def __init__(self, tokens: list[_Token]) -> None:
        self.rest = tokens

    def _next(self) -> _Token:
        if not self.rest:
            raise _unreadable("its end")
        return self.rest.pop(0)

    def _takes(self, sign: str) -> bool:
        if self.rest and self.rest[0] == _Token("sign", sign):
            self.rest.pop(0)
            return True
        return False

    def any(self, depth: int) -> str:
        parts = [self.all(depth)]
        while self._takes("||"):
            parts.append(self.all(depth))
        return " or ".join(parts)

    def all(self, depth: int) -> str:
        parts = [self.one(depth)]
        while self._takes("&&"):
            parts.append(self.one(depth))
        return " and ".join(parts)

    def one(self, depth: int) -> str:
        if depth > _DEEPEST:
            raise _unreadable(f"more than {_DEEPEST} levels")
        if self._takes("!"):
            return f"not ({self.one(depth + 1)})"
        if self._takes("("):
            inner = self.any(depth + 1)
            if not self._takes(")"):
                raise _unreadable("a parenthesis that is not closed")
            # Ranges stand in more parentheses than anybody needs.
            return f"({inner})" if " or " in inner or " and " in inner else inner
        return self._comparison()

    def _comparison(self) -> str:
        column = self._next()
        if column.kind != "name" or not column.text.isidentifier():
            raise _unreadable(column.text)
        operator = self._next()
        if operator.kind == "name" and operator.text.casefold() == "like":
            return _like(column.text, self._next())
        if operator.kind != "sign" or operator.text not in _SIGNS:
            raise _unreadable(operator.text)
        return f"{column.text} {_SIGNS[operator.text]} {_literal(self._next())}"


def _literal(token: _Token) -> str:
    match token.kind:
        case "text":
            return _quoted(token.text[1:-1])
        case "number":
            return token.text
        case "date":
            day, month, year = (int(part) for part in token.text.split("\\"))
            try:
                return date(year, month, day).isoformat()
            except ValueError:
                raise _unreadable(token.text) from None
        case "name" if "::" in token.text:
            return _quoted(token.text.rpartition("::")[2])
        case "name" if token.text.isidentifier():
            return token.text
    raise _unreadable(token.text)


def _quoted(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'" if text else "null"


def _like(column: str, pattern: _Token) -> str:
    """`like` with stars at the ends only; inside, and `?`, have no equal in OData."""
    text = pattern.text[1:-1]
    inner = text.strip("*")
    if pattern.kind != "text" or not inner or "*" in inner or "?" in inner:
        raise _unreadable(f"like {pattern.text}")
    starts, ends = not text.startswith("*"), not text.endswith("*")
    if starts and ends:
        return f"{column} eq {_quoted(inner)}"
    function = "startswith" if starts else "endswith" if ends else "contains"
    return f"{function}({column}, {_quoted(inner)})"


def _unreadable(what: str) -> BadFilter:
    return BadFilter(
        "filter-unsupported",
        f"the filter cannot be put into OData: {what}",
        "write it with ==, !=, <, >, <=, >=, &&, ||, !, like with a star at an end, and columns of "
        "the entity itself",
    )


# ---------------------------------------------------------------------------- to a range


def _range(node: ast._Node, depth: int) -> str:
    from odata_query import ast as nodes

    if depth > _DEEPEST:
        raise _no_range(f"more than {_DEEPEST} levels")
    if isinstance(node, nodes.BoolOp):
        sign = " && " if isinstance(node.op, nodes.And) else " || "
        return "(" + sign.join(_range(part, depth + 1) for part in chain_of(node)) + ")"
    if isinstance(node, nodes.UnaryOp) and isinstance(node.op, nodes.Not):
        return f"(!{_range(node.operand, depth + 1)})"
    if isinstance(node, nodes.Compare):
        operator = type(node.comparator).__name__
        if operator not in _RANGE_SIGNS or not isinstance(node.left, nodes.Identifier):
            raise _no_range("this comparison")
        return f"({node.left.name} {_RANGE_SIGNS[operator]} {_range_value(node.right)})"
    if isinstance(node, nodes.Call) and node.func.name in ("startswith", "endswith", "contains"):
        return _range_like(node)
    raise _no_range("this condition")


def _range_value(node: ast._Node) -> str:
    from odata_query import ast as nodes

    match node:
        case nodes.String() if '"' not in node.py_val and node.py_val:
            return f'"{node.py_val}"'
        case nodes.Integer() | nodes.Float():
            return str(node.val)
        case nodes.Date():
            day = date.fromisoformat(node.val)
            return f"{day.day:02}\\{day.month:02}\\{day.year:04}"
        case nodes.Null():
            return '""'
    raise _no_range("this value")


def _range_like(node: ast.Call) -> str:
    from odata_query import ast as nodes

    column, part = node.args
    if not isinstance(column, nodes.Identifier) or not isinstance(part, nodes.String):
        raise _no_range(f"this `{node.func.name}`")
    if not part.py_val or set(part.py_val) & set('*?"'):
        raise _no_range(f"`{part.py_val}` in a pattern")
    before = "" if node.func.name == "startswith" else "*"
    after = "" if node.func.name == "endswith" else "*"
    return f'({column.name} like "{before}{part.py_val}{after}")'


def _no_range(what: str) -> BadFilter:
    return BadFilter(
        "filter-unsupported",
        f"the filter cannot be put into a query range: {what}",
        "compare columns with texts, numbers or days only",
    )
