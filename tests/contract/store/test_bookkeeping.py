"""Worlds, maps, positions, runs, and the scratch table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from connector.errors import Problem
from connector.mapping.values import Side
from connector.store.work import MapRow, Position, RunRow, World

if TYPE_CHECKING:
    from tests.contract.store.conftest import Kit


def test_the_world_of_a_side_is_remembered_and_replaced(kit: Kit) -> None:
    assert kit.store.world(Side.DATAVERSE) is None
    first = World(Side.DATAVERSE, "org-1", "Contoso")
    second = World(Side.DATAVERSE, "org-2", "Fabrikam", 2, "991")
    kit.store.bind_world(first)
    assert kit.another().world(Side.DATAVERSE) == first
    kit.store.bind_world(second)
    assert kit.store.world(Side.DATAVERSE) == second
    assert kit.store.world(Side.COMMERCE) is None


def test_what_is_kept_of_a_map_is_replaced_by_a_commit(kit: Kit, problem: Problem) -> None:
    assert kit.store.map_row(kit.map) is None
    row = MapRow(kit.map, "f1", "1.0.0.0")
    kit.commit(map=row)
    assert kit.store.map_row(kit.map) == row
    stopped = replace(
        row, fingerprint="f2", loaded_at=12.5, stopped=problem, allowed_deletes=9, document="{}"
    )
    kit.commit(map=stopped)
    assert kit.store.map_row(kit.map) == stopped
    assert list(kit.store.map_rows()) == [stopped]
    kit.commit(map=row)
    assert kit.store.map_row(kit.map) == row


def test_positions_are_moved_and_removed_one_by_one(kit: Kit) -> None:
    feed = Position(Side.DATAVERSE, "feed", "token 1", ("a", "b"), 2, 30, 99.5, "row 7", "991")
    scan = Position(Side.DATAVERSE, "scan", "page 1")
    other = Position(Side.COMMERCE, "feed", "seq 5")
    kit.commit(positions=[feed, scan, other])
    moved = replace(feed, text="token 2", columns=(), at=100.5)
    kit.commit(positions=[moved, replace(scan, text=None)])
    assert kit.store.positions(kit.map) == {
        (Side.DATAVERSE, "feed"): moved,
        (Side.COMMERCE, "feed"): other,
    }
    assert kit.store.positions("other-map") == {}


def test_runs_are_listed_newest_first(kit: Kit) -> None:
    second = kit.store.start_run("load", "other-map", "f2", 200.0)
    third = kit.store.start_run("load", kit.map, "f3", 300.0)
    error = {"code": "unreachable", "subject": {"side": "commerce"}}
    kit.store.finish_run(third, 301.5, "failed", {"written": 3}, error)
    done = RunRow(third, "load", kit.map, "f3", 300.0, 301.5, "failed", {"written": 3}, error, 1)
    assert kit.run < second < third
    assert [run.number for run in kit.store.runs(None, 2)] == [third, second]
    assert kit.store.runs(kit.map, 9) == [
        done,
        RunRow(kit.run, "sync", kit.map, "f1", 100.0, first_change=1),
    ]
    assert kit.store.run_row(third) == done
    assert kit.store.run_row(third + 1) is None


def test_what_the_sides_said_of_a_maps_tables_is_kept(kit: Kit) -> None:
    assert kit.store.described(kit.map) is None
    kit.commit(described='{"commerce":{}}')
    kit.commit(incidents={"rejected": 1})
    assert kit.another().described(kit.map) == '{"commerce":{}}'
    kit.commit(described="{}")
    assert kit.store.described(kit.map) == "{}"
    assert kit.store.described("another-map") is None
    assert kit.store.map_row(kit.map) is None


def test_a_run_knows_the_audit_number_it_began_at(kit: Kit) -> None:
    kit.store.numbers("change", 40)
    later = kit.store.start_run("sync", kit.map, "f1", 200.0)
    assert [run.first_change for run in kit.store.runs(kit.map, 9)] == [41, 1]
    assert later == kit.store.runs(kit.map, 1)[0].number


def test_scratch_hands_out_rows_once_and_then_the_rest(kit: Kit) -> None:
    rows = [(f"c{n % 2_000}", f"id{n}", kit.commerce(n)) for n in range(3_000)]
    with kit.store.scratch(kit.layout, Side.COMMERCE) as scratch:
        assert scratch.take(["c1"]) == {}
        scratch.put(iter(rows[:2_500]))
        scratch.put(rows[2_500:])
        assert len(scratch) == 3_000
        taken = scratch.take(["c7", "c1999", "nobody"])
        assert taken == {
            "c7": [("id7", kit.commerce(7)), ("id2007", kit.commerce(2007))],
            "c1999": [("id1999", kit.commerce(1999))],
        }
        assert list(scratch.rest()) == [row for row in rows if row[0] not in ("c7", "c1999")]
        scratch.take([f"c{n}" for n in range(2_000)])
        assert list(scratch.rest()) == []
        assert len(scratch) == 3_000


def test_two_scratch_tables_are_two(kit: Kit) -> None:
    with (
        kit.store.scratch(kit.layout, Side.COMMERCE) as one,
        kit.store.scratch(kit.layout, Side.DATAVERSE) as two,
    ):
        one.put([("k", "1", kit.commerce(1))])
        two.put([("k", "2", kit.dataverse(1))])
        assert one.take(["k"]) == {"k": [("1", kit.commerce(1))]}
        assert list(two.rest()) == [("k", "2", kit.dataverse(1))]


@pytest.mark.parametrize("reopened", [False, True])
def test_a_commit_is_seen_by_every_worker_and_after_a_restart(kit: Kit, reopened: bool) -> None:
    kit.commit(inserted=[kit.record(1)])
    if reopened:
        kit.store.close()
    assert kit.get(1, kit.another()) == kit.record(1)
