"""A person's choice between two edits.

Owns: what a decision means for the agreed pair: the losing side's value counts as agreed, so
that only the winning side has changed and its value travels, conditionally, like any edit.
Never does: choosing; writing (the ordinary cycle does).
Tested in: tests/integration/engine/test_conflicts.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from connector.engine.absorb import Absorbed
from connector.engine.agreement import agreed_with
from connector.engine.cycle import settle_due
from connector.engine.lookups import resolve
from connector.engine.plan import plan
from connector.engine.run import MapRun
from connector.mapping.values import Side
from connector.store.record import Record
from connector.store.work import ChangeKind, Work


def decide(run: MapRun, records: Sequence[Record], winner: Side, group: str | None) -> int:
    """Let one side win every open conflict of these records, or those of one group.

    Both values go into the audit. Returns how many conflicts were decided.
    """
    decided = 0
    resolve(run.map, run.ports.endpoints, records)
    for record in records:
        absorbed = Absorbed(run.work())
        here = _decide_record(run, absorbed.work, record, winner, group)
        if here:
            decided += here
            record.due = run.now()
            absorbed.touch(record)
            run.commit(absorbed.seal())
    settle_due(run)
    return decided


def _decide_record(run: MapRun, work: Work, record: Record, winner: Side, group: str | None) -> int:
    names = {conflict.group for conflict in plan(record, run.map).conflicts}
    chosen = [g for g in run.map.groups if g.name in names and group in (None, g.name)]
    loser = record.side(winner.other)
    best = record.side(winner)
    if not chosen or loser.image is None or best.image is None:
        return 0
    for one in chosen:
        run.note(
            work,
            record,
            ChangeKind.DECISION,
            winner.other,
            before=one.values(winner.other, loser.image),
            after=one.values(winner, best.image),
            detail=f"{one.name}: {winner} wins",
        )
    loser.agreed = agreed_with(loser, winner.other, chosen)
    run.tell("decided", len(chosen))
    return len(chosen)
