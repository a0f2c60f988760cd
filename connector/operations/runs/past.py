"""Runs that were: what they did, and taking one of them back.

Owns: what is told of a run, which run can be undone, and undoing it under a paused map.
Never does: printing; deciding what becomes of a record (`connector/engine/decisions/undo.py`).
Tested in: tests/unit/operations/test_past.py, tests/acceptance/test_undo.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from connector.books import Books
from connector.engine.decisions.takeback import Takeback, rehearse_take_back, take_back
from connector.engine.proof.rehearse import DryRun
from connector.engine.runs.running import running
from connector.engine.runs.watch import held_row
from connector.errors import Subject, UsageError
from connector.mapping.document import MapDocument
from connector.operations.choosing import named
from connector.operations.holding import PAUSED, pause_reason
from connector.operations.outcomes import done_in, took_in, written_in
from connector.operations.standing import instant
from connector.store.work import RunRow

if TYPE_CHECKING:
    from connector.bootstrap import Project

_PAGE = 100_000
_KINDS = {"created": "create", "updated": "update", "deleted": "delete"}


def run_of(books: Books, number: int) -> RunRow:
    """The run of this number; raises `UsageError` (`run-unknown`)."""
    row = books.store.run_row(number)
    if row is None:
        raise UsageError(
            "run-unknown",
            f"there is no run {number}",
            remedy="`dualwrite runs list` shows those that are kept",
        )
    return row


def runs_of(books: Books, map: str | None, command: str | None, limit: int) -> list[RunRow]:
    """The newest runs first, of one map and one command or of all."""
    if command is None:
        return list(books.store.runs(map, limit))
    asked = limit
    while True:  # the store knows no commands: ask for more until enough are of this one
        rows = books.store.runs(map, asked)
        found = [row for row in rows if row.command == command]
        if len(found) >= limit or len(rows) < asked:
            return found[:limit]
        asked *= 8


def run_dict(row: RunRow) -> dict[str, Any]:
    """A run in its documented JSON form (docs/json.md), as `runs list` tells it."""
    return {
        "run": row.number,
        "map": row.map,
        "command": row.command,
        "started": instant(row.started),
        "ended": None if row.ended is None else instant(row.ended),
        "seconds": None if row.ended is None else round(row.ended - row.started, 3),
        "outcome": row.outcome,
        "writes": written_in(row.counts),
    }


@dataclass(frozen=True, slots=True)
class Past:
    """One run with everything known of it."""

    row: RunRow
    written: Counter[tuple[str, str]]
    """Writes by (side, kind) that were applied or may have been."""
    records: int
    """Records it wrote to: those an undo looks at."""
    refused: UsageError | None
    """Why it cannot be undone."""

    def as_dict(self) -> dict[str, Any]:
        """The documented JSON form (docs/json.md)."""
        return {
            **run_dict(self.row),
            "written": [
                {"side": side, "what": kind, "count": count}
                for (side, kind), count in sorted(self.written.items())
            ],
            "records": self.records,
            "counts": {n.replace(" ", "_"): c for n, c in sorted(done_in(self.row.counts).items())},
            "took": {n.replace(" ", "_"): s for n, s in sorted(took_in(self.row.counts).items())},
            "error": None if self.row.error is None else dict(self.row.error),
            "undoable": self.refused is None,
            "undo_refused": None if self.refused is None else self.refused.as_dict(),
        }


def past_of(books: Books, number: int) -> Past:
    """What is known of a run; raises `UsageError` (`run-unknown`)."""
    row = run_of(books, number)
    written, records, after = Counter[tuple[str, str]](), 0, 0
    for name, count in row.counts.items():
        verb, _, side = name.partition(" ")
        if verb in _KINDS:
            written[side, _KINDS[verb]] += count
    while page := books.store.written_by(number, after, _PAGE):
        after = page[-1]
        records += len(page)
        if row.ended is None:  # killed: only the audit knows
            written.update(_told(books, row, page))
    return Past(row, written, records, refusal(books, row, records))


def _told(books: Books, row: RunRow, numbers: Sequence[int]) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for at in range(0, len(numbers), 1000):
        histories = books.store.histories(numbers[at : at + 1000], row.started)
        for change in (change for rows in histories.values() for change in rows):
            wrote = change.run == row.number and change.kind.value in _KINDS.values()
            if wrote and change.outcome in ("applied", "unknown"):
                found[change.side.value, change.kind.value] += 1
    return found


def refusal(books: Books, row: RunRow, records: int) -> UsageError | None:
    """Why a run cannot be undone at all; None where it can."""
    subject = Subject(map=row.map)
    if row.map not in books.documents:
        return UsageError(
            "map-unknown",
            f"run {row.number} worked map `{row.map}`, which this project does not have any more",
            subject=subject,
            remedy="put the map's file back",
        )
    if books.documents[row.map].appends_to is not None:
        return UsageError(
            "append-not-undone",
            f"run {row.number} worked an append map, which keeps nothing of rows it added",
            subject=subject,
            remedy="delete rows that should not be there where they were added to",
        )
    since = books.store.audit_kept_since(row.map)
    if since is not None and row.started < since:
        when = f"{datetime.fromtimestamp(since, UTC):%Y-%m-%d %H:%M:%S} UTC"
        return UsageError(
            "run-too-old",
            f"what run {row.number} replaced is not kept any more: the audit begins at {when}",
            subject=subject,
            remedy="correct the records on the side that is to win; keep the audit longer "
            "(`retention` in the config)",
        )
    if not records:
        return UsageError(
            "run-wrote-nothing",
            f"run {row.number} ({row.command}) wrote to no record",
            subject=subject,
            remedy="`dualwrite runs list` shows how much each run has written",
        )
    return None


# ---------------------------------------------------------------------------- undo


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo did, or in a dry run would do."""

    target: RunRow
    document: MapDocument
    run: int | None
    """The number of the undo itself; None for a dry run."""
    done: Takeback

    @property
    def complete(self) -> bool:
        """Whether nothing is left for a person or for the next undo."""
        done = self.done
        return done.finished and not done.left_count and not done.held_back

    def as_dict(self, limit: int) -> dict[str, Any]:
        """The documented JSON form (docs/json.md); lists are cut at `limit`."""
        done = self.done
        return {
            "run": self.target.number,
            "map": self.target.map,
            "undo": self.run,
            "finished": done.finished,
            "records": done.records,
            "counts": {n.replace(" ", "_"): c for n, c in sorted(done.counts.items())},
            "planned": [
                {
                    "record": one.record,
                    "key": one.key,
                    "side": one.write.side.value,
                    "what": one.write.kind.value,
                    "before": one.write.before,
                    "after": one.write.values or None,
                }
                for one in done.planned[:limit]
            ],
            "left": done.left_count,
            "not_touched": [
                {"record": o.record, "key": o.key, "side": o.side.value, "reason": o.reason}
                for o in done.left[:limit]
            ],
            "held_back": {side.value: count for side, count in done.held_back.items()},
        }


