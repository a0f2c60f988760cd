"""Filters as a server reads them: `$filter` texts and their tree.

Owns: the grammar of `odata_query`, and what Dataverse adds to it.
Never does: running a filter, knowing a column's type.
Tested in: tests/unit/odata/test_queries.py.

Facts: as in `queries`, which is apart because a client never waits for the grammar.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import cast

from odata_query import ast, exceptions, visitor
from odata_query.grammar import ODataLexer, ODataParser

from connector.odata.literals import QUOTED
from connector.odata.malformed import MalformedError

_FUNCTIONS = "Microsoft.Dynamics.CRM."
_NAMESPACE = ("Microsoft", "Dynamics", "CRM")
_LIST = re.compile(rf"{QUOTED}|\bPropertyValues\s*=\s*(?=(\[))")
_JSON = json.JSONDecoder()


def parse_filter(text: str) -> ast._Node:
    """The tree of a decoded `$filter`, in the node types of `odata_query.ast`.

    `Microsoft.Dynamics.CRM.In` and `NotIn` come back as `Compare(In, column, List)` and its
    negation; other functions of that namespace as a `Call` with a `NamedParam` for each argument.
    Listed values are `String` or `Integer` nodes as they were written, so a server compares them
    by the column's type. Raises `MalformedError`.
    """
    lists: list[ast.List] = []
    try:
        tree: ast._Node | None = ODataParser().parse(
            ODataLexer().tokenize(_lift_lists(text, lists))
        )
    except exceptions.ODataException as error:
        raise MalformedError(f"cannot read the filter: {error}") from error
    if tree is None:
        raise MalformedError("the filter is empty")
    if _FUNCTIONS in text:
        tree = cast(ast._Node, _Restore(lists).visit(tree))
    return tree


def _lift_lists(text: str, lists: list[ast.List]) -> str:
    """Replace each list of values by its number, because the grammar has no `[…]`.

    Keeping the values out of the parser is also what makes lists of hundreds cheap.
    """
    out: list[str] = []
    place = 0
    while (match := _LIST.search(text, place)) is not None:
        out.append(text[place : match.end()])
        place = match.end()
        if match[1] is None:
            continue
        try:
            values, place = _JSON.raw_decode(text, match.end())
        except json.JSONDecodeError as error:
            raise MalformedError(f"cannot read PropertyValues: {error}") from error
        out.append(str(len(lists)))
        lists.append(
            ast.List(
                [ast.Integer(str(v)) if type(v) is int else ast.String(str(v)) for v in values]
            )
        )
    out.append(text[place:])
    return "".join(out)


class _Restore(visitor.NodeTransformer):
    """Puts the lifted lists back in place of their numbers."""

    def __init__(self, lists: list[ast.List]) -> None:
        self._lists = lists

    def visit_Call(self, node: ast.Call) -> ast._Node:  # noqa: N802 - the library names it
        if node.func.namespace != _NAMESPACE:
            return node
        named = {one.name.name: one.param for one in node.args if isinstance(one, ast.NamedParam)}
        number = named.get("PropertyValues")
        if isinstance(number, ast.Integer):
            named["PropertyValues"] = self._lists[number.py_val]
        if node.func.name in ("In", "NotIn"):
            return _membership(node.func.name, named)
        return ast.Call(
            node.func, [ast.NamedParam(ast.Identifier(name), one) for name, one in named.items()]
        )


def _membership(function: str, named: Mapping[str, ast._Node]) -> ast._Node:
    """The tree of one In or NotIn."""
    column, values = named.get("PropertyName"), named.get("PropertyValues")
    if not isinstance(column, ast.String) or not isinstance(values, ast.List):
        raise MalformedError(f"{function} takes PropertyName and PropertyValues")
    first, *rest = column.val.split("/")
    owner: ast._Node = ast.Identifier(first)
    for name in rest:
        owner = ast.Attribute(owner, name)
    test = ast.Compare(ast.In(), owner, values)
    return test if function == "In" else ast.UnaryOp(ast.Not(), test)
