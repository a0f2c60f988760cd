"""Trying records again that were set aside.

Owns: what a retry means: forget the reason, read both sides anew, plan as if just seen.
Never does: lifting a doubled key, which only a changed row can lift.
Tested in: tests/acceptance/test_failures.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from connector.engine.absorb import Absorbed
from connector.engine.cycle import settle_due
from connector.engine.run import MapRun
from connector.mapping.values import Side
from connector.store.record import Presence, Record
from connector.store.work import ChangeKind


def try_again(run: MapRun, records: Sequence[Record]) -> int:
    """Take parked records up again; how many are parked no more afterwards."""
    absorbed = Absorbed(run.work())
    for record in records:
        if record.problem is None or record.problem.code == "duplicate-key":
            continue
        run.note(
            absorbed.work,
            record,
            ChangeKind.DECISION,
            run.map.master,
            detail=f"tried again: {record.problem.code}",
        )
        record.problem = None
        record.attempts = 0
        record.due = run.now()
        for side in Side:
            state = record.side(side)
            if state.presence is Presence.PRESENT:
                state.presence = Presence.UNKNOWN
        absorbed.touch(record)
    run.commit(absorbed.seal())
    settle_due(run)
    numbers = [record.number for record in records]
    now = run.store.by_numbers(run.layout, numbers).values()
    freed = sum(1 for record in now if record.problem is None)
    run.tell("freed", freed)
    return freed
