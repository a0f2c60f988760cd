"""Rows that were not written, and what becomes of them.

Owns: keeping each with the reason why, due when it is worth another try.
Never does: trying again (`kept.py`).
Tested in: tests/integration/engine/test_append_kept.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from connector.endpoints.base import Outcome, Rejected
from connector.engine.append.page import Item, Taken
from connector.engine.faults import handling_of
from connector.engine.plan import Kind
from connector.engine.runs.run import MapRun
from connector.engine.runs.watch import count
from connector.engine.settle import next_try, refused


def not_done(run: MapRun, taken: Taken, failed: Sequence[tuple[Item, Outcome]]) -> None:
    """Keep the rows whose create was refused, put off or left in doubt.

    In doubt is no worse than put off: the same create is sent again, and the side says whether
    the row is there already.
    """
    if not failed:
        return
    reply, target = run.reply(), run.map.document.followed[0].other
    for item, outcome in failed:
        record, how = taken.record_of(run, item), handling_of(outcome)
        if how.incident is not None:
            count(taken.work.incidents, how.incident)
        if isinstance(outcome, Rejected):
            record.problem = refused(record, target, Kind.CREATE, outcome)
            record.due = None
        else:
            record.attempts += how.attempt
            next_try(record, how, outcome, reply)
