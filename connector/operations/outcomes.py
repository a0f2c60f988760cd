"""What a command did to each map, and what that means for whoever started it.

Owns: outcomes, needs, and which exit code wins.
Never does: running anything.
Tested in: tests/unit/operations/test_outcomes.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connector.engine.runs.pacing import MILLISECONDS
from connector.errors import (
    DualWriteError,
    MapStoppedError,
)


@dataclass(slots=True)
class MapOutcome:
    """What one command did to one map."""

    map: str
    finished: bool = False
    rounds: int = 0
    seconds: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    pace: dict[str, dict[str, float | str | None]] = field(default_factory=dict)
    """By side: how fast writes went, and what the side would have allowed."""
    error: DualWriteError | None = None
    began: bool = False
    """Whether a run held the map."""
    stopped_before: bool = False
    """The map was stopped when this run came: nothing new for those who know it."""

    @property
    def news(self) -> bool:
        """Whether this run found something only a person can decide."""
        if isinstance(self.error, MapStoppedError):
            return not self.stopped_before
        return any(self.counts.get(name) for name in ("parked", "conflicts"))

    @property
    def writes(self) -> int:
        """Writes that were applied, on both sides."""
        return written_in(self.counts)

    def as_dict(self) -> dict[str, Any]:
        """The documented JSON form (docs/json.md)."""
        return {
            "map": self.map,
            "finished": self.finished,
            "rounds": self.rounds,
            "seconds": round(self.seconds, 3),
            "writes": self.writes,
            "counts": {name.replace(" ", "_"): n for name, n in sorted(self.counts.items())},
            "pace": self.pace,
            "error": self.error.as_dict() if self.error else None,
        }


def written_in(counts: Mapping[str, int]) -> int:
    """Writes that were applied, on both sides, by the counts of a run."""
    verbs = ("created ", "updated ", "deleted ")
    return sum(count for name, count in counts.items() if name.startswith(verbs))


def done_in(counts: Mapping[str, int]) -> dict[str, int]:
    """What a run did, by the counts of its row; measured times are left out."""
    return {name: n for name, n in counts.items() if not name.startswith(MILLISECONDS)}


def took_in(counts: Mapping[str, int]) -> dict[str, float]:
    """Seconds each kind of write took, as `created dataverse`, by the counts of a run's row."""
    return {
        name.removeprefix(MILLISECONDS): n / 1000
        for name, n in counts.items()
        if name.startswith(MILLISECONDS)
    }


@dataclass(frozen=True, slots=True)
class Need:
    """Something only a person can decide."""

    map: str
    kind: str
    """parked | conflict | stopped | paused | failing | differences"""
    count: int

    def as_dict(self) -> dict[str, Any]:
        """The documented JSON form (docs/json.md)."""
        return {"map": self.map, "kind": self.kind, "count": self.count}


_SEVERITY = {1: 5, 2: 4, 4: 3, 5: 2, 3: 1, 0: 0}
"""Which exit code wins where maps end differently."""


def gravest(codes: Iterable[int]) -> int:
    """The exit code that wins; 0 where there is none."""
    return max(codes, key=lambda code: _SEVERITY.get(code, 5), default=0)


def exit_code(
    outcomes: Sequence[MapOutcome], needs: Sequence[Need], *, known_ok: bool = False
) -> int:
    """The gravest of what the maps ended with; 3 where only a person is needed.

    With `known_ok`, what already needed a person before this run counts as 0.
    """
    codes = [
        outcome.error.exit_code
        for outcome in outcomes
        if outcome.error is not None and not (known_ok and outcome.stopped_before)
    ]
    if needs and not (known_ok and not any(outcome.news for outcome in outcomes)):
        codes.append(3)
    return gravest(codes)
