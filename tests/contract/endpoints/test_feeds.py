"""Change feeds: what changed since a position, and positions themselves."""

from __future__ import annotations

import pytest

from connector.endpoints.base import Applied, Delete, Update
from connector.errors import PositionExpiredError
from tests.contract.endpoints.asking import (
    applied,
    changes,
    fill,
    position,
    present,
    replay,
    scan,
    write,
)
from tests.contract.endpoints.world import World


def test_without_changes_the_feed_is_empty_and_goes_on(world: World) -> None:
    fill(world, 2)
    (page,) = changes(world, position(world))
    assert (list(page.rows), list(page.deleted)) == ([], [])
    assert page.position is not None
    assert replay(changes(world, page.position)) == {}


def test_creates_updates_and_deletes_arrive(world: World) -> None:
    ids = fill(world, 3)
    pages = scan(world)
    since = position(world)
    applied(
        world,
        Update(ids["K0"], None, {world.text: "changed"}),
        Delete(ids["K1"], present(world, ids["K1"]).version),
        world.create("born", "new"),
    )
    rows = replay(changes(world, since), replay(pages))
    assert {row.image[:2] for row in rows.values()} == {
        ("K0", "changed"),
        ("K2", "t2"),
        ("born", "new"),
    }
    deleted = [id for page in changes(world, since) for id in page.deleted]
    assert deleted == [ids["K1"]]


def test_a_position_may_be_used_again(world: World) -> None:
    fill(world, 1)
    since = position(world)
    applied(world, world.create("born"))
    assert replay(changes(world, since)) == replay(changes(world, since)) != {}


def test_many_changes_come_in_pages_that_can_be_resumed(world: World) -> None:
    since = position(world)
    ids = fill(world, 8)
    pages = changes(world, since)
    assert len(pages) > 1
    assert replay(pages).keys() == set(ids.values())
    for number, page in enumerate(pages[:-1], start=1):
        assert page.position is None
        assert page.resume is not None
        rest = changes(world, page.resume)
        assert replay([*pages[:number], *rest]).keys() == set(ids.values())


def test_a_record_that_came_and_went_is_gone(world: World) -> None:
    since = position(world)
    (born,) = applied(world, world.create("born"))
    applied(world, Delete(born, present(world, born).version))
    assert replay(changes(world, since)) == {}


def test_several_changes_of_one_record_end_with_the_last(world: World) -> None:
    ids = fill(world, 1)
    since = position(world)
    for text in ("a", "b", "c"):
        applied(world, Update(ids["K0"], None, {world.text: text}))
    assert replay(changes(world, since))[ids["K0"]].image[1] == "c"


@pytest.mark.parametrize("text", ["", "{}", "null", "12", "garbage!"])
def test_a_position_that_cannot_be_read_asks_for_a_scan(world: World, text: str) -> None:
    position(world)
    with pytest.raises(PositionExpiredError):
        list(world.endpoint.changes(world.entity, world.columns, text))


def test_a_position_belongs_to_its_columns(world: World) -> None:
    since = position(world)
    with pytest.raises(PositionExpiredError):
        list(world.endpoint.changes(world.entity, world.columns[:2], since))


def test_the_echo_of_an_update_has_the_version_it_answered(world: World) -> None:
    ids = fill(world, 1)
    since = position(world)
    update = Update(ids["K0"], present(world, ids["K0"]).version, {world.text: "x"})
    (outcome,) = write(world, update)
    assert isinstance(outcome, Applied)
    echo = replay(changes(world, since))[ids["K0"]]
    assert echo == present(world, ids["K0"])
    if outcome.row is not None:
        assert outcome.row == echo


def test_the_echo_of_a_create_names_us(world: World) -> None:
    users = world.endpoint.identity().users
    if not users:
        pytest.skip("names no modifier")
    since = position(world)
    (outcome,) = write(world, world.create("born", "text"))
    assert isinstance(outcome, Applied)
    echo = replay(changes(world, since))[outcome.id]
    assert echo.modifier in users
    assert echo.image == ("born", "text", None)
    if outcome.row is not None:
        assert outcome.row == echo
