"""Commands that look at both sides: plan and verify.

Owns: the dry run with its estimated time, the comparison with its repair.
Never does: printing.
Tested in: tests/acceptance/test_main_story.py.
"""

from __future__ import annotations

from collections.abc import Callable

from connector.bootstrap import Project
from connector.engine.proof import verify as comparison
from connector.engine.proof.rehearse import DryRun, Planned, Rehearsal, rehearse
from connector.engine.proof.verify import Finding, Verdict
from connector.engine.runs.running import running
from connector.mapping.document import MapDocument
from connector.mapping.values import normal_key
from connector.operations.runs.estimates import RUNS, Estimate, estimate


def rehearse_map(
    project: Project,
    document: MapDocument,
    key: str | None,
    report: Callable[[Planned], None] = lambda _planned: None,
) -> tuple[Rehearsal, Estimate]:
    """The dry run of one map, or of one of its records, and how long it would take."""
    map, entities = project.compiled(document)
    run = DryRun(map, entities, project.ports(document), project.tuning)
    began = run.ports.monotonic()
    rehearsal = rehearse(run, normal_key(key) if key is not None else None, report)
    seconds = run.ports.monotonic() - began
    if rehearsal.first_load:
        seconds *= 2  # a load reads back what it created
    own = project.store.runs(document.map, RUNS)
    others = project.store.runs(None, RUNS)
    return rehearsal, estimate(rehearsal.counts, seconds, own, others)


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
