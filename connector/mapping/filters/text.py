"""The text of a row filter as a tree.

Owns: reading OData V4 `$filter` text with `odata_query`, and what is said when it cannot be read.
Never does: knowing columns or types; `conditions.py` does.
Tested in: tests/unit/mapping/test_filters.py.

`odata_query` is imported where a filter is compiled only; most maps have none.
"""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from odata_query import ast

KNOWN = (
    "write it with eq, ne, gt, ge, lt, le, in, and, or, not, null, contains, startswith, endswith, "
    "tolower; docs/maps.md shows examples"
)


class BadFilter(Exception):
    """A filter that cannot be run; the caller adds the place it was written at.

    Codes: `filter-syntax`, `filter-unsupported`, `filter-type`, `column-unknown`,
    `column-unreadable`.
    """

    def __init__(self, code: str, message: str, remedy: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.remedy = remedy


def parse_filter(text: str) -> ast._Node:
    """The tree of a filter; raises `BadFilter`."""
    from odata_query import exceptions
    from odata_query.grammar import ODataParser

    try:
        tokens = _with_commas(list(_lexer().tokenize(text)))
        tree: ast._Node | None = ODataParser().parse(iter(tokens))
    except exceptions.FunctionCallException as error:
        raise BadFilter("filter-unsupported", str(error), KNOWN) from error
    except exceptions.ODataException as error:
        token = getattr(error, "token", None)
        where = "it ends too early" if token is None else f"at `{text[token.index :][:20]}`"
        raise syntax(f"the filter cannot be read: {where}", text) from error
    if tree is None:
        raise syntax("the filter is empty")
    return tree


def chain_of(node: ast.BoolOp) -> list[ast._Node]:
    """The operands of `a and b and ...`, which the parser nests to the left."""
    parts: list[ast._Node] = []
    current: ast._Node = node
    while isinstance(current, type(node)) and current.op == node.op:
        parts.append(current.right)
        current = current.left
    return [current, *reversed(parts)]


_QUERY_RANGE = re.compile(r"[=!<>]=?|&&|\|\||\blike\b")
_WORDS = (
    "OData has words for signs: `eq` for `==`, `ne` for `!=`, `gt`, `ge`, `lt`, `le` for `>`, "
    "`>=`, `<`, `<=`, `and` for `&&`, `or` for `||`, `startswith(Name, 'A')` for `like \"A*\"`; "
    "texts and members of an enumeration stand in single quotes"
)


def syntax(message: str, text: str = "") -> BadFilter:
    """What is said of a text that is no filter; dual-write's own filters are such."""
    remedy = (
        "write an OData condition such as `Blocked eq false and Level gt 3`; texts stand in "
        "single quotes"
    )
    outside = re.sub("'[^']*'", "", text)
    return BadFilter("filter-syntax", message, _WORDS if _QUERY_RANGE.search(outside) else remedy)


def _lexer() -> Any:
    """The library's, but a name may begin with `all`, `any`, `null`, `true` or `false`."""
    from odata_query.grammar import ODataLexer

    class Lexer(ODataLexer):
        tokens = ODataLexer.tokens
        ANY = r"any\b"  # type: ignore[assignment]
        ALL = r"all\b"  # type: ignore[assignment]
        BOOLEAN = r"(?:true|false)\b"  # type: ignore[assignment]
        NULL = r"null\b"  # type: ignore[assignment]

    return Lexer()


def _with_commas(tokens: list[Any]) -> list[Any]:
    """`in (1)` as the library reads a list of one: `in (1,)`."""
    made: list[Any] = []
    list_of_one = False
    for token in tokens:
        if token.type == ")" and list_of_one:
            comma = copy.copy(token)
            comma.type = comma.value = ","
            made.append(comma)
        if token.type == "(":
            list_of_one = bool(made) and made[-1].type == "IN"
        elif token.type in (")", ","):
            list_of_one = False
        made.append(token)
    return made
