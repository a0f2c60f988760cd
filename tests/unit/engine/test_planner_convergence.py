"""Properties of the planner over random maps and records.

Planning changes nothing; carried out without faults, in any order, it comes to rest in a few
rounds; at rest both sides are equal under the map, except for what the map leaves apart; and
no value a person left disappears untold.
"""

from __future__ import annotations

import copy
from dataclasses import replace

from hypothesis import event, given
from hypothesis import strategies as st

from connector.engine.plan import Action, Kind, plan
from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.values import Image, Side, Value
from connector.store.record import Presence, Record
from tests.unit.engine.building import COMMERCE, DATAVERSE, World
from tests.unit.engine.drawing import cases, images, sides_match

ROUNDS = 4


def rest(world: World, shuffle: st.DataObject | None = None) -> list[Action]:
    """Step until nothing is written any more; what was planned on the way."""
    actions: list[Action] = []
    for _ in range(ROUNDS):
        action = plan(world.record, world.map)
        world.take(action)
        leaving = world.intended(action)
        if shuffle is not None:
            leaving = shuffle.draw(st.permutations(leaving))
        for write in leaving:
            world.carry_out(write)
        actions.append(action)
        if not action.writes:
            return actions
    raise AssertionError(f"no rest after {ROUNDS} rounds: {actions[-1]}")


@given(cases())
def test_planning_changes_nothing_and_says_the_same_twice(case: tuple[CompiledMap, Record]) -> None:
    map, record = case
    before = copy.deepcopy(record)
    assert plan(record, map) == plan(record, map)
    assert record == before


@given(cases(), st.data())
def test_carried_out_it_comes_to_rest_and_the_sides_are_equal(
    case: tuple[CompiledMap, Record], data: st.DataObject
) -> None:
    map, record = case
    world = World(map, record)
    last = rest(world, data)[-1]
    event(f"{'rest' if record.due is None else 'due'}, {record.state}")
    assert plan(record, map) == replace(last, agree=[])
    believed = [record.commerce.image, record.dataverse.image]
    real = [world.image(side) for side in Side]
    present = [record.side(side).presence is Presence.PRESENT for side in Side]
    assert [image for image, here in zip(believed, present, strict=True) if here] == [
        image for image in real if image is not None
    ]
    commerce, dataverse = real
    if last.problem is not None:
        assert last.problem.subject.field is not None
        return
    if commerce is None or dataverse is None:
        assert last.ignored or (commerce is None and dataverse is None)
        return
    left_apart = {conflict.group for conflict in last.conflicts}
    left_apart |= {group.name for group in last.drift} | {wait.group for wait in last.waits}
    left_apart |= adjusted(map, record)
    assert sides_match(map, commerce, dataverse, left_apart)


def adjusted(map: CompiledMap, record: Record) -> set[str]:
    """Groups whose sides hold what they agreed on, though the map would not call it equal."""
    c, d = record.commerce, record.dataverse
    if c.agreed is None or d.agreed is None:
        return set()
    assert c.image is not None
    assert d.image is not None
    return {
        group.name
        for group in map.groups
        if not group.changed(COMMERCE, c.image, c.agreed)
        and not group.changed(DATAVERSE, d.image, d.agreed)
    }


@given(cases(), st.data())
def test_an_edit_after_rest_travels_alone(
    case: tuple[CompiledMap, Record], data: st.DataObject
) -> None:
    """At rest, one edit on one side is all the next plan is about."""
    map, record = case
    world = World(map, record)
    quiet = rest(world)[-1]
    side = data.draw(st.sampled_from(list(Side)))
    state = record.side(side)
    other = record.side(side.other)
    if Presence.ABSENT in (state.presence, other.presence):
        return
    assert state.image is not None
    assert state.id is not None
    edited = data.draw(images(map, side))
    touched = {group.name for group in map.groups if group.changed(side, edited, state.image)}
    state.image = world.rows[side][state.id] = edited
    before = {conflict.group for conflict in quiet.conflicts}
    before |= {wait.group for wait in quiet.waits}
    if quiet.problem is not None:
        return
    action = plan(record, map)
    for write in action.writes:
        assert {group.name for group in write.groups} <= touched | before
    assert {conflict.group for conflict in action.conflicts} <= touched | before
    rest(world)


@given(cases(), st.data())
def test_nothing_a_person_left_disappears_untold(
    case: tuple[CompiledMap, Record], data: st.DataObject
) -> None:
    """What a side held and holds no more is in `before` of a write, edits among it in `lost`."""
    map, record = case
    world = World(map, record)
    for _ in range(ROUNDS):
        held = {side: world.image(side) for side in Side}
        agreed = {side: record.side(side).agreed for side in Side}
        met = None not in agreed.values()
        action = plan(record, map)
        world.take(action)
        for leaving in data.draw(st.permutations(world.intended(action))):
            world.carry_out(leaving)
        for side, old in held.items():
            if old is None:
                continue
            write = next((w for w in action.writes if w.side is side), None)
            overwritten = differing(map, side, old, world.image(side))
            if write is None:
                assert not overwritten
                continue
            assert write.before is not None
            assert {name: write.before[name] for name in overwritten} == overwritten
            half = agreed[side]
            if met and half is not None:
                lost = {group.name for group in write.lost}
                changed = {group.name for group in map.groups if group.changed(side, old, half)}
                written = {group.name for group in write.groups}
                assert lost == (changed if write.kind is Kind.DELETE else changed & written)
        if not action.writes:
            return


def differing(map: CompiledMap, side: Side, old: Image, new: Image | None) -> dict[str, Value]:
    """What a side held and holds no more, by column; all of it where the row is gone."""
    return {
        name: value
        for index, (name, value) in enumerate(zip(map.column_names(side), old, strict=True))
        if new is None or new[index] != value
    }


@given(cases())
def test_writes_are_minimal_and_spare_the_key(case: tuple[CompiledMap, Record]) -> None:
    map, record = case
    for write in plan(record, map).writes:
        names = map.column_names(write.side)
        key = names[map.keys[write.side][0]]
        if write.kind is Kind.CREATE:
            assert write.values[key] is not None
            assert None not in write.values.values()
            continue
        if write.kind is Kind.DELETE:
            assert not write.values
            continue
        seen = record.side(write.side).image
        assert seen is not None
        now = dict(zip(names, seen, strict=True))
        assert write.values
        assert key not in write.values
        assert write.before == {name: now[name] for name in write.values}
        assert all(now[name] != value for name, value in write.values.items())
        for group in write.groups:
            assert group.travels_to(write.side) or write.reason
