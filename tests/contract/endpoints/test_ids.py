"""How a row comes by its id: chosen by us, made of its key, or allotted by the system."""

from __future__ import annotations

from uuid import uuid4

import pytest

from connector.endpoints.base import Applied, Exists, Rejected, Update
from connector.mapping.values import Value
from tests.contract.endpoints.asking import applied, by_id, fill, present, replay, scan, write
from tests.contract.endpoints.world import World


def proposals(world: World, key: str) -> tuple[str, str, str, str]:
    """Two proposed ids, and what the endpoint makes of each for a create of one key."""
    one, two = str(uuid4()), str(uuid4())
    values: dict[str, Value] = {world.key: key}
    made = [world.endpoint.id_for(world.entity, values, id) for id in (one, two)]
    return one, two, made[0], made[1]


def test_an_id_is_proposed_unless_it_is_the_key(world: World) -> None:
    one, two, first, second = proposals(world, "K0")
    if world.able.ids == "key":
        assert first == second
        assert first not in (one, two)
        assert proposals(world, "K1")[2] != first
    else:
        assert (first, second) == (one, two)


def test_every_answer_tells_the_same_id(world: World) -> None:
    create = world.create("K0", "text")
    (outcome,) = write(world, create)
    assert isinstance(outcome, Applied)
    assert (outcome.id == create.id) is (world.able.ids != "allotted")
    assert present(world, outcome.id).id == outcome.id
    assert [*replay(scan(world))] == [outcome.id]
    if outcome.row is not None:
        assert outcome.row.id == outcome.id


def test_a_provisional_id_finds_no_row(world: World) -> None:
    if world.able.ids != "allotted":
        pytest.skip("knows the id of a row before it is there")
    create = world.create("K0")
    assert by_id(world, create.id) is None
    applied(world, create)
    assert by_id(world, create.id) is None


def test_a_create_that_is_sent_again_makes_no_second_row(world: World) -> None:
    if world.able.create != "once":
        pytest.skip("makes a row for every create; whoever sends one again looks for it first")
    create = world.create("A", "first")
    (id,) = applied(world, create)
    (outcome,) = write(world, create)
    assert isinstance(outcome, Exists)
    assert outcome.id in ((id,) if world.able.ids == "chosen" else (id, None))
    assert present(world, id).image[1] == "first"
    assert len(replay(scan(world))) == 1


def test_two_creates_of_one_key_where_nothing_forbids_it_are_two_rows(world: World) -> None:
    if world.unique:
        pytest.skip("refuses a second row of one key")
    first, second = applied(world, world.create("A"), world.create("A"))
    assert first != second
    assert len(replay(scan(world))) == 2


def test_a_key_that_is_the_id_cannot_be_changed(world: World) -> None:
    if world.able.ids != "key":
        pytest.skip("knows its rows by something else than their key")
    ids = fill(world, 1)
    version = present(world, ids["K0"]).version
    (outcome,) = write(world, Update(ids["K0"], version, {world.key: "K9"}))
    assert isinstance(outcome, Rejected)
    assert outcome.code == "key-fixed"
    assert outcome.field == world.key
    assert [row.image[0] for row in replay(scan(world)).values()] == ["K0"]
