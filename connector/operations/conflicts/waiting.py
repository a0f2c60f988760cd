"""Conflicts that wait for a person: which are meant, listing them, showing one.

Owns: finding conflicts, and what a person is told of them.
Never does: printing; deciding (`deciding.py` does).
Tested in: tests/acceptance/test_decisions.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connector.bootstrap import Project
from connector.engine.lookups import resolve
from connector.engine.runs.run import layout_of
from connector.errors import Problem, Subject, UsageError
from connector.mapping.compiling.compiled import CompiledMap, Field, Group
from connector.mapping.document import MapDocument
from connector.mapping.values import Side, Value, ValueType
from connector.operations.conditions import Condition, compile_condition
from connector.operations.naming import records_named, spelled
from connector.operations.standing import instant
from connector.store.base import Store
from connector.store.record import Layout, Record
from connector.store.work import ChangeKind, ChangeRow, ConflictRow, OpenConflict

_PAGE = 1000
NAMES = {
    "key": ValueType.TEXT,
    "record": ValueType.INTEGER,
    "field": ValueType.TEXT,
    "opened": ValueType.INSTANT,
}
"""What a condition may use besides the columns of both sides."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which conflicts are meant: all of them where nothing is set."""

    key: str | None = None
    """A key or record number."""
    field: str | None = None
    """Field or group, without case."""
    where: str | None = None
    as_shown: int | None = None
    """The revision that was looked at."""

    def takes(self, entry: OpenConflict) -> bool:
        """Whether the field asked for is this conflict's."""
        return self.field is None or self.field.casefold() == entry.conflict.group.casefold()


# ---------------------------------------------------------------------------- listing


def conflicts_in(project: Project, document: MapDocument, wanted: Wanted) -> Iterator[OpenConflict]:
    """The open conflicts of a map, by number, streamed; asks the sides only for a condition."""
    if wanted.where is None:
        for page in pages_of(project.store, document.map):
            yield from filter(wanted.takes, page)
        return
    map, _ = project.compiled(document)
    condition = compile_condition(wanted.where, map, NAMES)
    layout = layout_of(map, project.ports(document), keep=False)
    for page in pages_of(project.store, document.map):
        yield from meeting(project.store, layout, condition, filter(wanted.takes, page))


def pages_of(store: Store, map: str) -> Iterator[Sequence[OpenConflict]]:
    """All open conflicts of a map, by number."""
    after = 0
    while page := store.open_conflicts(map, after, _PAGE):
        after = page[-1].number
        yield page


def meeting(
    store: Store, layout: Layout, condition: Condition, entries: Iterator[OpenConflict]
) -> list[OpenConflict]:
    """Those of one page whose record meets the condition."""
    kept = list(entries)
    records = store.by_numbers(layout, [entry.record for entry in kept])
    return [
        entry
        for entry in kept
        if entry.record in records and condition.admits(_listed(entry), records[entry.record])
    ]


def _listed(entry: OpenConflict) -> dict[str, Value]:
    return {
        "key": entry.key,
        "record": entry.record,
        "field": entry.conflict.group,
        "opened": datetime.fromtimestamp(entry.opened, UTC),
    }


def conflict_dict(document: MapDocument, entry: OpenConflict) -> dict[str, Any]:
    """The documented JSON form of an open conflict (docs/json.md)."""
    seen, base = entry.conflict.seen, entry.conflict.base
    return {
        "map": document.map,
        "record": entry.record,
        "key": entry.key,
        "field": entry.conflict.group,
        "opened": instant(entry.opened),
        "revision": entry.revision,
        **{side.value: dict(seen.get(side, {})) for side in Side},
        "base": {side.value: dict(values) for side, values in base.items()},
    }


# ---------------------------------------------------------------------------- showing one


@dataclass(frozen=True, slots=True)
class Shown:
    """The conflicts of one record, with what helps to decide them."""

    record: Record
    entries: Sequence[OpenConflict]
    map: CompiledMap
    changes: Sequence[ChangeRow]
    stopped: Problem | None

    def group(self, entry: OpenConflict) -> Group | None:
        """The fields of a conflict; None where the map lost them since."""
        return next((g for g in self.map.groups if g.name == entry.conflict.group), None)

    def last_change(self, entry: OpenConflict, side: Side) -> tuple[float, str | None] | None:
        """When the edit of a side was first seen, and by whom it was."""
        columns = set(entry.conflict.seen.get(side, {}))
        for change in reversed(self.changes):
            told = change.kind is ChangeKind.SEEN and change.side is side
            if told and columns & set(change.after or {}):
                return change.at, change.detail
        return None


