"""Step one of the cycle: what happened on a side since last time.

Owns: scans, change feeds and their positions; a page and its position are one transaction, so
a position never moves before what it covers is durable.
Never does: planning or writing.
Tested in: tests/integration/engine/test_capture.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from connector.endpoints.base import Page
from connector.engine.news.absorb import Absorbed, absorb
from connector.engine.runs.epochs import Sight, look, remembering
from connector.engine.runs.run import MapRun, stopped
from connector.engine.runs.watch import held_row
from connector.errors import PositionExpiredError, Problem, Subject
from connector.mapping.values import Side
from connector.store.work import Adoption, Position, Sweep

Then = Callable[[Absorbed], None]
"""What becomes of an absorbed page; it commits it, alone or with what it plans from it."""


def capture(run: MapRun, side: Side, then: Then | None = None) -> int:
    """Read what is new on one side; how many rows came.

    A feed that expired, was never begun, or was begun for other columns becomes a full scan, which
    gives way at the end of a page when the run's time is over; the next run goes on behind it.
    """
    keep = then or _committing(run)
    positions = run.store.positions(run.map.name)
    columns = run.map.column_names(side)
    feed, scan = (positions.get((side, kind)) for kind in ("feed", "scan"))
    reading = scan is not None and fits(run, scan, columns)  # the feed was no good any more
    if feed is not None and feed.text is not None and fits(run, feed, columns) and not reading:
        try:
            count = _resume(run, side, feed, keep)
            if count is not None:
                return count
        except PositionExpiredError as expired:
            run.tell(f"{side} feed expired", 1)
            if expired.code == "position-ahead":
                run.begin_epoch(side)
    if scan is not None and fits(run, scan, columns):
        if look(run, side, scan) is Sight.SAME:
            try:
                return _scan(run, side, scan, keep)
            except PositionExpiredError:
                return _scan(run, side, None, keep)
        run.begin_epoch(side)
    return _scan(run, side, None, keep)


def _committing(run: MapRun) -> Then:
    """A page is made durable, then alerts are looked at: rows may be set aside as they are read."""

    def keep(absorbed: Absorbed) -> None:
        run.commit(absorbed.seal(run))
        run.end_if_held()

    return keep


def _resume(run: MapRun, side: Side, feed: Position, keep: Then) -> int | None:
    """Follow a feed unless its side went back in time; None where the table has to be read."""
    sight = look(run, side, feed)
    if sight is Sight.OLDER:
        run.begin_epoch(side)
        return None
    if sight is Sight.SAME:
        run.looked.add(side)
        return _follow(run, side, feed, keep)
    # Nothing is written from such a feed before it has told that the row was deleted.
    count = _follow(run, side, feed, _committing(run), missing=feed.high_id)
    if count is None:
        run.begin_epoch(side)
        return None
    run.looked.add(side)
    return count


def fits(run: MapRun, position: Position, columns: tuple[str, ...]) -> bool:
    """Whether a position was taken for these columns, in the present life of its side."""
    return position.columns == columns and position.epoch == run.worlds[position.side].epoch


def _follow(
    run: MapRun, side: Side, feed: Position, keep: Then, missing: str | None = None
) -> int | None:
    """How many rows the feed told of; None if it did not tell of the delete of `missing`."""
    assert feed.text is not None
    count = 0
    pages = run.endpoint(side).changes(run.map.entity(side), feed.columns, feed.text)
    position = feed
    for tick, page in ticked(run, pages):
        if missing in page.deleted:
            missing = None
        text = page.position if page.last else page.resume
        position = replace(position, text=text or position.text, tick=tick)
        if missing is None:  # else the side counts as not looked at, for whoever goes on
            position = remembering(run, replace(position, at=run.now()), page)
        count += len(page.rows) + len(page.deleted)
        if not _adopted(run, side, tick, page, position):
            absorbed = absorb(run, side, tick, page)
            absorbed.work.positions.append(position)
            keep(absorbed)
        run.tell(f"read {side}", len(page.rows) + len(page.deleted))
        if run.out_of_time() and not page.last:
            return count
    run.whole.add(side)
    return count if missing is None else None


def _scan(run: MapRun, side: Side, begun: Position | None, keep: Then) -> int:
    run.looked.add(side)
    run.reading.add(side)
    columns, epoch = run.map.column_names(side), run.worlds[side].epoch
    first = begun.tick if begun is not None else run.numbers("tick")
    resume = begun.text if begun is not None else None
    bound_before = run.store.bound(run.map.name, side)
    position = begun or Position(side, "scan", None, columns, epoch, first)
    count = 0
    feed: Position | None = None
    pages = run.endpoint(side).scan(run.map.entity(side), columns, resume)
    for tick, page in ticked(run, pages):
        absorbed = absorb(run, side, tick, page)
        count += len(page.rows)
        position = remembering(run, replace(position, text=page.resume, at=run.now()), page)
        if page.last:
            _refuse_empty(run, side, count if begun is None else None, bound_before)
            absorbed.work.sweep = Sweep(side, first)
            feed = replace(position, kind="feed", text=page.position, tick=tick)
            absorbed.work.positions += [Position(side, "scan", None), feed]
            run.unread.discard(side)
            run.reading.discard(side)
        elif page.resume is not None:
            absorbed.work.positions.append(position)
        keep(absorbed)
        run.tell(f"read {side}", len(page.rows))
        if run.out_of_time():
            return count
    return count + _catch_up(run, side, feed, keep) if feed is not None else count


def _catch_up(run: MapRun, side: Side, feed: Position, keep: Then) -> int:
    """What changed while a scan went on may have been left out of it; the feed tells."""
    if feed.text is not None:
        try:
            return _follow(run, side, feed, keep) or 0
        except PositionExpiredError:
            run.tell(f"{side} feed expired", 1)
            return 0
    run.whole.add(side)
    return 0


def ticked(run: MapRun, pages: Iterator[Page]) -> Iterator[tuple[int, Page]]:
    """Each page with the tick at which its request left; the next one is fetched meanwhile.

    The next tick is taken before its request leaves. A write settled while that request is
    under way is younger, so that what the page tells of its record counts as late.
    """
    submit = run.ports.executor.submit
    last = False
    next_tick, coming = run.numbers("tick"), submit(next, pages, None)
    while not last:
        tick, page = next_tick, run.wait(coming)
        if page is None:
            return
        last = page.last
        if not last:
            next_tick, coming = run.numbers("tick"), submit(next, pages, None)
        yield tick, page


def _refuse_empty(run: MapRun, side: Side, count: int | None, bound: int) -> None:
    """A scan that finds nothing where bound rows exist is a permission or a wrong table.

    It holds the map until a person has looked; where so many deletes were released, it is believed.
    """
    if count != 0 or bound == 0:
        return
    row = run.store.map_row(run.map.name)
    if row is not None and row.allowed_deletes >= bound:
        return
    name = run.map.name
    problem = Problem(
        "scan-empty",
        f"a full read of {run.map.entity(side)} returned nothing, but {bound} records are bound "
        "there",
        "check the table and the read permission of the application user, then "
        f"`dualwrite maps resume {name}`; if it was emptied on purpose, "
        f"`dualwrite maps resume {name} --allow-deletes {bound}`",
        Subject(map=name, side=side.value),
    )
    work = run.work()
    work.map = held_row(row, run.map.document, problem)
    run.commit(work)
    raise stopped(name, problem)


def _adopted(run: MapRun, side: Side, tick: int, page: Page, position: Position) -> bool:
    """The fast way for the first sight of a load's own creates: set-based, whole pages only.

    Later on each row is compared with what was intended (`doubt.carried_by_create`).
    """
    users = run.identities[side].users
    if page.deleted or not page.rows or not all(row.modifier in users for row in page.rows):
        return False
    if not run.map.creations[side].whole:
        # A create that carries only part of the map leaves something to plan.
        return False
    if not run.store.unconfirmed(run.map.name) or _loaded(run):
        return False
    offset = run.identities[side].clock_offset.total_seconds()
    rows = [
        Adoption(
            row.id,
            row.version,
            row.image,
            row.modified_at.timestamp() - offset if row.modified_at is not None else None,
            row.modifier,
        )
        for row in page.rows
    ]
    missed = run.store.adopt(
        run.lease, run.layout, side, tick, rows, position, run.number, run.now()
    )
    return not missed


def _loaded(run: MapRun) -> bool:
    row = run.store.map_row(run.map.name)
    return row is not None and row.loaded_at is not None
