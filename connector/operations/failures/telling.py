"""What was set aside, in words and cells for a person.

Owns: the tables of `failures show`: what the sides hold, where their rows are, what happened last.
Never does: printing.
Tested in: tests/acceptance/test_failures.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from connector.mapping.compiling.compiled import Field
from connector.mapping.values import Image, Side
from connector.operations.failures.set_aside import ShownFailure
from connector.store.record import Presence, Record
from connector.store.work import ChangeKind, ChangeRow

WIDTH = 40
"""Characters of values from the audit in one line; --json and `dualwrite history` have all."""
_NONE = "(none)"


def rows_told(record: Record) -> list[str]:
    """Where the record's rows are, and who touched them last, a line for each side."""
    told: list[str] = []
    for side in Side:
        state = record.side(side)
        if state.presence is Presence.ABSENT:
            told.append(f"{side}: not there")
            continue
        known = "row" if state.presence is Presence.PRESENT else "to be read again, row"
        when = ""
        if state.modified_at is not None:
            at = datetime.fromtimestamp(state.modified_at, UTC)
            when = f", modified {at:%Y-%m-%d %H:%M:%S} UTC"
        by = f" by {state.modifier}" if state.modifier else ""
        told.append(f"{side}: {known} {state.id}{when}{by}")
    return told


def held_told(shown: ShownFailure) -> tuple[list[str], list[list[str]]]:
    """A table: for each field what was agreed and what both sides hold; of twins, each's rows."""
    several = len(shown.records) > 1
    columns, cells = [""], list[list[str]]()
    if not several:
        columns.append("agreed")
        cells.append(_cells(shown, Side.COMMERCE, shown.records[0].commerce.agreed))
    for record in shown.records:
        for side in Side:
            state = record.side(side)
            there = state.presence is not Presence.ABSENT
            if several and not there:
                continue
            columns.append(f"{side} {record.number}" if several else side.value)
            cells.append(_cells(shown, side, state.image if there else None))
    names = [field.name for field in shown.map.fields]
    rows = [[name, *row] for name, row in zip(names, zip(*cells, strict=True), strict=True)]
    return columns, [row for row in rows if set(row[1:]) - {"", _NONE}]


def _cells(shown: ShownFailure, side: Side, image: Image | None) -> list[str]:
    """An image field by field; all empty where there is none."""
    if image is None:
        return [""] * len(shown.map.fields)
    return [_cell(shown, side, field, image) for field in shown.map.fields]


def _cell(shown: ShownFailure, side: Side, field: Field, image: Image) -> str:
    column = field.column(side)
    if column is None:
        return ""
    value = image[field.index(side)]
    if field.lookup is not None and side is field.lookup.side and value is not None:
        text = field.lookup.spoken(str(value))
        return str(value) if text is None else f"{text} ({value})"
    return shown.map.document.spoken(column, value)


def told_changes(shown: ShownFailure) -> list[ChangeRow]:
    """What happened last, but for the setting aside, which is told already."""
    return [change for change in shown.changes if change.kind is not ChangeKind.PARKED]


def change_told(shown: ShownFailure, change: ChangeRow) -> tuple[str, str, str]:
    """What was done where, the values before and after, and what became of it."""
    what = f"{change.kind} {change.side}"
    if len(shown.records) > 1:
        what = f"{change.record}: {what}"
    told = ", ".join(
        f"{column}: {' → '.join(_steps(shown, change, column))}"
        for column in {**(change.before or {}), **(change.after or {})}
    )
    cut = told if len(told) <= WIDTH else f"{told[: WIDTH - 1]}…"
    return what, cut, (change.outcome or "on its way") if change.outcome != "noted" else ""


def _steps(shown: ShownFailure, change: ChangeRow, column: str) -> list[str]:
    halves: list[Mapping[str, Any]] = [change.before or {}, change.after or {}]
    return [shown.map.document.spoken(column, v[column]) for v in halves if column in v]
