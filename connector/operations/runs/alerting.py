"""What goes wrong before a run begins, counted and remembered all the same.

Owns: counting a side that cannot be reached where no run could be opened yet, keeping why none
could, for `status`, and for lack of which columns.
Never does: the rules (`connector/engine/runs/alerts.py`), sending (`connector/notify.py`).
Tested in: tests/acceptance/test_alerts.py.
"""

from __future__ import annotations

from connector.bootstrap import Project
from connector.engine.faults import handling_of_error
from connector.engine.runs.stock import miss_columns
from connector.engine.runs.watch import Watch, count
from connector.errors import (
    DualWriteError,
    LeaseHeldError,
    MapStoppedError,
    StateError,
    UnreachableError,
    UsageError,
)
from connector.mapping.document import MapDocument
from connector.store.work import Work

_TOLD_OTHERWISE = (LeaseHeldError, MapStoppedError, StateError, UsageError)
"""Errors that say nothing new of the map, or that cannot be kept."""


def count_before_run(
    project: Project, document: MapDocument, command: str, error: DualWriteError
) -> None:
    """Count and keep what kept a run of `command` from beginning; raise the alerts that reaches.

    Nothing of it while another run works the map: it meets the same and tells it itself.
    """
    if error.code == "column-unknown":
        _remember_missed(project, document)
    kind = handling_of_error(error).incident
    if kind is None and isinstance(error, _TOLD_OTHERWISE):
        return
    ports, limits = project.ports(document), project.tuning.limits
    try:
        lease = project.store.acquire(document.map, ports.holder, limits.lease, ports.gone)
    except LeaseHeldError:
        return
    try:
        _keep(project, document, command, error)
        if kind is not None:
            work = Work(0, ports.clock())
            count(work.incidents, kind)
            project.store.commit(lease, work)
            watch = Watch(document, ports, project.tuning.alerts)
            watch.saw(work.incidents)
            watch.heed(lease, 0)
    finally:
        project.store.release(lease)


def _keep(project: Project, document: MapDocument, command: str, error: DualWriteError) -> None:
    """A run that did not begin is one that ended with its error; the same again is no news."""
    store, now = project.store, project.ports(document).clock()
    told = error.as_dict()
    last = next(iter(store.runs(document.map, 1)), None)
    known = last.error or {} if last is not None and last.command == command else {}
    # What a library says of the cause may differ each time.
    if any(known.get(part) != told[part] for part in ("code", "message", "subject")):
        number = store.start_run(command, document.map, document.fingerprint(), now)
        store.finish_run(number, now, error.code, {}, told)


def _remember_missed(project: Project, document: MapDocument) -> None:
    """Which columns of the map are not there now, so that one that comes back is looked at."""
    try:
        miss_columns(document, project.ports(document), project.tuning.limits.lease)
    except (UnreachableError, LeaseHeldError):
        return  # whoever finds the map without its column next remembers it
