"""How long the past is kept: only what is old, nobody needs and no intent hangs on goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from connector.errors import LeaseHeldError, Problem
from connector.mapping.values import Side
from connector.store.record import Presence, Record, State
from connector.store.work import Change, ChangeKind, MapRow, Work

if TYPE_CHECKING:
    from tests.contract.store.conftest import Kit

NOTHING = {"changes": 0, "departed": 0, "records": 0, "runs": 0, "incidents": 0}
WEEK = 7 * 24 * 3600.0


def seen(number: int, record: int) -> Change:
    return Change(number, record, ChangeKind.SEEN, Side.COMMERCE)


def test_a_young_state_loses_nothing(kit: Kit) -> None:
    kit.commit(at=100.0, inserted=[kit.tombstone(1)], changes=[seen(1, 1)], incidents={"x": 1})
    assert kit.purge(audit_before=100.0, runs_before=100.0, tombstones_before=100.0) == NOTHING
    assert kit.get(1) == kit.tombstone(1)
    assert kit.store.audit_kept_since(kit.map) is None


# ---------------------------------------------------------------------------- audit


def test_audit_rows_older_than_the_time_go_in_portions_but_no_open_intent(kit: Kit) -> None:
    kit.commit(map=MapRow(kit.map, "f1", "1"))
    kit.commit(at=110.0, changes=[seen(1, 1), kit.intent(2, 1, 1), seen(3, 1), seen(4, 2)])
    kit.commit(at=120.0, changes=[seen(5, 1)])
    assert kit.purge(audit_before=120.0, limit=2) == {**NOTHING, "changes": 2}
    assert kit.purge(audit_before=120.0, limit=2) == {**NOTHING, "changes": 1}
    assert kit.purge(audit_before=120.0, limit=2) == NOTHING
    assert [row.number for row in kit.store.history(1)] == [2, 5]
    assert kit.store.audit_kept_since(kit.map) == 120.0


def test_the_time_the_audit_is_complete_from_never_moves_back(kit: Kit) -> None:
    kit.commit(map=MapRow(kit.map, "f1", "1"))
    for before, number in ((200.0, 1), (160.0, 2)):
        kit.commit(at=150.0, changes=[seen(number, 1)])
        assert kit.purge(audit_before=before)["changes"] == 1
    assert kit.store.audit_kept_since(kit.map) == 200.0
    kit.commit(map=MapRow(kit.map, "f2", "1"))
    assert kit.store.audit_kept_since(kit.map) == 200.0


def test_old_rows_are_found_also_where_a_long_run_wrote_beyond_the_time(kit: Kit) -> None:
    kit.store.numbers("change", 3)
    kit.commit(at=150.0, changes=[seen(1, 1)])
    kit.commit(at=250.0, changes=[seen(2, 1)])
    kit.commit(at=350.0, changes=[seen(3, 1)])
    kit.run = kit.store.start_run("sync", kit.map, "f1", 300.0)
    kit.commit(at=360.0, changes=[seen(kit.store.numbers("change", 1), 1)])
    assert kit.purge(audit_before=300.0)["changes"] == 2
    assert [row.number for row in kit.store.history(1)] == [3, 4]


def test_the_audit_of_another_map_is_left_alone(kit: Kit) -> None:
    other = kit.store.acquire("other-map", "first", 60)
    kit.store.commit(other, Work(kit.run, 10.0, changes=[seen(1, 1)]))
    assert kit.purge(audit_before=120.0) == NOTHING
    assert len(kit.store.history(1)) == 1


# ---------------------------------------------------------------------------- runs


def test_old_runs_go_but_the_newest_of_the_map_stays(kit: Kit) -> None:
    kit.store.finish_run(kit.run, 101.0, "done", {})
    killed = kit.store.start_run("sync", kit.map, "f1", 110.0)
    other = kit.store.start_run("sync", "other-map", "f1", 115.0)
    newest = kit.store.start_run("sync", kit.map, "f1", 120.0)
    kit.store.finish_run(newest, 121.0, "done", {})
    assert kit.purge(runs_before=110.0) == {**NOTHING, "runs": 1}
    assert [run.number for run in kit.store.runs(None, 9)] == [newest, other, killed]
    assert kit.purge(runs_before=999.0) == {**NOTHING, "runs": 1}
    assert [run.number for run in kit.store.runs(None, 9)] == [newest, other]
    assert kit.store.start_run("sync", kit.map, "f1", 130.0) > newest


# ---------------------------------------------------------------------------- tombstones


def test_a_tombstone_leaves_its_number_and_key_until_its_audit_is_gone(kit: Kit) -> None:
    kit.commit(at=110.0, inserted=[kit.tombstone(1), kit.record(2)], changes=[seen(1, 1)])
    assert kit.purge(at=170.0, tombstones_before=120.0) == {**NOTHING, "records": 1}
    assert kit.store.departed(kit.map, "c1") == [(1, 170.0)]
    assert kit.store.departed(kit.map, "c2") == kit.store.departed("other-map", "c1") == []
    assert kit.get(2) == kit.record(2)
    assert kit.purge(tombstones_before=120.0) == NOTHING
    kit.commit(inserted=[replace(kit.record(1), number=3)])  # the key can be used again
    assert kit.purge(audit_before=120.0) == {**NOTHING, "changes": 1, "departed": 1}
    assert kit.store.departed(kit.map, "c1") == []


def test_tombstones_of_one_key_are_told_oldest_first_and_go_in_portions(kit: Kit) -> None:
    gone = [replace(kit.tombstone(n), key="c", ordinal=n) for n in (1, 2, 3)]
    kit.commit(at=110.0, inserted=gone, changes=[seen(n, n) for n in (1, 2, 3)])
    assert kit.purge(at=170.0, tombstones_before=120.0, limit=2)["records"] == 2
    assert kit.purge(at=180.0, tombstones_before=120.0, limit=2)["records"] == 1
    assert kit.store.departed(kit.map, "c") == [(1, 170.0), (2, 170.0), (3, 180.0)]


def lately_told_of(kit: Kit, record: Record) -> None:
    kit.commit(at=130.0, changes=[seen(2, 1)])


def one_side_there(kit: Kit, record: Record) -> None:
    record.commerce.presence = Presence.PRESENT


def one_side_unknown(kit: Kit, record: Record) -> None:
    record.dataverse.presence = Presence.UNKNOWN


def due(kit: Kit, record: Record) -> None:
    record.due = 99.0


def parked(kit: Kit, record: Record) -> None:
    record.state, record.problem = State.PARKED, Problem("x", "x", "x")


@pytest.mark.parametrize("keep", [lately_told_of, one_side_there, one_side_unknown, due, parked])
def test_a_record_somebody_may_still_need_stays(
    kit: Kit, keep: Callable[[Kit, Record], None]
) -> None:
    record = kit.tombstone(1)
    kit.commit(at=110.0, inserted=[record], changes=[seen(1, 1)])
    keep(kit, record)
    kit.commit(at=111.0, updated=[record])
    assert kit.purge(tombstones_before=120.0) == NOTHING
    assert kit.get(1) == record


# ---------------------------------------------------------------------------- the rest


def test_errors_are_counted_for_a_week(kit: Kit) -> None:
    kit.commit(at=60.0, incidents={"x": 1})
    kit.commit(at=120.0, incidents={"x": 1})
    assert kit.purge(at=WEEK + 120.0) == {**NOTHING, "incidents": 1}
    assert kit.store.incidents(kit.map, "x", 0.0) == 1


def test_a_worker_without_the_lease_purges_nothing(kit: Kit) -> None:
    kit.commit(at=110.0, changes=[seen(1, 1)])
    kit.store.release(kit.lease)
    with pytest.raises(LeaseHeldError):
        kit.purge(audit_before=120.0)
    assert len(kit.store.history(1)) == 1
