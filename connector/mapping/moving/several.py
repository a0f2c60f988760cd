"""Rows of dual-write over one lookup, which are one row here: a lookup by several columns.

Owns: which rows belong together, and the way back.
Never does: reading files; rows that say anything beyond column, symbol, column.
Tested in: tests/unit/mapping/moving/test_several.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from connector.mapping.moving.draft import Draft

_PLAIN = {"commerce", "sync", "dataverse"}
_SYMBOLS = {"=", ">", "<"}


def groups_of(rows: Sequence[Draft | None]) -> list[list[int]]:
    """Places of rows that are one lookup by several columns, in their order."""
    over: dict[tuple[str, str], list[int]] = {}
    for place, row in enumerate(rows):
        if row is not None and set(row) == _PLAIN and str(row["sync"]) in _SYMBOLS:
            lookup, dot, _ = str(row["dataverse"]).partition(".")
            if dot:
                over.setdefault((lookup, str(row["sync"])), []).append(place)
    return [places for places in over.values() if _usable([rows[place] for place in places])]


def gathered(rows: Sequence[Draft]) -> Draft:
    """The one row that rows over one lookup are."""
    found_by = {str(row["dataverse"]).partition(".")[2]: row["commerce"] for row in rows}
    lookup = str(rows[0]["dataverse"]).partition(".")[0]
    return {"lookup": found_by, "sync": rows[0]["sync"], "dataverse": lookup}


def parted(row: Draft, contexts: frozenset[str]) -> list[Draft]:
    """The rows dual-write has for a lookup by several columns; none where it has no form for it.

    `contexts` are commerce columns, in lower case, with a row of their own: dual-write maps a
    column once.
    """
    found_by = row.get("lookup")
    dotted = "." in str(row.get("dataverse"))
    if not isinstance(found_by, dict) or dotted or set(row) != _PLAIN - {"commerce"} | {"lookup"}:
        return []
    if contexts & {str(column).casefold() for column in found_by.values()}:
        return []
    return [
        {"commerce": column, "sync": row["sync"], "dataverse": f"{row['dataverse']}.{there}"}
        for there, column in found_by.items()
    ]


def _usable(rows: Sequence[Draft | None]) -> bool:
    """Several, each by a column of its own, one of them of the looked-up table itself."""
    names = [str(row["dataverse"]).partition(".")[2] for row in rows if row is not None]
    return 1 < len(names) == len(set(names)) and any("." not in name for name in names)
