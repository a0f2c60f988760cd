"""How long the next run will take.

Owns: the prediction from what earlier runs took, and where it comes from.
Never does: measuring (runs do, `connector/engine/runs/pacing.py`), printing.
Tested in: tests/unit/operations/test_estimates.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connector.engine.plan import Kind
from connector.engine.runs.pacing import MILLISECONDS
from connector.mapping.values import Side
from connector.store.work import RunRow

ASSUMED = 1000.0
"""Writes per second to a side nobody has written to yet."""
ENOUGH = 100
"""Writes of a kind from which on a run tells how fast they go."""
RUNS = 20
"""Runs that are looked at."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds a run is expected to take, and by what: `measured` or `assumed`."""

    seconds: float
    basis: str


@dataclass(frozen=True, slots=True)
class Speed:
    """Writes of one kind to one side, and the milliseconds they took."""

    writes: int
    milliseconds: int


def estimate(
    planned: Mapping[str, int], rehearsed: float, own: Iterable[RunRow], others: Iterable[RunRow]
) -> Estimate:
    """The time of a rehearsed run, by its counts; runs come newest first.

    Reading and planning took `rehearsed` seconds just now and will again. Each kind of write
    counts with the last run of this map that had enough of it, else with the last run of another
    map, else with another kind of write to the same side.
    """
    speeds = _speeds([*own, *others])
    seconds, measured = rehearsed, True
    for kind in Kind:
        for side in Side:
            writes = planned.get(f"{kind} {side}", 0)
            if not writes:
                continue
            known = [speeds.get((other, side)) for other in (kind, *Kind)]
            speed = next((one for one in known if one is not None), None)
            measured = measured and speed is not None
            each = speed.milliseconds / speed.writes / 1000 if speed else 1 / ASSUMED
            seconds += writes * each
    return Estimate(seconds, "measured" if measured else "assumed")


def _speeds(runs: Iterable[RunRow]) -> dict[tuple[Kind, Side], Speed]:
    """By kind and side, from the newest run that wrote enough."""
    found: dict[tuple[Kind, Side], Speed] = {}
    for run in runs:
        for kind in Kind:
            for side in Side:
                name = f"{kind}d {side}"
                writes, took = run.counts.get(name, 0), run.counts.get(f"{MILLISECONDS}{name}", 0)
                if writes >= ENOUGH and took:
                    found.setdefault((kind, side), Speed(writes, took))
    return found
