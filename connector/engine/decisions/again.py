"""Trying records again that were set aside.

Owns: what a retry means: forget the reason, read both sides anew, plan as if just seen.
Never does: lifting a doubled key, which only a changed row can lift.
Tested in: tests/integration/engine/test_again.py, tests/acceptance/test_failures.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from connector.engine.cycle import settle_due
from connector.engine.news.absorb import Absorbed
from connector.engine.runs.run import MapRun
from connector.mapping.values import Side
from connector.store.record import Presence, Record
from connector.store.work import ChangeKind


def try_again(run: MapRun, records: Sequence[Record], by: str = "") -> int:
    """Take parked records up again; how many are parked no more afterwards.

    `by` is who asked for it.
    """
    absorbed = Absorbed(run.work())
    for record in records:
        if record.problem is None or record.problem.code == "duplicate-key":
            continue
        run.note(
            absorbed.work,
            record,
            ChangeKind.DECISION,
            run.map.master,
            detail=f"tried again: {record.problem.code}{f', decided by {by}' if by else ''}",
        )
        record.problem = None
        record.due = run.now()
        # A side in doubt may hold a write of ours whose reply was lost: no edit of somebody's.
        sides = [record.side(side) for side in Side]
        record.attempts = 1 if any(s.presence is Presence.UNKNOWN for s in sides) else 0
        for state in sides:
            if state.presence is Presence.PRESENT:
                state.presence = Presence.UNKNOWN
        absorbed.touch(record)
    run.commit(absorbed.seal(run))
    settle_due(run)
    numbers = [record.number for record in records]
    now = run.store.by_numbers(run.layout, numbers).values()
    freed = len(records) - sum(1 for record in now if record.problem is not None)
    run.tell("freed", freed)
    return freed
