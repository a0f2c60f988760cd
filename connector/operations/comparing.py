"""Commands that look at both sides: plan and verify.

Owns: the dry run with its estimated time, the comparison with its repair.
Never does: printing.
Tested in: tests/acceptance.
"""

from __future__ import annotations

from collections.abc import Callable

from connector.bootstrap import Project
from connector.engine import verify as comparison
from connector.engine.rehearse import DryRun, Rehearsal, rehearse
from connector.engine.run import running
from connector.engine.verify import Finding, Verdict
from connector.mapping.document import MapDocument
from connector.mapping.values import normal_key
from connector.operations.outcomes import written_in

_ROWS_PER_SECOND = 1000.0
"""What is assumed of a side nobody has written to yet."""


def rehearse_map(
    project: Project, document: MapDocument, key: str | None
) -> tuple[Rehearsal, float]:
    """The dry run of one map, or of one of its records, and the estimated seconds it stands for."""
    map, entities = project.compiled(document)
    run = DryRun(map, entities, project.ports(document), project.tuning)
    rehearsal = rehearse(run, normal_key(key) if key is not None else None)
    return rehearsal, rehearsal.writes / _speed(project, document.map)


def _speed(project: Project, map: str) -> float:
    """Rows written per second in the last runs that wrote enough to tell."""
    rows, seconds = 0, 0.0
    for run in project.store.runs(map, 20):
        written = written_in(run.counts)
        if run.ended is not None and written >= 100:
            rows += written
            seconds += max(run.ended - run.started, 0.001)
    return rows / seconds if rows else _ROWS_PER_SECOND


def verify_map(
    project: Project,
    document: MapDocument,
    report: Callable[[Finding], None],
    *,
    repair: bool = False,
    key: str | None = None,
) -> Verdict:
    """Compare one map or one record; with `repair`, settle the differences and compare again."""
    map, entities = project.compiled(document)
    ports = project.ports(document)
    if repair:
        first = comparison.verify(map, ports, key=key)
        if not first.equal:
            with running("repair", map, entities, ports, project.tuning) as run:
                comparison.repair(run, first.findings)
    return comparison.verify(map, ports, report, key)
