"""Records that cannot be created because their key stands on a row of another record.

Owns: setting them aside, and letting them go on when that row leaves the key.
Never does: choosing between the two cards; a person decides about the one whose key was changed.
Tested in: tests/integration/engine/test_same_key.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from connector.engine.runs.run import MapRun
from connector.errors import Problem, Subject
from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.values import Side
from connector.store.record import Presence, Record

CODE = "row-in-the-way"


def in_the_way(record: Record, side: Side, id: str, holder: Record) -> Problem:
    """Why a record cannot be created: its key stands on a row that belongs to another one."""
    return Problem(
        CODE,
        f"the key stands in {side} on row {id}, which belongs to record {holder.number}",
        f"decide about that one first (`dualwrite failures show {record.map} {holder.number}`); "
        "when its row has another key, or is gone, this record travels by itself",
        Subject(map=record.map, side=side.value, record=str(record.number)),
    )


class Strays:
    """Rows of one side that stand on a key other than their record's, before something happens."""

    def __init__(self, map: CompiledMap, side: Side, records: Iterable[Record]) -> None:
        self._map = map
        self._side = side
        # Renamed, perhaps with a newcomer under its old key; else a row bears its record's key.
        parked = [record for record in records if record.problem is not None]
        self._stood = [(r, key) for r in parked if (key := self._key(r)) not in (None, r.key)]

    def _key(self, record: Record) -> str | None:
        state = record.side(self._side)
        if state.presence is Presence.ABSENT or state.image is None:
            return None
        return self._map.key_of(self._side, state.image)

    def let_on(self, run: MapRun, touched: Sequence[Record]) -> list[Record]:
        """Make the records due that waited for a key a row has left.

        `touched` were read from the store already, and may have changed since.
        """
        left = [key for record, key in self._stood if self._key(record) != key]
        if not left:
            return []
        mine = {record.number: record for record in touched}
        found = run.store.by_keys(run.layout, left)
        waiting = [mine.get(r.number, r) for records in found.values() for r in records]
        freed = [r for r in waiting if r.problem is not None and r.problem.code == CODE]
        for record in freed:
            record.problem = None
            record.due = run.now()
        return freed
