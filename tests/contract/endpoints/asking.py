"""How the tests of the endpoint contract write and read: a few words over the protocol."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from connector.endpoints.base import Applied, Operation, Outcome, Page, Row
from tests.contract.endpoints.world import World


def write(world: World, *operations: Operation) -> list[Outcome]:
    """One outcome each, in calls as large as the endpoint takes."""
    outcomes: list[Outcome] = []
    for at in range(0, len(operations), world.able.batch):
        some = operations[at : at + world.able.batch]
        outcomes += world.endpoint.write(world.entity, world.columns, some)
    return outcomes


def applied(world: World, *operations: Operation) -> list[str]:
    """Write, and insist that all of it happened; the ids of the rows."""
    outcomes = write(world, *operations)
    ids = [outcome.id for outcome in outcomes if isinstance(outcome, Applied)]
    assert len(ids) == len(operations), outcomes
    return ids


def fill(world: World, count: int) -> dict[str, str]:
    """Records K0, K1 ...; their ids by key."""
    keys = [f"K{number}" for number in range(count)]
    creates = [world.create(key, f"t{key[1:]}") for key in keys]
    return dict(zip(keys, applied(world, *creates), strict=True))


def scan(world: World, resume: str | None = None) -> list[Page]:
    """The whole table."""
    return list(world.endpoint.scan(world.entity, world.columns, resume))


def position(world: World) -> str:
    """The feed position after a scan of the table as it is."""
    last = scan(world)[-1]
    if last.position is None:
        pytest.skip("has no change feed")
    return last.position


def changes(world: World, since: str) -> list[Page]:
    """What changed since a position."""
    pages = list(world.endpoint.changes(world.entity, world.columns, since))
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert pages[-1].position is not None
    return pages


def replay(pages: Iterable[Page], onto: dict[str, Row] | None = None) -> dict[str, Row]:
    """Rows by id after the pages were applied in order."""
    rows = dict(onto or {})
    for page in pages:
        rows.update({row.id: row for row in page.rows})
        for id in page.deleted:
            rows.pop(id, None)
    return rows


def by_id(world: World, id: str) -> Row | None:
    """The row with this id, if there is one."""
    found = world.endpoint.read(world.entity, world.columns, by=None, values=[id])
    rows: Sequence[Row] = found.rows.get(id, ())
    assert len(rows) <= 1
    return rows[0] if rows else None


def present(world: World, id: str) -> Row:
    """The row with this id."""
    row = by_id(world, id)
    assert row is not None
    return row


def conditional(world: World) -> None:
    """Skip where the system cannot refuse a write that was planned from an older row."""
    if world.able.preconditions == "none":
        pytest.skip("takes every write, whatever the row holds by then")
