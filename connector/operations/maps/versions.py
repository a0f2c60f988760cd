"""What a changed map means: its changes since it last ran, and the records they concern.

Owns: the difference as people and scripts read it.
Never does: changing the state; the next sync marks records (`connector/engine/runs/turnover.py`).
Tested in: tests/acceptance/test_map_versions.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from connector.bootstrap import Project
from connector.engine.runs.run import layout_of
from connector.engine.runs.turnover import OUTSIDE, Turn, columns_read, concerned_records, turn_of
from connector.mapping.document import MapDocument
from connector.mapping.rows import TO_COMMERCE, TO_DATAVERSE
from connector.mapping.versions import MapChange, Sort, group_name
from connector.operations.naming import spelled
from connector.store.record import Record

_EFFECTS = {
    Sort.ADDED: "both tables are read whole; then both sides meet in this field: where they "
    "differ the master's value is written, an empty one is filled",
    Sort.REMOVED: "nothing is written; its open conflicts end",
    Sort.RULE: "where the sides differ under the new rule, the value is written anew by it",
    Sort.TYPE: "both tables are read whole; then both sides meet in this field anew",
    Sort.POLICY: "open conflicts are judged anew",
    Sort.OUTSIDE: "records that stand outside, or on one side only, are judged anew",
    Sort.FIRST: "nothing; it holds for records that never met",
}
_BOTH = "edits left standing as drift travel now"
_TURNED = "values that differ travel the new way now"
_ONE = "nothing is written; open conflicts end with the source's value"


@dataclass(slots=True)
class Told:
    """One change: what it does, how many records it concerns, and the keys of the first."""

    change: MapChange
    effect: str
    records: int = 0
    keys: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The documented JSON form (docs/json.md)."""
        change = self.change
        return {
            "change": change.sort.value,
            "at": change.at,
            "field": change.field,
            "before": change.before,
            "after": change.after,
            "effect": self.effect,
            "records": self.records,
            "keys": self.keys,
        }


@dataclass(slots=True)
class MapDifference:
    """How a map differs from the version that ran last."""

    ran: str | None
    """The version that ran last; None before the first run."""
    known: bool
    """Whether that version was kept, so that changes can be told."""
    changed: bool = False
    reads: bool = False
    """Whether the next run reads both tables whole."""
    records: int = 0
    told: list[Told] = field(default_factory=list)


def difference(project: Project, document: MapDocument, limit: int) -> MapDifference:
    """What changed since the map last ran, with at most `limit` keys of each change.

    Raises `MapError` (`map-rekeyed`) and what compiling the map raises.
    """
    row = project.store.map_row(document.map)
    if row is None:
        return MapDifference(None, known=False)
    made = MapDifference(row.version, known=row.document is not None)
    map, _ = project.compiled(document)
    ports = project.ports(document)
    read = columns_read(project.store, document.map)
    turn = turn_of(row, map, read)
    if turn is None:
        return made
    made.changed = True
    made.known = bool(turn.changes)
    made.reads = turn.unread or any(
        columns != map.column_names(side) for side, columns in read.items()
    )
    made.told = [Told(change, effect_of(change)) for change in turn.changes]
    layout = layout_of(map, ports, keep=False)
    page = project.tuning.limits.page
    for records in concerned_records(project.store, layout, map, turn, page):
        made.records += len(records)
        for record, groups in records:
            for told in made.told:
                if _about(told.change, record, groups, turn, document):
                    told.records += 1
                    if len(told.keys) < limit:
                        told.keys.append(spelled(record))
    return made


def effect_of(change: MapChange) -> str:
    """What a change does to records that are in sync."""
    if change.sort is not Sort.DIRECTION:
        return _EFFECTS[change.sort]
    both = change.after in TO_DATAVERSE and change.after in TO_COMMERCE
    was_both = change.before in TO_DATAVERSE and change.before in TO_COMMERCE
    return _BOTH if both else _ONE if was_both else _TURNED


def _about(
    change: MapChange, record: Record, groups: set[str], turn: Turn, document: MapDocument
) -> bool:
    """Whether it is this change by which the record is concerned."""
    if change.sort is Sort.OUTSIDE:
        return OUTSIDE in groups
    if change.sort is Sort.POLICY and change.group is None:
        named = {group_name(row) for row in document.fields if row.conflict is None}
        return bool(record.conflicts and groups & named & turn.touched)
    return change.group is not None and change.group in groups