def undo_run(
    project: Project, number: int, *, by: str, allow_deletes: int, dry_run: bool
) -> Undone:
    """Take back what a run wrote, and leave its map paused; a dry run leaves everything as it is.

    Raises `UsageError` (`run-unknown`, `run-too-old`, `run-wrote-nothing`), `LeaseHeldError`, and
    whatever a side raises; the same command then goes on where it stopped.
    """
    target = run_of(project, number)
    refused = refusal(project, target, len(project.store.written_by(number, 0, 1)))
    if refused is not None:
        raise refused
    document = named(list(project.documents.values()), target.map)
    map, entities = project.compiled(document)
    ports = project.ports(document)
    if dry_run:
        dry = DryRun(map, entities, ports, project.tuning)
        return Undone(target, document, None, rehearse_take_back(dry, target))
    with running("undo", map, entities, ports, project.tuning, held=True) as run:
        row = project.store.map_row(target.map)
        problem = pause_reason(target.map, by, run.now(), f"run {number} is undone")
        if row is not None and row.stopped is not None and row.stopped.code == PAUSED:
            problem = row.stopped
        work = run.work()
        work.map = replace(held_row(row, document, problem), allowed_deletes=allow_deletes)
        run.commit(work)
        done = take_back(run, target, by)
    return Undone(target, document, run.number, done)
