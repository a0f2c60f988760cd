"""Query options of one request, taken apart.

Owns: `$select`, `$filter`, `$orderby`, `$top`, `$count`, `$expand`, tokens, aliases.
Never does: checking column names (whoever runs the query knows the table).
Tested in: tests/integration/sandbox/test_queries.py.

Facts: "Dataverse Web API: webapi/query/overview". Clients write spaces as `%20` and as `+`,
and option names as `$select` and as `%24select`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl, unquote_plus

from odata_query import ast

from connector.odata.filters import parse_filter
from connector.odata.malformed import MalformedError
from connector.sandbox.dataverse import errors

_KNOWN = frozenset(
    {
        "$select",
        "$filter",
        "$orderby",
        "$top",
        "$count",
        "$expand",
        "$skiptoken",
        "$deltatoken",
        "$format",
    }
)
_ALIAS = re.compile(r"'(?:[^']|'')*'|(@\w+)")
_LINK_ONLY = frozenset({"$skiptoken", "$deltatoken"})


@dataclass(frozen=True, slots=True)
class Expand:
    """One expanded navigation property with its own options."""

    navigation: str
    options: Options


@dataclass(frozen=True, slots=True)
class Options:
    """The query options; what is absent is None, False or empty. `given` are their names."""

    select: tuple[str, ...] | None = None
    filter: ast._Node | None = None
    order: tuple[tuple[str, bool], ...] = ()
    """(column path, descending)"""
    top: int | None = None
    count: bool = False
    expand: tuple[Expand, ...] = ()
    skip_token: str | None = None
    delta_token: str | None = None
    given: frozenset[str] = frozenset()


@lru_cache(maxsize=1024)
def parse_options(query: str) -> Options:
    """The options of a still encoded query string. Raises `WireError`."""
    pairs = parse_qsl(query, keep_blank_values=True)
    named = dict(pairs)
    if len(named) != len(pairs):
        raise errors.bad_request("A query option is given more than once.", "0x0")
    if "$skip" in named:
        raise errors.bad_request("Skip Clause is not supported in CRM")
    aliases = {name: value for name, value in named.items() if name.startswith("@")}
    return _options({name: value for name, value in named.items() if name.startswith("$")}, aliases)


def _options(named: Mapping[str, str], aliases: Mapping[str, str]) -> Options:
    for name in named:
        if name not in _KNOWN:
            raise errors.bad_request(f"The query parameter {name} is not supported.", "0x0")
    select = named.get("$select")
    where = named.get("$filter")
    return Options(
        select=None if select is None else tuple(_items(select)),
        filter=None if where is None else _filter(where, aliases),
        order=tuple(_order(named.get("$orderby", ""))),
        top=_top(named.get("$top")),
        count=named.get("$count", "false").lower() == "true",
        expand=tuple(_expand(named.get("$expand", ""), aliases)),
        skip_token=named.get("$skiptoken"),
        delta_token=named.get("$deltatoken"),
        given=frozenset(named),
    )


def _items(text: str) -> list[str]:
    return [item for part in text.split(",") if (item := part.strip())]


def _filter(text: str, aliases: Mapping[str, str]) -> ast._Node:
    if aliases:
        text = _ALIAS.sub(lambda m: aliases.get(m[1], m[0]) if m[1] else m[0], text)
    try:
        return parse_filter(text)
    except MalformedError as error:
        raise errors.bad_request(str(error), "0x0") from error


def _order(text: str) -> Iterator[tuple[str, bool]]:
    for item in _items(text):
        path, _, direction = item.partition(" ")
        if direction.strip() not in ("", "asc", "desc"):
            raise errors.bad_request(f"Syntax error in the $orderby clause '{item}'.", "0x0")
        yield path, direction.strip() == "desc"


def _top(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise errors.bad_request(f"Invalid value '{text}' for $top query option found.", "0x0")
    return int(text)


def _expand(text: str, aliases: Mapping[str, str]) -> Iterator[Expand]:
    for item in _split_outside(text, ","):
        navigation, _, inside = item.strip().partition("(")
        if inside and not inside.endswith(")"):
            raise errors.bad_request(f"Syntax error in the $expand clause '{item}'.", "0x0")
        named: dict[str, str] = {}
        for option in _split_outside(inside[:-1], ";"):
            name, _, value = option.strip().partition("=")
            named[name] = value
        yield Expand(navigation, _options(named, aliases))


def _split_outside(text: str, mark: str) -> Iterator[str]:
    """The pieces of `text` between marks that stand outside parentheses and quotes."""
    depth, quoted, start = 0, False, 0
    for place, letter in enumerate(text):
        if letter == "'":
            quoted = not quoted
        elif quoted:
            continue
        elif letter == "(":
            depth += 1
        elif letter == ")":
            depth -= 1
        elif letter == mark and depth == 0:
            yield text[start:place]
            start = place + 1
    if text[start:].strip():
        yield text[start:]


def without_tokens(query: str) -> str:
    """The query string as the client wrote it, less `$skiptoken` and `$deltatoken`."""
    kept = (
        pair
        for pair in query.split("&")
        if pair and unquote_plus(pair.partition("=")[0]) not in _LINK_ONLY
    )
    return "&".join(kept)


def listed(options: Options) -> str:
    """Selected and expanded properties in the form of a context."""
    names = list(options.select or ())
    names += [f"{one.navigation}{listed(one.options) or '()'}" for one in options.expand]
    return f"({','.join(names)})" if names else ""
