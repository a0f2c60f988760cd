"""The audit and the conflicts of the in-memory twin.

Owns: audit rows and their outcomes; conflicts opened, followed, decided and closed.
Never does: deciding a conflict.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any

from connector.errors import StateError, Subject
from connector.mapping.values import Side, Value
from connector.store.images import encode, plain_text
from connector.store.record import Conflict
from connector.store.work import (
    NOT_DONE,
    ChangeKind,
    ChangeRow,
    Completion,
    ConflictRow,
    Decided,
    OpenConflict,
    Work,
)
from tests.simulation.memory.tables import Tables, Told

WRITES = frozenset({ChangeKind.CREATE, ChangeKind.UPDATE, ChangeKind.DELETE})


class Audit:
    """See `connector.store.base.Store`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    # ------------------------------------------------------------------------ audit rows

    def rows(self, numbers: Iterable[int], since: float | None) -> dict[int, list[ChangeRow]]:
        """Audit rows of these records, each's oldest first."""
        wanted = set(numbers)
        found: dict[int, list[ChangeRow]] = {}
        for number, told in sorted(self._tables.changes.items()):
            if told.change.record in wanted and (since is None or told.at >= since):
                found.setdefault(told.change.record, []).append(row_of(number, told))
        return found

    def written_by(self, run: int, after: int, limit: int) -> Sequence[int]:
        """Records a run wrote to, ascending, above `after`."""
        found = {
            told.change.record
            for told in self._tables.changes.values()
            if told.run == run and told.change.kind in WRITES and told.change.record > after
        }
        return sorted(found)[:limit]

    def deleted_since(self, map: str, side: Side, since: float) -> AbstractSet[int]:
        """Records whose delete was sent to one side since a time and may have happened."""
        return {
            told.change.record
            for told in self._tables.changes.values()
            if (told.map, told.change.side, told.change.kind) == (map, side, ChangeKind.DELETE)
            and told.at >= since
            and told.outcome not in NOT_DONE
        }

    def insert(self, map: str, work: Work) -> None:
        """Append the rows of one commit."""
        for change in work.changes:
            self._tables.changes[change.number] = Told(
                replace(change),
                map,
                work.run,
                work.at,
                change.outcome,
                None,
                plain_text(change.detail),
            )

    def complete(self, map: str, ended: Sequence[Completion]) -> None:
        """Give intents their outcome."""
        for end in ended:
            told = self._tables.changes.get(end.change)
            if told is None or told.map != map or told.outcome is not None:
                raise StateError(
                    "intent-missing",
                    f"the outcome of {end.change} belongs to no open intent",
                    subject=Subject(map=map),
                    remedy="run the command again; if it repeats, please report it",
                )
            self._tables.changes[end.change] = replace(
                told,
                outcome=end.outcome,
                version=end.version,
                detail=plain_text(end.detail) or told.detail,
                change=replace(told.change, target=end.target or told.change.target),
            )

    def complete_batch(self, map: str, batch: int, outcome: str) -> None:
        """Give every intent of the batch that has no outcome this one."""
        for number, told in self.open(map):
            if told.change.batch == batch:
                self._tables.changes[number] = replace(told, outcome=outcome)

    def open(self, map: str) -> list[tuple[int, Told]]:
        """The intents of a map that have no outcome."""
        changes = self._tables.changes.items()
        return [(n, told) for n, told in changes if told.map == map and told.outcome is None]

    # ------------------------------------------------------------------------ conflicts

    def open_conflicts(self, map: str, after: int, limit: int) -> Sequence[OpenConflict]:
        """Conflicts not closed yet, by number."""
        found = []
        for number, row in sorted(self._tables.conflicts.items()):
            if row.map == map and number > after and row.closed is None:
                record = self._tables.records[row.record].record
                key = record.commerce.key or record.dataverse.key or record.key
                found.append(
                    OpenConflict(number, row.record, key, row.opened, row.conflict, row.revision)
                )
        return found[:limit]

    def conflict_rows(self, record: int) -> Sequence[ConflictRow]:
        """The open and the closed conflicts of one record, by number."""
        return [row for _, row in sorted(self._tables.conflicts.items()) if row.record == record]

    def replace_conflicts(
        self, map: str, at: float, by_record: Mapping[int, Sequence[Conflict]]
    ) -> None:
        """Exactly the given conflicts of these records are open afterwards."""
        tables = self._tables
        for record, conflicts in by_record.items():
            known = {row.group: row for row in self.conflict_rows(record) if row.closed is None}
            for conflict in conflicts:
                row = known.pop(conflict.group, None)
                if row is None:
                    tables.conflict_number += 1
                    row = ConflictRow(
                        tables.conflict_number, record, map, conflict.group, at, None, 1,
                        conflict, None, None, None,
                    )  # fmt: skip
                elif row.conflict != conflict:
                    row = replace(row, conflict=conflict, revision=row.revision + 1)
                tables.conflicts[row.number] = row
            for row in known.values():
                tables.conflicts[row.number] = replace(row, closed=at)

    def decide(self, map: str, at: float, decided: Sequence[Decided]) -> None:
        """Write what people chose."""
        for one in decided:
            row = self._tables.conflicts.get(one.conflict)
            if row is None or row.map != map:
                raise StateError(
                    "conflict-missing",
                    f"conflict {one.conflict} is not in the sync state",
                    subject=Subject(map=map),
                    remedy="list the conflicts again: dualwrite conflicts list",
                )
            self._tables.conflicts[one.conflict] = replace(
                row, decision=one.decision, decided_by=one.by, decided_at=at
            )


def row_of(number: int, told: Told) -> ChangeRow:
    """An audit row as it is read back."""
    change = told.change
    agreed = {side: as_json(values) or {} for side, values in (change.agreed or {}).items()}
    return ChangeRow(
        number,
        told.run,
        told.at,
        told.map,
        change.record,
        change.kind,
        change.side,
        change.target,
        change.expected,
        told.version,
        as_json(change.before),
        as_json(change.after),
        told.outcome,
        told.detail,
        agreed if change.agreed is not None else None,
    )


def as_json(values: Mapping[str, Value] | None) -> Mapping[str, Any] | None:
    """Values with the types JSON has."""
    if values is None:
        return None
    found: Mapping[str, Any] = json.loads(encode(values))
    return found
