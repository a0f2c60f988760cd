"""Resource paths: keys in URLs, written and read.

Owns: `set(guid)`, `set(col='value',…)`, splitting a path into segments, percent-encoding.
Never does: query options (`queries`), knowing which keys a table has.
Tested in: tests/unit/odata/test_paths.py.

Facts: "Dataverse Web API: use-alternate-key-reference-record". Clients in the field send
`/` raw inside quotes, so a path is split with an eye on the quotes, and percent-decoding
comes before the quotes are un-doubled.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote

from connector.odata.literals import GUID, QUOTED, Guid, Scalar, literal, parse_literal
from connector.odata.malformed import MalformedError

UNSAFE_IN_KEY = frozenset("/<>*%&:\\?+")
"""The service cannot take these in an alternate-key value of a URL, encoded or not."""

_SEGMENT = re.compile(r"([^()]+)(?:\((.*)\))?", re.DOTALL)
_KEY_PART = re.compile(rf"\s*(?:([A-Za-z_][\w.]*)\s*=\s*)?({QUOTED}|[^',=]+?)\s*(,|$)")
_QUOTE_OR_SLASH = re.compile(r"'|%27|/")


@dataclass(frozen=True, slots=True)
class Segment:
    """One path segment: a name and at most one kind of key.

    `keys` is empty for `WhoAmI()`, and holds the name `""` for a single unnamed key that is
    not a GUID; `guid` and `keys` are both None where there are no parentheses.
    """

    name: str
    guid: Guid | None = None
    keys: Mapping[str, Scalar] | None = None


def key_segment(entity_set: str, key: str | Mapping[str, Scalar]) -> str:
    """`set(guid)` for a text, `set(col='value',…)` for an alternate key; percent-encoded.

    Raises `MalformedError` if a text key is not a GUID.
    """
    if isinstance(key, str):
        return f"{entity_set}({Guid(key)})"
    parts = ",".join(f"{name}={_encoded(value)}" for name, value in key.items())
    return f"{entity_set}({parts})"


def _encoded(value: Scalar) -> str:
    return quote(literal(value), safe="'")


def unsafe_in_key(text: str) -> bool:
    """Whether `text` cannot stand as an alternate-key value in a URL; ask by filter instead."""
    return not UNSAFE_IN_KEY.isdisjoint(text)


def split_path(path: str) -> list[str]:
    """Segments of a still encoded path (no query); a `/` inside quotes does not split.

    Empty segments, such as the one before a leading slash, are left out.
    """
    segments: list[str] = []
    start, quoted = 0, False
    for mark in _QUOTE_OR_SLASH.finditer(path):
        if mark[0] != "/":
            quoted = not quoted
        elif not quoted:
            segments.append(path[start : mark.start()])
            start = mark.end()
    if quoted:
        raise MalformedError("unbalanced quotes in the path")
    segments.append(path[start:])
    return [segment for segment in segments if segment]


def parse_segment(segment: str) -> Segment:
    """One still encoded segment, decoded. Raises `MalformedError`."""
    text = unquote(segment, errors="strict") if "%" in segment else segment
    match = _SEGMENT.fullmatch(text)
    if match is None:
        raise MalformedError(f"not a path segment: {text[:80]!r}")
    name, inside = match[1], match[2]
    if inside is None:
        return Segment(name)
    if GUID.fullmatch(inside):
        return Segment(name, guid=Guid(inside))
    return Segment(name, keys=_parse_keys(inside))


def _parse_keys(inside: str) -> dict[str, Scalar]:
    """`a='x',b=5` as a dictionary; nothing inside gives an empty one."""
    keys: dict[str, Scalar] = {}
    place = 0
    more = bool(inside.strip())
    while more:
        match = _KEY_PART.match(inside, place)
        if match is None:
            raise MalformedError(f"not a key: {inside[:80]!r}")
        name = match[1] or ""
        if name in keys or (name == "" and (keys or match[3])):
            raise MalformedError(f"key parts must be named once each: {inside[:80]!r}")
        keys[name] = parse_literal(match[2])
        place, more = match.end(), match[3] == ","
    return keys
