"""What a command does, as a function with a plain result.

Owns: running one map or all of them, and gathering what came of it and who must act.
Never does: printing, parsing arguments, wiring parts.
Tested in: tests/acceptance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from connector.bootstrap import Project
from connector.engine import verify as comparing
from connector.engine.cycle import Finish, sync
from connector.engine.decide import decide
from connector.engine.load import load
from connector.engine.rehearse import DryRun, Rehearsal, rehearse
from connector.engine.run import MapRun, running
from connector.engine.verify import Finding, Verdict
from connector.errors import (
    DualWriteError,
    LeaseHeldError,
    MapError,
    MapStoppedError,
    Problem,
    Subject,
    UsageError,
)
from connector.mapping.document import MapDocument
from connector.mapping.values import Side, normal_key
from connector.store.base import State

_SEVERITY = {1: 5, 2: 4, 4: 3, 5: 2, 3: 1, 0: 0}
"""Which exit code wins where maps end differently."""


@dataclass(slots=True)
class MapOutcome:
    """What one command did to one map."""

    map: str
    finished: bool = False
    rounds: int = 0
    seconds: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    error: DualWriteError | None = None
    stopped_before: bool = False
    """The map was stopped when this run came: nothing new for those who know it."""

    @property
    def news(self) -> bool:
        """Whether this run found something only a person can decide."""
        if isinstance(self.error, MapStoppedError):
            return not self.stopped_before
        return any(self.counts.get(name) for name in ("parked", "conflicts"))

    @property
    def writes(self) -> int:
        """Writes that were applied, on both sides."""
        return written_in(self.counts)

    def as_dict(self) -> dict[str, Any]:
        """The documented JSON form (docs/json.md)."""
        return {
            "map": self.map,
            "finished": self.finished,
            "rounds": self.rounds,
            "seconds": round(self.seconds, 3),
            "writes": self.writes,
            "counts": {name.replace(" ", "_"): n for name, n in sorted(self.counts.items())},
            "error": self.error.as_dict() if self.error else None,
        }


@dataclass(frozen=True, slots=True)
class Need:
    """Something only a person can decide."""

    map: str
    kind: str
    """parked | conflict | stopped | differences"""
    count: int

    def as_dict(self) -> dict[str, Any]:
        """The documented JSON form (docs/json.md)."""
        return {"map": self.map, "kind": self.kind, "count": self.count}


def named(documents: Sequence[MapDocument], name: str) -> MapDocument:
    """The map of this name; raises `UsageError` (`map-unknown`)."""
    for document in documents:
        if document.map == name:
            return document
    raise UsageError(
        "map-unknown",
        f"there is no map `{name}`",
        subject=Subject(map=name),
        remedy=f"choose one of {', '.join(document.map for document in documents)}",
    )


def chosen(project: Project, name: str | None) -> list[MapDocument]:
    """The named map, or all of the project; raises `UsageError` (`map-unknown`)."""
    documents = list(project.documents.values())
    return documents if name is None else [named(documents, name)]


def exit_code(
    outcomes: Sequence[MapOutcome], needs: Sequence[Need], *, known_ok: bool = False
) -> int:
    """The gravest of what the maps ended with; 3 where only a person is needed.

    With `known_ok`, what already needed a person before this run counts as 0.
    """
    codes = [
        outcome.error.exit_code
        for outcome in outcomes
        if outcome.error is not None and not (known_ok and outcome.stopped_before)
    ]
    if needs and not (known_ok and not any(outcome.news for outcome in outcomes)):
        codes.append(3)
    return max(codes, key=lambda code: _SEVERITY.get(code, 5), default=0)


def needs(project: Project, documents: Sequence[MapDocument]) -> list[Need]:
    """What needs a person now, from the state alone."""
    found: list[Need] = []
    for document in documents:
        counts = project.store.counts(document.map)
        for state, kind in ((State.PARKED, "parked"), (State.CONFLICT, "conflict")):
            if counts[state]:
                found.append(Need(document.map, kind, counts[state]))
        row = project.store.map_row(document.map)
        if row is not None and row.stopped is not None:
            found.append(Need(document.map, "stopped", 1))
    return found


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

    def work(run: MapRun) -> Finish:
        left = None if end is None else max(0.0, end - clock())
        return sync(run, left, normal_key(key) if key is not None else None)

    return _each(project, documents, "sync", work)


def _each(
    project: Project,
    documents: Sequence[MapDocument],
    command: str,
    work: Callable[[MapRun], Finish],
    master: Side | None = None,
) -> list[MapOutcome]:
    """Run every map; one that is held, stopped or wrong does not keep the others waiting."""
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
        except (LeaseHeldError, MapStoppedError, MapError, UsageError) as error:
            outcome.error = error
            outcome.stopped_before = run is None and isinstance(error, MapStoppedError)
        if run is not None:
            outcome.counts = dict(run.counts)
        outcome.seconds = ports.monotonic() - began
        if ports.stopping():
            break
    return outcomes


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


def written_in(counts: Mapping[str, int]) -> int:
    """Writes that were applied, on both sides, by the counts of a run."""
    verbs = ("created ", "updated ", "deleted ")
    return sum(count for name, count in counts.items() if name.startswith(verbs))


def master_side(name: str | None) -> Side | None:
    """The side an option names; raises `UsageError` (`side-unknown`)."""
    if name is None:
        return None
    try:
        return Side(name)
    except ValueError as error:
        raise UsageError(
            "side-unknown", f"there is no side `{name}`", remedy="write commerce or dataverse"
        ) from error


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
        first = comparing.verify(map, ports, key=key)
        if not first.equal:
            with running("repair", map, entities, ports, project.tuning) as run:
                comparing.repair(run, first.findings)
    return comparing.verify(map, ports, report, key)


def check_project(project: Project) -> Iterator[Problem]:
    """Every problem of connections, identities and maps that can be found without writing."""
    unreachable: set[int] = set()
    for document in project.documents.values():
        try:
            endpoints = project.endpoints(document)
        except DualWriteError as error:
            yield Problem.of(error)
            continue
        healthy = True
        for endpoint in endpoints.values():
            if id(endpoint) in unreachable:
                healthy = False
                continue
            try:
                endpoint.identity()
            except DualWriteError as error:
                unreachable.add(id(endpoint))
                healthy = False
                yield Problem.of(error)
        if healthy:
            yield from _check_map(project, document)


def _check_map(project: Project, document: MapDocument) -> Iterator[Problem]:
    try:
        problems = project.findings(document)
        entities = project.entities(document)
    except DualWriteError as error:
        yield Problem.of(error)
        return
    yield from problems
    key_columns = {
        row.dataverse for row in document.fields if row.key and row.dataverse is not None
    }
    entity = entities[Side.DATAVERSE]
    keys = [key for key in entity.keys if set(key.columns) == key_columns]
    subject = document.file.subject("dataverse", map=document.map)
    if not keys:
        yield Problem(
            "alternate-key-missing",
            f"{entity.name} has no alternate key on {', '.join(sorted(key_columns))}: two rows "
            "with one key are possible and would both be set aside",
            "add an alternate key on these columns",
            subject,
            "warning",
        )
    elif not any(key.active for key in keys):
        yield Problem(
            "alternate-key-pending",
            f"the alternate key of {entity.name} is not active yet",
            "wait until its index is built, or repair it in Dataverse",
            subject,
            "warning",
        )
    for side, described in entities.items():
        if described.capabilities.preconditions == "none":
            yield Problem(
                "preconditions-none",
                f"{side} offers no preconditions: an edit made while we write can be overwritten",
                "keep write windows short; both values are logged",
                document.file.subject(side.value, map=document.map),
                "warning",
            )
        try:
            map, _ = project.compiled(document)
            columns = map.column_names(side)
            absent = "00000000-0000-0000-0000-000000000000"
            project.endpoints(document)[side].read(
                described.name, columns, by=None, values=[absent]
            )
        except MapError:
            return
        except DualWriteError as error:
            yield Problem.of(error)


@dataclass(frozen=True, slots=True)
class MapStatus:
    """Where one map stands, from the state alone."""

    map: str
    state: str
    """new | loading | running | stopped"""
    lag: float | None
    """Seconds since both feeds were last read."""
    counts: Mapping[State, int]
    last_run: Mapping[str, Any] | None
    problem: Problem | None

    def as_dict(self) -> dict[str, Any]:
        """The documented JSON form (docs/json.md)."""
        return {
            "map": self.map,
            "state": self.state,
            "lag_seconds": None if self.lag is None else round(self.lag, 3),
            **{state.value: count for state, count in self.counts.items()},
            "last_run": self.last_run,
            "problem": self.problem.as_dict() if self.problem else None,
        }


def status_of(project: Project, document: MapDocument) -> MapStatus:
    """Where one map stands."""
    store = project.store
    row = store.map_row(document.map)
    positions = store.positions(document.map)
    now = project.ports(document).clock()
    feeds = [p for (side, kind), p in positions.items() if kind == "feed" and p.text is not None]
    lag = now - min(p.at for p in feeds) if len(feeds) == len(Side) else None
    if row is not None and row.stopped is not None:
        state = "stopped"
    elif row is not None and row.loaded_at is not None:
        state = "running"
    else:
        state = "loading" if positions else "new"
    runs = store.runs(document.map, 1)
    last = None
    if runs:
        run = runs[0]
        last = {
            "run": run.number,
            "command": run.command,
            "started": run.started,
            "ended": run.ended,
            "outcome": run.outcome,
        }
    problem = row.stopped if row is not None else None
    return MapStatus(document.map, state, lag, store.counts(document.map), last, problem)


def resume_map(project: Project, document: MapDocument, allow_deletes: int) -> None:
    """Let a stopped map run again, and release so many deletes beyond the guard.

    Raises `UsageError` (`map-not-stopped`).
    """
    row = project.store.map_row(document.map)
    if row is None or (row.stopped is None and not allow_deletes):
        raise UsageError(
            "map-not-stopped",
            "this map is not stopped",
            subject=Subject(map=document.map),
            remedy="nothing to do; `dualwrite status` shows where it stands",
        )
    map, entities = project.compiled(document)
    ports = project.ports(document)
    with running("resume", map, entities, ports, project.tuning, held=True) as run:
        work = run.work()
        work.map = replace(row, stopped=None, allowed_deletes=allow_deletes)
        run.commit(work)


def conflicts_of(project: Project, documents: Sequence[MapDocument]) -> list[dict[str, Any]]:
    """The conflicts that wait for a person, in their documented JSON form (docs/json.md)."""
    found: list[dict[str, Any]] = []
    for document in documents:
        after = 0
        while page := project.store.open_conflicts(document.map, after, 1000):
            after = page[-1].number
            for one in page:
                seen, base = one.conflict.seen, one.conflict.base
                found.append(
                    {
                        "map": document.map,
                        "record": one.record,
                        "key": one.key,
                        "field": one.conflict.group,
                        "opened": one.opened,
                        **{side.value: dict(seen.get(side, {})) for side in Side},
                        "base": {side.value: dict(values) for side, values in base.items()},
                    }
                )
    return found


def resolve_conflicts(
    project: Project, document: MapDocument, key: str | None, winner: Side, group: str | None
) -> MapOutcome:
    """Let one side win: the conflicts of one record (by key or record number), or all of a map.

    Raises `UsageError` (`conflict-unknown`).
    """
    map, entities = project.compiled(document)
    ports = project.ports(document)
    outcome = MapOutcome(document.map)
    with running("resolve", map, entities, ports, project.tuning) as run:
        wanted = [
            one["record"]
            for one in conflicts_of(project, [document])
            if key is None or key == str(one["record"]) or normal_key(key) == one["key"]
        ]
        if not wanted:
            raise UsageError(
                "conflict-unknown",
                "there is no open conflict to resolve here",
                subject=Subject(map=document.map, record=key),
                remedy="`dualwrite conflicts list` shows the open ones",
            )
        records = list(project.store.by_numbers(run.layout, wanted).values())
        decide(run, records, winner, group)
        outcome.finished = True
        outcome.counts = dict(run.counts)
    return outcome
