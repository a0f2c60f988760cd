"""Commands that write: load, sync, resolve, retry.

Owns: running maps in their order; one that is held, stopped or wrong keeps no other waiting, a
side that goes away ends the command with what was done until then.
Never does: printing, parsing arguments, wiring parts.
Tested in: tests/acceptance/test_commands.py, tests/acceptance/test_order.py.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from connector.bootstrap import Project
from connector.endpoints.base import Entity
from connector.engine.cycle import Finish, sync
from connector.engine.faults import Step, handling_of_error
from connector.engine.load import load
from connector.engine.runs.drifted import findings_of
from connector.engine.runs.retention import Retention, clear_out
from connector.engine.runs.run import MapRun
from connector.engine.runs.running import running
from connector.engine.runs.stock import stock_of
from connector.errors import (
    DualWriteError,
    MapStoppedError,
    UnreachableError,
    UsageError,
)
from connector.mapping.checks.between import filled_before, pointing_of
from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.document import MapDocument
from connector.mapping.values import Side, normal_key
from connector.operations.outcomes import MapOutcome
from connector.operations.runs.alerting import count_before_run
from connector.operations.runs.freshness import Freshness
from connector.operations.runs.side_by_side import in_order, side_by_side

FRESH = 60.0
"""Seconds for which what the sides said of their tables is believed."""


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


@dataclass(frozen=True, slots=True)
class Prepared:
    """A map joined with the live tables of its two sides."""

    document: MapDocument
    map: CompiledMap
    entities: dict[Side, Entity]
    until: float
    """How long on our monotonic clock the tables count as asked just now."""


def _each(
    project: Project,
    documents: Sequence[MapDocument],
    command: str,
    work: Callable[[MapRun], Finish],
    master: Side | None = None,
) -> list[MapOutcome]:
    """Run every map; which errors end the command, `connector/engine/faults.py` says.

    Maps that others look into come first, those that have nothing to do with each other side by
    side. An error that ends the command before any run began is raised: nothing was done.
    """
    stopping = project.ports(documents[0]).stopping
    ready, outcomes = _prepare(project, documents, command)
    alone = len(ready) == 1 or project.settings.maps.at_once == 1
    over = threading.Event()

    def one(name: str) -> MapOutcome:
        with nullcontext(project) if alone else project.beside() as own:
            outcome = _run(own, ready[name], command, work, master)
        if outcome.error is not None and _ends_all(outcome.error):
            over.set()
        return outcome

    def ended() -> bool:
        return over.is_set() or stopping()

    order = _order(list(ready.values()))
    if alone:
        for name in in_order(list(ready), order):
            if not ended():
                outcomes[name] = one(name)
    else:
        at_once = project.settings.maps.at_once
        outcomes |= side_by_side(list(ready), order, at_once, one, ended)
    listed = [outcomes[one.map] for one in documents if one.map in outcomes]
    if not stopping() and not any(_dataverse_away(outcome) for outcome in listed):
        Freshness(project).tell([one for one in documents if one.map in outcomes])
    first = listed[0].error if listed else None
    if first is not None and _ends_all(first) and not any(outcome.began for outcome in listed):
        raise first
    return listed


def _prepare(
    project: Project, documents: Sequence[MapDocument], command: str
) -> tuple[dict[str, Prepared], dict[str, MapOutcome]]:
    """The maps that may run, and what came of those that may not.

    Those behind one whose error ends the command are left out.
    """
    ready: dict[str, Prepared] = {}
    failed: dict[str, MapOutcome] = {}
    for document in documents:
        monotonic = project.ports(document).monotonic
        began = monotonic()
        try:
            ready[document.map] = _prepared(project, document)
        except DualWriteError as error:
            _mind_what_was(project, document, error)
            count_before_run(project, document, command, error)
            failed[document.map] = outcome = MapOutcome(document.map, error=error)
            outcome.seconds = monotonic() - began
            if _ends_all(error):
                break
    return ready, failed


def _prepared(project: Project, document: MapDocument) -> Prepared:
    now = project.ports(document).monotonic()
    map, entities = project.compiled(document)
    return Prepared(document, map, entities, now + FRESH)


def _mind_what_was(project: Project, document: MapDocument, error: DualWriteError) -> None:
    """Another column of a like name is no remedy for one that was there when the map last ran."""
    if error.code != "column-unknown":
        return
    stock = stock_of(project.store, document, project.entities(document))
    for one in findings_of(stock.found, document, stock.read) if stock is not None else ():
        if one.code == "column-removed" and one.subject.field == error.subject.field:
            error.message += ", which was there when the map last ran"
            error.remedy = one.remedy


def _order(ready: Sequence[Prepared]) -> Mapping[str, frozenset[str]]:
    """By map: those that fill the tables it looks into, and those whose outcome it shows."""
    pointing = {
        one.document.map: pointing_of(one.document, one.entities[Side.DATAVERSE].columns)
        for one in ready
    }
    filled = filled_before([one.document for one in ready], pointing)
    return {name: before | _outcome_of(name, ready) for name, before in filled.items()}


def _outcome_of(name: str, ready: Sequence[Prepared]) -> frozenset[str]:
    """The maps that write to commerce what changes the rows of this one there."""
    (shows,) = (one for one in ready if one.document.map == name)
    followed = shows.entities[Side.COMMERCE].follows
    return frozenset(
        one.document.map
        for one in ready
        if one.entities[Side.COMMERCE].name in followed
        and one.document.system(Side.COMMERCE) == shows.document.system(Side.COMMERCE)
        and any(Side.COMMERCE in row.ways for row in one.document.fields)
    )


def _run(
    project: Project,
    ready: Prepared,
    command: str,
    work: Callable[[MapRun], Finish],
    master: Side | None,
) -> MapOutcome:
    """One run over one map; tables that were asked long ago are asked anew."""
    document = ready.document
    outcome, ports = MapOutcome(document.map), project.ports(document)
    began = ports.monotonic()
    run: MapRun | None = None
    try:
        if ready.until < began:
            ready = _prepared(project, document)
        map = ready.map if master is None else ready.map.with_master(master)
        with running(command, map, ready.entities, ports, project.tuning) as run:
            finish = work(run)
        outcome.finished, outcome.rounds = finish.finished, finish.rounds
    except DualWriteError as error:
        if run is None:
            count_before_run(project, document, command, error)
            outcome.stopped_before = isinstance(error, MapStoppedError)
        outcome.error = error
    if run is not None:
        outcome.began = True
        outcome.counts = dict(run.counts)
        outcome.pace = {side.value: took.as_dict() for side, took in run.pacer.sides.items()}
    outcome.seconds = ports.monotonic() - began
    return outcome


def _dataverse_away(outcome: MapOutcome) -> bool:
    error = outcome.error
    return isinstance(error, UnreachableError) and error.subject.side == Side.DATAVERSE.value


def _ends_all(error: DualWriteError) -> bool:
    """Whether no further map is begun."""
    return handling_of_error(error).step is not Step.NEXT_MAP or error.code == "alert-stopped"
