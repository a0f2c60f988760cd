"""What the reply to one write means for its record.

Owns: turning an outcome into the record's new state and agreed pair.
Never does: I/O, retrying; it says when a record is due again.
Tested in: tests/unit/engine/test_settle.py, tests/unit/engine/test_note.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from connector.endpoints.base import (
    Applied,
    Exists,
    Missing,
    Outcome,
    Rejected,
    Row,
    Transient,
)
from connector.engine.agreement import agree, agreed_with, apart, meet
from connector.engine.faults import Due, Handling, Step, handling_of
from connector.engine.news.observe import identify
from connector.engine.plan import Action, Kind, Write
from connector.engine.retry import Retry
from connector.errors import Problem, Subject
from connector.mapping.compiling.compiled import CompiledMap, Group
from connector.mapping.values import Image, Side, Value
from connector.store.record import Presence, Record, SideState, State


@dataclass(frozen=True, slots=True)
class Reply:
    """How replies are weighed: the time and tick at which they came, and the retry policy."""

    map: CompiledMap
    tick: int
    now: float
    epoch: dict[Side, int]
    clock_offset: dict[Side, float]
    retry: Retry
    random: Callable[[], float]
    asked: frozenset[Side] = frozenset()
    """Sides that are asked for each row we made: their feed may never tell of it."""
    unguarded: frozenset[Side] = frozenset()
    """Sides that take every write, whatever the row holds by then."""


def note(record: Record, action: Action, map: CompiledMap) -> None:
    """Take over what planning found without a write: agreement, waits, conflicts, problems.

    Where a side must be read first, nothing was found yet and everything stays as it was.
    """
    if action.reads:
        stand(record)
        return
    met = record.commerce.agreed is not None and record.dataverse.agreed is not None
    # At first contact the groups to be written are not agreed before they are: a write that
    # is refused, or never leaves, must find the rule of first contact again.
    if action.agree and (met or not action.writes):
        meet(record, map)
        agree(record, action.agree)
    record.waiting = len(action.waits)
    record.conflicts = len(action.conflicts)
    record.problem = action.problem
    record.due = None
    gone = record.commerce.presence is record.dataverse.presence is Presence.ABSENT
    if gone or action.parted:
        record.commerce.agreed = record.dataverse.agreed = None
        record.unconfirmed = False
        record.anew = {}
    stand(record)


def intend_create(record: Record, write: Write, id: str, map: CompiledMap) -> None:
    """Remember a create before it leaves, as it will be when it is applied.

    A bulk create tells neither versions nor images, so that its reply then changes nothing in
    the record. Until the first sight `unconfirmed` says that this is an intention; should the
    reply never come, the open intent makes the side unknown.
    """
    source, target = record.side(write.side.other), record.side(write.side)
    assert source.image is not None
    creation = map.creations[write.side]
    values = write.values
    target.agreed = tuple([values.get(column.name) for column in map.columns[write.side]])
    if creation.whole and len(write.groups) == len(creation.groups):
        source.agreed = source.image
    else:
        source.agreed = _half(source.image, write.side.other, write.groups)
    target.presence = Presence.PRESENT
    target.id = id
    target.version = None
    target.image = None
    record.unconfirmed = True


def _half(image: Image, side: Side, groups: Sequence[Group]) -> Image:
    """The image where `groups` hold, null elsewhere: the other groups have not met yet."""
    half: list[Value] = [None] * len(image)
    for group in groups:
        for f in group.fields:
            index = f.index(side)
            if index >= 0:
                half[index] = image[index]
    return tuple(half)


def settle(record: Record, write: Write, outcome: Outcome, reply: Reply) -> None:
    """Take over the outcome of one write that left earlier, as `faults.REPLIES` says."""
    if isinstance(outcome, Applied):
        _applied(record, write, outcome, reply)
        stand(record)
        return
    how = handling_of(outcome)
    if how.step is Step.READ:
        _unknown(record, write, reply)
    else:
        _undo_intention(record, write)
    if isinstance(outcome, Rejected):
        record.problem = refused(record, write.side, write.kind, outcome)
        record.due = None
    else:
        record.attempts += how.attempt
        next_try(record, how, outcome, reply)
    stand(record)


def refused(record: Record, side: Side, kind: Kind, outcome: Rejected) -> Problem:
    """Why a record is set aside of which a side does not want a write."""
    return Problem(
        f"{side}-refused",
        f"{side} refused the {kind}: {outcome.text} ({outcome.code})",
        "correct the record on the side it comes from; it then travels by itself",
        Subject(
            map=record.map,
            side=side.value,
            record=str(record.number),
            field=outcome.field,
        ),
    )


def _applied(record: Record, write: Write, outcome: Applied, reply: Reply) -> None:
    target, row = record.side(write.side), outcome.row
    target.tick = max(target.tick, reply.tick)
    if record.side(write.side.other).presence is not Presence.UNKNOWN:
        # Else they say that the other side may hold a write of ours whose reply was lost.
        record.attempts = 0
    if write.kind is Kind.DELETE:
        target.presence = Presence.ABSENT
        target.version = None
        record.due = reply.now
        return
    target.presence = Presence.PRESENT
    target.id = outcome.id
    if row is not None and write.side in reply.unguarded and _overtaken(target, write, row, reply):
        row = None  # what somebody wrote in between is told from ours when it is read
    if row is None:
        if write.kind is Kind.UPDATE:
            # Read like one whose reply was lost: what it made of the row is ours (`news/doubt.py`).
            target.presence = Presence.UNKNOWN
            record.attempts = 1
        if write.kind is Kind.UPDATE or write.side in reply.asked:
            record.due = reply.now
        return
    expected = target.image
    target.image = row.image
    target.version = row.version
    target.epoch = reply.epoch[write.side]
    target.modifier = row.modifier
    target.key = reply.map.spelled_key(write.side, row.image)
    if row.modified_at is not None:
        offset = reply.clock_offset[write.side]
        target.modified_at = row.modified_at.timestamp() - offset
    if reply.map.key_of(write.side, row.image) != record.key:
        identify(record, reply.map)  # a key that was cut, or given another value, on its way in
    if write.kind is Kind.CREATE:
        target.agreed = agreed_with(target, write.side, write.groups)
        record.unconfirmed = False
        if apart(record):
            record.due = reply.now
        return
    meet(record, reply.map)
    agree(record, write.groups)
    more = expected is not None and _touched_more(reply.map, write, expected, row.image)
    if _moved_on(record.side(write.side.other), write) or more:
        record.due = reply.now


def _moved_on(source: SideState, write: Write) -> bool:
    """Agree on what was sent; whether its side holds something else by now.

    A write of ours to that side, which left together with this one, may have come back with other
    columns changed, as where commerce works them out.
    """
    sent, held = write.source, source.image
    if sent is None or held is None or source.presence is Presence.ABSENT:
        return False
    indexes = [f.index(write.side.other) for group in write.groups for f in group.fields]
    moved = [index for index in indexes if index >= 0 and sent[index] != held[index]]
    if moved:
        assert source.agreed is not None
        half = list(source.agreed)
        for index in moved:
            half[index] = sent[index]
        source.agreed = tuple(half)
    return bool(moved)


def _overtaken(target: SideState, write: Write, row: Row, reply: Reply) -> bool:
    """Whether somebody wrote to a row between our last look at it and our update."""
    updated = write.kind is Kind.UPDATE and target.image is not None
    return updated and _touched_more(reply.map, write, target.image or (), row.image)


def _touched_more(map: CompiledMap, write: Write, expected: Image, image: Image) -> bool:
    """Whether the row came back with other columns changed than those we wrote."""
    names = map.column_names(write.side)
    return any(
        old != new and name not in write.values
        for name, old, new in zip(names, expected, image, strict=True)
    )


def _undo_intention(record: Record, write: Write) -> None:
    """A create that surely did not happen."""
    if write.kind is Kind.CREATE:
        record.side(write.side).presence = Presence.ABSENT


def _unknown(record: Record, write: Write, reply: Reply) -> None:
    target = record.side(write.side)
    target.presence = Presence.UNKNOWN
    target.tick = max(target.tick, reply.tick)


def next_try(record: Record, how: Handling, outcome: Outcome, reply: Reply) -> None:
    """When the record is due again; after the last attempt a person is."""
    if how.attempt and record.attempts >= reply.retry.attempts:
        record.due = None
        record.problem = Problem(
            "attempts-exhausted",
            f"{record.attempts} attempts failed, the last with: {_told(outcome)}",
            "see whether the side is healthy, then `dualwrite failures retry`",
            Subject(map=record.map, record=str(record.number)),
        )
        return
    failures = record.attempts
    if how.due is Due.AT_ONCE_THEN_LATER:
        failures -= 1
    elif how.due is Due.AS_TOLD:
        failures = max(failures, 1)
    waits = how.due is not Due.AT_ONCE and failures > 0
    delay = reply.retry.delay(failures, reply.random) if waits else 0.0
    if isinstance(outcome, Transient):
        delay = max(delay, outcome.retry_after or 0.0)
    record.due = reply.now + delay


def _told(outcome: Outcome) -> str:
    """What the side, or the line to it, said."""
    if isinstance(outcome, Missing):
        return "there is no such record"
    if isinstance(outcome, Exists):
        told = outcome.text or "there is such a record already"
        return f"{told}: row {outcome.id}" if outcome.id is not None else told
    return getattr(outcome, "text", "")


def stand(record: Record) -> None:
    """Derive where the record stands from what is known of it.

    A problem of identity stays with a record whose state a person accepted, for its next change.
    """
    if record.problem is not None and not record.accepted:
        record.state = State.PARKED
    elif record.conflicts:
        record.state = State.CONFLICT
    elif record.waiting:
        record.state = State.WAITING
    elif record.due is not None:
        record.state = State.PENDING
    else:
        record.state = State.SETTLED
