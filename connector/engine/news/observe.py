"""What news of one row means for what is known of its record.

Owns: whether an observation is newer, an echo, an edit, a first sight or too late.
Never does: I/O, looking records up, deciding writes.
Tested in: tests/unit/engine/test_observe.py.
"""

from __future__ import annotations

from dataclasses import replace

from connector.endpoints.base import Row
from connector.engine.agreement import agreed_with, apart
from connector.engine.news.doubt import (
    carried_by_create,
    in_doubt,
    own_write,
    strange_places,
    strange_to_create,
    with_intended,
)
from connector.engine.news.witness import Edit, Witness, edited
from connector.errors import Problem, Subject
from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.values import Image, Side, has_control, visible
from connector.store.record import Anew, Presence, Record, SideState


def observe(record: Record, row: Row, witness: Witness) -> Edit | None:
    """Take one sight of a row bound to this record; the edit it shows, or that gave way."""
    state = record.side(witness.side)
    weight = _weigh(state, row, witness)
    if weight is _LATE:
        return None
    if weight is _DOUBTFUL:
        state.presence = Presence.UNKNOWN
        record.due = witness.now
        return None
    awaited = _awaited(record, state)
    before = _known(record, state.agreed if awaited else state.image, row.image, witness)
    presence, ours = state.presence, in_doubt(record, row, witness)
    _take(state, row, witness)
    if awaited:
        record.unconfirmed = False
        sure = presence is Presence.PRESENT or before is None
        if not sure and before is not None and strange_to_create(record, row, witness, before):
            # Somebody else made it: the two meet for the first time.
            record.commerce.agreed = record.dataverse.agreed = before = None
        elif row.modifier is None or row.modifier in witness.users:
            return _own_create(record, row, witness, before, presence)
    elif presence is Presence.PRESENT and before == row.image:
        return None
    record.due = witness.now
    other_in_doubt = record.side(witness.side.other).presence is Presence.UNKNOWN
    told = ours and record.number in witness.done
    if (presence is not Presence.UNKNOWN or before != row.image or told) and not other_in_doubt:
        # Reading back what is known already is no news: failed attempts go on counting, and
        # they say that the other side may hold a write of ours whose reply was lost.
        record.attempts = 0
    if presence is Presence.ABSENT or before != row.image:
        record.accepted = False
    identify(record, witness.map)
    if before is None or (before == row.image and not told):
        return None
    strange = strange_places(record, row, witness, before) if ours else ()
    lost = own_write(record, witness, before, row.image, strange) if ours else None
    return edited(witness, before, row.image) if strange or not ours else lost


def _known(record: Record, before: Image | None, image: Image, witness: Witness) -> Image | None:
    """What was known of a row; a column that is mapped since is read, not edited."""
    if before is None or not record.anew:
        return before
    places = witness.map.places[witness.side]
    unread = {
        at
        for at, place in places.items()
        if record.anew.get(witness.map.groups[place].name) is Anew.NEW and before[at] is None
    }
    return tuple([image[at] if at in unread else value for at, value in enumerate(before)])


def _awaited(record: Record, state: SideState) -> bool:
    """Whether a create of ours was sent to this side and its row was not seen yet."""
    return record.unconfirmed and state.image is None


def _own_create(
    record: Record, row: Row, witness: Witness, intended: Image | None, presence: Presence
) -> Edit | None:
    """The first sight of a row we made: what the create carried is agreed on as it came out.

    What somebody did to it before we saw it is an edit, where that can be told.
    """
    state, strange = record.side(witness.side), frozenset[int]()
    if row.modifier is None and intended is not None:
        witness = with_intended(record, witness, intended)
        strange = strange_places(record, row, witness, intended)
        own_write(record, witness, intended, row.image, strange)
    elif presence is Presence.UNKNOWN and intended is not None:
        # It may be an earlier try that came late, with what the source held by then.
        own_write(record, witness, intended, row.image)
    elif intended is not None and intended != row.image:
        carried_by_create(record, witness, intended, row.image)
    carried = [
        group
        for group in witness.map.creations[witness.side].groups
        if not any(f.index(witness.side) in strange for f in group.fields)
    ]
    state.agreed = agreed_with(state, witness.side, carried)
    record.attempts = 0
    identify(record, witness.map)
    if apart(record):
        record.due = witness.now
    return edited(witness, intended, row.image) if strange and intended is not None else None


def observe_deleted(record: Record, witness: Witness) -> bool:
    """The feed says the bound row was deleted; whether this was news.

    Where somebody else's row may have borne the id, it says nothing of a create of ours that was
    not seen yet: that is looked for, and sent again if need be.
    """
    state = record.side(witness.side)
    awaited = _awaited(record, state)
    if awaited and witness.ids != "chosen" and state.presence is not Presence.PRESENT:
        # Not there, or looked for already: no reason to try a refused create once more.
        return False
    if witness.tick < state.tick or (awaited and witness.ids != "chosen"):
        state.presence = Presence.UNKNOWN
        record.due = witness.now
        return False
    if state.presence is Presence.ABSENT and not awaited:
        return False
    _gone(record, state, witness)
    if awaited:
        record.unconfirmed = False
    return True


def observe_missing(record: Record, witness: Witness) -> bool:
    """A read by id found nothing; whether this was news.

    An unconfirmed create stays one: it did not happen and is sent again under the same id. Had
    it happened and been deleted since, the feed would have said so (`observe_deleted`).
    """
    state = record.side(witness.side)
    if witness.tick < state.tick and state.presence is not Presence.UNKNOWN:
        return False
    was_present = state.presence is not Presence.ABSENT
    _gone(record, state, witness)
    return was_present


