"""Values that went empty on a side, and whether that may be believed.

Owns: asking a side once more what may be read there before a value that was known reads as empty.
Never does: weighing an edit (`observe.py`); refusing a map before a run (the compiler does).
Tested in: tests/integration/engine/test_emptied.py, tests/acceptance/test_rights.py.

A column we may not read looks empty, as does one that was deleted and made anew, and a run, or live
mode, may be at work when that happens. The question is asked after the row was read, so that its
answer covers what was read; nothing of the page is kept when it is refused, and the position stays
before it. The next run holds the map for the person who decides (`runs/stock.py`).
"""

from __future__ import annotations

from collections.abc import Iterable

from connector.endpoints.base import Row
from connector.engine.runs.run import MapRun
from connector.errors import MapError, Subject
from connector.mapping.values import Image, Side
from connector.store.record import Record

Sights = Iterable[tuple[Record | None, Row]]
"""Rows as they were read just now, each with the record it is bound to."""


def refuse_unreadable(run: MapRun, side: Side, sights: Sights) -> None:
    """Where a value went empty, ask the side for its columns anew, once for all rows.

    Raises `MapError` for the first column of the map we may not read (`column-forbidden`), or
    that is another one than when this run began (`column-recreated`).
    """
    if not any(
        record and _went_empty(record.side(side).image, row.image) for record, row in sights
    ):
        return
    entity = run.map.entity(side)
    columns = run.endpoint(side).describe(entity).columns
    for name in dict.fromkeys(name.partition(".")[0] for name in run.map.column_names(side)):
        column, known = columns.get(name), run.entities[side].columns.get(name)
        subject = Subject(map=run.map.name, side=side.value, entity=entity, field=name)
        if column is not None and not column.readable:
            raise MapError(
                "column-forbidden",
                f"`{name}` may not be read any more: it looks empty to us",
                remedy="give every application user a column security profile that allows to "
                "read, create and update this column; what was read is not used",
                subject=subject,
            )
        if column is not None and known is not None and column.identity != known.identity:
            raise MapError(
                "column-recreated",
                f"`{name}` was deleted and made anew while this run was at work: it is empty in "
                "every row, which nobody meant as clearing",
                remedy="nothing that was read is used; run `dualwrite sync` again: it stops the "
                "map and says what you can decide",
                subject=subject,
            )


def _went_empty(known: Image | None, seen: Image) -> bool:
    """Whether a column that held something holds nothing now."""
    return known is not None and any(
        new is None and old is not None for old, new in zip(known, seen, strict=True)
    )
