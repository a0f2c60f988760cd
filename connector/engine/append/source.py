"""The source of an append map: its feed, or the table where there is no feed to go on from.

Owns: where reading goes on, and that a position is handed over with the page it stands behind.
Never does: writing, committing.
Tested in: tests/integration/engine/test_append.py.
"""

from __future__ import annotations

from dataclasses import replace

from connector.engine.append.writer import Writer
from connector.engine.capture import fits, ticked
from connector.engine.runs.epochs import Sight, look, remembering
from connector.engine.runs.run import MapRun
from connector.errors import PositionExpiredError
from connector.store.work import Position


def read_source(run: MapRun, *, known: bool) -> bool:
    """Hand everything new to the other side; whether there was time for all of it.

    `known` says that rows which are read from the table are likely to be there already. A row that
    was refused, or is there already, keeps nothing else from being read; where too many wait for
    their next try, reading goes on in a later run.
    """
    (side,) = run.map.document.followed
    positions = run.store.positions(run.map.name)
    columns = run.map.column_names(side)
    feed, scan = (positions.get((side, kind)) for kind in ("feed", "scan"))
    if feed is not None and scan is None and fits(run, feed, columns):
        try:
            if _same_life(run, feed):
                return _follow(run, feed)
        except PositionExpiredError as expired:
            run.tell(f"{side} feed expired", 1)
            if expired.code == "position-ahead":
                run.begin_epoch(side)
        known = True
    if scan is not None and (not fits(run, scan, columns) or not _same_life(run, scan)):
        scan, known = None, True
    try:
        return _scan(run, scan, known)
    except PositionExpiredError:
        return _scan(run, None, known)


def _same_life(run: MapRun, position: Position) -> bool:
    """Whether the source goes on from where it was; if not, its next life begins."""
    sight = look(run, position.side, position)
    if sight is Sight.SAME or (sight is Sight.MISSING and _told_gone(run, position)):
        return True
    run.begin_epoch(position.side)
    return False


def _told_gone(run: MapRun, position: Position) -> bool:
    """Whether the feed tells that the newest row was deleted; a restored side has none of it."""
    if position.kind == "scan" or position.text is None:
        return False
    endpoint, entity = run.endpoint(position.side), run.map.entity(position.side)
    pages = endpoint.changes(entity, position.columns, position.text)
    return any(position.high_id in page.deleted for _, page in ticked(run, pages))


def _follow(run: MapRun, feed: Position) -> bool:
    assert feed.text is not None
    position, side = feed, feed.side
    with Writer(run) as writer:
        pages = run.endpoint(side).changes(run.map.entity(side), feed.columns, feed.text)
        for tick, page in ticked(run, pages):
            text = page.position if page.last else page.resume
            position = replace(position, text=text or position.text, tick=tick)
            position = remembering(run, replace(position, at=run.now()), page)
            writer.push(page, tick, [position])
            run.tell(f"read {side}", len(page.rows) + len(page.deleted))
            if not page.last and (writer.crowded or run.out_of_time()):
                return False
    return True


def _scan(run: MapRun, begun: Position | None, known: bool) -> bool:
    """Read the table, from where it was left; then whatever changed meanwhile."""
    (side,) = run.map.document.followed
    columns, epoch = run.map.column_names(side), run.worlds[side].epoch
    position = begun or Position(side, "scan", None, columns, epoch, run.numbers("tick"))
    feed: Position | None = None
    with Writer(run, look=known) as writer:
        pages = run.endpoint(side).scan(run.map.entity(side), columns, position.text)
        for tick, page in ticked(run, pages):
            position = remembering(run, replace(position, text=page.resume, at=run.now()), page)
            if page.last:
                feed = replace(position, kind="feed", text=page.position, tick=tick)
                writer.push(page, tick, [Position(side, "scan", None), feed])
            else:
                writer.push(page, tick, [position] if page.resume is not None else [])
            run.tell(f"read {side}", len(page.rows))
            if not page.last and (writer.crowded or run.out_of_time()):
                return False
    if feed is None or feed.text is None:
        return True
    try:
        return _follow(run, feed)
    except PositionExpiredError:
        run.tell(f"{side} feed expired", 1)
        return True
