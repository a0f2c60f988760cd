"""What an endpoint says of itself and of its tables."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connector.errors import MapError
from connector.mapping.values import ValueType
from tests.contract.endpoints.asking import applied
from tests.contract.endpoints.world import World


def test_it_describes_its_columns(world: World) -> None:
    entity = world.endpoint.describe(world.entity)
    key = entity.columns[world.key]
    assert entity.name == world.entity
    assert key.type is ValueType.TEXT
    assert key.max_length == (world.longest_key if world.tells_lengths else None)
    assert (key.readable, key.creatable) == (True, True)
    assert entity.columns[world.day].type is world.kind
    assert entity.columns[world.text].nullable
    if world.unique:
        assert any(one.columns == (world.key,) and one.active for one in entity.keys)
    assert entity.capabilities.batch >= 20


def test_what_it_can_do_fits_together(world: World) -> None:
    """A create that is safe to send again needs an id, or a key, that is known before it leaves."""
    able = world.able
    if able.ids == "key":
        assert world.unique
    if able.ids != "allotted" or world.unique:
        assert able.create == "once"


def test_an_unknown_entity_is_a_map_error(world: World) -> None:
    with pytest.raises(MapError):
        world.endpoint.describe("no_such_table")


def test_an_unknown_column_is_a_map_error(world: World) -> None:
    with pytest.raises(MapError):
        list(world.endpoint.scan(world.entity, ["no_such_column"], None))


def test_it_is_always_the_same_world(world: World) -> None:
    first, second = world.endpoint.identity(), world.endpoint.identity()
    assert first.world
    assert (first.world, first.users) == (second.world, second.users)
    assert abs(first.clock_offset) < timedelta(seconds=5)


def test_nobody_who_was_not_asked_to_slow_down_says_so(world: World) -> None:
    applied(world, world.create("S-1"))
    throttling = world.endpoint.throttling()
    assert (throttling.times, throttling.seconds) == (0, 0.0)
