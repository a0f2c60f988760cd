"""The query options of one request, read and checked.

Owns: which options there are, their syntax.
Never does: running them (`queries.py`, `filters.py`, `expands.py`).
Tested in: tests/integration/sandbox/finops/test_reads.py.

Facts: "Finance and Operations: odata": `$filter $count $orderby $skip $top $expand $select
$format`, and `cross-company`; set and property names are case-sensitive.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from connector.sandbox.finops import errors

KNOWN = ("$filter", "$count", "$orderby", "$skip", "$top", "$expand", "$select", "$format")
CROSS_COMPANY = "cross-company"
_ORDER = re.compile(r"([A-Za-z_]\w*)(?:\s+(asc|desc))?")
_EXPAND = re.compile(r"([A-Za-z_]\w*)(?:\((.*)\))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Expand:
    """One navigation to follow, and what of its rows to show."""

    name: str
    select: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Options:
    """What a query string asks for."""

    filter: str | None = None
    count: bool = False
    order: tuple[tuple[str, bool], ...] = ()
    """(name, descending)."""
    skip: int = 0
    top: int | None = None
    expand: tuple[Expand, ...] = ()
    select: tuple[str, ...] = ()
    format: str | None = None
    cross_company: bool = False


def parse_options(query: str) -> Options:
    """Read a still encoded query string. Raises `AxError` for what the service does not take."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError as error:
        raise errors.bad_query("The text is not UTF-8.") from error
    given = dict(pairs)
    if len(given) < len(pairs):
        raise errors.bad_query("An option stands there twice.")
    for name in given:
        if name.startswith("$") and name not in KNOWN:
            raise errors.bad_query(f"The query parameter '{name}' is not supported.")
    if "$format" in given and not given["$format"].startswith(("json", "application/json")):
        raise errors.bad_query("Only json is supported as a $format.")
    return Options(
        filter=given.get("$filter"),
        count=_boolean("$count", given),
        order=_order(given.get("$orderby")),
        skip=_number("$skip", given) or 0,
        top=_number("$top", given),
        expand=_expand(given.get("$expand")),
        select=_names(given.get("$select")),
        format=given.get("$format"),
        cross_company=given.get(CROSS_COMPANY, "").lower() == "true",
    )


def _number(name: str, given: Mapping[str, str]) -> int | None:
    text = given.get(name)
    if text is None:
        return None
    if not text.isdecimal() or len(text) > 10:
        raise errors.bad_query(f"Invalid value '{text[:60]}' for {name} query option found.")
    return int(text)


def _boolean(name: str, given: Mapping[str, str]) -> bool:
    text = given.get(name, "false")
    if text not in ("true", "false"):
        raise errors.bad_query(f"Invalid value '{text[:60]}' for {name} query option found.")
    return text == "true"


def _names(text: str | None) -> tuple[str, ...]:
    if text is None or text.strip() == "*":
        return ()
    return tuple(name.strip() for name in text.split(","))


def _order(text: str | None) -> tuple[tuple[str, bool], ...]:
    order = []
    for part in (text or "").split(",") if text else ():
        found = _ORDER.fullmatch(part.strip())
        if found is None:
            raise errors.bad_query(f"Syntax error in $orderby: '{part[:60]}'.")
        order.append((found[1], found[2] == "desc"))
    return tuple(order)


def _expand(text: str | None) -> tuple[Expand, ...]:
    if not text:
        return ()
    expands = []
    for part in _split(text):
        found = _EXPAND.fullmatch(part.strip())
        if found is None:
            raise errors.bad_query(f"Syntax error in $expand: '{part[:60]}'.")
        select: tuple[str, ...] = ()
        if found[2]:
            name, equals, names = found[2].partition("=")
            if name.strip() != "$select" or not equals:
                raise errors.bad_query("Inside $expand only $select is supported, one level deep.")
            select = _names(names)
        expands.append(Expand(found[1], select))
    return tuple(expands)


def _split(text: str) -> list[str]:
    """At commas that stand in no parentheses."""
    parts, depth, start = [], 0, 0
    for place, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    return [*parts, text[start:]]
