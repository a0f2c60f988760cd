"""A last look at rows before they are written, where a side cannot refuse a write by itself.

Owns: what stands in for a precondition, and for a key that admits one row only.
Never does: closing the window between the look and the write: `check` names it
(`preconditions-none`), and what a write made of a row is read afterwards (`news/doubt.py`).
Tested in: tests/unit/engine/test_beforehand.py, tests/simulation/.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connector.endpoints.base import (
    Capabilities,
    Create,
    Endpoint,
    Exists,
    Missing,
    Operation,
    Outcome,
    Row,
    Stale,
)
from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.values import Image, Side


@dataclass(frozen=True, slots=True)
class Look:
    """What is looked at, on which side of which map."""

    endpoint: Endpoint
    map: CompiledMap
    side: Side
    rows: bool
    """Updates and deletes are unconditional."""
    keys: bool
    """A create that is sent, or meant, twice would make two rows."""

    @classmethod
    def needed(
        cls, endpoint: Endpoint, map: CompiledMap, side: Side, able: Capabilities
    ) -> Look | None:
        """What has to be looked at on a side that is able to do this much; None for nothing."""
        rows, keys = able.preconditions == "none", able.create == "at-least-once"
        return cls(endpoint, map, side, rows, keys) if rows or keys else None

    def write(self, operations: Sequence[Operation], known: Mapping[str, Image]) -> list[Outcome]:
        """As `Endpoint.write`, but for operations that a look at their row refuses.

        `known` are the images by id from which the operations were planned.
        """
        there, taken = self._there(operations), self._taken(operations)
        refusals = [self._refusal(one, known, there, taken) for one in operations]
        left = [one for one, no in zip(operations, refusals, strict=True) if no is None]
        entity, columns = self.map.entity(self.side), self.map.column_names(self.side)
        written = iter(self.endpoint.write(entity, columns, left) if left else ())
        return [next(written) if no is None else no for no in refusals]

    def _there(self, operations: Sequence[Operation]) -> Mapping[str, Sequence[Row]]:
        ids = [one.id for one in operations if not isinstance(one, Create)]
        return self._read(None, ids) if self.rows else {}

    def _taken(self, operations: Sequence[Operation]) -> Mapping[str, str]:
        """The ids of rows by the keys that creates would give to others."""
        if not self.keys:
            return {}
        by = self.map.column_names(self.side)[self.map.keys[self.side][0]]
        firsts = [one.values.get(by) for one in operations if isinstance(one, Create)]
        found = self._read(by, [str(first) for first in firsts if first is not None])
        rows = [row for rows in found.values() for row in rows]
        return {key: row.id for row in rows if (key := self.map.key_of(self.side, row.image))}

    def _read(self, by: str | None, values: Sequence[str]) -> Mapping[str, Sequence[Row]]:
        if not values:
            return {}
        entity, columns = self.map.entity(self.side), self.map.column_names(self.side)
        return self.endpoint.read(entity, columns, by=by, values=values).rows

    def _refusal(
        self,
        operation: Operation,
        known: Mapping[str, Image],
        there: Mapping[str, Sequence[Row]],
        taken: Mapping[str, str],
    ) -> Outcome | None:
        if isinstance(operation, Create):
            names = self.map.column_names(self.side)
            made = tuple([operation.values.get(name) for name in names])
            id = taken.get(self.map.key_of(self.side, made) or "")
            return Exists(id) if id is not None else None
        if not self.rows:
            return None
        rows = there.get(operation.id, ())
        if not rows:
            return Missing()
        return None if rows[0].image == known.get(operation.id) else Stale()
