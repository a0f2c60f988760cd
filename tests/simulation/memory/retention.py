"""How long the in-memory twin keeps the past, and how it forgets a person.

Owns: purges, departed records, keyed hashes of forgotten keys.
Never does: choosing a time.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from connector.mapping.values import Side
from connector.store.record import Conflict, Record, State
from tests.simulation.memory.records import is_tombstone
from tests.simulation.memory.tables import Tables, Told

INCIDENTS_SECONDS = 7 * 24 * 3600.0
NEEDS_A_PERSON = frozenset({State.WAITING, State.CONFLICT, State.PARKED})


class Retention:
    """See `connector.store.base.Store`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    # ------------------------------------------------------------------------ purging

    def purge(
        self,
        map: str,
        at: float,
        *,
        audit_before: float,
        runs_before: float,
        tombstones_before: float,
        limit: int,
    ) -> Mapping[str, int]:
        """At `at`, delete at most `limit` rows of each kind; how many, by table."""
        return {
            "changes": self._changes(map, audit_before, limit),
            "departed": self._departed(map, limit),
            "records": self._tombstones(map, at, tombstones_before, limit),
            "runs": self._runs(map, runs_before, limit),
            "incidents": self._incidents(map, at - INCIDENTS_SECONDS),
        }

    def _changes(self, map: str, before: float, limit: int) -> int:
        tables = self._tables
        old = [
            number
            for number, told in sorted(tables.changes.items())
            if told.map == map and told.outcome is not None and told.at < before
        ][:limit]
        for number in old:
            del tables.changes[number]
        if old and map in tables.maps:
            tables.audit_kept_since[map] = max(before, tables.audit_kept_since.get(map, before))
        return len(old)

    def _tombstones(self, map: str, at: float, before: float, limit: int) -> int:
        tables = self._tables
        lately = {told.change.record for told in tables.changes.values() if told.at >= before}
        old = [
            kept.record
            for number, kept in sorted(tables.records.items())
            if kept.record.map == map
            and is_tombstone(kept.record)
            and kept.record.due is None
            and kept.record.state not in NEEDS_A_PERSON
            and number not in lately
        ][:limit]
        for record in old:
            tables.departed[record.number] = (map, record.key, at)
            del tables.records[record.number]
        return len(old)

    def _departed(self, map: str, limit: int) -> int:
        tables = self._tables
        told = {told.change.record for told in tables.changes.values()}
        silent = [
            number
            for number, (of, _, _) in tables.departed.items()
            if of == map and number not in told
        ][:limit]
        for number in silent:
            del tables.departed[number]
        return len(silent)

    def _runs(self, map: str, before: float, limit: int) -> int:
        mine = sorted(number for number, run in self._tables.runs.items() if run.map == map)
        old = [n for n in mine[:-1] if self._tables.runs[n].started < before][:limit]
        for number in old:
            del self._tables.runs[number]
        return len(old)

    def _incidents(self, map: str, before: float) -> int:
        incidents = self._tables.incidents
        old = [key for key in incidents if key[0] == map and key[2] < int(before // 60)]
        for key in old:
            del incidents[key]
        return len(old)

    # ------------------------------------------------------------------------ forgetting

    def forgotten(self, map: str, key: str) -> float | None:
        """When the data under this key was forgotten."""
        wanted = (map, _hash(key))
        return max(
            (at for (of, hash, _), at in self._tables.forgotten.items() if (of, hash) == wanted),
            default=None,
        )

    def forget(self, map: str, record: int, key: str, at: float) -> Mapping[str, int]:
        """Delete or empty every row that tells of the record; rows touched, by table."""
        tables = self._tables
        kept = tables.records.get(record)
        mine = kept is not None and kept.record.map == map
        of_map, waits = tables.waits.pop(record, (map, ()))
        assert of_map == map
        conflicts = [number for number, row in tables.conflicts.items() if row.record == record]
        for number in conflicts:
            del tables.conflicts[number]
        if mine:
            del tables.records[record]
        told = [n for n, row in tables.changes.items() if row.change.record == record]
        for number in told:
            tables.changes[number] = _emptied(tables.changes[number])
        tables.forgotten[map, _hash(key), record] = at
        return {
            "records": int(mine),
            "waits": len(waits),
            "conflicts": len(conflicts),
            "departed": int(tables.departed.pop(record, None) is not None),
            "changes": len(told),
            "runs": self._forget_errors(map, key),
        }

    def redact(self, map: str, text: str) -> Mapping[str, int]:
        """Take a text out of everything told of the past; rows touched, by table."""
        tables, word = self._tables, text.casefold()
        touched = 0
        for number, told in tables.changes.items():
            if told.map == map and (without := _redacted(told, word)) != told:
                tables.changes[number], touched = without, touched + 1
        closed = [
            number
            for number, row in tables.conflicts.items()
            if row.map == map and row.closed is not None and _held(row.conflict, word)
        ]
        for number in closed:
            del tables.conflicts[number]
        records = [kept.record for kept in tables.records.values() if kept.record.map == map]
        return {
            "changes": touched,
            "conflicts": len(closed),
            "runs": self._forget_errors(map, word),
            "records": sum(_kept(record, word) for record in records),
        }

    def _forget_errors(self, map: str, key: str) -> int:
        named = re.compile(rf"(?<!\w){re.escape(json.dumps(key)[1:-1])}(?!\w)")
        telling = [
            number
            for number, run in self._tables.runs.items()
            if run.map == map and run.error and named.search(json.dumps(run.error).casefold())
        ]
        for number in telling:
            self._tables.runs[number] = replace(self._tables.runs[number], error=None)
        return len(telling)


def _redacted(told: Told, word: str) -> Told:
    change = told.change
    values = {name: _without(getattr(change, name), word) for name in ("before", "after", "agreed")}
    details = {change.detail, told.detail} - {None}
    named = any(word in str(detail).casefold() for detail in details)
    kept = replace(change, **values, detail=None if named else change.detail)
    return replace(told, change=kept, detail=None if named else told.detail)


def _without(value: Any, word: str) -> Any:
    """The same values with None in place of every one that is the word."""
    if isinstance(value, Mapping):
        return {name: _without(one, word) for name, one in value.items()}
    same = isinstance(value, str) and value.rstrip(" ").casefold() == word
    return None if same else value


def _held(conflict: Conflict, word: str) -> bool:
    return any(
        _without(values, word) != values
        for pair in (conflict.base, conflict.seen)
        for values in pair.values()
    )


def _kept(record: Record, word: str) -> bool:
    images = (record.side(side).image or () for side in Side)
    return any(_without(value, word) != value for image in images for value in image)


def _emptied(told: Told) -> Told:
    """What remains is that something happened."""
    change = replace(
        told.change, target=None, expected=None, before=None, after=None, agreed=None, detail=None
    )
    return replace(told, change=change, version=None, detail=None)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
