"""Whether the audit explains what was written.

Owns: that each write that took effect has an audit row of its own that names its side, its row
and both values, and that no row claims a write that never happened.
Never does: judging the writes themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from connector.endpoints.base import Create, Delete, Update
from connector.mapping.values import Side, Value
from tests.simulation.findings import Found
from tests.simulation.stores import Audited
from tests.simulation.told import Written
from tests.simulation.world import World

KINDS = {Create: "create", Update: "update", Delete: "delete"}
Told = tuple[str, str, str | None, tuple[tuple[str, Value], ...]]
"""(side, kind, id, values after)."""


def every_write_is_explained(world: World, found: Found) -> None:
    """Each write has its audit row, with the values before and after."""
    rows: dict[Told, list[Audited]] = {}
    for row in found.audit:
        if row.kind in KINDS.values():
            told = (row.side, row.kind, row.target, _sorted(row.after))
            rows.setdefault(told, []).append(row)
    claimed = Counter(told for told, of in rows.items() for row in of if row.outcome == "applied")
    happened: Counter[Told] = Counter()
    for side, system in world.systems.items():
        for write in system.writes:
            told = _told(side, write, write.operation.id)
            happened[told] += 1
            # Where its reply was lost, nobody knows the id the row got.
            names = dict.fromkeys([told, _told(side, write, write.asked)])
            fitting = [(n, row) for n in names for row in rows.get(n, ()) if _before(row, write)]
            assert fitting, f"no audit row explains {write} in {side}"
            name, row = fitting[0]
            if not write.same:  # sent twice, it finds what it left, where only that is compared
                rows[name].remove(row)
    untrue = claimed - happened
    assert not untrue, f"the audit says these were applied, and they were not: {untrue}"


def _told(side: Side, write: Written, id: str) -> Told:
    values: Mapping[str, Value] = {}
    if not isinstance(write.operation, Delete):
        values = write.operation.values
    return side.value, KINDS[type(write.operation)], id, _sorted(values)


def _sorted(values: Mapping[str, Value]) -> tuple[tuple[str, Value], ...]:
    return tuple(sorted(values.items()))


def _before(row: Audited, write: Written) -> bool:
    """Whether an audit row tells what the write found; a delete may tell of mapped columns only."""
    if write.blind:
        return True
    if isinstance(write.operation, Create):
        return not row.before
    if isinstance(write.operation, Delete):
        return bool(row.before) and row.before.items() <= write.before.items()
    return dict(row.before) == dict(write.before)
