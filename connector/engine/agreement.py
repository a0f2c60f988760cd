"""What two sides agreed on: each side's half of the pair it was seen to hold.

Owns: beginning, moving and comparing the agreed halves of a record.
Never does: I/O, deciding who wins, writing.
Tested in: tests/unit/engine/test_settle.py, tests/simulation/
"""

from __future__ import annotations

from collections.abc import Iterable

from connector.engine.merge import Pair
from connector.mapping.compiling.compiled import CompiledMap, Field, Group
from connector.mapping.references import TargetMissing
from connector.mapping.transforms.translate import Untranslatable
from connector.mapping.values import Image, Side, Value
from connector.store.record import Presence, Record, SideState


def meet(record: Record, map: CompiledMap) -> None:
    """Give two sides that meet for the first time halves in which only what is equal is agreed.

    A group not agreed on at once, because it waits for a row it refers to or its write is still
    out, must keep the rule of first contact: the other side's value counts as agreed where the
    master holds one, so that only the master has changed, be it to nothing later on; elsewhere
    null does, so that whoever holds a value has.
    """
    commerce, dataverse = record.commerce, record.dataverse
    if commerce.agreed is not None or dataverse.agreed is not None:
        return
    images = {side: record.side(side).image for side in Side}
    seen = Pair(_known(images[Side.COMMERCE]), _known(images[Side.DATAVERSE]))
    halves: dict[Side, list[Value]] = {side: [None] * len(seen.image(side)) for side in Side}
    for group in map.groups:
        two_way = group.travels_to(Side.COMMERCE) and group.travels_to(Side.DATAVERSE)
        same = group.same(seen.commerce, seen.dataverse)
        if not same and (not two_way or group.blank(map.master, seen.image(map.master))):
            continue
        for f in group.fields:
            for side in Side:
                if f.index(side) >= 0:
                    halves[side][f.index(side)] = _half_of(f, side, seen, map.master, same)
    commerce.agreed = tuple(halves[Side.COMMERCE])
    dataverse.agreed = tuple(halves[Side.DATAVERSE])


def _known(image: Image | None) -> Image:
    assert image is not None, "sides meet when both were seen"
    return image


def _half_of(f: Field, side: Side, seen: Pair, master: Side, same: bool) -> Value:
    """What one side is taken to have held before: what the master's other holds, in its form."""
    if same or side is not master:
        return seen.image(side)[f.index(side)]
    return in_form_of(side, f, seen.image(side.other))


def in_form_of(side: Side, f: Field, other: Image) -> Value:
    """The other side's value as this side would hold it; null where it cannot travel."""
    try:
        return f.arriving(side, other)
    except (TargetMissing, Untranslatable):
        return None


def agree(record: Record, groups: Iterable[Group]) -> None:
    """Both sides agree on `groups` as they are seen; their other groups keep what was agreed.

    A side that is gone counts as holding what the other one does: a row that comes back has
    changed where it holds something else.
    """
    groups = tuple(groups)
    if record.anew:
        _met(record, groups)
    for side in Side:
        state, other = record.side(side), record.side(side.other).image
        if state.presence is not Presence.ABSENT:
            state.agreed = agreed_with(state, side, groups)
            continue
        assert state.agreed is not None
        assert other is not None
        half = list(state.agreed)
        for f in [f for group in groups for f in group.fields if f.index(side) >= 0]:
            half[f.index(side)] = in_form_of(side, f, other)
        state.agreed = tuple(half)


def _met(record: Record, groups: Iterable[Group]) -> None:
    """The groups agree under the map as it is."""
    met = {group.name for group in groups}
    record.anew = {name: how for name, how in record.anew.items() if name not in met}


def agreed_with(state: SideState, side: Side, groups: Iterable[Group]) -> Image:
    """The side's agreed half after `groups` agree on what is seen; others keep theirs."""
    assert state.image is not None
    assert state.agreed is not None
    half = list(state.agreed)
    for group in groups:
        for f in group.fields:
            index = f.index(side)
            if index >= 0:
                half[index] = state.image[index]
    return tuple(half)


def halves(record: Record, groups: Iterable[Group]) -> dict[Side, dict[str, Value]] | None:
    """What both sides agreed on in `groups`, by side and column; None where they never did.

    The halves of an unconfirmed create are an intention.
    """
    commerce, dataverse = record.commerce.agreed, record.dataverse.agreed
    if commerce is None or dataverse is None or record.unconfirmed:
        return None
    made: dict[Side, dict[str, Value]] = {side: {} for side in Side}
    for group in groups:
        made[Side.COMMERCE].update(group.values(Side.COMMERCE, commerce))
        made[Side.DATAVERSE].update(group.values(Side.DATAVERSE, dataverse))
    return made


def apart(record: Record) -> bool:
    """Whether a side holds something else than its half of the agreed pair."""
    c, d = record.commerce, record.dataverse
    return c.image != c.agreed or d.image != d.agreed
