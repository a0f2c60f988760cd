"""Ids of rows: their key, written out.

Owns: `CardNumber='55001'` from values and back, the conditions that find rows by key, and the
pyodata key that names a row in a URL.
Never does: HTTP; knowing what a row holds besides.
Tested in: tests/unit/endpoints/odata_v2/test_keys.py.

Facts: "OData V2: URI conventions, 2. resource path" (a key of one part stands alone, several are
named; a quote within a text is doubled).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeAlias
from urllib.parse import quote

from pyodata.exceptions import PyODataException
from pyodata.v2.service import EntityKey

from connector.endpoints.odata_v2.edm import FINISHED
from connector.endpoints.odata_v2.metadata import Field, Table
from connector.mapping.values import Value, ValueType

KeyValues: TypeAlias = tuple[Value, ...]

_PART = re.compile(r"\s*([A-Za-z_]\w*)\s*=\s*((?:[A-Za-z]+)?'(?:[^']|'')*'|[^',=]+?)\s*(?:,|$)")
_UNFIT = (ValueError, TypeError, AttributeError, PyODataException)


def id_of(table: Table, values: KeyValues) -> str:
    """The id of the row with this key; raises `ValueError` or `TypeError` for what is no key."""
    return ",".join(
        f"{field.name}={field.literal(value)}"
        for field, value in zip(table.keys, values, strict=True)
    )


def key_in(table: Table, values: Mapping[str, Value]) -> KeyValues | None:
    """The key among the values of a new row; None where a part is missing or empty."""
    given = {name.casefold(): value for name, value in values.items()}
    key = tuple([given.get(field.name.casefold()) for field in table.keys])
    return None if any(part is None for part in key) else key


def parse_id(table: Table, id: str) -> KeyValues | None:
    """The key an id spells; None for a text that is none of this table's."""
    given: dict[str, str] = {}
    place = 0
    while place < len(id):
        match = _PART.match(id, place)
        if match is None or match[1].casefold() in given:
            return None
        given[match[1].casefold()] = match[2]
        place = match.end()
    if given.keys() != {field.name.casefold() for field in table.keys}:
        return None
    try:
        return tuple([_parsed(field, given[field.name.casefold()]) for field in table.keys])
    except _UNFIT:
        return None


def _parsed(field: Field, literal: str) -> Value:
    """The value of one literal; raises one of `_UNFIT`."""
    if literal.startswith("'") != (field.declared.typ.name == "Edm.String"):
        raise ValueError(f"not a literal of {field.declared.typ.name}: {literal!r}")
    if field.declared.typ.name in ("Edm.Decimal", *FINISHED):
        return field.edm.read(literal)
    if field.declared.typ.name == "Edm.Time":
        return field.edm.read(literal.removeprefix("time'").removesuffix("'"))
    told = field.declared.from_literal(literal)
    if isinstance(told, datetime):
        return told.date() if field.edm.type is ValueType.DATE else told
    value = field.edm.read(told)
    field.edm.write(value)
    return value


def is_row(table: Table, key: KeyValues) -> str:
    """The condition that is true of the row with this key."""
    parts = [
        f"{field.name} eq {field.literal(value)}"
        for field, value in zip(table.keys, key, strict=True)
    ]
    return parts[0] if len(parts) == 1 else f"({' and '.join(parts)})"


def is_behind(fields: Sequence[Field], key: KeyValues) -> str:
    """The condition that is true of rows behind `key` in the order of `fields`."""
    ways: list[str] = []
    same: list[str] = []
    for field, value in zip(fields, key, strict=True):
        literal = field.literal(value)
        ways.append(" and ".join([*same, f"{field.name} gt {literal}"]))
        same.append(f"{field.name} eq {literal}")
    return ways[0] if len(ways) == 1 else " or ".join(f"({way})" for way in ways)


def address(table: Table, key: KeyValues) -> tuple[EntityKey, str]:
    """The row's key for pyodata, and its percent-encoded path: a slash in a key is no slash."""
    native = {
        field.name: field.edm.native(value) for field, value in zip(table.keys, key, strict=True)
    }
    type = table.declared.entity_type
    if len(native) == 1:
        spelled = EntityKey(type, next(iter(native.values())))
    else:
        spelled = EntityKey(type, **native)
    return spelled, quote(f"{table.name}{spelled.to_key_string()}", safe="()'=,")
