"""What writes of ours whose reply was lost had carried, as the audit tells.

Owns: reading it, in one query for all records in doubt of a page.
Never does: judging whether such a write took effect (`doubt.py`).
Tested in: tests/integration/engine/test_doubt.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile

from connector.engine.run import MapRun
from connector.engine.witness import Sent
from connector.mapping.values import Side, Value
from connector.store.record import Record
from connector.store.work import ChangeKind, ChangeRow

_WRITES = (ChangeKind.CREATE, ChangeKind.UPDATE, ChangeKind.DELETE)
_MAYBE = (None, "unknown", "exists", "stale")
"""Outcomes of writes that may have taken effect. The last two are the answers where something on
the way sent a write twice, and only the second reply came through."""


def sent_to(run: MapRun, side: Side, records: Sequence[Record]) -> Mapping[int, Sent]:
    """What was sent to one side of records in doubt, by record number and column."""
    if not records:
        return {}
    store = run.ports.store  # a dry run answers only what absorbing a page asks of its records
    histories = store.histories([record.number for record in records])
    found: dict[int, Sent] = {}
    for record in records:
        values: dict[str, list[Value]] = {}
        for row in _doubtful(record, side, histories.get(record.number, ())):
            for name, value in store.typed(run.layout, side, row.after or {}).items():
                values.setdefault(name, []).append(value)
        found[record.number] = values
    return found


def delete_in_doubt(run: MapRun, side: Side, record: Record) -> str | None:
    """What came of a delete of ours that may have taken effect on the row as it is known.

    That is `unknown`, or `missing`: it was sent twice on the way, or somebody else was faster.
    """
    state, history = record.side(side), run.ports.store.history(record.number)
    outcomes = [
        row.outcome
        for row in _unapplied(side, history)
        if row.kind is ChangeKind.DELETE
        and (row.target, row.expected) == (state.id, state.version)
        and row.outcome in ("unknown", "missing")
    ]
    return outcomes[-1] if outcomes else None


def _unapplied(side: Side, history: Sequence[ChangeRow]) -> list[ChangeRow]:
    """The writes since the last one that surely took effect, oldest first."""
    writes = [row for row in history if row.side is side and row.kind in _WRITES]
    return list(takewhile(lambda row: row.outcome != "applied", reversed(writes)))[::-1]


def _doubtful(record: Record, side: Side, history: Sequence[ChangeRow]) -> list[ChangeRow]:
    """The writes that may have made the row what it is, oldest first.

    An update was conditional on the version that was known until now. Where there are no versions
    it can only be the last one; a create is sent again and again under the same id.
    """
    state = record.side(side)
    doubtful = [
        row for row in _unapplied(side, history) if row.outcome in _MAYBE and row.target == state.id
    ]
    if record.unconfirmed and state.image is None:
        return [row for row in doubtful if row.kind is ChangeKind.CREATE]
    updates = [row for row in doubtful if row.kind is ChangeKind.UPDATE]
    if state.version is None:
        return updates[-1:]
    return [row for row in updates if row.expected == state.version]
