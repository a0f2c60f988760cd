"""What is found when a world has come to rest: records, open conflicts, the audit.

Owns: reading it once for all checks.
Never does: judging.
"""

from __future__ import annotations

from dataclasses import dataclass

from connector.engine.runs.run import layout_of
from connector.mapping.values import Side
from connector.store.record import Record, State
from tests.simulation.people import known_key
from tests.simulation.process import Process
from tests.simulation.stores import Audited
from tests.simulation.systems import System
from tests.simulation.told import Stored
from tests.simulation.world import World


@dataclass
class Found:
    """The state of a world, as its store tells it."""

    world: World
    records: dict[str, list[Record]]
    """By normalised key."""
    conflicts: set[tuple[int, str]]
    """(record, group) of the open ones."""
    audit: list[Audited]

    @classmethod
    def of(cls, world: World) -> Found:
        """Read everything."""
        map, _ = world.commands.compiled
        ports = world.ports(Process("judge", world))
        layout = layout_of(map, ports, keep=False)
        records: dict[str, list[Record]] = {}
        for record in ports.store.needing(layout, list(State), 0, 10_000):
            records.setdefault(record.key, []).append(record)
        conflicts = ports.store.open_conflicts(map.name, 0, 10_000)
        return cls(
            world,
            records,
            {(one.record, one.conflict.group) for one in conflicts},
            world.stores.audit(),
        )

    def ids(self, key: str, side: Side) -> list[str]:
        """The ids of the rows a side has under a key."""
        system = self.world.systems[side]
        return [id for id, row in system.rows.items() if known_key(row.values[system.key]) == key]

    def bound(self, rows: list[Stored]) -> list[Record]:
        """The records these rows are bound to, which may be those of keys they had before."""
        ids = {
            id
            for system in self.world.systems.values()
            for id, stored in system.rows.items()
            if any(stored is row for row in rows)
        }
        return [
            record
            for records in self.records.values()
            for record in records
            if record.commerce.id in ids or record.dataverse.id in ids
        ]


def by_key(system: System) -> dict[str, list[Stored]]:
    """The rows of a side by their key as it is compared; a row without one stands alone."""
    found: dict[str, list[Stored]] = {}
    for id, row in system.rows.items():
        found.setdefault(known_key(row.values[system.key]) or f"\0{id}", []).append(row)
    return found
