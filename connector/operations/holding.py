"""Holding a map and letting it go: pause and resume.

Owns: who holds a map and why, as the state keeps it and as everybody is told.
Never does: asking a side; a map can be held while both are down. Nothing is lost meanwhile: the
feeds keep what changes, and an expired one becomes a full comparison.
Tested in: tests/acceptance/test_pause.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from connector.errors import DualWriteError, LeaseHeldError, Problem, Subject, UsageError
from connector.mapping.document import MapDocument
from connector.store.work import Lease, MapRow, Work

if TYPE_CHECKING:
    from connector.bootstrap import Project

PAUSED = "map-paused"
_LOOK_AGAIN = 0.5
"""Seconds between two tries for a lease somebody holds."""


@dataclass(frozen=True, slots=True)
class Hold:
    """What became of a wish to pause: the reason the map is held for, ours or an older one."""

    problem: Problem
    already: bool


def pause_reason(map: str, by: str, at: float, reason: str | None) -> Problem:
    """Why a map is paused, for its row in the store and for whoever meets it."""
    when = f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"
    return Problem(
        PAUSED,
        f"paused by {by} at {when}{f': {reason}' if reason else ''}",
        f"`dualwrite maps resume {map}` lets it run again; what changed meanwhile is carried "
        f"across then, `dualwrite plan --map {map}` shows it before",
        Subject(map=map),
    )


def pause_map(
    project: Project, document: MapDocument, *, by: str, reason: str | None, wait: float
) -> Hold:
    """Hold a map until somebody resumes it; one that is held already stays as it is.

    Waits up to `wait` seconds for a run to end. Raises `LeaseHeldError`.
    """
    with _alone(project, document, "pause", wait) as (lease, work):
        row = project.store.map_row(document.map)
        if row is not None and row.stopped is not None:
            return Hold(row.stopped, already=True)
        problem = pause_reason(document.map, by, work.at, reason)
        row = row or MapRow(document.map, document.fingerprint(), document.version)
        work.map = replace(row, stopped=problem)
        project.store.commit(lease, work)
    return Hold(problem, already=False)


def resume_map(
    project: Project, document: MapDocument, allow_deletes: int, *, wait: float
) -> Problem | None:
    """Let a held map run again, and release so many deletes beyond the guard; why it was held.

    Raises `UsageError` (`map-not-stopped`), `LeaseHeldError`.
    """
    with _alone(project, document, "resume", wait) as (lease, work):
        row = project.store.map_row(document.map)
        if row is None or (row.stopped is None and not allow_deletes):
            raise UsageError(
                "map-not-stopped",
                "this map is neither paused nor stopped",
                subject=Subject(map=document.map),
                remedy="nothing to do; `dualwrite status` shows where it stands",
            )
        work.map = replace(row, stopped=None, allowed_deletes=allow_deletes)
        project.store.commit(lease, work)
    return row.stopped


@contextmanager
def _alone(
    project: Project, document: MapDocument, command: str, wait: float
) -> Iterator[tuple[Lease, Work]]:
    """The map's lease, and a transaction of a run that is on record whatever its end."""
    ports = project.ports(document)
    store = project.store
    lease = _acquire(project, document, wait)
    try:
        run = store.start_run(command, document.map, document.fingerprint(), ports.clock())
        try:
            yield lease, Work(run, ports.clock())
        except DualWriteError as error:
            store.finish_run(run, ports.clock(), error.code, {}, error.as_dict())
            raise
        store.finish_run(run, ports.clock(), "done", {})
    finally:
        store.release(lease)


def _acquire(project: Project, document: MapDocument, wait: float) -> Lease:
    """The lease, once a run that holds it has ended; raises `LeaseHeldError` after `wait`."""
    ports = project.ports(document)
    until = ports.monotonic() + wait
    while True:
        try:
            return project.store.acquire(
                document.map, ports.holder, project.tuning.limits.lease, ports.gone
            )
        except LeaseHeldError as error:
            if ports.monotonic() >= until or ports.stopping():
                raise LeaseHeldError(
                    error.code,
                    "a run is at work on this map; it can be paused or resumed when that has ended",
                    subject=error.subject,
                    cause=error.cause,
                    remedy="wait for it, or let the command wait: `--wait 300`",
                ) from error
            ports.sleep(_LOOK_AGAIN)
