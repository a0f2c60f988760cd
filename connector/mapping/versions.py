"""What differs between two versions of a map.

Owns: the list of changes between two documents, and the text a version is kept as.
Never does: looking at records or live systems (`connector/engine/runs/turnover.py` does).
Tested in: tests/unit/mapping/test_versions.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, NamedTuple

from pydantic import ValidationError

from connector.mapping.document import MapDocument
from connector.mapping.rows import FieldRow
from connector.mapping.values import Side


class Sort(StrEnum):
    """What a change is about, by what it means for records."""

    ADDED = "added"
    REMOVED = "removed"
    DIRECTION = "direction"
    RULE = "rule"
    """How values travel: value map, default, constant, steps."""
    TYPE = "type"
    """Which columns a field reads, or as what."""
    POLICY = "policy"
    """Who wins, and which fields merge as one value."""
    OUTSIDE = "outside"
    """Which records travel, and what a delete means."""
    FIRST = "first contact"
    """How sides meet that never met, and what is made of rows of one side."""
    PAIRING = "pairing"
    """Which tables are paired, and by which key."""


class MapChange(NamedTuple):
    """One difference; `field` and `group` None where it is about the map as a whole."""

    sort: Sort
    at: str
    """The key that changed, as `default` or `deletes.commerce`; of a whole row its sort."""
    before: Any
    after: Any
    field: str | None = None
    group: str | None = None


_ASPECTS = {
    "sync": Sort.DIRECTION,
    "key": Sort.PAIRING,
    "type": Sort.TYPE,
    "join": Sort.TYPE,
    "lookup": Sort.TYPE,
    "together": Sort.POLICY,
    "conflict": Sort.POLICY,
}
"""Whatever else a row says is how its values travel."""

_SETTINGS = {
    "mode": Sort.PAIRING,
    "conflict": Sort.POLICY,
    "master": Sort.FIRST,
    "blank_wins": Sort.FIRST,
    "deletes": Sort.OUTSIDE,
    "filter_exit": Sort.OUTSIDE,
    "commerce.entity": Sort.PAIRING,
    "dataverse.entity": Sort.PAIRING,
    "commerce.side": Sort.PAIRING,
    "dataverse.side": Sort.PAIRING,
    "dataverse.owner": Sort.FIRST,
}
"""Whatever else an end says is which of its records travel."""


def changes_between(old: MapDocument, new: MapDocument) -> list[MapChange]:
    """What is different in `new`: the map as a whole first, then row by row."""
    return [*_settings(old, new), *_rows(old, new)]


def kept_as(document: MapDocument) -> str:
    """The text from which `recalled` makes the document again."""
    return document.model_dump_json(exclude_defaults=True)


def recalled(text: str | None) -> MapDocument | None:
    """A document that was kept; None where none was, or it is of a language no longer spoken."""
    if text is None:
        return None
    try:
        return MapDocument.model_validate_json(text)
    except ValidationError:
        return None


def group_name(row: FieldRow) -> str:
    """The group a row belongs to."""
    return row.together or row.name


def _settings(old: MapDocument, new: MapDocument) -> Iterator[MapChange]:
    before, after = _flat(old), _flat(new)
    for at in after:
        if before[at] != after[at]:
            whole = at.split(".")[0]
            sort = _SETTINGS.get(at) or _SETTINGS.get(whole, Sort.OUTSIDE)
            yield MapChange(sort, at, before[at], after[at])


def _flat(document: MapDocument) -> dict[str, Any]:
    """The settings that have a meaning, by dotted name."""
    of_no_meaning = {"map", "title", "version", "enabled"}
    whole = document.model_dump(mode="json", exclude={*of_no_meaning, "fields"})
    flat: dict[str, Any] = {}
    for name, value in whole.items():
        if name in (*Side, "deletes"):
            flat.update({f"{name}.{part}": setting for part, setting in value.items()})
        else:
            flat[name] = value
    return flat


def _rows(old: MapDocument, new: MapDocument) -> Iterator[MapChange]:
    known = {_place(row): row for row in old.fields}
    kept = {_place(row) for row in new.fields}
    for row in old.fields:
        if _place(row) not in kept:
            yield MapChange(Sort.REMOVED, "removed", _said(row), None, row.name, group_name(row))
    for row in new.fields:
        before = known.get(_place(row))
        if before is None:
            yield MapChange(Sort.ADDED, "added", None, _said(row), row.name, group_name(row))
        else:
            yield from _aspects(before, row)


def _place(row: FieldRow) -> tuple[str | None, str | None]:
    """What makes it the same row: its columns."""
    return (row.commerce and row.commerce.casefold(), row.dataverse)


def _said(row: FieldRow) -> dict[str, Any]:
    return row.model_dump(mode="json", exclude_defaults=True)


def _aspects(old: FieldRow, new: FieldRow) -> Iterator[MapChange]:
    before, after = old.model_dump(mode="json"), new.model_dump(mode="json")
    for at in after:
        if before[at] == after[at] or at in ("commerce", "dataverse"):
            continue
        if at == "sync" and old.ways == new.ways:
            continue  # only that a transform came or went, which is told by itself
        sort = _ASPECTS.get(at, Sort.RULE)
        yield MapChange(sort, at, before[at], after[at], new.name, group_name(new))
