"""How live mode is doing, as the thread that works wrote it down last.

Owns: the health object (docs/json.md), what counts as live, ready and active.
Never does: asking a side or the state; whoever reads it never waits for the work.
Tested in: tests/unit/live/test_board.py.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal, TypeAlias

Posted: TypeAlias = Literal["notices", "events"]
"""Notices of Dataverse, events of commerce systems."""


class Standing(StrEnum):
    """What an instance does about one map."""

    STARTING = "starting"
    ACTIVE = "active"
    STANDBY = "standby"
    """Another instance works it."""
    BUSY = "busy"
    """A command works it just now."""
    NEW = "new"
    """It was never loaded."""
    PAUSED = "paused"
    STOPPED = "stopped"
    FAILING = "failing"
    """It could not be worked and is tried again."""


_IDLE = (Standing.STARTING, Standing.STANDBY)
_UNWELL = (Standing.STARTING, Standing.NEW, Standing.FAILING)


@dataclass(frozen=True, slots=True)
class MapHealth:
    """One map; times in seconds since the epoch."""

    map: str
    standing: Standing
    read_at: float | None = None
    """When both sides were last looked at by this instance."""
    changed_at: float | None = None
    """When a cycle last had something to do."""
    problem: Mapping[str, Any] | None = None
    needs: Sequence[Mapping[str, Any]] = field(default=())
    ours: bool = True
    """Whether this instance has its seat."""


class Board:
    """Written by the thread that works, read by those that answer.

    `clock` gives seconds since the epoch. `silence` is how long the work may show no sign of life
    before it counts as dead: the longest a single write can take.
    """

    def __init__(
        self, instance: str, version: str, clock: Callable[[], float], silence: float
    ) -> None:
        self._instance = instance
        self._version = version
        self._clock = clock
        self._silence = silence
        self._started = self._beaten = clock()
        self._maps: Sequence[MapHealth] = ()
        self._files: Mapping[str, Any] | None = None
        self._lock = threading.Lock()
        self._counted: Counter[tuple[Posted, str]] = Counter()

    def beat(self) -> None:
        """The work goes on."""
        self._beaten = self._clock()

    def show(self, maps: Sequence[MapHealth], files: Mapping[str, Any] | None = None) -> None:
        """Replace what is told of the maps; `files` is why changed map files are not used."""
        self._maps, self._files = maps, files
        self.beat()

    def count(self, kind: str, of: Posted = "notices") -> int:
        """One more notice or event of a kind; how many by now."""
        with self._lock:
            self._counted[of, kind] += 1
            return self._counted[of, kind]

    @property
    def live(self) -> bool:
        """Whether the thread that works shows signs of life."""
        return self._clock() - self._beaten <= self._silence

    @property
    def ready(self) -> bool:
        """Whether every map is worked, stood by for, or held by a person or a guard."""
        maps = self._maps
        return self.live and bool(maps) and not any(m.standing in _UNWELL for m in maps)

    @property
    def active(self) -> bool:
        """Whether this instance works a map, or holds it for a person."""
        return self.live and any(m.ours and m.standing not in _IDLE for m in self._maps)

    def as_dict(self, notices: Sequence[str], events: Sequence[str]) -> dict[str, Any]:
        """The documented JSON form, with these kinds of notices and of events."""
        now = self._clock()
        with self._lock:
            counted = dict(self._counted)
        return {
            "live": self.live,
            "ready": self.ready,
            "active": self.active,
            "version": self._version,
            "instance": self._instance,
            "started": _instant(self._started),
            "maps": [
                {
                    "map": one.map,
                    "state": one.standing.value,
                    "lag_seconds": None if one.read_at is None else round(now - one.read_at, 3),
                    "last_cycle": _instant(one.read_at),
                    "last_change": _instant(one.changed_at),
                    "problem": one.problem,
                }
                for one in self._maps
            ],
            "files": self._files,
            "needs": [need for one in self._maps for need in one.needs],
            "notices": {kind: counted.get(("notices", kind), 0) for kind in notices},
            "events": {kind: counted.get(("events", kind), 0) for kind in events},
        }


def _instant(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
