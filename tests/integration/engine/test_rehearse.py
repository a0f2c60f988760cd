"""The dry run says what the next run does, and changes nothing at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from connector.mapping.values import Side

if TYPE_CHECKING:
    from tests.integration.engine.conftest import Bench

C, D = Side.COMMERCE, Side.DATAVERSE


def state(bench: Bench) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table of the state."""
    engine = sa.create_engine(bench.url)
    with engine.connect() as connection:
        rows = {
            name: [tuple(row) for row in connection.execute(sa.text(f'SELECT * FROM "{name}"'))]
            for name in sa.inspect(connection).get_table_names()
        }
    engine.dispose()
    return rows


def make_changes(bench: Bench) -> None:
    """Every kind of thing there is to do."""
    for n in range(6, 9):
        bench.new(C, f"C{n}")
    bench.new(D, "D4")
    bench.edit(C, "C1", Name="edited")
    bench.edit(D, "C2", name="edited", level=2)
    bench.delete(C, "C3")
    bench.delete(D, "C4")
    bench.edit(C, "C5", Name="ours")
    bench.edit(D, "C5", name="theirs")


def test_nothing_is_written_before_the_first_load(bench: Bench) -> None:
    bench.new(C, "C1")
    bench.new(D, "D1")
    before = state(bench)
    rehearsal = bench.rehearse()
    assert rehearsal.first_load
    assert dict(rehearsal.counts) == {"create commerce": 1, "create dataverse": 1}
    assert state(bench) == before
    assert bench.writes() == 0


@pytest.mark.parametrize("expired", [False, True])
def test_it_says_what_a_sync_then_does(loaded: Bench, expired: bool) -> None:
    make_changes(loaded)
    if expired:
        loaded.dataverse.forget_feed()
        loaded.commerce.forget_feed()
    before, writes = state(loaded), loaded.writes()
    rehearsal = loaded.rehearse()
    assert dict(rehearsal.counts) == {
        "create commerce": 1,
        "create dataverse": 4,
        "update commerce": 1,
        "update dataverse": 1,
        "delete dataverse": 1,
        "conflict": 1,
    }
    assert state(loaded) == before
    assert loaded.writes() == writes
    loaded.sync()
    assert loaded.writes() == writes + rehearsal.writes


def test_one_record(loaded: Bench) -> None:
    make_changes(loaded)
    (planned,) = loaded.rehearse("c1").planned
    assert (planned.what, planned.side, planned.key) == ("update", D, "C1")
    assert planned.before == {"name": "C1"}
    assert planned.after == {"name": "edited"}


def test_a_settled_map_needs_nothing(loaded: Bench) -> None:
    assert loaded.rehearse().writes == 0


def test_it_takes_no_lease(loaded: Bench) -> None:
    loaded.alone = False
    loaded.open().acquire("card", "another", 60)
    assert loaded.rehearse().writes == 0
