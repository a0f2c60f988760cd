"""What a foreign file leaves unsaid, filled in by rules a person can look up.

Owns: spelling, keys, days and groups of an imported map (docs/from-dual-write.md lists the rules).
Never does: changing what the file says; touching a map of our own export, which says all of it.
Tested in: tests/unit/mapping/moving/test_import.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from connector.mapping.moving.draft import Draft, slug
from connector.mapping.moving.known import KnownEntity, folded, known_entity

COMPANY = "dataAreaId"
"""The column of commerce that says which company a row belongs to."""


def name_tables(draft: Draft) -> KnownEntity | None:
    """Give the commerce table its entity set name; what is known of it, if anything."""
    known = known_entity(draft["commerce"]["entity"])
    if known is not None:
        draft["commerce"]["entity"] = known.entity_set
        draft["title"], draft["map"] = known.label, slug(known.label)
    return known


def fill_in(rows: Sequence[Draft], known: KnownEntity | None) -> None:
    """Spelling, days and groups of the rows of one map."""
    if known is not None:
        for row in rows:
            _spell(row, known)
    _group(rows, known)


def key_columns(known: KnownEntity | None) -> tuple[str, ...]:
    """The key of a known entity."""
    return known.keys if known is not None else ()


def company_row(rows: Sequence[Draft], known: KnownEntity | None) -> Draft | None:
    """The row that says which company a record belongs to, which dual-write does without."""
    if known is None or not known.company:
        return None
    if any(str(row.get("commerce", "")).casefold() == COMPANY.casefold() for row in rows):
        return None
    ways = {str(row["sync"]).replace("><", "=")[0] for row in rows}
    sync = ways.pop() if len(ways) == 1 else "="
    return {
        "commerce": COMPANY,
        "sync": sync,
        "dataverse": "msdyn_company.cdm_companycode",
        "key": True,
    }


def _spell(row: Draft, known: KnownEntity) -> None:
    spelled = {name.casefold(): name for name in known.columns}
    if "lookup" in row:
        row["lookup"] = {
            there: spelled.get(str(name).casefold(), name) for there, name in row["lookup"].items()
        }
    column = spelled.get(str(row.get("commerce", "")).casefold())
    if column is None:
        return
    row["commerce"] = column
    if column in known.dates:
        row["type"] = "date"
    members = {folded(name): name for name in known.symbols.get(column, ())}
    if "values" in row:
        row["values"] = {
            members.get(folded(symbol), symbol): value for symbol, value in row["values"].items()
        }


def _group(rows: Sequence[Draft], known: KnownEntity | None) -> None:
    """Columns that mean something only together become one value."""
    by_column = {str(row["commerce"]).casefold(): row for row in rows if "commerce" in row}
    groups = dict(known.groups) if known is not None else {}
    taken = {column.casefold() for columns in groups.values() for column in columns}
    for column in by_column:
        stem = column.removesuffix("unit")
        if stem not in (column, "") and not {column, f"{stem}value"} & taken:
            groups[stem] = (column, f"{stem}value")
    for name, columns in groups.items():
        members = [by_column[c.casefold()] for c in columns if c.casefold() in by_column]
        ways = {row["sync"].replace("><", "=")[0] for row in members}
        if len(members) == len(columns) and len(ways) == 1:
            for row in members:
                if not row.get("key"):
                    row["together"] = name
