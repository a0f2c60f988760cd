"""A person accepts that a record stays as it is, until either side changes.

Owns: what accepting means: the record needs nobody any more, and nothing is written for it.
Never does: lifting an acceptance; the next news of either side does (`news/observe.py`).
Tested in: tests/integration/engine/test_accept.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from connector.engine.apply import Applier
from connector.engine.decisions.fresh import read_unknown
from connector.engine.news.absorb import Absorbed
from connector.engine.runs.run import MapRun
from connector.errors import Problem
from connector.mapping.values import Side
from connector.store.record import Presence, Record
from connector.store.work import ChangeKind


def accept(run: MapRun, records: Sequence[Record], by: str) -> int:
    """Accept the present difference of these parked records; how many.

    Sides in doubt are read first, so that what is accepted is known. Nothing is written to them.
    Twins that turn out to be none any more have nothing left to accept and go on.
    """
    reasons = {record.number: record.problem for record in records}
    read_unknown(run, records)
    # Reading one twin may have let others go on, of which `records` knows nothing.
    now = run.store.by_numbers(run.layout, list(reasons)).values()
    records = [record for record in now if not _twin_no_more(record, reasons[record.number])]
    absorbed = Absorbed(run.work())
    for record in records:
        problem = reasons[record.number]
        code = problem.code if problem is not None else "nothing"
        detail = f"{code} discarded: the difference is accepted, decided by {by}"
        run.note(absorbed.work, record, ChangeKind.DECISION, run.map.master, detail=detail)
        _forget_create(record)
        record.accepted = True
        record.attempts = 0
        record.due = run.now()
        absorbed.touch(record)
    Applier(run).push(absorbed)
    run.tell("accepted", len(records))
    return len(records)


def _twin_no_more(record: Record, reason: Problem | None) -> bool:
    return reason is not None and reason.code == "duplicate-key" and record.problem is None


def _forget_create(record: Record) -> None:
    """A create that did not happen is no delete when the record's source changes later on."""
    for side in Side:
        state = record.side(side)
        if record.unconfirmed and state.presence is Presence.ABSENT:
            record.unconfirmed = False
            record.commerce.agreed = record.dataverse.agreed = None