def show_conflicts(project: Project, document: MapDocument, key: str) -> Shown:
    """The open conflicts of one record; raises `UsageError` (`record-unknown`, …)."""
    map, _ = project.compiled(document)
    layout = layout_of(map, project.ports(document), keep=False)
    record, entries = of_record(project.store, layout, document, Wanted(key))
    resolve(map, project.endpoints(document), [record])
    row = project.store.map_row(document.map)
    stopped = row.stopped if row is not None else None
    return Shown(record, entries, map, project.store.history(record.number), stopped)


def of_record(
    store: Store, layout: Layout, document: MapDocument, wanted: Wanted
) -> tuple[Record, list[OpenConflict]]:
    """The record under a key and its open conflicts.

    Raises `UsageError`: `record-unknown`, or `conflict-unknown`, which tells of closed ones.
    """
    assert wanted.key is not None
    records = records_named(store, layout, document, wanted.key)
    if not records:
        raise UsageError(
            "record-unknown",
            "no record has this key or number",
            subject=Subject(map=document.map),
            remedy=f"`dualwrite conflicts list --map {document.map}` shows the open conflicts",
        )
    closed: list[ConflictRow] = []
    for record in records:
        rows = store.conflict_rows(record.number)
        entries = [_opened(record, row) for row in rows if row.closed is None]
        entries = [entry for entry in entries if wanted.takes(entry)]
        if entries:
            return record, entries
        closed += [row for row in rows if row.closed is not None]
    raise UsageError(
        "conflict-unknown",
        "this record has no open conflict"
        + (f" about {wanted.field}" if wanted.field is not None else ""),
        subject=Subject(map=document.map, record=str(records[0].number)),
        cause=_ending(closed[-1]) if closed else None,
        remedy=f"`dualwrite conflicts list --map {document.map}` shows the open ones",
    )


def _opened(record: Record, row: ConflictRow) -> OpenConflict:
    return OpenConflict(
        row.number, row.record, spelled(record), row.opened, row.conflict, row.revision
    )


def _ending(row: ConflictRow) -> str:
    """How the last conflict of a record ended."""
    assert row.closed is not None
    when = f"{datetime.fromtimestamp(row.closed, UTC):%Y-%m-%d %H:%M:%S} UTC"
    if row.decided_by is not None:
        return f"{row.group} was decided by {row.decided_by} at {when}: {row.decision}"
    return f"{row.group} ended by itself at {when}: the sides came to agree, or a row was deleted"


def shown_dict(shown: Shown, commands: Sequence[Sequence[str]]) -> dict[str, Any]:
    """The documented JSON form of `conflicts show` (docs/json.md); commands by conflict."""
    return {
        "map": shown.record.map,
        "record": shown.record.number,
        "key": spelled(shown.record),
        "conflicts": [
            {
                **conflict_dict(shown.map.document, entry),
                "edits": {side.value: _change_dict(shown, entry, side) for side in Side},
                "commands": list(lines),
            }
            for entry, lines in zip(shown.entries, commands, strict=True)
        ],
        "held": shown.stopped.as_dict() if shown.stopped is not None else None,
    }


def _change_dict(shown: Shown, entry: OpenConflict, side: Side) -> dict[str, Any] | None:
    change = shown.last_change(entry, side)
    return None if change is None else {"at": instant(change[0]), "by": change[1]}


def told_values(shown: Shown, entry: OpenConflict) -> Iterator[tuple[str, str, str, str]]:
    """For each field of a conflict its name, what was agreed, and what both sides hold."""
    group = shown.group(entry)
    seen, base = entry.conflict.seen, entry.conflict.base
    for f in group.fields if group is not None else ():
        held = {side: _told(shown, f, side, seen.get(side, {})) for side in Side}
        agreed = Side.COMMERCE if f.commerce is not None else Side.DATAVERSE
        told = _told(shown, f, agreed, base[agreed]) if agreed in base else ""
        yield f.name, told, held[Side.COMMERCE], held[Side.DATAVERSE]


def _told(shown: Shown, f: Field, side: Side, values: Mapping[str, Value]) -> str:
    """One value for people: choices with their word, rows referred to with their text."""
    column = f.column(side)
    if column is None or column not in values:
        return ""
    value = values[column]
    if f.lookup is not None and side is f.lookup.side and value is not None:
        text = f.lookup.spoken(str(value))
        return str(value) if text is None else f"{text} ({value})"
    return shown.map.document.spoken(column, value)
