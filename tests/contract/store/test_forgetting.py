"""Forgetting a person: nothing of the record is left but a keyed hash."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connector.errors import LeaseHeldError
from connector.mapping.values import Side, Value
from connector.store.record import Conflict, Wait
from connector.store.work import Change, ChangeKind, Completion

if TYPE_CHECKING:
    from tests.contract.store.conftest import Kit

WAIT = Wait("currency", Side.DATAVERSE, "transactioncurrencies", "isocurrencycode", "EUR")
VALUES = {"CardNumber": "C1"}


def told_of(kit: Kit, number: int) -> None:
    """A record of which every table tells."""
    pair = {Side.COMMERCE: VALUES, Side.DATAVERSE: {}}
    update = Change(
        10 + number, number, ChangeKind.UPDATE, Side.COMMERCE, 1, f"g{number}", "v1",
        VALUES, VALUES, None, "why", pair,
    )  # fmt: skip
    kit.commit(
        at=50.0,
        inserted=[kit.record(number)],
        waits={number: (WAIT,)},
        conflicts={number: (Conflict("a", pair, pair),)},
        changes=[update, Change(20 + number, number, ChangeKind.SEEN, Side.COMMERCE)],
    )
    kit.commit(at=51.0, completions=[Completion(10 + number, "applied", "v2")])


def test_everything_of_the_record_goes_and_nothing_of_another(kit: Kit) -> None:
    told_of(kit, 1)
    told_of(kit, 2)
    other = (kit.get(2), kit.store.history(2), kit.store.conflict_rows(2))
    counts = kit.store.forget(kit.lease, 1, "c1", 60.0)
    assert counts == {
        "records": 1, "waits": 1, "conflicts": 1, "departed": 0, "changes": 2, "runs": 0,
    }  # fmt: skip
    assert kit.store.by_numbers(kit.layout, [1]) == {}
    assert kit.store.conflict_rows(1) == []
    assert [wait.value for wait in kit.store.waits(kit.map)] == ["EUR"]  # record 2 still waits
    assert (kit.get(2), kit.store.history(2), kit.store.conflict_rows(2)) == other


def test_the_audit_still_says_that_something_happened(kit: Kit) -> None:
    told_of(kit, 1)
    kit.store.forget(kit.lease, 1, "c1", 60.0)
    update, seen = kit.store.history(1)
    assert (update.kind, update.outcome, update.at) == (ChangeKind.UPDATE, "applied", 50.0)
    for row in (update, seen):
        empty = (row.target, row.expected, row.version, row.before, row.after, row.detail)
        assert (*empty, row.agreed) == (None,) * 7


@pytest.mark.parametrize(
    ("told", "kept"), [("record C1 is parked", False), ("record C11 is parked", True)]
)
def test_an_error_that_names_the_key_is_emptied(kit: Kit, told: str, kept: bool) -> None:
    told_of(kit, 1)
    run = kit.store.start_run("resolve", kit.map, "f1", 55.0)
    kit.store.finish_run(run, 56.0, "conflict-unknown", {}, {"message": told})
    counts = kit.store.forget(kit.lease, 1, "c1", 60.0)
    row = kit.store.run_row(run)
    assert row is not None
    assert counts["runs"] == (0 if kept else 1)
    assert (row.error is not None) is kept
    assert row.outcome == "conflict-unknown"


def test_a_departed_record_is_forgotten_too(kit: Kit) -> None:
    gone = kit.tombstone(1)
    kit.commit(at=110.0, inserted=[gone], changes=[kit.intent(1, 1, 1, outcome="applied")])
    kit.purge(tombstones_before=120.0)
    assert kit.store.departed(kit.map, "c1")
    counts = kit.store.forget(kit.lease, 1, "c1", 60.0)
    assert (counts["records"], counts["departed"], counts["changes"]) == (0, 1, 1)
    assert kit.store.departed(kit.map, "c1") == []


def test_a_forgotten_key_is_recognised_by_every_worker_but_kept_nowhere(kit: Kit) -> None:
    assert kit.store.forgotten(kit.map, "c1") is None
    kit.store.forget(kit.lease, 1, "c1", 60.0)
    kit.store.forget(kit.lease, 2, "c2", 61.0)
    kit.store.forget(kit.lease, 3, "c1", 62.0)
    kit.store.forget(kit.lease, 3, "c1", 63.0)
    other = kit.another()
    assert [other.forgotten(kit.map, key) for key in ("c1", "c2", "c3")] == [63.0, 61.0, None]
    assert other.forgotten("other-map", "c1") is None


def test_a_worker_without_the_lease_forgets_nothing(kit: Kit) -> None:
    told_of(kit, 1)
    kit.store.release(kit.lease)
    with pytest.raises(LeaseHeldError):
        kit.store.forget(kit.lease, 1, "c1", 60.0)
    assert kit.get(1).key == "c1"
    assert kit.store.forgotten(kit.map, "c1") is None


def test_a_text_is_taken_out_of_the_past(kit: Kit) -> None:
    """Other values, other texts that begin alike, and what is now, stay."""
    told: dict[str, Value] = {
        "CardNumber": "c1 ",
        "Party": "C1",
        "Other": "C11",
        "Number": 1,
        "None": None,
    }
    pair: dict[Side, dict[str, Value]] = {Side.COMMERCE: {"Party": "C1"}, Side.DATAVERSE: {}}
    other: dict[Side, dict[str, Value]] = {Side.COMMERCE: {"Party": "C11"}, Side.DATAVERSE: {}}
    rows = [
        Change(1, 1, ChangeKind.UPDATE, Side.COMMERCE, 1, "g1", "v1", told, {}, None, None, pair),
        Change(2, 1, ChangeKind.SEEN, Side.COMMERCE, detail="of c1, as told"),
        Change(3, 1, ChangeKind.SEEN, Side.COMMERCE, detail="anna", after={"Other": "C11"}),
    ]
    kit.commit(
        at=50.0,
        inserted=[kit.record(1)],
        conflicts={1: (Conflict("a", pair, pair), Conflict("b", other, other))},
        changes=rows,
    )
    untouched = kit.store.redact(kit.lease, "nobody")
    assert untouched == {"changes": 0, "conflicts": 0, "runs": 0, "records": 0}
    done = kit.store.redact(kit.lease, "C1")
    assert done == {"changes": 2, "conflicts": 0, "runs": 0, "records": 1}
    first, second, third = kit.store.history(1)
    assert first.before == {**told, "CardNumber": None, "Party": None}
    assert first.agreed == {Side.COMMERCE: {"Party": None}, Side.DATAVERSE: {}}
    assert (first.target, second.detail, third.detail) == ("g1", None, "anna")
    assert third.after == {"Other": "C11"}
    kit.commit(at=60.0, conflicts={1: ()})
    assert len(kit.store.conflict_rows(1)) == 2
    done = kit.store.redact(kit.lease, "C1")
    assert done == {"changes": 0, "conflicts": 1, "runs": 0, "records": 1}
    assert [row.group for row in kit.store.conflict_rows(1)] == ["b"]
