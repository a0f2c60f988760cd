"""What people do about records that were set aside: retry, discard, resolve.

Owns: taking the records that are meant page by page through one way, and what came of each.
Never does: printing; the ways themselves (`connector/engine/decisions/` has a file for each).
Tested in: tests/acceptance/test_failures.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from connector.bootstrap import Project
from connector.engine.decisions.accept import accept
from connector.engine.decisions.again import try_again
from connector.engine.decisions.renames import Way, resolve_renamed
from connector.engine.decisions.undecided import Undecided
from connector.engine.decisions.unstable import resolve_unstable
from connector.engine.runs.run import MapRun
from connector.engine.runs.running import running
from connector.errors import Subject, UsageError
from connector.mapping.document import MapDocument
from connector.mapping.values import Side
from connector.operations.failures.set_aside import (
    Failures,
    failure_condition,
    failure_pages,
    failures_named,
)
from connector.operations.failures.ways import WAYS, known_ways, ways_of
from connector.operations.naming import spelled
from connector.operations.outcomes import MapOutcome
from connector.store.record import Record

LISTED = 1000
"""Refusals kept for showing; all are counted."""
_RENAMES = frozenset(way.value for way in Way)
Step = Callable[[MapRun, Sequence[Record]], int]
"""Takes one page of records through a way; how many need nobody any more."""


@dataclass(slots=True)
class Mended:
    """What came of one way for many records."""

    outcome: MapOutcome
    done: int = 0
    refused: int = 0
    refusals: list[Undecided] = field(default_factory=list)
    """The first of them."""

    def refuse(self, undecided: Undecided) -> None:
        """Count a refusal, and keep it while there is room."""
        self.refused += 1
        if len(self.refusals) < LISTED:
            self.refusals.append(undecided)


def retry_failures(project: Project, document: MapDocument, wanted: Failures, by: str) -> Mended:
    """Try records again that were set aside; raises `UsageError` (`failure-unknown`, …)."""
    with _working("retry", project, document) as (run, mended):
        _each_page(run, document, wanted, mended, lambda run, page: try_again(run, page, by))
    return mended


def discard_failures(project: Project, document: MapDocument, wanted: Failures, by: str) -> Mended:
    """Accept the present difference of records, until either side changes.

    Nothing is written to a side, so that a held map is no hindrance. Raises `UsageError`.
    """
    with _working("discard", project, document, held=True) as (run, mended):
        _each_page(run, document, wanted, mended, lambda run, page: accept(run, page, by))
    return mended


def resolve_failures(
    project: Project, document: MapDocument, wanted: Failures, way: str, by: str
) -> Mended:
    """Take a way out for records set aside, as their problem offers it.

    Of many, those are left alone whose problem has no such way. Raises `UsageError`:
    `failure-unknown`, `way-unknown`.
    """
    if not any(way in ways for ways in WAYS.values()):
        raise UsageError(
            "way-unknown", f"there is no way `{way}`", remedy=f"there are {known_ways()}"
        )

    def step(run: MapRun, page: Sequence[Record]) -> int:
        if wanted.key is not None:
            for record in page:
                _refuse_strange(document, record, way)
        offered = [record for record in page if way in ways_of(record)]
        if way in _RENAMES:
            return resolve_renamed(run, offered, Way(way), by, mended.refuse)
        return resolve_unstable(run, offered, Side(way), by, mended.refuse)

    with _working("resolve", project, document) as (run, mended):
        _each_page(run, document, wanted, mended, step)
    return mended


@contextmanager
def _working(
    command: str, project: Project, document: MapDocument, *, held: bool = False
) -> Iterator[tuple[MapRun, Mended]]:
    map, entities = project.compiled(document)
    ports = project.ports(document)
    mended = Mended(MapOutcome(document.map))
    with running(command, map, entities, ports, project.tuning, held=held) as run:
        yield run, mended
        mended.outcome.finished = True
        mended.outcome.counts = dict(run.counts)


def _each_page(
    run: MapRun, document: MapDocument, wanted: Failures, mended: Mended, step: Step
) -> None:
    found = False
    for page in _pages(run, document, wanted):
        found = found or bool(page)
        for at in range(0, len(page), run.limits.page):
            mended.done += step(run, page[at : at + run.limits.page])
            if run.ports.stopping():
                return
    if not found:
        raise UsageError(
            "failure-unknown",
            "no record was set aside here"
            + (f" as {wanted.code}" if wanted.code is not None else ""),
            subject=Subject(map=document.map),
            remedy=f"`dualwrite failures list --map {document.map}` shows those that were",
        )


def _pages(run: MapRun, document: MapDocument, wanted: Failures) -> Iterator[list[Record]]:
    if wanted.key is not None:
        yield failures_named(run.store, run.layout, document, wanted)
        return
    condition = failure_condition(wanted, run.map)
    yield from failure_pages(run.store, run.layout, wanted, condition)


def _refuse_strange(document: MapDocument, record: Record, way: str) -> None:
    """Raise where a record's problem has no such way out."""
    assert record.problem is not None
    code, ways = record.problem.code, ways_of(record)
    if way in ways:
        return
    offer = f"--with {' or '.join(ways)}; or " if ways else ""
    raise UsageError(
        "way-unknown",
        f"`{way}` is no way out of `{code}`",
        subject=Subject(map=document.map, record=str(record.number)),
        cause=f"there are {known_ways()}",
        remedy=f"{offer}mend the cause and `dualwrite failures retry`, or accept the difference: "
        "`dualwrite failures discard`",
    )


def undecided_dict(undecided: Undecided) -> dict[str, Any]:
    """The documented JSON form of a record that a way did not help (docs/json.md)."""
    return {
        "record": undecided.record.number,
        "key": spelled(undecided.record),
        "problem": undecided.problem.as_dict(),
    }
