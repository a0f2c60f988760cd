"""What KEY means on a command line: a key in any spelling of its case, or a record number.

Owns: finding the records a person names, and naming a record so that it is found.
Never does: anything with them.
Tested in: tests/unit/operations/test_naming.py, tests/acceptance/test_decisions.py.
"""

from __future__ import annotations

from connector.mapping.compiling.compiled import NO_KEY
from connector.mapping.document import MapDocument
from connector.mapping.values import REPLACED, normal_key
from connector.store.base import Store
from connector.store.record import Layout, Record


def records_named(store: Store, layout: Layout, document: MapDocument, key: str) -> list[Record]:
    """The records under a key, by ordinal; where there is none, the record of this number."""
    normal = normalised(document, key)
    if normal is not None:
        found = store.by_keys(layout, [normal]).get(normal)
        if found:
            return list(found)
    if not key.isascii() or not key.isdecimal():
        return []
    numbered = store.by_numbers(layout, [int(key)])
    return [record for record in numbered.values() if record.map == document.map]


def normalised(document: MapDocument, key: str) -> str | None:
    """A typed key in normal form; the parts of a compound key stand between ` / `."""
    parts = sum(1 for row in document.fields if row.key)
    return normal_key(*(key.split(" / ", parts - 1) if parts > 1 else [key]))


def spelled(record: Record) -> str:
    """The record's key as a side spells it; `NO_KEY` where neither has one.

    Where a side changed it, the key by which the record is found comes first.
    """
    keys = [key for key in (record.commerce.key, record.dataverse.key) if key]
    finding = next((key for key in keys if _finds(key, record)), None)
    given = next((key for key in keys if key != NO_KEY), keys[0] if keys else record.key)
    return finding or given


def plain(record: Record) -> str:
    """What names this record on a command line: its key, or its number where the key cannot."""
    key = spelled(record)
    # Not even a sight of it with its control characters replaced would find the record.
    whole = key.isprintable() and REPLACED not in key
    named = whole and not key.startswith("-") and key != NO_KEY and _finds(key, record)
    return key if named else str(record.number)


def _finds(key: str, record: Record) -> bool:
    return record.key in (normal_key(key), normal_key(*key.split(" / ")))
