"""Sides that went back in time, such as one restored from a backup.

Owns: which row of a side is remembered with its position, and what it says about the side when
it is read again.
Never does: beginning an epoch (`run.py`), following feeds (`capture.py`).
Tested in: tests/integration/engine/test_epochs.py.

A feed goes on from a position as if nothing had happened, also when the rows behind it are
yesterday's. So the row with the newest version a feed has told of is read by id before the feed
is followed: a side that holds an older version of it, has never heard of it, or came to the same
version by another edit, is not the side the position was taken on.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from connector.endpoints.base import Page, Row
from connector.engine.runs.run import MapRun
from connector.mapping.values import Side
from connector.store.record import SideState, State
from connector.store.work import Position

IDLE = 60.0
"""Seconds after which a side is looked at again; nobody restores one faster."""
JITTER = 5.0
"""Seconds between two readings of one time, as the side's clock is measured anew each run."""


WITNESSES = 20
"""Records whose rows are asked whether a clock was set, before a side counts as restored."""


class Sight(StrEnum):
    """What the remembered row says."""

    SAME = "same"
    OLDER = "older"
    """The side holds a version from before the one it told of, or counted up to it once more."""
    MISSING = "missing"
    """Restored, or deleted since: then the feed tells of the delete."""


def look(run: MapRun, side: Side, position: Position) -> Sight:
    """Read the row that a position remembers, unless the side was read just now."""
    id, version = position.high_id, position.high_version
    if id is None or version is None or abs(run.now() - position.at) <= IDLE:
        return Sight.SAME
    endpoint, entity = run.endpoint(side), run.map.entity(side)
    columns = run.map.column_names(side)
    rows = endpoint.read(entity, columns, by=None, values=[id]).rows.get(id)
    if not rows:
        return Sight.MISSING
    now = rows[0].version
    if now == version:
        return Sight.OLDER if _edited_anew(run, side, rows[0]) else Sight.SAME
    older = now is not None and endpoint.newer(now, version) is False
    return Sight.OLDER if older else Sight.SAME


def _edited_anew(run: MapRun, side: Side, row: Row) -> bool:
    """Whether a row of a version we know is another than the one we know of it.

    Columns that the side calculates may change under one version; the time of the last edit
    may not. Only where a side tells no time does what the row holds have to serve.
    """
    record = run.store.by_ids(run.layout, side, [row.id]).get(row.id)
    known = record.side(side) if record is not None else None
    if known is None or known.version != row.version or known.epoch != run.worlds[side].epoch:
        return False
    if known.modified_at is None or row.modified_at is None:
        return known.image is not None and known.image != row.image
    shift = _shift(run, side, row, known)
    if shift is None or abs(shift) <= JITTER:
        return False
    return not _clock_was_set(run, side, shift, row.id)


def _shift(run: MapRun, side: Side, row: Row, known: SideState) -> float | None:
    """Seconds between what a row says of its last edit now and what it said before."""
    if known.modified_at is None or row.modified_at is None or known.version != row.version:
        return None
    offset = run.identities[side].clock_offset.total_seconds()
    return row.modified_at.timestamp() - offset - known.modified_at


def _clock_was_set(run: MapRun, side: Side, shift: float, suspect: str) -> bool:
    """Whether rows nobody edited moved by as much: a clock, theirs or ours, was set meanwhile.

    On a side that went back in time the other rows say what they said before.
    """
    known: dict[str, SideState] = {}
    # A dry run answers only what absorbing a page asks of its records.
    for record in run.ports.store.needing(run.layout, list(State), 0, WITNESSES):
        state = record.side(side)
        if state.id is not None and state.epoch == run.worlds[side].epoch:
            known[state.id] = state
    known.pop(suspect, None)
    if not known:
        return False
    entity, columns = run.map.entity(side), run.map.column_names(side)
    found = run.endpoint(side).read(entity, columns, by=None, values=list(known)).rows
    shifts = [_shift(run, side, rows[0], known[id]) for id, rows in found.items() if rows]
    return any(one is not None and abs(one - shift) <= JITTER for one in shifts)


def remembering(run: MapRun, position: Position, page: Page) -> Position:
    """The position with the newest row known, which may be one of the page.

    A run knows rows that the position at hand does not: what it wrote while it was reading.
    """
    side, newer = position.side, run.endpoint(position.side).newer
    id, version = position.high_id, position.high_version
    own_id, own_version = run.newest.get(side, (None, None))
    if own_version is not None and (version is None or newer(own_version, version)):
        id, version = own_id, own_version
    if id in page.deleted:
        id = version = None
    for row in page.rows:
        if row.version is None or row.version == version:
            continue
        if version is None or newer(row.version, version) is not False:
            id, version = row.id, row.version
    run.newest[side] = (id, version)
    return replace(position, high_id=id, high_version=version)
