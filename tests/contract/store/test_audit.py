"""The audit: what it keeps, for how long, and in which form."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from connector.errors import StateError
from connector.mapping.values import Side, Value
from connector.store.work import Change, ChangeKind, ChangeRow, Completion, Work

if TYPE_CHECKING:
    from tests.contract.store.conftest import Kit


def test_history_tells_everything_about_one_record_oldest_first(kit: Kit) -> None:
    before: dict[str, Value] = {
        "Balance": Decimal("1E+2"),
        "EnrollmentDate": date(2024, 1, 2),
        "Blocked": None,
    }
    after: dict[str, Value] = {
        "modifiedon": datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC),
        "type": 806380000,
    }
    update = Change(
        5, 1, ChangeKind.UPDATE, Side.DATAVERSE, 9, "g1", "v1", before, after, None, "first",
        {Side.COMMERCE: before, Side.DATAVERSE: {}},
    )  # fmt: skip
    kit.commit(at=100.5, inserted=[kit.record(1)], changes=[update])
    kit.commit(at=101.5, completions=[Completion(5, "applied", "v2")])
    kit.commit(at=102.5, changes=[Change(3, 1, ChangeKind.SEEN, Side.COMMERCE)])
    kit.commit(at=102.5, changes=[Change(4, 2, ChangeKind.SEEN, Side.COMMERCE)])
    seen, written = kit.store.history(1)
    assert (seen.number, seen.outcome, seen.before, seen.after) == (3, "noted", None, None)
    assert seen.agreed is None
    assert written == ChangeRow(
        5, kit.run, 100.5, kit.map, 1, ChangeKind.UPDATE, Side.DATAVERSE, "g1", "v1", "v2",
        {"Balance": "100", "EnrollmentDate": "2024-01-02", "Blocked": None},
        {"modifiedon": "2024-01-02T03:04:05Z", "type": 806380000},
        "applied", "first",
        {
            Side.COMMERCE: {"Balance": "100", "EnrollmentDate": "2024-01-02", "Blocked": None},
            Side.DATAVERSE: {},
        },
    )  # fmt: skip
    assert kit.store.history(3) == []


def test_an_intent_and_its_outcome_may_come_in_one_commit(kit: Kit) -> None:
    kit.commit(changes=[kit.intent(1, 1, 1)], completions=[Completion(1, "applied", None, "why")])
    assert kit.outcomes(1) == ["applied"]
    assert kit.store.history(1)[0].detail == "why"


def test_an_outcome_may_tell_the_id_a_row_really_got(kit: Kit) -> None:
    kit.commit(changes=[kit.intent(1, 1, 1), kit.intent(2, 2, 1)])
    kit.commit(completions=[Completion(1, "applied", target="17"), Completion(2, "applied")])
    (first,), (second,) = kit.store.history(1), kit.store.history(2)
    assert first.target == "17"
    assert second.target == kit.intent(2, 2, 1).target


def test_what_a_side_said_is_kept_whatever_characters_it_used(kit: Kit) -> None:
    said = "no\x00pe\n\x01"
    values: dict[str, Value] = {"Name": "a\x00b"}
    kit.commit(changes=[kit.intent(1, 1, 1, before=values, after=values)])
    kit.commit(completions=[Completion(1, "rejected", None, said)])
    kit.commit(changes=[Change(2, 1, ChangeKind.PARKED, Side.COMMERCE, detail=said)])
    rows = kit.store.history(1)
    assert [row.detail for row in rows] == ["no\ufffdpe\n\x01"] * 2
    assert (rows[0].before, rows[0].after) == (values, values)


def test_an_outcome_is_never_replaced(kit: Kit) -> None:
    kit.commit(changes=[kit.intent(1, 1, 1), kit.intent(2, 2, 1)])
    kit.commit(completions=[Completion(1, "stale")])
    with pytest.raises(StateError) as caught:
        kit.commit(completions=[Completion(2, "applied"), Completion(1, "applied")])
    assert caught.value.code == "intent-missing"
    kit.commit(completed_batches=[(1, "unknown")])
    assert [kit.outcomes(n) for n in (1, 2)] == [["stale"], ["unknown"]]


def test_an_intent_of_another_map_is_out_of_reach(kit: Kit) -> None:
    kit.commit(changes=[kit.intent(1, 1, 1)])
    other = kit.store.acquire("other-map", "first", 60)
    with pytest.raises(StateError):
        kit.store.commit(other, Work(kit.run, 1.0, completions=[Completion(1, "applied")]))
    kit.store.commit(other, Work(kit.run, 1.0, completed_batches=[(1, "applied")]))
    assert kit.store.reopen_intents(other, kit.run, 1.0) == 0
    assert kit.outcomes(1) == [None]


def test_deletes_are_told_per_side_and_time_over_all_runs(kit: Kit) -> None:
    def delete(number: int, side: Side, outcome: str | None) -> Change:
        return Change(number, number, ChangeKind.DELETE, side, 1, outcome=outcome)

    kit.commit(at=10.0, changes=[delete(1, Side.DATAVERSE, "applied")])
    kit.commit(
        at=20.0,
        changes=[
            delete(2, Side.DATAVERSE, None),
            delete(3, Side.COMMERCE, "applied"),
            kit.intent(4, 4, 1),
        ],
    )
    later = kit.store.start_run("sync", kit.map, "f1", 30.0)
    assert later != kit.run
    kit.run = later
    kit.commit(at=30.0, changes=[delete(5, Side.DATAVERSE, "applied")])
    told = [kit.store.deleted_since(kit.map, Side.DATAVERSE, t) for t in (10.0, 10.5, 20.0, 31.0)]
    assert told == [{1, 2, 5}, {2, 5}, {2, 5}, set()]
    assert kit.store.deleted_since(kit.map, Side.COMMERCE, 0.0) == {3}
    assert kit.store.deleted_since("other-map", Side.DATAVERSE, 0.0) == set()


def test_a_delete_that_surely_did_not_happen_is_none(kit: Kit) -> None:
    outcomes = ["transient", "stale", "missing", "rejected", "exists", "applied", "unknown", None]
    kit.commit(
        changes=[
            kit.intent(number, number, 1, kind=ChangeKind.DELETE, outcome=outcome)
            for number, outcome in enumerate(outcomes, 1)
        ]
    )
    told = kit.store.deleted_since(kit.map, Side.DATAVERSE, 0.0)
    assert [outcomes[number - 1] for number in sorted(told)] == ["applied", "unknown", None]


def test_a_delete_that_is_sent_again_is_one_delete(kit: Kit) -> None:
    tries = ["transient", "unknown", "transient", "applied"]
    kit.commit(
        changes=[
            kit.intent(number, 7, number, kind=ChangeKind.DELETE, outcome=outcome)
            for number, outcome in enumerate(tries, 1)
        ]
    )
    assert kit.store.deleted_since(kit.map, Side.DATAVERSE, 0.0) == {7}


def test_the_values_of_an_audit_row_get_their_types_back(kit: Kit) -> None:
    day, instant = date(2024, 1, 2), datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
    left: dict[str, Value] = {"Balance": Decimal("12.50"), "EnrollmentDate": day, "Blocked": None}
    right: dict[str, Value] = {"modifiedon": instant, "removed since": "2024-01-02"}
    change = Change(
        1, 1, ChangeKind.UPDATE, Side.COMMERCE, before=left, after=right,
        agreed={Side.COMMERCE: left, Side.DATAVERSE: right},
    )  # fmt: skip
    kit.commit(changes=[change])
    (row,) = kit.store.history(1)
    assert row.agreed is not None
    assert row.before is not None
    assert kit.store.typed(kit.layout, Side.COMMERCE, row.before) == left
    assert type(kit.store.typed(kit.layout, Side.COMMERCE, row.before)["Balance"]) is Decimal
    assert kit.store.typed(kit.layout, Side.DATAVERSE, row.agreed[Side.DATAVERSE]) == right


def test_histories_of_many_records_in_one_answer(kit: Kit) -> None:
    kit.commit(at=10.0, changes=[kit.intent(1, 1, 1), kit.intent(2, 2, 1), kit.intent(4, 3, 1)])
    kit.commit(at=20.0, changes=[kit.intent(5, 1, 2)])
    found = kit.store.histories([1, 2, 9])
    assert {n: [row.number for row in rows] for n, rows in found.items()} == {1: [1, 5], 2: [2]}
    lately = kit.store.histories([1, 2, 9], since=20.0)
    assert {n: [row.number for row in rows] for n, rows in lately.items()} == {1: [5]}
    assert kit.store.histories([]) == {}


def test_a_run_names_the_records_it_wrote_to_once_and_in_order(kit: Kit) -> None:
    first, kit.run = kit.run, kit.store.start_run("sync", kit.map, "f1", 1.0)
    assert kit.store.numbers("change", 6) == 1
    noted = Change(4, 4, ChangeKind.LOST, Side.DATAVERSE)
    kit.commit(
        changes=[
            kit.intent(1, 9, 1),
            kit.intent(2, 2, 1, kind=ChangeKind.UPDATE),
            kit.intent(3, 2, 1, kind=ChangeKind.DELETE, side=Side.COMMERCE, outcome="stale"),
            noted,
        ]
    )
    written, kit.run = kit.run, kit.store.start_run("sync", kit.map, "f1", 2.0)
    kit.commit(changes=[kit.intent(kit.store.numbers("change", 1), 1, 1)])
    assert kit.store.written_by(written, 0, 9) == [2, 9]
    assert kit.store.written_by(written, 0, 1) == [2]
    assert kit.store.written_by(written, 2, 9) == [9]
    assert kit.store.written_by(kit.run, 0, 9) == [1]
    assert kit.store.written_by(first, 0, 9) == []
    assert list(kit.store.written_by(99, 0, 9)) == []
