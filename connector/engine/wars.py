"""Edit wars: a value we write again and again, because somebody undoes it each time.

Owns: when a write is one too many, told from the record's audit, and what is said then.
Never does: planning; a record's other groups go on.
Tested in: tests/unit/engine/test_wars.py, tests/integration/engine/test_wars.py.

A write is a repetition where the same value went to the same side before and nothing happened on
the source side since: no edit there, and no decision of a person, such as to take a run back. A
change on the source side that only undid a write of ours is a part of the war, not an end of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from functools import partial
from typing import Any, TypeAlias

from connector.engine.plan import Action, Kind, Write
from connector.errors import Problem, Subject
from connector.mapping.compiling.compiled import Group
from connector.mapping.values import Side, Value
from connector.store.base import Store
from connector.store.record import Layout, Record
from connector.store.work import ChangeKind, ChangeRow

WINDOW = 86_400.0
"""Seconds over which repetitions are counted."""
MOST = 3
"""Times a value is written, or a record restored, before a person is asked."""
UNDO = "undo of run"
"""Begins the reason of a write that takes another one back because a person wants it."""

Typed: TypeAlias = Callable[[Side, Mapping[str, Any]], Mapping[str, Value]]
"""The values of an audit row in the types of its side's columns."""


def end_wars(
    store: Store, layout: Layout, now: float, actions: Iterable[tuple[Record, Action]]
) -> None:
    """Take what was written too often to no avail out of these plans, with the reason.

    The audit is asked once for all of them; first creates need not be looked at.
    """
    repeatable = [(r, a) for r, a in actions if any(map(_may_repeat, a.writes))]
    typed = partial(store.typed, layout)
    for since, unstable in ((now - WINDOW, False), (None, True)):
        # What was parked as unstable stays so, however long ago that was.
        some = [(r, a) for r, a in repeatable if _is_unstable(r) is unstable]
        histories = store.histories([r.number for r, _ in some], since) if some else {}
        for record, action in some:
            left: list[Write] = []
            for write in action.writes:
                may: Write | None = write
                if _may_repeat(write):
                    history = histories.get(record.number, ())
                    may, problem = without_war(record, write, history, typed)
                    action.problem = action.problem or problem
                if may is not None:
                    left.append(may)
            action.writes = left


def _may_repeat(write: Write) -> bool:
    """Updates, and creates that put a deleted row back."""
    return write.kind is Kind.UPDATE or (write.kind is Kind.CREATE and write.reason is not None)


def _is_unstable(record: Record) -> bool:
    return record.problem is not None and record.problem.code == "unstable"


def without_war(
    record: Record, write: Write, history: Sequence[ChangeRow], typed: Typed
) -> tuple[Write | None, Problem | None]:
    """What may leave of a write, and why the rest must wait for a person."""
    if write.kind is Kind.CREATE:
        times = _restored(write.side, history)
        return (write, None) if times < MOST else (None, _restored_problem(record, write, times))
    if not write.groups:  # an active mark the map does not bring
        times = _repeated(write, write.values, frozenset(), history, typed)
        return (write, None) if times < MOST else (None, _problem(record, write, None, times))
    problem: Problem | None = None
    left: list[Group] = []
    for group in write.groups:
        columns = _columns(write.side, [group])
        values = {name: value for name, value in write.values.items() if name in columns}
        source = _columns(write.side.other, [group])
        times = _repeated(write, values, source, history, typed) if values else 0
        if times < MOST:
            left.append(group)
        else:
            problem = problem or _problem(record, write, group, times)
    return (write if problem is None else _only(write, left)), problem


def _restored(side: Side, history: Sequence[ChangeRow]) -> int:
    """How often the record was put back on this side with nothing happening on the other."""
    times, gone = 0, False
    for row in history:
        if _decided(row) or (row.kind is ChangeKind.SEEN and row.side is not side):
            times = 0
        elif row.kind is ChangeKind.SEEN and row.after is None:
            gone = True
        elif _ours(row, ChangeKind.CREATE) and row.side is side and gone:
            times, gone = times + 1, False
    return times


def _repeated(
    write: Write,
    values: Mapping[str, Value],
    source: Set[str],
    history: Sequence[ChangeRow],
    typed: Typed,
) -> int:
    """How often these values were written with nothing happening on the source side."""
    times = 0
    given: dict[str, Value] = {}
    for row in history:
        if _decided(row):
            times = 0
        elif _ours(row, ChangeKind.UPDATE) and row.side is write.side:
            after = typed(row.side, row.after or {})
            times += all(name in after and after[name] == value for name, value in values.items())
        elif _ours(row, ChangeKind.UPDATE):
            given.update(typed(row.side, row.after or {}))
        elif row.kind is ChangeKind.SEEN and row.side is not write.side:
            before = typed(row.side, row.before or {})
            touched = [name for name in before if name in source]
            if touched and not all(
                name in given and given[name] == before[name] for name in touched
            ):
                times = 0
    return times


def _columns(side: Side, groups: Iterable[Group]) -> Set[str]:
    return {name for g in groups for f in g.fields if (name := f.column(side)) is not None}


def _decided(row: ChangeRow) -> bool:
    return row.kind is ChangeKind.DECISION or (row.detail or "").startswith(UNDO)


def _ours(row: ChangeRow, kind: ChangeKind) -> bool:
    return row.kind is kind and row.outcome == "applied"


def _only(write: Write, groups: Sequence[Group]) -> Write | None:
    """The write with these groups only."""
    columns = _columns(write.side, groups)
    values = {name: value for name, value in write.values.items() if name in columns}
    if not values:
        return None
    before = {name: value for name, value in (write.before or {}).items() if name in columns}
    lost = tuple(group for group in write.lost if group in groups)
    return write._replace(values=values, before=before, groups=tuple(groups), lost=lost)


def _problem(record: Record, write: Write, group: Group | None, times: int) -> Problem:
    columns = _columns(write.side, [group]) if group else write.values.keys()
    ours = _shown(write.values, columns)
    theirs = _shown(write.before or {}, columns)
    return _unstable(
        record,
        write.side,
        f"{ours} was written to {write.side} {times} times within a day and became {theirs} each "
        "time",
        group.name if group else None,
    )


def _restored_problem(record: Record, write: Write, times: int) -> Problem:
    text = f"the record was put back in {write.side} {times} times within a day and deleted again"
    return _unstable(record, write.side, text, None)


def _unstable(record: Record, side: Side, text: str, field: str | None) -> Problem:
    modifier = record.side(side).modifier
    by = f", last by {modifier}" if modifier else ""
    return Problem(
        "unstable",
        text + by,
        f"find out what undoes it in {side}, then `dualwrite failures retry {record.map} "
        f"{record.number}`; or accept the difference: `dualwrite failures discard {record.map} "
        f"{record.number}`",
        Subject(map=record.map, side=side.value, record=str(record.number), field=field),
    )


def _shown(values: Mapping[str, Value], columns: Set[str]) -> str:
    return ", ".join(f"{name} {value!r}" for name, value in values.items() if name in columns)
