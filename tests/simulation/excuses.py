"""What a record may be left parked for.

Owns: for each reason the one thing that brings it about, looked for in the systems themselves.
Never does: taking the engine's word that it was so; a reason that is not listed excuses nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from connector.endpoints.base import Create, Update
from connector.engine.wars import MOST
from connector.mapping.values import Side, normal_key
from connector.store.record import Presence, Record
from tests.simulation.findings import Found
from tests.simulation.maps import SHARED
from tests.simulation.people import known_key
from tests.simulation.systems import SOMEBODY

FAILED = frozenset({None, "unknown", "transient", "exists", "missing"})
"""Outcomes that count as attempts."""
WRITES = frozenset({"create", "update", "delete"})


def may_be_parked(found: Found, record: Record) -> bool:
    """Whether what a record is parked for is there."""
    assert record.problem is not None
    excuse = EXCUSES.get(record.problem.code)
    return excuse is not None and excuse(found, record)


def _renamed(found: Found, record: Record) -> bool:
    """A row bears another key than its record, and only a person knows which card it is now."""
    return any(key not in (record.key, "") for key in _keys(found, record))


def _unkeyed(found: Found, record: Record) -> bool:
    """A row has no key that could find its other half."""
    return "" in _keys(found, record)


def _keys(found: Found, record: Record) -> list[str]:
    """The keys of the rows that a record is bound to."""
    keys: list[str] = []
    for side, system in found.world.systems.items():
        row = system.rows.get(record.side(side).id or "")
        if row is not None and record.side(side).presence is Presence.PRESENT:
            keys.append(known_key(row.values[system.key]))
    return keys


def _doubled(found: Found, record: Record) -> bool:
    """Two rows of one side lay claim to the key, and nobody can tell which is the card.

    A row that somebody renamed does so too while it is one half of the pair of that key: whether
    the card moved on to the new key, or the newcomer is another card, only a person knows.
    """
    for side, system in found.world.systems.items():
        bound = {one.side(side).id for one in found.records[record.key]}
        if len(bound.intersection(system.rows).union(found.ids(record.key, side))) > 1:
            return True
    return False


def _in_the_way(found: Found, record: Record) -> bool:
    """The key stands on a row of another record, which somebody renamed: no room for a second."""
    side = _side(record)
    rows = [found.world.systems[side].rows[id] for id in found.ids(record.key, side)]
    return any(holder.key != record.key for holder in found.bound(rows))


def _undone(found: Found, record: Record) -> bool:
    """Somebody undid again and again what we wrote: deleted the row, or turned a mark back.

    The values of other columns are new each time a person writes one, so that nobody undoes them.
    """
    side = _side(record)
    system = found.world.systems[side]
    dropped = {gone.id for gone in system.dropped if gone.by == SOMEBODY}
    restored = 0
    marks: Counter[tuple[str, object]] = Counter()
    for operation in (write.operation for write in system.writes):
        if isinstance(operation, Create):
            key = normal_key(operation.values.get(system.key))
            restored += key == record.key and operation.id in dropped
        elif isinstance(operation, Update) and operation.id == record.side(side).id:
            marks.update((n, v) for n, v in operation.values.items() if n.lower() in SHARED)
    return restored >= MOST or any(times >= MOST for times in marks.values())


def _given_up(found: Found, record: Record) -> bool:
    """As many tries failed as the policy allows."""
    failed = [row for row in found.audit if row.record == record.number and row.outcome in FAILED]
    writes = [row for row in failed if row.kind in WRITES]
    return len(writes) >= found.world.plan.tuning.retry.attempts


def _refused(found: Found, record: Record) -> bool:
    """A side said no: by chance, or to a reference to a currency that is gone."""
    plan = found.world.plan
    gone = record.problem is not None and record.problem.code == "dataverse-refused"
    return bool(plan.rates.get("rejected") or (gone and plan.habits.get("currency")))


def _side(record: Record) -> Side:
    assert record.problem is not None
    assert record.problem.subject.side is not None
    return Side(record.problem.subject.side)


EXCUSES: dict[str, Callable[[Found, Record], bool]] = {
    "key-changed": _renamed,
    "key-missing": _unkeyed,
    "duplicate-key": _doubled,
    "row-in-the-way": _in_the_way,
    "unstable": _undone,
    "attempts-exhausted": _given_up,
    "commerce-refused": _refused,
    "dataverse-refused": _refused,
}
