"""Rows that share a normalised key with another row of their side, and rows that leave a key.

Owns: setting twins aside together, letting the last one go on when the others are gone, and
which bound rows may take another key without asking.
Never does: I/O, choosing between twins; a person deletes or renames one.
Tested in: tests/integration/engine/test_identity.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from connector.endpoints.base import Row
from connector.engine.news.observe import twin_problem
from connector.engine.news.witness import Witness
from connector.mapping.values import Side
from connector.store.record import Presence, Record, SideState

CODE = "duplicate-key"
KEYLESS = "\x01"
"""Begins the normalised key of a row without a usable one; no key of a side can."""


def set_aside(records: Sequence[Record], newcomer: Record, side: Side) -> None:
    """Two rows of one side under one key: neither travels until one is gone or renamed."""
    theirs = next((id for r in _holders(records, side) if (id := r.side(side).id)), "?")
    for record in (*records, newcomer):
        record.problem = twin_problem(record, side, (theirs, newcomer.side(side).id or "?"))
        record.accepted = False
        if Presence.UNKNOWN not in (record.commerce.presence, record.dataverse.presence):
            record.due = None  # else it is read first, and may turn out to be no twin


def leaves(record: Record, row: Row, witness: Witness) -> bool:
    """Whether a bound row under a new key begins anew: a twin, or one that was never paired.

    Elsewhere a changed key is a question to a person, because the pair would come apart.
    """
    return (
        (is_twin(record) or _unpaired(record, witness.side))
        and witness.tick >= record.side(witness.side).tick
        and witness.map.key_of(witness.side, row.image) not in (None, record.key)
    )


def _unpaired(record: Record, side: Side) -> bool:
    """Whether there certainly never was a row on the other side."""
    other = record.side(side.other)
    return other.presence is Presence.ABSENT and (record.unconfirmed or other.agreed is None)


def let_go(record: Record, witness: Witness) -> None:
    """Untie a row that leaves; what remains of a record that was never paired is a tombstone."""
    _put(record, witness.side, SideState(agreed=record.side(witness.side).agreed))
    if not is_twin(record):
        record.problem = None
        record.due = None
        record.unconfirmed = False


def is_twin(record: Record) -> bool:
    """Whether the record is set aside because of a twin."""
    return record.problem is not None and record.problem.code == CODE


def rejoin(records: Sequence[Record], now: float) -> bool:
    """Let the records of one key go on if no side has two rows of it any more.

    What is left is gathered in the record that is paired with the other side, the first one.
    """
    if any(len(_holders(records, side)) > 1 for side in Side):
        return False
    root = min(records, key=lambda record: record.ordinal)
    moved = [(side, h) for side in Side for h in _holders(records, side) if h is not root]
    # A create of ours lost to the row, or the card it comes after is gone: they never met.
    alone = any(not _holders(records, side) for side in Side)
    if moved and (root.unconfirmed or alone):
        root.unconfirmed = False
        root.commerce.agreed = root.dataverse.agreed = None
    for side, holder in moved:
        _put(root, side, replace(holder.side(side), agreed=root.side(side).agreed))
        _put(holder, side, SideState())
    for record in records:
        record.problem = None
        record.due = now
    return True


def _holders(records: Sequence[Record], side: Side) -> list[Record]:
    return [r for r in records if r.side(side).presence is not Presence.ABSENT]


def _put(record: Record, side: Side, state: SideState) -> None:
    if side is Side.COMMERCE:
        record.commerce = state
    else:
        record.dataverse = state
