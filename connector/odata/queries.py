"""Query options: filters and query strings, written and read.

Owns: `$filter` texts and their tree, the encoding of a query string.
Never does: running a filter, knowing a column's type.
Tested in: tests/unit/odata/test_queries.py.

Facts: "Dataverse Web API: webapi/query/filter-rows" and the query function reference
(`Microsoft.Dynamics.CRM.In`, whose values are double-quoted in square brackets).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import cast
from urllib.parse import quote

from odata_query import ast, exceptions, visitor
from odata_query.grammar import ODataLexer, ODataParser

from connector.odata.literals import QUOTED, Scalar, literal
from connector.odata.malformed import MalformedError

_FUNCTIONS = "Microsoft.Dynamics.CRM."
_IN = ("Microsoft", "Dynamics", "CRM", "In")
_SAFE = "$,'()=:/@!*"
_TOKEN = re.compile(
    rf"{QUOTED}|\bMicrosoft\.Dynamics\.CRM\.(In|NotIn)\(\s*PropertyName\s*=\s*'([^']+)'"
    r"\s*,\s*PropertyValues\s*=\s*(?=\[)"
)
_CLOSE = re.compile(r"\s*\)")
_JSON = json.JSONDecoder()


def equals(column: str, value: Scalar) -> str:
    """`column eq literal`, not yet percent-encoded."""
    return f"{column} eq {literal(value)}"


def in_function(column: str, values: Iterable[str]) -> str:
    """`Microsoft.Dynamics.CRM.In(…)`: the column equals one of `values`.

    The values are JSON strings, so any character may stand in them. Not percent-encoded.
    """
    listed = json.dumps(list(values), ensure_ascii=False, separators=(",", ":"))
    return f"{_FUNCTIONS}In(PropertyName='{column}',PropertyValues={listed})"


def query_string(options: Mapping[str, str]) -> str:
    """`$select=a,b&$filter=…` in the given order, percent-encoded (space as `%20`)."""
    return "&".join(f"{name}={quote(value, safe=_SAFE)}" for name, value in options.items())


def parse_filter(text: str) -> ast._Node:
    """The tree of a decoded `$filter`, in the node types of `odata_query.ast`.

    `Microsoft.Dynamics.CRM.In` and `NotIn` come back as `Compare(In, column, List)` and its
    negation; their values are `String` or `Integer` nodes as they were written, so a server
    compares them by the column's type. Raises `MalformedError`.
    """
    lists: list[ast._Node] = []
    try:
        tree: ast._Node | None = ODataParser().parse(
            ODataLexer().tokenize(_lift_lists(text, lists))
        )
    except exceptions.ODataException as error:
        raise MalformedError(f"cannot read the filter: {error}") from error
    if tree is None:
        raise MalformedError("the filter is empty")
    if lists:
        tree = cast(ast._Node, _Restore(lists).visit(tree))
    return tree


def _lift_lists(text: str, lists: list[ast._Node]) -> str:
    """Replace each In/NotIn by a call with its number, because the grammar has no `[…]`.

    Keeping the values out of the parser is also what makes lists of hundreds cheap.
    """
    out: list[str] = []
    place = 0
    while (match := _TOKEN.search(text, place)) is not None:
        if match[1] is None:
            out.append(text[place : match.end()])
            place = match.end()
            continue
        try:
            values, end = _JSON.raw_decode(text, match.end())
        except json.JSONDecodeError as error:
            raise MalformedError(f"cannot read PropertyValues: {error}") from error
        close = _CLOSE.match(text, end)
        if close is None:
            raise MalformedError(f"{match[1]}( is not closed")
        out.append(f"{text[place : match.start()]}{_FUNCTIONS}In({len(lists)})")
        lists.append(_membership(match[1], match[2], values))
        place = close.end()
    out.append(text[place:])
    return "".join(out)


def _membership(function: str, column: str, values: list[object]) -> ast._Node:
    """The tree of one In or NotIn."""
    first, *rest = column.split("/")
    owner: ast._Node = ast.Identifier(first)
    for name in rest:
        owner = ast.Attribute(owner, name)
    nodes: list[ast._Literal] = [
        ast.Integer(str(v)) if type(v) is int else ast.String(str(v)) for v in values
    ]
    test = ast.Compare(ast.In(), owner, ast.List(nodes))
    return test if function == "In" else ast.UnaryOp(ast.Not(), test)


class _Restore(visitor.NodeTransformer):
    """Puts the lifted lists back in place of their numbered calls."""

    def __init__(self, lists: list[ast._Node]) -> None:
        self._lists = lists

    def visit_Call(self, node: ast.Call) -> ast._Node:  # noqa: N802 - the library names it
        if (*node.func.namespace, node.func.name) != _IN:
            return node
        (number,) = node.args
        if not isinstance(number, ast.Integer):
            raise MalformedError("In takes PropertyName and PropertyValues")
        return self._lists[number.py_val]
