"""Versions and times of rows, and writes that were planned from an older one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connector.endpoints.base import Delete, Stale, Update
from tests.contract.endpoints.asking import applied, by_id, conditional, fill, present, write
from tests.contract.endpoints.world import World


def test_versions_grow(world: World) -> None:
    ids = fill(world, 1)
    before = present(world, ids["K0"]).version
    if before is None:
        assert world.able.preconditions == "none"
        pytest.skip("has no versions")
    applied(world, Update(ids["K0"], before, {world.text: "x"}))
    after = present(world, ids["K0"]).version
    assert after is not None
    assert before != after
    if world.able.ordered_versions:
        assert world.endpoint.newer(after, before) is True
        assert world.endpoint.newer(before, after) is False
        assert world.endpoint.newer(after, after) is False
        assert world.endpoint.newer("10", "9") is True
    else:
        assert world.endpoint.newer(after, before) is None


def test_a_row_that_is_read_again_has_the_version_it_had(world: World) -> None:
    ids = fill(world, 2)
    first = present(world, ids["K0"])
    applied(world, Update(ids["K1"], None, {world.text: "x"}))
    assert present(world, ids["K0"]) == first


def test_records_tell_when_they_were_changed(world: World) -> None:
    if not world.able.modified_time:
        pytest.skip("knows no time of change")
    ids = fill(world, 1)
    at = present(world, ids["K0"]).modified_at
    assert at is not None
    assert abs(datetime.now(UTC) - at) < timedelta(seconds=10)


def test_an_update_of_another_version_is_stale(world: World) -> None:
    conditional(world)
    ids = fill(world, 1)
    old = present(world, ids["K0"]).version
    applied(world, Update(ids["K0"], old, {world.text: "theirs"}))
    (outcome,) = write(world, Update(ids["K0"], old, {world.text: "ours"}))
    assert isinstance(outcome, Stale)
    assert present(world, ids["K0"]).image[1] == "theirs"


def test_a_delete_of_another_version_is_stale(world: World) -> None:
    conditional(world)
    ids = fill(world, 1)
    old = present(world, ids["K0"]).version
    applied(world, Update(ids["K0"], old, {world.text: "theirs"}))
    (outcome,) = write(world, Delete(ids["K0"], old))
    assert isinstance(outcome, Stale)
    assert by_id(world, ids["K0"]) is not None


def test_a_row_made_again_is_not_the_one_it_was(world: World) -> None:
    """Under the same key, and where the key is the id under the same id."""
    conditional(world)
    ids = fill(world, 1)
    old = present(world, ids["K0"]).version
    applied(world, Delete(ids["K0"], old))
    (again,) = applied(world, world.create("K0", "another card"))
    assert present(world, again).version != old
    if world.able.ids == "key":
        assert again == ids["K0"]
        outcomes = write(world, Update(again, old, {world.text: "late"}), Delete(again, old))
        assert [type(outcome) for outcome in outcomes] == [Stale, Stale]
    else:
        assert again != ids["K0"]
    assert present(world, again).image[1] == "another card"
