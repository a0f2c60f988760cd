"""A person's way out of an edit war: one side's value wins, and writes are counted anew.

Owns: what that means for the agreed pair: the losing side's value counts as agreed on both sides,
so that only the winning side has changed. The decision in the audit starts the count anew.
Never does: finding wars (`wars.py` does); writing (the ordinary cycle does).
Tested in: tests/integration/engine/test_unstable.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from connector.engine.agreement import agreed_with, in_form_of
from connector.engine.cycle import settle_due
from connector.engine.decisions.fresh import read_anew
from connector.engine.decisions.undecided import Refuse, Undecided, moved_on, why_not
from connector.engine.news.absorb import Absorbed
from connector.engine.runs.run import MapRun
from connector.errors import Problem
from connector.mapping.compiling.compiled import Group
from connector.mapping.values import Side
from connector.store.record import Record
from connector.store.work import ChangeKind


def resolve_unstable(
    run: MapRun, records: Sequence[Record], winner: Side, by: str, refuse: Refuse
) -> int:
    """Let one side win in these records parked as `unstable`; how many need nobody any more.

    Both sides are read anew first; a record that is parked for another reason by then, or no
    longer, is refused with `changed`.
    """
    read_anew(run, records)
    groups = {group.name: group for group in run.map.groups}
    absorbed = Absorbed(run.work())
    for record in records:
        problem = record.problem
        if problem is None or problem.code != "unstable":
            refuse(Undecided(record, moved_on(record)))
            continue
        group = groups.get(problem.subject.field or "")
        written = Side(str(problem.subject.side))
        if winner is written and (group is None or not group.travels_to(winner.other)):
            refuse(Undecided(record, _stays(record, written, group)))
            continue
        if group is not None:
            _let_win(record, group, winner)
        run.note(
            absorbed.work,
            record,
            ChangeKind.DECISION,
            winner.other,
            before=_held(group, record, winner.other),
            after=_held(group, record, winner),
            detail=f"unstable: {winner} wins, decided by {by}",
        )
        record.problem = None
        record.attempts = 0
        record.due = run.now()
        absorbed.touch(record)
    taken = absorbed.records
    # The count begins with the decision: it has to be in the audit before anything is planned.
    run.commit(absorbed.seal(run))
    settle_due(run)
    now = run.store.by_numbers(run.layout, [record.number for record in taken])
    still = [Undecided(record, record.problem) for record in now.values() if record.problem]
    for undecided in still:
        refuse(undecided)
    run.tell("resolved", len(taken) - len(still))
    return len(taken) - len(still)


def _let_win(record: Record, group: Group, winner: Side) -> None:
    """Both sides count as having agreed on what the loser holds."""
    own, other = record.side(winner), record.side(winner.other)
    if own.agreed is None or other.agreed is None or own.image is None or other.image is None:
        return
    other.agreed = agreed_with(other, winner.other, [group])
    half = list(own.agreed)
    for field in group.fields:
        if field.index(winner) >= 0:
            half[field.index(winner)] = in_form_of(winner, field, other.image)
    own.agreed = tuple(half)


def _held(group: Group | None, record: Record, side: Side) -> dict[str, object] | None:
    image = record.side(side).image
    return None if group is None or image is None else dict(group.values(side, image))


def _stays(record: Record, side: Side, group: Group | None) -> Problem:
    """Why the side that undoes our writes cannot win."""
    if group is None:
        return why_not(
            record,
            "way-unknown",
            f"the map puts a record back that is deleted in {side}",
            f"delete it in {side.other} too, or accept that it is gone: "
            "`dualwrite failures discard`",
        )
    return why_not(
        record,
        "way-unknown",
        f"{group.name} never travels to {side.other}",
        f"correct it in {side.other}, or accept the difference: `dualwrite failures discard`",
    )
