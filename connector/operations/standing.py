"""Where the maps stand, from the state alone: status, needs, conflicts.

Owns: what is told of the state without asking a side.
Never does: changing it.
Tested in: tests/acceptance/test_commands.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connector.books import Books
from connector.errors import Problem, Subject
from connector.mapping.document import MapDocument
from connector.mapping.values import Side
from connector.operations.holding import PAUSED
from connector.operations.outcomes import Need
from connector.store.record import State
from connector.store.work import RunRow

FAILING = "failing"
"""How a map is called whose last run did not begin, or broke off."""
_WORKING = frozenset({"load", "sync", "serve"})
"""Commands that work the whole map."""
_NO_FAILURE = frozenset({"map-loaded", "lease-lost"})
"""What such a run may end with though the map is well."""


def needs(books: Books, documents: Sequence[MapDocument]) -> list[Need]:
    """What needs a person now, from the state alone."""
    found: list[Need] = []
    for document in documents:
        counts = books.store.set_aside(document.map)
        for state, kind in ((State.PARKED, "parked"), (State.CONFLICT, "conflict")):
            if counts[state]:
                found.append(Need(document.map, kind, counts[state]))
        row = books.store.map_row(document.map)
        if row is not None and row.stopped is not None:
            found.append(Need(document.map, held_state(row.stopped), 1))
    return found


def held_state(problem: Problem) -> str:
    """How a held map is called: `paused` by a person, `stopped` by a guard or an alert."""
    return "paused" if problem.code == PAUSED else "stopped"


@dataclass(frozen=True, slots=True)
class MapStatus:
    """Where one map stands, from the state alone."""

    map: str
    state: str
    """new | loading | running | paused | stopped | failing"""
    lag: float | None
    """Seconds since the feeds were last read: of both sides, of an append map its source's."""
    counts: Mapping[State, int]
    last_run: Mapping[str, Any] | None
    problem: Problem | None
    epochs: Mapping[Side, int]
    """How many lives each side had; a side restored from a backup begins one."""

    def as_dict(self) -> dict[str, Any]:
        """The documented JSON form (docs/json.md)."""
        return {
            "map": self.map,
            "state": self.state,
            "lag_seconds": None if self.lag is None else round(self.lag, 3),
            **{state.value: count for state, count in self.counts.items()},
            "last_run": self.last_run,
            "problem": self.problem.as_dict() if self.problem else None,
            "epochs": {side.value: epoch for side, epoch in self.epochs.items()},
        }


def status_of(books: Books, document: MapDocument) -> MapStatus:
    """Where one map stands."""
    store = books.store
    row = store.map_row(document.map)
    positions = store.positions(document.map)
    now = books.now()
    followed = [(side, "feed") for side in document.followed]
    feeds = [p for at, p in positions.items() if at in followed and p.text is not None]
    lag = now - min(p.at for p in feeds) if len(feeds) == len(followed) else None
    run = next(iter(store.runs(document.map, 1)), None)
    problem = row.stopped if row is not None else None
    if problem is not None:
        state = held_state(problem)
    elif run is not None and (problem := failure_of(run)) is not None:
        state = FAILING
    elif row is not None and row.loaded_at is not None:
        state = "running"
    else:
        state = "loading" if positions else "new"
    last = None
    if run is not None:
        last = {
            "run": run.number,
            "command": run.command,
            "started": instant(run.started),
            "ended": None if run.ended is None else instant(run.ended),
            "outcome": run.outcome,
        }
    worlds = {side: store.world(document.system(side)) for side in Side}
    epochs = {side: world.epoch if world is not None else 1 for side, world in worlds.items()}
    return MapStatus(document.map, state, lag, store.counts(document.map), last, problem, epochs)


def statuses(books: Books, documents: Sequence[MapDocument]) -> tuple[list[MapStatus], list[Need]]:
    """Where each map stands, and what needs a person; a map that fails does too."""
    found = [status_of(books, document) for document in documents]
    failing = [Need(one.map, FAILING, 1) for one in found if one.state == FAILING]
    return found, [*needs(books, documents), *failing]


def failure_of(run: RunRow) -> Problem | None:
    """Why a map does not run, if this last run of it failed as a whole."""
    error = run.error
    if error is None or run.command not in _WORKING or run.outcome in _NO_FAILURE:
        return None
    return Problem(error["code"], error["message"], error["remedy"], Subject(**error["subject"]))


def instant(seconds: float) -> str:
    """A time as ISO 8601 in UTC, as everywhere in JSON."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
