"""The order of a run over an append map.

Owns: what comes first, and the bounds of one run.
Never does: a step itself.
Tested in: tests/integration/engine/test_append.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from connector.endpoints.base import Entity, Page
from connector.engine.append.kept import crowded, settle_kept
from connector.engine.append.restored import look_back
from connector.engine.append.source import read_source
from connector.engine.append.writer import Writer
from connector.engine.lookups import wake
from connector.engine.runs.finish import Finish
from connector.engine.runs.run import MapRun
from connector.errors import MapError, Problem
from connector.mapping.document import MapDocument


def append_all(run: MapRun, again: bool) -> bool:
    """Add every row of the source; whether all of them were read.

    `again` says that most are there already.
    """
    _refuse_unsafe(run)
    wake(run)
    if settle_kept(run) or crowded(run):
        return False
    return read_source(run, known=again) and not settle_kept(run)


def append_new(run: MapRun, only: str | None = None) -> Finish:
    """Add what the source got since the last run, and what could not be added then.

    `only` limits it to the rows under one normalised key.
    """
    _refuse_unsafe(run)
    wake(run)
    if settle_kept(run, only):
        return Finish(False, 1, cut=True)
    if only is not None:
        append_keys(run, [run.map.first_part(only)])
        return Finish(True, 1)
    look_back(run)
    if not crowded(run) and (not read_source(run, known=True) or settle_kept(run)):
        return Finish(False, 1, cut=not crowded(run))
    return Finish(run.store.next_due(run.map.name) is None, 1)


def append_keys(run: MapRun, keys: Iterable[str]) -> None:
    """Add the rows of the source whose first key column holds one of these."""
    (side,) = run.map.document.followed
    columns = run.map.column_names(side)
    by = columns[run.map.keys[side][0]]
    with Writer(run, look=True) as writer:
        tick = run.numbers("tick")
        values = list(dict.fromkeys(keys))
        found = run.endpoint(side).read(run.map.entity(side), columns, by=by, values=values).rows
        writer.push(Page([row for rows in found.values() for row in rows]), tick)


def unsafe(document: MapDocument, target: Entity) -> Problem | None:
    """Why rows cannot be added to a table without the risk of adding one twice."""
    if target.capabilities.create == "once":
        return None
    side = document.followed[0].other
    place = document.file.subject("mode", map=document.map)
    return Problem(
        "append-unsafe",
        f"{target.name} takes the same row twice: a reply that is lost would double it",
        "take `mode: append` away; a map that keeps both sides equal looks before it sends again",
        replace(place, side=side.value, entity=target.name),
    )


def _refuse_unsafe(run: MapRun) -> None:
    document = run.map.document
    problem = unsafe(document, run.entities[document.followed[0].other])
    if problem is not None:
        raise MapError(
            problem.code, problem.message, subject=problem.subject, remedy=problem.remedy
        )
