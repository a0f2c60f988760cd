"""The cycle: capture both sides, then plan and write until nothing is due.

Owns: the order of the five steps, rounds, and the bounds of one run.
Never does: a step itself.
Tested in: tests/integration/engine/.
"""

from __future__ import annotations

from connector.engine.append.course import append_new
from connector.engine.append.kept import settle_kept
from connector.engine.apply import Applier
from connector.engine.capture import capture
from connector.engine.lookups import wake
from connector.engine.news.absorb import Absorbed
from connector.engine.runs.finish import Finish as Finish
from connector.engine.runs.run import MapRun
from connector.engine.runs.turnover import turn_over
from connector.errors import MapError, Subject
from connector.mapping.values import Side


def sync(run: MapRun, max_seconds: float | None = None, only: str | None = None) -> Finish:
    """Capture and apply until nothing is due, or the run's bound is reached.

    `only` limits planning to the record under one normalised key; what else was seen stays due.

    Raises `MapError` (`map-not-loaded`) where no load has finished, `map-rekeyed` where the map
    pairs other records than before, and whatever a side raises that a later run cannot cure by
    itself.
    """
    row = run.store.map_row(run.map.name)
    if row is None or row.loaded_at is None:
        raise MapError(
            "map-not-loaded",
            "this map has not been loaded yet",
            subject=Subject(map=run.map.name),
            remedy=f"run `dualwrite load --map {run.map.name}` once; `dualwrite plan` shows what "
            "it would do",
        )
    turn_over(run, row)
    run.until = None if max_seconds is None else run.ports.monotonic() + max_seconds
    if run.map.document.appends_to is not None:
        return append_new(run, only)
    for round in range(1, run.limits.rounds + 1):
        for side in (Side.COMMERCE, Side.DATAVERSE):
            capture(run, side)
            if run.out_of_time() and run.reading:
                return Finish(False, round, cut=True)
        if round == 1:
            wake(run)
        left = settle_due(run, only)
        if left or run.out_of_time():
            return Finish(False, round, cut=True)
        if only is not None:
            return Finish(True, round)
        if not _more(run):
            # What failed and is to be tried again later is left to a later run.
            return Finish(run.store.next_due(run.map.name) is None, round)
    return Finish(False, run.limits.rounds, cut=True)


def settle_due(run: MapRun, only: str | None = None) -> bool:
    """Work through all due records, again while that makes more of them due; True if cut short.

    Before both sides were read whole nothing is planned: a load that was cut short goes on first.
    """
    if run.map.document.appends_to is not None:
        return settle_kept(run, only)
    if len(run.whole) < len(Side):
        return False
    applier = Applier(run)
    for _ in range(run.limits.rounds):
        after, seen = 0, 0
        while True:
            records = run.store.due(run.layout, run.now(), after, run.limits.page)
            if not records:
                break
            after = records[-1].number
            if only is not None:
                records = [record for record in records if record.key == only]
            seen += len(records)
            absorbed = Absorbed(run.work())
            for record in records:
                absorbed.touch(record)
            applier.push(absorbed)
            if run.out_of_time():
                applier.drain()
                return True
        applier.drain()
        applier.read_unknown()
        if seen == 0:
            return False
    return True


def _more(run: MapRun) -> bool:
    """Whether another round has something to see: a table to read anew, rows of ours, due ones."""
    if run.unread or run.store.unconfirmed(run.map.name):
        return True
    due = run.store.next_due(run.map.name)
    return due is not None and due <= run.now()
