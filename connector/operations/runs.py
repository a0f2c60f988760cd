"""Commands that write: load, sync, resolve, retry.

Owns: running one map after the other; one that is held, stopped or wrong keeps no other waiting,
a side that goes away ends the command with what was done until then.
Never does: printing, parsing arguments, wiring parts.
Tested in: tests/acceptance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from connector.bootstrap import Project
from connector.engine.cycle import Finish, sync
from connector.engine.faults import Step, handling_of_error
from connector.engine.load import load
from connector.engine.retention import Retention, clear_out
from connector.engine.run import MapRun
from connector.engine.running import running
from connector.errors import (
    DualWriteError,
    MapStoppedError,
    UsageError,
)
from connector.mapping.document import MapDocument
from connector.mapping.values import Side, normal_key
from connector.operations.alerting import count_before_run
from connector.operations.outcomes import MapOutcome


def load_maps(
    project: Project,
    documents: Sequence[MapDocument],
    *,
    master: Side | None = None,
    again: bool = False,
) -> list[MapOutcome]:
    """The initial load of each map. Maps already loaded are skipped when several are asked for."""

    def work(run: MapRun) -> Finish:
        return load(run, again)

    outcomes = _each(project, documents, "load", work, master)
    if len(outcomes) > 1 and any(o.error is None for o in outcomes):
        for outcome in outcomes:
            if isinstance(outcome.error, UsageError) and outcome.error.code == "map-loaded":
                outcome.error, outcome.finished = None, True
    return outcomes


def sync_maps(
    project: Project,
    documents: Sequence[MapDocument],
    *,
    max_seconds: float | None = None,
    key: str | None = None,
) -> list[MapOutcome]:
    """One sync of each map, or of one record; the bound on time is shared by all."""
    clock = project.ports(documents[0]).monotonic
    end = None if max_seconds is None else clock() + max_seconds
    days = project.settings.retention
    kept = Retention(days.audit_days, days.runs_days, days.tombstones_days)

    def work(run: MapRun) -> Finish:
        left = None if end is None else max(0.0, end - clock())
        finish = sync(run, left, normal_key(key) if key is not None else None)
        if key is None and not run.ports.stopping():
            clear_out(run, kept)
        return finish

    return _each(project, documents, "sync", work)


def _each(
    project: Project,
    documents: Sequence[MapDocument],
    command: str,
    work: Callable[[MapRun], Finish],
    master: Side | None = None,
) -> list[MapOutcome]:
    """Run every map; which errors end the command, `connector/engine/faults.py` says.

    An error of the first map that kept its run from beginning is raised: nothing was done.
    """
    outcomes: list[MapOutcome] = []
    for document in documents:
        outcome = MapOutcome(document.map)
        outcomes.append(outcome)
        ports = project.ports(document)
        began = ports.monotonic()
        run: MapRun | None = None
        try:
            map, entities = project.compiled(document)
            if master is not None:
                map = map.with_master(master)
            with running(command, map, entities, ports, project.tuning) as run:
                finish = work(run)
            outcome.finished, outcome.rounds = finish.finished, finish.rounds
        except DualWriteError as error:
            if run is None:
                count_before_run(project, document, error)
                outcome.stopped_before = isinstance(error, MapStoppedError)
            if _ends_all(error) and run is None and len(outcomes) == 1:
                raise
            outcome.error = error
        if run is not None:
            outcome.counts = dict(run.counts)
            outcome.pace = {side.value: took.as_dict() for side, took in run.pacer.sides.items()}
        outcome.seconds = ports.monotonic() - began
        if ports.stopping() or (outcome.error is not None and _ends_all(outcome.error)):
            break
    return outcomes


def _ends_all(error: DualWriteError) -> bool:
    """Whether no further map is begun."""
    return handling_of_error(error).step is not Step.NEXT_MAP or error.code == "alert-stopped"
