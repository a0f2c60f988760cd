"""Rows as the wire shows them: the SQL that finds them, and their JSON.

Owns: SELECT lists with joins, ETags, the metadata levels of a row.
Never does: paging and filters (`queries.py`, `filters.py`), writing (`writes.py`).
Tested in: tests/integration/sandbox/finops/test_reads.py.

Facts: "Finance and Operations: odata": an ETag is the base64 of `'RecVersion,RecId'`, quotes
included, with a part for each joined table, `0,0` where there is no row. It tells equality only.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from connector.odata.paths import key_segment
from connector.sandbox.finops.entities import Entity, Field, Kind
from connector.sandbox.finops.values import renderer

ETAG = "@odata.etag"
_ETAG = re.compile(r'(?:W/)?"([A-Za-z0-9+/=]+)"')
_ANNOTATED = (Kind.ENUM, Kind.DATE, Kind.MOMENT, Kind.INT64, Kind.DECIMAL)

Row: TypeAlias = tuple[Any, ...]
"""RecId, RecVersion, the versions of joined tables (RecVersion, RecId …), the fields asked for."""


@dataclass(frozen=True, slots=True)
class Level:
    """How much an answer tells about its types; `base` is the root of the service."""

    name: str
    base: str

    @property
    def full(self) -> bool:
        """Types and links of everything."""
        return self.name == "full"


def expression(field: Field) -> str:
    """The SQL of a field's value, in a query over `source`."""
    if field.reference is not None and field.reference.joined:
        return f'coalesce("{field.name}"."{field.reference.field}", \'\')'
    return f't."{field.name}"'


@lru_cache(maxsize=64)
def source(entity: Entity) -> str:
    """The FROM clause: the entity's table as `t`, joined ones by the name of the field."""
    joins = (
        f' LEFT JOIN "{f.reference.target}" "{f.name}" ON "{f.name}".recid = t."{f.name}"'
        for f in entity.joined
        if f.reference is not None
    )
    return f'"{entity.set_name}" t{"".join(joins)}'


@lru_cache(maxsize=512)
def selection(entity: Entity, fields: tuple[Field, ...]) -> str:
    """The SELECT list of a `Row` with these fields."""
    versions = "".join(f', "{f.name}".recversion, "{f.name}".recid' for f in entity.joined)
    values = "".join(f", {expression(f)}" for f in fields)
    return f"t.recid, t.recversion{versions}{values}"


def key_of(entity: Entity, row: dict[str, Any]) -> dict[str, Any]:
    """The key of a row in wire values, in the order of the definition."""
    return {name: row[name] for name in entity.key}


def etag(version: int, recid: int, joined: Sequence[int | None] = ()) -> str:
    """The tag of one row; `joined` holds RecVersion and RecId of each joined row in turn."""
    text = f"'{version},{recid}"
    for place in range(0, len(joined), 2):
        text += f";{joined[place] or 0},{joined[place + 1] or 0}"
    encoded = base64.b64encode(f"{text}'".encode()).decode()
    return f'W/"{encoded}"'


def same_tag(given: str, current: str) -> bool:
    """Whether a tag of `If-Match` is the row's; strong and weak forms are the same."""
    found, own = _ETAG.fullmatch(given.strip()), _ETAG.fullmatch(current)
    return found is not None and own is not None and found[1] == own[1]


class Renderer:
    """Makes JSON objects of the rows of one query."""

    def __init__(self, entity: Entity, fields: Iterable[Field], level: Level) -> None:
        self.entity = entity
        self.fields = tuple(fields)
        self.level = level
        self._joined = 2 * len(entity.joined)
        makers: list[tuple[str, Callable[[Any], Any] | None]] = [
            (f.name, renderer(f)) for f in self.fields
        ]
        self._makers = makers

    def __call__(self, row: Row) -> dict[str, Any]:
        """One row, with the annotations of the level."""
        values = row[2 + self._joined :]
        pairs = zip(self._makers, values, strict=True)
        shown = {name: value if make is None else make(value) for (name, make), value in pairs}
        if self.level.name == "none":
            return shown
        found: dict[str, Any] = {ETAG: etag(row[1], row[0], row[2 : 2 + self._joined])}
        if self.level.full:
            return {**self._links(shown), **found, **self._typed(shown)}
        found.update(shown)
        return found

    def _links(self, shown: dict[str, Any]) -> dict[str, Any]:
        links = {"@odata.type": f"#{self.entity.full_type}"}
        if all(name in shown for name in self.entity.key):
            path = key_segment(self.entity.set_name, key_of(self.entity, shown))
            links |= {"@odata.id": f"{self.level.base}/{path}", "@odata.editLink": path}
        return links

    def _typed(self, shown: dict[str, Any]) -> dict[str, Any]:
        typed: dict[str, Any] = {}
        for one in self.fields:
            if one.kind in _ANNOTATED:
                name = one.edm.removeprefix("Edm.")
                typed[f"{one.name}@odata.type"] = f"#{name}"
            typed[one.name] = shown[one.name]
        return typed
