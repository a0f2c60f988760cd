"""What goes wrong before a run begins, counted and remembered all the same.

Owns: counting a side that cannot be reached where no run could be opened yet, remembering columns
for lack of which none could.
Never does: the rules (`connector/engine/runs/alerts.py`), sending (`connector/notify.py`).
Tested in: tests/acceptance/test_alerts.py.
"""

from __future__ import annotations

from connector.bootstrap import Project
from connector.engine.faults import handling_of_error
from connector.engine.runs.stock import miss_columns
from connector.engine.runs.watch import Watch, count
from connector.errors import DualWriteError, LeaseHeldError, UnreachableError
from connector.mapping.document import MapDocument
from connector.store.work import Work


def count_before_run(project: Project, document: MapDocument, error: DualWriteError) -> None:
    """Count what kept a run from beginning, and raise the alerts that reaches.

    Nothing is counted while another run works the map: it meets the same and counts it itself.
    """
    if error.code == "column-unknown":
        _remember_missed(project, document)
    kind = handling_of_error(error).incident
    if kind is None:
        return
    ports, limits = project.ports(document), project.tuning.limits
    try:
        lease = project.store.acquire(document.map, ports.holder, limits.lease, ports.gone)
    except LeaseHeldError:
        return
    try:
        work = Work(0, ports.clock())
        count(work.incidents, kind)
        project.store.commit(lease, work)
        watch = Watch(document, ports, project.tuning.alerts)
        watch.saw(work.incidents)
        watch.heed(lease, 0)
    finally:
        project.store.release(lease)


def _remember_missed(project: Project, document: MapDocument) -> None:
    """Which columns of the map are not there now, so that one that comes back is looked at."""
    try:
        miss_columns(document, project.ports(document), project.tuning.limits.lease)
    except (UnreachableError, LeaseHeldError):
        return  # whoever finds the map without its column next remembers it
