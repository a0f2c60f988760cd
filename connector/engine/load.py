"""The initial write: both sides meet for the first time.

Owns: the order of a load, so that it streams, can be killed anywhere and resumed, and ends only
when its own creates have been read back.
Never does: anything the cycle does not do; a load is the cycle over full scans.
Tested in: tests/integration/engine/test_load.py.
"""

from __future__ import annotations

from dataclasses import replace

from connector.engine.append.course import append_all
from connector.engine.apply import Applier
from connector.engine.capture import capture
from connector.engine.cycle import Finish, settle_due
from connector.engine.news.absorb import Absorbed
from connector.engine.runs.run import MapRun
from connector.engine.runs.turnover import turn_over
from connector.errors import StateError, Subject, UsageError
from connector.mapping.values import Side
from connector.store.record import State
from connector.store.work import MapRow, Position


def load(run: MapRun, again: bool = False) -> Finish:
    """Bring both sides together for the first time, or go on with a load that was cut short.

    First Dataverse is observed, then commerce is streamed: each page is planned and written
    while the next one is read, because everything Dataverse holds is known by then. Raises
    `UsageError` (`map-loaded`) for a map already loaded, unless `again`.
    """
    name = run.map.name
    row = run.store.map_row(name)
    if row is not None and row.loaded_at is not None:
        if not again:
            raise UsageError(
                "map-loaded",
                "this map is loaded already",
                subject=Subject(map=name),
                remedy="use `dualwrite sync`; `load --again` compares every row anew",
            )
        _begin_again(run, row)
    turn_over(run, run.store.map_row(name))
    if run.map.document.appends_to is not None:
        return _done(run, 1) if append_all(run, again) else Finish(False, 1)
    capture(run, Side.DATAVERSE)
    if run.ports.stopping():
        return Finish(False, 1)
    applier = Applier(run)
    try:
        # A row we made under an id we do not know yet would pass for another one of its key.
        allots = run.entities[Side.COMMERCE].capabilities.ids == "allotted"
        capture(run, Side.COMMERCE, None if allots else applier.push)
    finally:
        applier.drain()
    applier.read_unknown()
    if run.ports.stopping() or settle_due(run):
        return Finish(False, 1)
    rounds = _read_back(run)
    return Finish(False, 1) if rounds is None else _done(run, rounds)


def _done(run: MapRun, rounds: int) -> Finish:
    """The map counts as loaded from now on; what is tried again later is for `sync`."""
    name = run.map.name
    work = run.work()
    begun = run.store.map_row(name)
    assert begun is not None, "turn_over has put the map on record"
    work.map = replace(begun, loaded_at=run.now(), stopped=None, allowed_deletes=0)
    run.commit(work)
    return Finish(True, rounds)


def _begin_again(run: MapRun, row: MapRow) -> None:
    work = run.work()
    work.map = replace(row, loaded_at=None)
    work.positions = [Position(s, kind, None) for s in Side for kind in ("scan", "feed")]
    run.commit(work)


def _ask_for_unseen(run: MapRun) -> None:
    """Have creates that no feed tells of read by id: a side restored meanwhile knows none."""
    after = 0
    while page := run.store.needing(run.layout, list(State), after, run.limits.page):
        after = page[-1].number
        doubted = Absorbed(run.work())
        for record in page:
            if record.unconfirmed and record.problem is None and record.due is None:
                record.due = run.now()
                doubted.touch(record)
        run.commit(doubted.seal(run))


def _read_back(run: MapRun) -> int | None:
    """Follow both feeds until every create of this load has been seen.

    None when a signal came, or when creates wait for their next try longer than this run does.
    """
    left = 0
    for round in range(1, run.limits.rounds + 1):
        for side in (Side.DATAVERSE, Side.COMMERCE):
            capture(run, side)
        if round == run.limits.rounds // 2:
            _ask_for_unseen(run)
        settle_due(run)
        left = run.store.unconfirmed(run.map.name)
        if not left:
            return round
        if run.ports.stopping():
            return None
        run.ports.sleep(min(2.0 ** (round - 1) / 4, 15.0))
    if run.store.next_due(run.map.name) is not None:
        return None
    raise StateError(
        "read-back-incomplete",
        f"{left} rows this load created did not come back in the change feed",
        subject=Subject(map=run.map.name),
        tried=f"follow the feed {run.limits.rounds} times",
        remedy="run the same command again; it goes on where this one stopped",
    )
