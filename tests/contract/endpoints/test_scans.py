"""Whole tables, page by page, while somebody works in them."""

from __future__ import annotations

import pytest

from connector.endpoints.base import Delete, Update
from connector.errors import PositionExpiredError
from tests.contract.endpoints.asking import applied, changes, fill, present, replay, scan
from tests.contract.endpoints.world import World


@pytest.mark.parametrize("count", [0, 1, 3, 6, 7])
def test_a_scan_gives_every_row(world: World, count: int) -> None:
    ids = fill(world, count)
    pages = scan(world)
    rows = replay(pages)
    assert {row.image[:2] for row in rows.values()} == {(k, f"t{k[1:]}") for k in ids}
    assert rows.keys() == set(ids.values())
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert all(page.position is None for page in pages[:-1])


def test_a_scan_resumes_after_each_page(world: World) -> None:
    ids = fill(world, 8)
    pages = scan(world)
    assert len(pages) > 2
    for number, page in enumerate(pages[:-1], start=1):
        assert page.resume is not None
        rest = scan(world, page.resume)
        assert rest[-1].last
        assert replay([*pages[:number], *rest]).keys() == set(ids.values())


def test_pages_are_fetched_one_by_one(world: World) -> None:
    fill(world, 7)
    pages = world.endpoint.scan(world.entity, world.columns, None)
    seen = replay([next(pages)])
    applied(world, world.create("late"))
    seen = replay(pages, seen)
    # Whether a row born meanwhile is seen is open; that the scan goes on is not.
    assert len(seen) in (7, 8)


def test_what_happens_during_a_scan_is_not_lost(world: World) -> None:
    ids = fill(world, 8)
    pages = world.endpoint.scan(world.entity, world.columns, None)
    first = next(pages)
    seen, unseen = first.rows[0], next(id for id in ids.values() if id not in replay([first]))
    _, _, born = applied(
        world,
        Update(seen.id, seen.version, {world.text: "changed"}),
        Delete(unseen, present(world, unseen).version),
        world.create("born"),
    )
    rest = list(pages)
    if rest[-1].position is None:
        pytest.skip("has no change feed")
    rows = replay([first, *rest, *changes(world, rest[-1].position)])
    assert rows.keys() == {*ids.values(), born} - {unseen}
    assert rows[seen.id].image[1] == "changed"


def test_a_resume_mark_that_cannot_be_read_asks_for_a_scan(world: World) -> None:
    with pytest.raises(PositionExpiredError):
        scan(world, "garbage!")
