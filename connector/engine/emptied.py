"""Values that went empty on a side, and whether that may be believed.

Owns: asking a side once more what may be read there before a value that was known reads as empty.
Never does: weighing an edit (`observe.py`); refusing a map before a run (the compiler does).
Tested in: tests/integration/engine/test_emptied.py, tests/acceptance/test_rights.py.

A column we may not read looks empty, and a run, or live mode, may be at work when that begins. The
question is asked after the row was read, so that its answer covers what was read; nothing of the
page is kept when it is refused, and the position stays before it.
"""

from __future__ import annotations

from collections.abc import Iterable

from connector.endpoints.base import Row
from connector.engine.run import MapRun
from connector.errors import MapError, Subject
from connector.mapping.values import Image, Side
from connector.store.record import Record

Sights = Iterable[tuple[Record | None, Row]]
"""Rows as they were read just now, each with the record it is bound to."""


def refuse_unreadable(run: MapRun, side: Side, sights: Sights) -> None:
    """Where a value went empty, ask the side for its columns anew, once for all rows.

    Raises `MapError` `column-forbidden` for the first column of the map we may not read.
    """
    if not any(
        record and _went_empty(record.side(side).image, row.image) for record, row in sights
    ):
        return
    entity = run.map.entity(side)
    columns = run.endpoint(side).describe(entity).columns
    for name in run.map.column_names(side):
        column = columns.get(name)
        if column is not None and not column.readable:
            raise MapError(
                "column-forbidden",
                f"`{name}` may not be read any more: it looks empty to us",
                remedy="give every application user a column security profile that allows to "
                "read, create and update this column; what was read is not used",
                subject=Subject(map=run.map.name, side=side.value, entity=entity, field=name),
            )


def _went_empty(known: Image | None, seen: Image) -> bool:
    """Whether a column that held something holds nothing now."""
    return known is not None and any(
        new is None and old is not None for old, new in zip(known, seen, strict=True)
    )
