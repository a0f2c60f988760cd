"""Rows that are gone, and rows that came in their place.

Owns: what the audit tells of a row that is gone; telling a new row of a key from the old one where
a row is known by its key alone.
Never does: deciding what a delete means for the other side (`plan.py`).
Tested in: tests/integration/engine/test_doubt.py, tests/integration/engine/test_ids.py.
"""

from __future__ import annotations

from connector.endpoints.base import Row
from connector.engine.news.doubt import given_way
from connector.engine.news.observe import bind
from connector.engine.news.sent import delete_in_doubt
from connector.engine.news.witness import Witness
from connector.engine.plan import as_columns
from connector.engine.runs.run import MapRun
from connector.mapping.values import Side, Value
from connector.store.record import Presence, Record
from connector.store.work import ChangeKind, Work


def note_gone(run: MapRun, work: Work, record: Record, side: Side, deleting: str | None) -> None:
    """A row that is gone leaves what it held in the audit; `deleting` is our delete in doubt.

    Where a delete of ours without a reply did it, that tells of it; only edits that gave way are
    added, as if the reply had come. What was agreed on is void then, as after a reply: a card that
    came on the other side meanwhile is a new one, and our delete is no reason to delete it.
    """
    _note_what_it_held(run, work, record, side, ours=deleting == "unknown")
    if deleting is not None:
        record.commerce.agreed = record.dataverse.agreed = None


def _note_what_it_held(run: MapRun, work: Work, record: Record, side: Side, *, ours: bool) -> None:
    state = record.side(side)
    if not ours:
        before = None if state.image is None else as_columns(run.map, side, state.image)
        run.note(
            work, record, ChangeKind.SEEN, side, target=state.id, before=before, detail="deleted"
        )
        return
    if state.image is None or state.agreed is None:
        return
    for group in given_way(run.map, side, state.image, state.agreed):
        before = group.values(side, state.image)
        after: dict[str, Value] = dict.fromkeys(before)
        run.note(work, record, ChangeKind.LOST, side, before=before, after=after, detail=group.name)
        run.tell("lost", 1)


def deleting_in_doubt(run: MapRun, record: Record, side: Side) -> str | None:
    """What came of a delete of ours to this side that may have happened without our knowing."""
    doubted = record.side(side).presence is Presence.UNKNOWN and record.attempts > 0
    return delete_in_doubt(run, side, record) if doubted else None


def tell_apart(run: MapRun, work: Work, record: Record, row: Row, witness: Witness) -> None:
    """A row known by its key may be another one than the last that bore the key.

    One that is there again after it was gone is. Where a delete of ours may have taken effect, so
    is one of another version: taken for the old one, it would be deleted again.
    """
    state, side = record.side(witness.side), witness.side
    if state.presence is Presence.ABSENT and state.image is not None:
        if witness.tick >= state.tick:
            bind(record, row, witness)
    elif state.image is not None and (row.version, row.image) != (state.version, state.image):
        deleting = deleting_in_doubt(run, record, side)
        if deleting is not None and witness.tick >= state.tick:
            note_gone(run, work, record, side, deleting)
            bind(record, row, witness)
