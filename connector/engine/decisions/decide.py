"""A person's choice between two edits.

Owns: that a decision is about what both sides hold right now and what its entry showed; what it
means for the agreed pair: the losing side's value counts as agreed, so that only the winning side
has changed and its value travels, conditionally, like any edit.
Never does: choosing; writing (the ordinary cycle does, and `given.py` for a value by hand).
Tested in: tests/integration/engine/test_decide.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from connector.engine.agreement import agreed_with
from connector.engine.apply import Applier
from connector.engine.cycle import settle_due
from connector.engine.decisions.fresh import read_anew
from connector.engine.decisions.given import Given, impose, winner_of
from connector.engine.lookups import resolve
from connector.engine.news.absorb import Absorbed
from connector.engine.plan import plan
from connector.engine.runs.run import MapRun
from connector.errors import Problem, Subject
from connector.mapping.compiling.compiled import Group
from connector.mapping.values import Side
from connector.store.record import Conflict, Record
from connector.store.work import ChangeKind, Decided, OpenConflict, Work


@dataclass(frozen=True, slots=True)
class Choice:
    """Who decided, and what: the side that wins, or a value for one group."""

    by: str
    winner: Side | None = None
    given: Given | None = None

    @property
    def text(self) -> str:
        """The decision as the state keeps it: a side, or columns with their values."""
        if self.given is None:
            return str(self.winner)
        return ", ".join(f"{name}={value}" for name, value in self.given.values.items())


class Refusal(NamedTuple):
    """A conflict that was not decided, or whose decision a side refused."""

    entry: OpenConflict
    problem: Problem
    now: Conflict | None
    """The conflict as it stands now; None where there is none any more."""


class Decision(NamedTuple):
    """One conflict that is decided, and for which side."""

    entry: OpenConflict
    record: Record
    group: Group
    winner: Side


Refuse = Callable[[Refusal], None]


def decide(run: MapRun, entries: Sequence[OpenConflict], choice: Choice, refuse: Refuse) -> int:
    """Decide one page of conflicts as their entries show them; how many were carried out.

    Both sides are read anew first. An entry whose record moved on is refused with `changed` and
    brought up to date. Both values go into the audit, the decision into the conflict.
    """
    records = run.store.by_numbers(run.layout, list({entry.record for entry in entries}))
    read_anew(run, list(records.values()))
    resolve(run.map, run.ports.endpoints, records.values())
    groups = {group.name: group for group in run.map.groups}
    standing = {number: _standing(run, record) for number, record in records.items()}
    shown: list[tuple[OpenConflict, Record, Group]] = []
    for entry in entries:
        now = standing.get(entry.record, {}).get(entry.conflict.group)
        if now is not None and now.seen == entry.conflict.seen:
            shown.append((entry, records[entry.record], groups[now.group]))
        else:
            refuse(Refusal(entry, _changed(run, entry, now), now))
    if choice.given is not None:
        decisions = _by_value(run, shown, choice, choice.given, refuse)
    else:
        assert choice.winner is not None
        decisions = [Decision(*one, choice.winner) for one in shown]
    _carry_out(run, records.values(), decisions, choice)
    return _carried(run, decisions, refuse)


def _standing(run: MapRun, record: Record) -> dict[str, Conflict]:
    """The record's conflicts by group, as they are now."""
    return {conflict.group: conflict for conflict in plan(record, run.map).conflicts}


def _by_value(
    run: MapRun,
    shown: Sequence[tuple[OpenConflict, Record, Group]],
    choice: Choice,
    given: Given,
    refuse: Refuse,
) -> list[Decision]:
    """Bring the value to one side of each record; that side wins then."""
    held = {entry.record: winner_of(record, group, given) for entry, record, group in shown}
    rest = [record for _, record, _ in shown if held[record.number] is None]
    reason = f"{given.group}: {choice.text}, decided by {choice.by}"
    imposed = impose(run, rest, given, reason) if rest else set()
    decisions: list[Decision] = []
    for entry, record, group in shown:
        winner = held[record.number] or (given.side if record.number in imposed else None)
        if winner is not None:
            decisions.append(Decision(entry, record, group, winner))
            continue
        now = _standing(run, record).get(group.name)
        moved = now is None or now.seen != entry.conflict.seen
        problem = record.problem or (_changed(run, entry, now) if moved else _unwritten(run, entry))
        refuse(Refusal(entry, problem, now))
    return decisions


def _carry_out(
    run: MapRun, records: Iterable[Record], decisions: Sequence[Decision], choice: Choice
) -> None:
    """Commit the decisions, write what they ask for, and bring every other entry up to date."""
    absorbed = Absorbed(run.work())
    for decision in decisions:
        loser = decision.record.side(decision.winner.other)
        _note(run, absorbed.work, decision, choice)
        loser.agreed = agreed_with(loser, decision.winner.other, [decision.group])
        number = decision.entry.number
        absorbed.work.decisions.append(Decided(number, choice.text, choice.by))
    for record in records:
        record.due = run.now()
        absorbed.touch(record)
    applier = Applier(run)
    applier.push(absorbed)
    applier.drain()
    settle_due(run)


def _note(run: MapRun, work: Work, decision: Decision, choice: Choice) -> None:
    """What each side that gives way held, and what it is to hold."""
    record, group, winner = decision.record, decision.group, decision.winner
    image = record.side(winner).image
    assert image is not None
    after = group.values(winner, image)
    for side in Side:
        before = decision.entry.conflict.seen[side]
        if side is winner and before == after:
            continue
        detail = f"{group.name}: {choice.text}, decided by {choice.by}"
        run.note(work, record, ChangeKind.DECISION, side, before=before, after=after, detail=detail)


def _carried(run: MapRun, decisions: Sequence[Decision], refuse: Refuse) -> int:
    """How many decisions stand on both sides, or are on their way; the others are refused."""
    numbers = list({decision.record.number for decision in decisions})
    records = run.store.by_numbers(run.layout, numbers)
    refused = 0
    for decision in decisions:
        record = records[decision.record.number]
        now = _standing(run, record).get(decision.group.name)
        if record.problem is not None or now is not None:
            refused += 1
            problem = record.problem or _changed(run, decision.entry, now)
            refuse(Refusal(decision.entry, problem, now))
    run.tell("decided", len(decisions) - refused)
    return len(decisions) - refused


def _changed(run: MapRun, entry: OpenConflict, now: Conflict | None) -> Problem:
    gone = "there is no such conflict any more: the sides agree by now, or a row is gone"
    newer = "the record has changed since it was shown; nothing was decided"
    return Problem(
        "changed",
        gone if now is None else newer,
        "look at it again with `dualwrite conflicts show`"
        + ("" if now is None else ", then decide"),
        Subject(map=run.map.name, record=str(entry.record), field=entry.conflict.group),
        exit_code=3,
    )


def _unwritten(run: MapRun, entry: OpenConflict) -> Problem:
    return Problem(
        "decision-not-written",
        "the value could not be written now; the conflict stays open",
        "run the same command again when the side is well",
        Subject(map=run.map.name, record=str(entry.record), field=entry.conflict.group),
        exit_code=3,
    )
