"""One map as it is served.

Owns: what live mode knows of a map between two cycles.
Never does: working it (`serving.py`).
Tested in: tests/acceptance/test_serve.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from connector.endpoints.base import Entity, Identity
from connector.engine.runs.running import Ended
from connector.errors import Problem
from connector.live.board import MapHealth, Standing
from connector.live.pace import Pace
from connector.live.seldom import Seldom
from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.document import MapDocument
from connector.mapping.values import Side


@dataclass(frozen=True, slots=True)
class Warm:
    """What is known of a map's two sides without asking them again."""

    map: CompiledMap
    entities: dict[Side, Entity]
    identities: dict[Side, Identity]
    until: float


@dataclass(slots=True)
class Station:
    """One map as it is served."""

    document: MapDocument
    pace: Pace
    standing: Standing = Standing.STARTING
    ours: bool = False
    """Whether this instance has its seat."""
    warm: Warm | None = None
    unfit: Problem | None = None
    """Why this instance could not take it over."""
    probed_until: float = 0.0
    after: Ended | None = None
    """The last run, if it ended well."""
    problem: Problem | None = None
    failed_at: float | None = None
    trouble: Seldom = field(default_factory=Seldom)
    read_at: float | None = None
    changed_at: float | None = None
    needs: list[dict[str, Any]] = field(default_factory=list)
    counted_at: float | None = None

    @property
    def map(self) -> str:
        """Its name."""
        return self.document.map

    @property
    def side(self) -> str:
        """The name of its commerce side."""
        return self.document.commerce.side or "commerce"

    def health(self) -> MapHealth:
        """What is told of it."""
        problem = None if self.problem is None else self.problem.as_dict()
        return MapHealth(
            self.map, self.standing, self.read_at, self.changed_at, problem, self.needs, self.ours
        )
