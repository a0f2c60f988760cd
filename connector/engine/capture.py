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
from connector.engine.absorb import Absorbed, absorb
from connector.engine.run import MapRun
from connector.errors import MapStoppedError, PositionExpiredError, Subject
from connector.mapping.values import Side
from connector.store.work import Adoption, Position, Sweep

Then = Callable[[Absorbed], None]
"""What becomes of an absorbed page; it commits it, alone or with what it plans from it."""


def capture(run: MapRun, side: Side, then: Then | None = None) -> int:
    """Read what is new on one side; how many rows came.

    A feed that expired, was never begun, or was begun for other columns becomes a full scan.
    """
    keep = then or (lambda absorbed: run.commit(absorbed.seal()))
    positions = run.store.positions(run.map.name)
    columns = run.map.column_names(side)
    epoch = run.worlds[side].epoch
    feed = positions.get((side, "feed"))
    if feed is not None and feed.text is not None and _fits(feed, columns, epoch):
        try:
            return _follow(run, side, feed, keep)
        except PositionExpiredError:
            run.tell(f"{side} feed expired", 1)
    scan = positions.get((side, "scan"))
    if scan is not None and not _fits(scan, columns, epoch):
        scan = None
    try:
        return _scan(run, side, scan, keep)
    except PositionExpiredError:
        if scan is None:
            raise
        return _scan(run, side, None, keep)


def _fits(position: Position, columns: tuple[str, ...], epoch: int) -> bool:
    return position.columns == columns and position.epoch == epoch


def _follow(run: MapRun, side: Side, feed: Position, keep: Then) -> int:
    assert feed.text is not None
    count = 0
    pages = run.endpoint(side).changes(run.map.entity(side), feed.columns, feed.text)
    for tick, page in _ticked(run, pages):
        text = page.position if page.last else page.resume
        position = replace(feed, text=text or feed.text, tick=tick, at=run.now())
        count += len(page.rows) + len(page.deleted)
        if not _adopted(run, side, tick, page, position):
            absorbed = absorb(run, side, tick, page)
            absorbed.work.positions.append(position)
            keep(absorbed)
        run.tell(f"read {side}", len(page.rows) + len(page.deleted))
        if run.ports.stopping():
            break
    return count


def _scan(run: MapRun, side: Side, begun: Position | None, keep: Then) -> int:
    columns, epoch = run.map.column_names(side), run.worlds[side].epoch
    first = begun.tick if begun is not None else run.numbers("tick")
    resume = begun.text if begun is not None else None
    bound_before = run.store.bound(run.map.name, side)
    count = 0
    done: Page | None = None
    pages = run.endpoint(side).scan(run.map.entity(side), columns, resume)
    for tick, page in _ticked(run, pages):
        absorbed = absorb(run, side, tick, page)
        count += len(page.rows)
        if page.last:
            done = page
            _refuse_empty(run, side, count if begun is None else None, bound_before)
            absorbed.work.sweep = Sweep(side, first)
            absorbed.work.positions += _ended(side, columns, epoch, tick, page, run.now())
        elif page.resume is not None:
            absorbed.work.positions.append(
                Position(side, "scan", page.resume, columns, epoch, first, run.now())
            )
        keep(absorbed)
        run.tell(f"read {side}", len(page.rows))
        if run.ports.stopping() and done is None:
            break
    return count


def _ended(
    side: Side, columns: tuple[str, ...], epoch: int, tick: int, page: Page, now: float
) -> list[Position]:
    return [
        Position(side, "scan", None),
        Position(side, "feed", page.position, columns, epoch, tick, now),
    ]


def _ticked(run: MapRun, pages: Iterator[Page]) -> Iterator[tuple[int, Page]]:
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
    """A scan that finds nothing where bound rows exist is a permission or a wrong table."""
    if count != 0 or bound == 0:
        return
    raise MapStoppedError(
        "scan-empty",
        f"a full read of {run.map.entity(side)} returned nothing, but {bound} records are bound "
        "there",
        subject=Subject(map=run.map.name, side=side.value),
        remedy="check the table and the read permission of the application user; then run "
        "the command again",
    )


def _adopted(run: MapRun, side: Side, tick: int, page: Page, position: Position) -> bool:
    """The fast way for the first sight of our own creates: set-based, whole pages only."""
    users = run.identities[side].users
    if page.deleted or not page.rows or not all(row.modifier in users for row in page.rows):
        return False
    if not run.map.creations[side].whole:
        # A create that carries only part of the map leaves something to plan.
        return False
    if not run.store.unconfirmed(run.map.name):
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
