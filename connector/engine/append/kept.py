"""Rows that could not be written when they were read.

Owns: trying them again when they are due; they are forgotten once they arrived.
Never does: reading the source's feed.
Tested in: tests/integration/engine/test_append_kept.py.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from connector.endpoints.base import Page, Row
from connector.engine.append.writer import Writer
from connector.engine.runs.run import MapRun
from connector.store.record import Presence, Record


def settle_kept(run: MapRun, only: str | None = None) -> bool:
    """Try every row that is due, again while that makes more of them due; True if cut short.

    `only` limits it to one normalised key.
    """
    for _ in range(run.limits.rounds):
        after, seen = 0, 0
        with Writer(run) as writer:
            while page := run.store.due(run.layout, run.now(), after, run.limits.page):
                after = page[-1].number
                records = [r for r in page if only is None or r.key == only]
                seen += len(records)
                _take_up(run, writer, records)
                if run.out_of_time():
                    return True
        if not seen:
            return False
    return True


def crowded(run: MapRun) -> bool:
    """Whether so many rows wait for their next try that no more should be read."""
    return len(run.store.due(run.layout, math.inf, 0, run.limits.page)) >= run.limits.page


def _take_up(run: MapRun, writer: Writer, records: Sequence[Record]) -> None:
    """Send kept rows; one of which the source holds something else by now begins anew."""
    (side,) = run.map.document.followed
    run.doubt(records)
    tick = run.numbers("tick")
    doubtful = {
        id: record
        for record in records
        if record.side(side).presence is Presence.UNKNOWN and (id := record.side(side).id)
    }
    changed: list[Row] = []
    gone: set[str] = set()
    if doubtful:
        entity, columns = run.map.entity(side), run.map.column_names(side)
        found = run.endpoint(side).read(entity, columns, by=None, values=list(doubtful)).rows
        for id, record in doubtful.items():
            state, rows = record.side(side), [row for row in found.get(id, ()) if row.id == id]
            if not rows:
                gone.add(id)
            elif rows[0].image != state.image:
                changed.append(rows[0])
            else:
                state.presence, state.epoch = Presence.PRESENT, run.worlds[side].epoch
        if changed or gone:
            writer.push(Page(changed, sorted(gone)), tick)
    away = gone | {row.id for row in changed}
    writer.push_kept([r for r in records if r.side(side).id not in away], tick)
