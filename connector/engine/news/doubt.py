"""Rows on which a write of ours may have taken effect though its reply was lost.

Owns: telling such a write from an edit, what both sides agreed on by it, and what gave way to it.
Never does: I/O; the audit is read in `sent.py`.
Tested in: tests/unit/engine/test_doubt.py, tests/integration/engine/test_doubt.py.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from connector.endpoints.base import Row
from connector.engine.agreement import in_form_of, meet
from connector.engine.news.witness import Edit, Sent, Witness
from connector.mapping.compiling.compiled import CompiledMap, Field, Group
from connector.mapping.document import Policy
from connector.mapping.values import Image, Side, Value
from connector.store.record import Presence, Record, SideState


def in_doubt(record: Record, row: Row, witness: Witness) -> bool:
    """Whether the row may be as a write of ours left it whose reply was lost, or told nothing."""
    known = record.side(witness.side).presence
    maybe_ours = row.modifier is None or row.modifier in witness.users
    return known is Presence.UNKNOWN and record.attempts > 0 and maybe_ours


def own_write(
    record: Record,
    witness: Witness,
    before: Image,
    image: Image,
    strange: Collection[int] = (),
) -> Edit | None:
    """A write of ours whose reply was lost did happen: what it made of the row is no edit.

    What it returns is the edit that gave way to it, as `Write.lost` had it.

    It was conditional on the row we saw, and nobody else has written since, so every column
    that differs is our doing, but for the places that are `strange` to us. A column we never
    write is the side's own answer to what we wrote, and still has to travel. The source agreed on
    what it gave: an edit it made meanwhile still counts, be it back to what it held before.
    """
    side = witness.side
    own, source = record.side(side), record.side(side.other)
    theirs = _in_conflict(record, witness, before).union(strange, _answers(record, witness))
    lost = _given_way(own, witness, before, image, theirs)
    kept = _kept_alike(record, witness, image)
    if kept and source.image is not None:
        meet(record, witness.map)
    if own.agreed is None or source.agreed is None:
        return lost
    halves, given = list(own.agreed), list(source.agreed)
    sent = as_sent(image, witness.map.column_names(side), witness.sent.get(record.number, {}))
    places = {i for i, old in enumerate(before) if old != image[i]} | kept
    for place in sorted(places - theirs):
        halves[place] = image[place]
        for f in witness.map.fields:
            if f.index(side) == place and f.index(side.other) >= 0:
                given[f.index(side.other)] = _given(f, side.other, source.image, sent)
    own.agreed, source.agreed = tuple(halves), tuple(given)
    return lost


def _answers(record: Record, witness: Witness) -> set[int]:
    """Places of groups that travel from this side only, but for what a write carried there."""
    side, sent = witness.side, witness.sent.get(record.number, {})
    names = witness.map.column_names(side)
    return {
        place
        for place, group in witness.map.places[side].items()
        if not witness.map.groups[group].travels_to(side)
        and all(value is None for value in sent.get(names[place], ()))
    }


def _kept_alike(record: Record, witness: Witness, image: Image) -> set[int]:
    """Places where an update surely wrote, and that hold it, be it as they did before."""
    done, names = witness.done.get(record.number, {}), witness.map.column_names(witness.side)
    return {
        i
        for i, held in enumerate(image)
        if names[i] in done and _explained(held, (done[names[i]],))
    }


def strange_places(record: Record, row: Row, witness: Witness, before: Image) -> frozenset[int]:
    """Places of a row in doubt that hold neither what was known nor what we sent there.

    Where a side tells who wrote last there are none in a row of ours, unless it takes every write:
    somebody may have been there right before us. Elsewhere the values have to speak for
    themselves: what we sent, or a shorter form of it, is ours; anything else somebody wrote before
    us, after us or instead of us, and with it the whole group, that was sent as one.
    """
    if row.modifier is not None and not witness.unguarded:
        return frozenset()
    names, sent = witness.map.column_names(witness.side), witness.sent.get(record.number, {})
    differing = [i for i, old in enumerate(before) if old != row.image[i]]
    unexplained = {i for i in differing if not _explained(row.image[i], sent.get(names[i], ()))}
    places = witness.map.places[witness.side]
    groups = {places[i] for i in unexplained if i in places}
    return frozenset(i for i in differing if i in unexplained or places.get(i) in groups)


def strange_to_create(record: Record, row: Row, witness: Witness, intended: Image) -> bool:
    """Whether a row that stands where a create of ours is in doubt was made by somebody else.

    Nobody but us can choose our id, so that under it stands what we made, whatever became of it.
    Any other id proves nothing. Then the row is ours if it holds all that the create carried; or
    some of it, where somebody may have edited it since, because the reply to the create was lost.
    One that was refused because a row was there made none, or the very same.
    """
    if witness.ids == "chosen" or row.modifier is not None:
        return False
    side, sent = witness.side, with_intended(record, witness, intended).sent[record.number]
    names = witness.map.column_names(side)
    alike: list[bool] = []
    for group in witness.map.creations[side].groups:
        for f in [f for f in group.fields if f.index(side) >= 0 and not f.key]:
            values, held = sent[names[f.index(side)]], row.image[f.index(side)]
            if any(value is not None for value in values) or held is not None:
                alike.append(_explained(held, values))
    return not all(alike) and (record.number in witness.refused or not any(alike))


def with_intended(record: Record, witness: Witness, intended: Image) -> Witness:
    """The witness who knows besides what the last create of a record carried."""
    sent = witness.sent.get(record.number, {})
    names = witness.map.column_names(witness.side)
    all_sent = {n: (*sent.get(n, ()), v) for n, v in zip(names, intended, strict=True)}
    return replace(witness, sent={**witness.sent, record.number: all_sent})


def _explained(held: Value, values: Sequence[Value]) -> bool:
    return held in values or any(shortened(value, held) for value in values)


def carried_by_create(record: Record, witness: Witness, intended: Image, image: Image) -> None:
    """The row of a create whose reply came without it: what was carried is agreed on.

    But the state may have gone back to a backup, and the row been written again since. A value
    that no shortening explains is not taken for the one intended: the source counts as edited
    then, and its value is written. What the create left out is the target's to fill in.
    """
    names = witness.map.column_names(witness.side)
    sent = {name: (value,) for name, value in zip(names, intended, strict=True)}
    pairs = zip(intended, image, strict=True)
    filled = tuple([held if value is None else value for value, held in pairs])
    own_write(record, replace(witness, sent={record.number: sent}), filled, image)


def as_sent(image: Image, names: Sequence[str], sent: Sent) -> Image:
    """What was written to a row that came back as `image`; where that is not sure, what it holds.

    Taking what came back for what was sent costs one more write. The reverse would leave the two
    sides apart for ever, as where a restored state knows a write that was sent again since.
    """
    return tuple(
        [_value_sent(held, sent.get(name, ())) for name, held in zip(names, image, strict=True)]
    )


def _value_sent(held: Value, values: Sequence[Value]) -> Value:
    if held in values:
        return held
    fitting = {value for value in values if shortened(value, held)}
    return fitting.pop() if len(fitting) == 1 else held


def shortened(value: Value, kept: Value) -> bool:
    """Whether a side that keeps less than it is given, undeclared, may have made one of the other.

    That is text cut at its end, stripped of blanks or in another case, a rounded number, or a
    time without its smaller parts.
    """
    if isinstance(value, str) and isinstance(kept, str):
        return bool(kept.strip()) and value.strip().casefold().startswith(kept.strip().casefold())
    if _is_number(value) and _is_number(kept):
        given, held = Decimal(str(value)), Decimal(str(kept))
        exponent = held.normalize().as_tuple().exponent
        last_place = Decimal(10) ** exponent if isinstance(exponent, int) else 0
        return bool(held) and abs(given - held) < last_place
    if isinstance(value, datetime) and isinstance(kept, datetime):
        minute = value.replace(second=0, microsecond=0)
        return kept in (value.replace(microsecond=0), minute, minute.replace(hour=0, minute=0))
    return False


def _is_number(value: Value) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _given(f: Field, side: Side, held: Image | None, sent: Image) -> Value:
    """The value of the source that was sent: what it holds still, if that travels as it."""
    if held is not None:
        travels_as = in_form_of(side.other, f, held)
        if travels_as is not None and travels_as == sent[f.index(side.other)]:
            return held[f.index(side)]
    return in_form_of(side, f, sent)


def _given_way(
    own: SideState, witness: Witness, before: Image, image: Image, decided: Collection[int]
) -> Edit | None:
    """The edits among what differs; what a person decided about is told in its own words."""
    side, names = witness.side, witness.map.column_names(witness.side)
    places: dict[int, str] = {}
    for group in given_way(witness.map, side, before, own.agreed):
        own_places = [i for f in group.fields if (i := f.index(side)) >= 0 and i not in decided]
        places.update((i, group.name) for i in own_places if before[i] != image[i])
    if not places:
        return None
    groups = ", ".join(dict.fromkeys(places.values()))
    return Edit({names[i]: before[i] for i in places}, {names[i]: image[i] for i in places}, groups)


def given_way(map: CompiledMap, side: Side, image: Image, agreed: Image | None) -> list[Group]:
    """The groups in which an image holds an edit; at first contact, all that hold anything."""
    if agreed is None:
        return [group for group in map.groups if not group.blank(side, image)]
    return [group for group in map.groups if group.changed(side, image, agreed)]


def _in_conflict(record: Record, witness: Witness, before: Image) -> set[int]:
    """Places of groups that were in conflict: all we write there is a value a person gave.

    It stays an edit of its side until the other side was decided against (`decisions/given.py`).
    """
    side = witness.side
    own, other = record.side(side), record.side(side.other)
    if own.agreed is None or other.agreed is None or other.image is None:
        return set()
    return {
        field.index(side)
        for group in witness.map.groups
        if group.policy is Policy.MANUAL
        and group.travels_to(side)
        and group.travels_to(side.other)
        and group.changed(side, before, own.agreed)
        and group.changed(side.other, other.image, other.agreed)
        for field in group.fields
    }