def bind(record: Record, row: Row, witness: Witness) -> None:
    """Tie a row seen for the first time to this record, before it is observed.

    If we had chosen another id for a create, that create lost to this row: whatever was
    intended is void and the sides meet for the first time. Where ids are not ours to choose, it may
    be the very row we made, which what it holds has to tell. Where the other side's row is gone as
    well, so that this is a new card under an old key, nothing is agreed on either.
    """
    state, other = record.side(witness.side), record.side(witness.side.other)
    lost = record.unconfirmed and state.id != row.id and witness.ids == "chosen"
    if lost or other.presence is Presence.ABSENT:
        record.unconfirmed = False
        record.commerce.agreed = record.dataverse.agreed = None
    state.id = row.id
    state.version = None
    state.image = None
    state.presence = Presence.UNKNOWN if record.unconfirmed else Presence.ABSENT
    state.tick = 0
    record.accepted = False


def begin(number: int, key: str, ordinal: int, row: Row, witness: Witness) -> Record:
    """The record of a row nobody has seen yet."""
    record = Record(number, witness.map.name, key, ordinal)
    state = record.side(witness.side)
    state.id = row.id
    _take(state, row, witness)
    record.due = witness.now
    return record


def is_older(state: SideState, row: Row, witness: Witness) -> bool:
    """Whether a row just asked for has a version from before the one known of it.

    Rows do not go back; the side did, as one that was restored from a backup.
    """
    return (
        state.version is not None
        and row.version not in (None, state.version)
        and state.epoch == witness.epoch
        and witness.tick >= state.tick
        and witness.newer(row.version, state.version) is False
    )


_NEWS, _LATE, _DOUBTFUL = "news", "late", "doubtful"


def _weigh(state: SideState, row: Row, witness: Witness) -> str:
    if state.version is not None and row.version is not None and state.epoch == witness.epoch:
        if row.version == state.version:
            return _NEWS if witness.tick >= state.tick else _LATE
        newer = witness.newer(row.version, state.version)
        if newer:
            return _NEWS
        if newer is False:
            if witness.tick < state.tick:
                return _LATE
            # A side that was restored from a backup goes back in its versions.
            return _NEWS if witness.asked else _DOUBTFUL
    if witness.tick >= state.tick:
        return _NEWS
    return _LATE if state.image == row.image else _DOUBTFUL


def _take(state: SideState, row: Row, witness: Witness) -> None:
    state.presence = Presence.PRESENT
    state.version = row.version
    state.epoch = witness.epoch
    state.image = row.image
    state.key = witness.map.spelled_key(witness.side, row.image)
    state.tick = max(state.tick, witness.tick)
    state.modifier = row.modifier and visible(row.modifier)
    state.modified_at = None
    if row.modified_at is not None:
        state.modified_at = row.modified_at.timestamp() - witness.clock_offset


def _gone(record: Record, state: SideState, witness: Witness) -> None:
    if state.presence is Presence.PRESENT:
        record.attempts = 0
    if state.presence is not Presence.ABSENT:
        record.accepted = False
    state.presence = Presence.ABSENT
    state.version = None
    state.tick = max(state.tick, witness.tick)
    record.due = witness.now
    identify(record, witness.map)


def identify(record: Record, map: CompiledMap) -> None:
    """Lift what a new observation lifts, and park the record if a side carries another key."""
    code = record.problem.code if record.problem is not None else None
    if code == "duplicate-key":
        return
    if code != "unstable":  # planning lifts that, when it has looked at the audit
        record.problem = None
    for side in Side:
        state = record.side(side)
        if state.presence is not Presence.PRESENT or state.image is None:
            continue
        key = map.key_of(side, state.image)
        if key == record.key:
            continue
        if key is None and not map.takes(side, state.image):
            continue  # a row outside the filter needs none
        if key is None:
            record.problem = keyless_problem(record, side, map)
            return
        record.problem = renamed_problem(record, side)
        return


def renamed_problem(record: Record, side: Side) -> Problem:
    """Why a row whose key was changed is set aside."""
    return Problem(
        "key-changed",
        f"the key was changed to {record.side(side).key} in {side}; is it another record now?",
        "decide it with `dualwrite failures resolve`: old-key, new-card or rename; "
        "`dualwrite failures show` says what each does",
        Subject(map=record.map, side=side.value, record=str(record.number)),
    )


def keyless_problem(record: Record, side: Side, map: CompiledMap) -> Problem:
    """Why a row is set aside whose key is empty, or holds what no key may."""
    image = record.side(side).image
    if image is not None and any(has_control(image[index]) for index in map.keys[side]):
        return Problem(
            "key-unusable",
            f"the key of the row {record.side(side).id} in {side} has a control character in it: "
            f"{record.side(side).key}",
            f"correct the key in {side}, or delete the row; it then travels by itself",
            Subject(map=record.map, side=side.value, record=str(record.number)),
        )
    return Problem(
        "key-missing",
        f"the row {record.side(side).id} in {side} has no key",
        "fill the key column, or delete the row",
        Subject(map=record.map, side=side.value, record=str(record.number)),
    )


def twin_problem(record: Record, side: Side, ids: tuple[str, str]) -> Problem:
    """Why two rows of one side under one key are both set aside."""
    return Problem(
        "duplicate-key",
        f"two rows in {side} have the same key, ids {ids[0]} and {ids[1]}",
        "delete or rename one of the two rows; the other then travels by itself",
        replace(Subject(), map=record.map, side=side.value, record=str(record.number)),
    )
