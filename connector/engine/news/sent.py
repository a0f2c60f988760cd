"""What writes of ours whose reply was lost had carried, as the audit tells.

Owns: reading it, in one query for all records in doubt of a page.
Never does: judging whether such a write took effect (`doubt.py`).
Tested in: tests/integration/engine/test_doubt.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile

from connector.engine.news.witness import Sent, Witness
from connector.engine.runs.run import MapRun
from connector.mapping.values import Side, Value
from connector.store.record import Record
from connector.store.work import ChangeKind, ChangeRow

_WRITES = (ChangeKind.CREATE, ChangeKind.UPDATE, ChangeKind.DELETE)
_MAYBE = (None, "unknown", "exists", "stale")
"""Outcomes of writes that may have taken effect. The last two are the answers where something on
the way sent a write twice, and only the second reply came through."""


def knowing(run: MapRun, witness: Witness, records: Sequence[Record]) -> Witness:
    """The witness with what was sent to its side of records in doubt."""
    if not records:
        return witness
    store = run.ports.store  # a dry run answers only what absorbing a page asks of its records
    histories = store.histories([record.number for record in records])
    sent: dict[int, Sent] = {}
    refused: set[int] = set()
    done: dict[int, Mapping[str, Value]] = {}
    for record in records:
        rows = _doubtful(record, witness.side, histories.get(record.number, ()))
        written = [store.typed(run.layout, witness.side, row.after or {}) for row in rows]
        values: dict[str, list[Value]] = {}
        for name, value in (pair for one in written for pair in one.items()):
            values.setdefault(name, []).append(value)
        sent[record.number] = values
        if rows and all(row.outcome == "exists" for row in rows):
            refused.add(record.number)
        if rows and _untold(rows[-1]):
            done[record.number] = written[-1]
    return replace(witness, sent=sent, refused=frozenset(refused), done=done)


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
    return _since(side, history, lambda row: row.outcome == "applied")


def _unseen(side: Side, history: Sequence[ChangeRow]) -> list[ChangeRow]:
    """The writes since the last one whose effect was told, oldest first."""
    return _since(side, history, lambda row: row.outcome == "applied" and not _untold(row))


def _untold(row: ChangeRow) -> bool:
    """Whether an update happened of which the reply did not tell what it made of the row."""
    return row.kind is ChangeKind.UPDATE and row.outcome == "applied" and row.version is None


def _since(
    side: Side, history: Sequence[ChangeRow], sure: Callable[[ChangeRow], bool]
) -> list[ChangeRow]:
    writes = [row for row in history if row.side is side and row.kind in _WRITES]
    return list(takewhile(lambda row: not sure(row), reversed(writes)))[::-1]


def _doubtful(record: Record, side: Side, history: Sequence[ChangeRow]) -> list[ChangeRow]:
    """The writes that may have made the row what it is, oldest first.

    An update was conditional on the version that was known until now. Where there are no versions
    it can only be the last one; a create is sent again and again under the same id.
    """
    state = record.side(side)
    writes = _unseen(side, history)
    if state.version is None and not record.unconfirmed:
        writes = writes[-1:]
    doubtful = [
        row for row in writes if (row.outcome in _MAYBE or _untold(row)) and row.target == state.id
    ]
    if record.unconfirmed and state.image is None:
        return [row for row in doubtful if row.kind is ChangeKind.CREATE]
    updates = [row for row in doubtful if row.kind is ChangeKind.UPDATE]
    return [row for row in updates if row.expected == state.version]
