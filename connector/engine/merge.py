"""Three-way merge of one group of fields.

Owns: what one group of one record needs, given what both sides hold and what they agreed on.
Never does: I/O, translating whole records, knowing about batches.
Tested in: tests/unit/engine/test_merge.py, against an independent oracle.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from connector.mapping.compiling.compiled import Group
from connector.mapping.document import Policy
from connector.mapping.references import TargetMissing
from connector.mapping.transforms.translate import Untranslatable
from connector.mapping.values import Image, Side
from connector.store.record import Anew

LATEST_MARGIN = 5.0
"""Seconds within which two modification times do not decide; clocks are not better than that."""


class Need(StrEnum):
    """What a group needs."""

    NOTHING = "nothing"
    """Both sides still hold the agreed pair."""
    AGREE = "agree"
    """Both sides hold the same value, but it is not the agreed one yet."""
    WRITE = "write"
    """The value of the other side is to be written to `target`."""
    DRIFT = "drift"
    """A one-way target was edited; the edit never travels and is left standing."""
    CONFLICT = "conflict"
    """Both sides were edited and a person decides."""


class Merged(NamedTuple):
    """The verdict on one group; `overwrites` says that an edit of the target gives way."""

    need: Need
    target: Side | None = None
    overwrites: bool = False


NOTHING = Merged(Need.NOTHING)
AGREE = Merged(Need.AGREE)
DRIFT = Merged(Need.DRIFT)
CONFLICT = Merged(Need.CONFLICT)


class Pair(NamedTuple):
    """What both sides hold; modification times in seconds by our clock, None where unknown."""

    commerce: Image
    dataverse: Image
    commerce_time: float | None = None
    dataverse_time: float | None = None

    def image(self, side: Side) -> Image:
        """The image of one side."""
        return self.commerce if side is Side.COMMERCE else self.dataverse


def merge(
    group: Group,
    seen: Pair,
    agreed: Pair | None,
    master: Side,
    blank_wins: bool,
    anew: Anew | None = None,
) -> Merged:
    """The verdict on one group; `agreed` None means first contact.

    `anew` says that the map changed since. Where values travel by another rule, edits count as
    always; where there is none, whoever gives the value gives it again.
    """
    if agreed is None or anew is Anew.NEW:
        return _first_contact(group, seen, master, blank_wins)
    merged = _three_way(group, seen, agreed, master)
    if anew is None or merged.need not in (Need.NOTHING, Need.DRIFT):
        return merged
    return _by_new_rule(group, seen, merged.need is Need.DRIFT, master, blank_wins)


def _three_way(group: Group, seen: Pair, agreed: Pair, master: Side) -> Merged:
    commerce_changed = group.changed(Side.COMMERCE, seen.commerce, agreed.commerce)
    dataverse_changed = group.changed(Side.DATAVERSE, seen.dataverse, agreed.dataverse)
    if not commerce_changed and not dataverse_changed:
        return NOTHING
    if group.same(seen.commerce, seen.dataverse):
        return AGREE
    if not commerce_changed and group.unsigned(seen.dataverse):
        return AGREE  # who edited it last is not forgotten because we wrote since
    if not (group.travels_to(Side.COMMERCE) and group.travels_to(Side.DATAVERSE)):
        target = _only_target(group)
        source_changed = commerce_changed if target is Side.DATAVERSE else dataverse_changed
        target_changed = dataverse_changed if target is Side.DATAVERSE else commerce_changed
        return Merged(Need.WRITE, target, target_changed) if source_changed else DRIFT
    if not dataverse_changed:
        return Merged(Need.WRITE, Side.DATAVERSE)
    if not commerce_changed:
        return Merged(Need.WRITE, Side.COMMERCE)
    winner = _winner(group.policy, seen, master)
    return CONFLICT if winner is None else Merged(Need.WRITE, winner.other, True)


def _first_contact(group: Group, seen: Pair, master: Side, blank_wins: bool) -> Merged:
    if group.same(seen.commerce, seen.dataverse):
        return AGREE
    two_way = group.travels_to(Side.COMMERCE) and group.travels_to(Side.DATAVERSE)
    source = master if two_way else _only_target(group).other
    held = not group.blank(source.other, seen.image(source.other))
    if held and not blank_wins and group.blank(source, seen.image(source)):
        return Merged(Need.WRITE, source) if two_way else DRIFT
    # Where neither side holds a value they still differ by the default of the map.
    return Merged(Need.WRITE, source.other, held)


def _by_new_rule(group: Group, seen: Pair, drifted: bool, master: Side, blank_wins: bool) -> Merged:
    """As `_first_contact`, but the pair was agreed: an empty value may stand for a default."""
    if group.same(seen.commerce, seen.dataverse):
        return AGREE
    two_way = group.travels_to(Side.COMMERCE) and group.travels_to(Side.DATAVERSE)
    source = master if two_way else _only_target(group).other
    if (
        not blank_wins
        and group.blank(source, seen.image(source))
        and not group.blank(source.other, seen.image(source.other))
        and _arrives_empty(group, source.other, seen.image(source))
    ):
        return Merged(Need.WRITE, source) if two_way else DRIFT
    return Merged(Need.WRITE, source.other, drifted)


def _arrives_empty(group: Group, target: Side, source: Image) -> bool:
    """Whether the map makes no value of what the source holds."""
    try:
        arriving = [
            f.arriving(target, source) for f in group.fields if f.column(target) is not None
        ]
    except (TargetMissing, Untranslatable):
        return False
    return all(value is None for value in arriving)


def _only_target(group: Group) -> Side:
    return Side.DATAVERSE if group.travels_to(Side.DATAVERSE) else Side.COMMERCE


def _winner(policy: Policy, seen: Pair, master: Side) -> Side | None:
    if policy is Policy.MANUAL:
        return None
    if policy is Policy.COMMERCE:
        return Side.COMMERCE
    if policy is Policy.DATAVERSE:
        return Side.DATAVERSE
    if seen.commerce_time is None or seen.dataverse_time is None:
        return master
    gap = seen.commerce_time - seen.dataverse_time
    if abs(gap) <= LATEST_MARGIN:
        return master
    return Side.COMMERCE if gap > 0 else Side.DATAVERSE
