"""Conflicts: opened, followed while people go on editing, decided, closed, remembered."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from connector.errors import StateError
from connector.mapping.values import Side, Value
from connector.store.record import Conflict
from connector.store.work import ConflictRow, Decided

if TYPE_CHECKING:
    from tests.contract.store.conftest import Kit


def conflict(group: str, balance: str) -> Conflict:
    values: dict[str, Value] = {
        "Balance": Decimal(balance),
        "EnrollmentDate": date(2024, 1, 1),
        "CardNumber": None,
    }
    return Conflict(
        group,
        {Side.COMMERCE: values, Side.DATAVERSE: {"msdyn_tendertype": 1}},
        {Side.COMMERCE: {**values, "CardNumber": "C1"}, Side.DATAVERSE: {}},
    )


def test_a_conflict_comes_back_with_typed_values_and_its_key(kit: Kit) -> None:
    kit.commit(at=70.5, inserted=[kit.record(1)], conflicts={1: (conflict("enrolment", "1.50"),)})
    (found,) = kit.store.open_conflicts(kit.map, 0, 10)
    assert (found.record, found.key, found.opened) == (1, kit.get(1).commerce.key, 70.5)
    assert found.conflict == conflict("enrolment", "1.50")
    assert type(found.conflict.base[Side.COMMERCE]["Balance"]) is Decimal
    assert kit.store.open_conflicts("other-map", 0, 10) == []


def test_the_conflicts_handed_in_are_the_ones_open(kit: Kit) -> None:
    kit.commit(
        at=10.0,
        inserted=[kit.record(1), kit.record(2)],
        conflicts={1: (conflict("a", "1"), conflict("b", "1")), 2: (conflict("a", "1"),)},
    )
    opened = {(c.record, c.conflict.group): c for c in kit.store.open_conflicts(kit.map, 0, 10)}
    kit.commit(at=20.0, conflicts={1: (conflict("b", "2"), conflict("c", "1"))})
    left = {(c.record, c.conflict.group): c for c in kit.store.open_conflicts(kit.map, 0, 10)}
    assert set(left) == {(1, "b"), (1, "c"), (2, "a")}
    assert left[1, "b"].number == opened[1, "b"].number
    assert left[1, "b"].opened == 10.0
    assert left[1, "b"].conflict == conflict("b", "2")
    assert left[1, "c"].opened == 20.0

    kit.commit(at=30.0, conflicts={1: ()})
    kit.commit(at=40.0, conflicts={1: (conflict("b", "3"),)})
    again = kit.store.open_conflicts(kit.map, 0, 10)
    assert [(c.record, c.conflict.group) for c in again] == [(2, "a"), (1, "b")]
    assert again[1].number not in {c.number for c in (*opened.values(), *left.values())}


def test_conflicts_come_in_pages_by_number(kit: Kit) -> None:
    kit.commit(
        inserted=[kit.record(n) for n in (1, 2, 3)],
        conflicts={n: (conflict("a", "1"),) for n in (1, 2, 3)},
    )
    page = kit.store.open_conflicts(kit.map, 0, 2)
    rest = kit.store.open_conflicts(kit.map, page[-1].number, 2)
    assert [c.record for c in (*page, *rest)] == [1, 2, 3]


def test_the_revision_tells_that_the_values_of_an_open_conflict_changed(kit: Kit) -> None:
    kit.commit(inserted=[kit.record(1)], conflicts={1: (conflict("a", "1"), conflict("b", "1"))})
    assert [c.revision for c in kit.store.open_conflicts(kit.map, 0, 9)] == [1, 1]
    kit.commit(conflicts={1: (conflict("a", "1"), conflict("b", "2"))})
    kit.commit(conflicts={1: (conflict("a", "1"), conflict("b", "3"))})
    assert [c.revision for c in kit.store.open_conflicts(kit.map, 0, 9)] == [1, 3]


def test_what_a_person_decided_stays_with_the_closed_conflict(kit: Kit) -> None:
    kit.commit(
        at=10.0,
        inserted=[kit.record(1), kit.record(2)],
        conflicts={1: (conflict("a", "1.50"),), 2: (conflict("a", "1"),)},
    )
    number, other = (c.number for c in kit.store.open_conflicts(kit.map, 0, 9))
    decided = Decided(number, "commerce", "ada")
    kit.commit(at=20.0, decisions=[decided], conflicts={1: ()})
    kit.commit(at=30.0, conflicts={1: (conflict("b", "2"),)})
    closed, opened = kit.another().conflict_rows(1)
    assert closed == ConflictRow(
        number, 1, kit.map, "a", 10.0, 20.0, 1, conflict("a", "1.50"), "commerce", "ada", 20.0
    )
    assert (opened.group, opened.opened, opened.closed, opened.decision) == ("b", 30.0, None, None)
    (untouched,) = kit.store.conflict_rows(2)
    assert (untouched.number, untouched.closed, untouched.decision) == (other, None, None)
    assert kit.store.conflict_rows(3) == []


def test_a_decision_about_no_conflict_of_the_map_changes_nothing(kit: Kit) -> None:
    with pytest.raises(StateError) as caught:
        kit.commit(inserted=[kit.record(1)], decisions=[Decided(7, "commerce", "ada")])
    assert caught.value.code == "conflict-missing"
    assert kit.store.by_numbers(kit.layout, [1]) == {}
