"""Carrying out what a person decided about conflicts.

Owns: taking the conflicts that are meant page by page, and what came of each.
Never does: printing; the decision itself (`connector/engine/decisions/decide.py` does).
Tested in: tests/acceptance/test_decisions.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from connector.bootstrap import Project
from connector.engine.decisions.decide import Choice, Refusal, decide
from connector.engine.runs.run import MapRun
from connector.engine.runs.running import running
from connector.errors import Problem, Subject, UsageError
from connector.mapping.document import MapDocument
from connector.mapping.values import Side
from connector.operations.conditions import compile_condition
from connector.operations.conflicts.giving import given_values
from connector.operations.conflicts.waiting import NAMES, Wanted, meeting, of_record, pages_of
from connector.operations.outcomes import MapOutcome
from connector.store.work import OpenConflict

LISTED = 1000
"""Refusals kept for showing; all are counted."""


@dataclass(slots=True)
class Resolution:
    """What came of a decision over many conflicts."""

    outcome: MapOutcome
    decided: int = 0
    refused: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    """The first of them."""

    def refuse(self, refusal: Refusal) -> None:
        """Count a refusal, and keep it while there is room."""
        self.refused += 1
        if len(self.refusals) < LISTED:
            self.refusals.append(refusal)


def resolve_conflicts(
    project: Project,
    document: MapDocument,
    wanted: Wanted,
    *,
    by: str,
    winner: Side | None = None,
    values: Sequence[str] = (),
) -> Resolution:
    """Decide the conflicts that are meant: let one side win, or give a value for one group.

    Raises `UsageError`: `conflict-unknown`, `resolve-what`, or what a value given is not.
    """
    map, entities = project.compiled(document)
    ports = project.ports(document)
    resolution = Resolution(MapOutcome(document.map))
    with running("resolve", map, entities, ports, project.tuning) as run:
        given = given_values(values, map, ports.endpoints) if values else None
        if given is not None:
            wanted = _about(wanted, given.group)
        choice = Choice(by, winner, given)
        found = False
        for page in _wanted_pages(run, document, wanted):
            found = True
            current = _as_shown(page, wanted, resolution)
            resolution.decided += decide(run, current, choice, resolution.refuse)
            if ports.stopping():
                break
        if not found:
            raise UsageError(
                "conflict-unknown",
                "there is no open conflict to resolve here",
                subject=Subject(map=document.map, field=wanted.field),
                remedy=f"`dualwrite conflicts list --map {document.map}` shows the open ones",
            )
        resolution.outcome.finished = True
        resolution.outcome.counts = dict(run.counts)
    return resolution


def _about(wanted: Wanted, group: str) -> Wanted:
    """Limited to the group a value was given for."""
    if wanted.field is not None and wanted.field.casefold() != group.casefold():
        raise UsageError(
            "resolve-what",
            f"the value given is one of `{group}`, not of `{wanted.field}`",
            remedy="leave out --field: the columns say it",
        )
    return replace(wanted, field=group)


def _wanted_pages(
    run: MapRun, document: MapDocument, wanted: Wanted
) -> Iterator[list[OpenConflict]]:
    """The conflicts to decide, page by page; none that came up while they are decided."""
    if wanted.key is not None:
        _, entries = of_record(run.store, run.layout, document, wanted)
        if wanted.as_shown is not None and len(entries) > 1:
            names = ", ".join(entry.conflict.group for entry in entries)
            raise UsageError(
                "resolve-what",
                f"--as-shown means one conflict, but this record has several: {names}",
                subject=Subject(map=document.map, record=str(entries[0].record)),
                remedy="name one of them with --field",
            )
        yield entries
        return
    condition = None
    if wanted.where is not None:
        condition = compile_condition(wanted.where, run.map, NAMES)
    began = run.now()
    for page in pages_of(run.store, document.map):
        entries = [one for one in page if wanted.takes(one) and one.opened < began]
        if condition is not None:
            entries = meeting(run.store, run.layout, condition, iter(entries))
        for at in range(0, len(entries), run.limits.page):
            yield entries[at : at + run.limits.page]


def _as_shown(
    entries: list[OpenConflict], wanted: Wanted, resolution: Resolution
) -> list[OpenConflict]:
    """Without those that moved on since the revision that was looked at."""
    if wanted.as_shown is None:
        return entries
    for entry in entries:
        if entry.revision != wanted.as_shown:
            resolution.refuse(Refusal(entry, _moved(resolution.outcome.map, entry), entry.conflict))
    return [entry for entry in entries if entry.revision == wanted.as_shown]


def _moved(map: str, entry: OpenConflict) -> Problem:
    return Problem(
        "changed",
        f"the conflict is at revision {entry.revision} by now; nothing was decided",
        "look at it again with `dualwrite conflicts show`, then decide",
        Subject(map=map, record=str(entry.record), field=entry.conflict.group),
        exit_code=3,
    )


def refusal_dict(refusal: Refusal) -> dict[str, Any]:
    """The documented JSON form of a refusal (docs/json.md)."""
    now = refusal.now
    return {
        "record": refusal.entry.record,
        "key": refusal.entry.key,
        "field": refusal.entry.conflict.group,
        **{side.value: dict(now.seen.get(side, {})) if now else None for side in Side},
        "problem": refusal.problem.as_dict(),
    }
