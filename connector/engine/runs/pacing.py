"""How fast the sides of one run take writes.

Owns: the size of the next call and how many are worth having under way, as the side says;
standing still while it takes nothing; how long writes took, by kind.
Never does: knowing a side's limits (its endpoint does), sending.
Tested in: tests/integration/engine/test_pacing.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connector.endpoints.base import Entity, Pace
from connector.mapping.values import Side

if TYPE_CHECKING:
    from connector.engine.ports import Ports
    from connector.mapping.compiling.compiled import CompiledMap

STEP = 1.0
"""Seconds after which somebody who waits looks again whether to stop."""
ENOUGH = 5000
"""Rows from which on a rate far below what the side allows says that it is not the side."""
FAR = 0.8
MILLISECONDS = "ms "
"""How the names of measured times begin among the counts of a run's row."""


@dataclass(slots=True)
class Took:
    """What was written to one side, and how long it took."""

    rows: int = 0
    seconds: float = 0.0
    pace: Pace = field(default_factory=Pace)
    """As last told."""

    def as_dict(self) -> dict[str, float | str | None]:
        """The documented JSON form (docs/json.md)."""
        rate = self.rows / self.seconds if self.seconds else None
        allowed, limit = self.pace.rate, self.pace.limit
        if rate and allowed and self.rows >= ENOUGH and rate < FAR * allowed:
            limit = "this machine"
        return {
            "rows_per_second": None if rate is None else round(rate, 1),
            "allowed_rows_per_second": None if allowed is None else round(allowed, 1),
            "limited_by": limit,
        }


class Pacer:
    """The pace of one run over one map."""

    def __init__(self, map: CompiledMap, entities: Mapping[Side, Entity], ports: Ports) -> None:
        self.sides: dict[Side, Took] = {}
        """The sides this run wrote to."""
        self._map = map
        self._entities = entities
        self._ports = ports
        self._by_kind: dict[str, float] = {}
        self._settled_at = -math.inf

    def pace(self, side: Side) -> Pace:
        """How the side takes writes at present."""
        return self._ports.endpoints[side].pace(self._map.entity(side))

    def rows(self, side: Side) -> int:
        """Operations the next call should have at most."""
        most = self._entities[side].capabilities.batch
        return min(self.pace(side).rows or most, most)

    def calls(self, side: Side, most: int) -> int:
        """Calls worth having under way, at least one."""
        return max(1, min(self.pace(side).calls, most))

    def stand_still(self, side: Side, meanwhile: Callable[[], bool]) -> None:
        """Wait while the side takes nothing; `meanwhile` says now and then whether to go on."""
        while (pause := self.pace(side).pause) > 0 and meanwhile():
            self._ports.sleep(min(pause, STEP))

    def settled(self, side: Side, kinds: Mapping[str, int], sent: float) -> None:
        """A call with so many writes of each kind is settled that left at `sent`.

        Calls overlap: each counts from where the one before it had ended.
        """
        now = self._ports.monotonic()
        seconds = now - max(sent, self._settled_at)
        self._settled_at = now
        rows = sum(kinds.values())
        took = self.sides.setdefault(side, Took())
        took.rows += rows
        took.seconds += seconds
        took.pace = self.pace(side)
        self._ports.paced(side, took.pace)
        for kind, count in kinds.items():
            name = f"{MILLISECONDS}{kind}d {side}"
            self._by_kind[name] = self._by_kind.get(name, 0.0) + 1000 * seconds * count / rows

    def milliseconds(self) -> dict[str, int]:
        """How long writes took by kind and side, under the names a run's row keeps them by."""
        return {name: math.ceil(so_far) for name, so_far in self._by_kind.items()}
