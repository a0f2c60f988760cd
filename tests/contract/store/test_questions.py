"""Waits and conflicts: one row per question, gone or closed when it is answered."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from connector.mapping.values import Side, Value
from connector.store.record import Conflict, State, Wait

if TYPE_CHECKING:
    from tests.contract.store.conftest import Kit

EUR = Wait("currency", Side.DATAVERSE, "transactioncurrencies", "isocurrencycode", "EUR")
USD = Wait("currency", Side.DATAVERSE, "transactioncurrencies", "isocurrencycode", "USD")
PARTY = Wait("party", Side.COMMERCE, "Parties", "PartyNumber", "EUR")


def targets(kit: Kit) -> list[tuple[str, str]]:
    return [(wait.entity, wait.value) for wait in kit.store.waits(kit.map)]


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


def test_each_target_is_asked_for_once_however_many_wait(kit: Kit) -> None:
    kit.commit(
        inserted=[kit.record(n) for n in (1, 2, 3)],
        waits={1: (EUR, PARTY), 2: (EUR, EUR), 3: (USD,)},
    )
    assert targets(kit) == [
        ("Parties", "EUR"),
        ("transactioncurrencies", "EUR"),
        ("transactioncurrencies", "USD"),
    ]
    assert {wait.group for wait in kit.store.waits(kit.map)} == {""}
    assert list(kit.store.waits("other-map")) == []


def test_waits_of_a_record_are_replaced_as_a_whole(kit: Kit) -> None:
    kit.commit(inserted=[kit.record(1), kit.record(2)], waits={1: (EUR, PARTY), 2: (USD,)})
    kit.commit(waits={1: (USD,)})
    assert targets(kit) == [("transactioncurrencies", "USD")]
    kit.commit(waits={1: (), 2: ()})
    assert targets(kit) == []


def test_targets_are_listed_over_many_pages_while_commits_go_on(kit: Kit) -> None:
    many = tuple(Wait("g", Side.DATAVERSE, "e", "c", f"{n:05}") for n in range(2_500))
    kit.commit(inserted=[kit.record(1)], waits={1: many})
    listing = kit.store.waits(kit.map)
    first = next(listing)
    kit.commit(updated=[kit.record(1, attempts=1)])
    assert [first.value, *(wait.value for wait in listing)] == [wait.value for wait in many]


def test_wake_makes_exactly_the_waiting_records_due(kit: Kit) -> None:
    kit.commit(
        inserted=[kit.record(n, state=State.WAITING, waiting=1) for n in (1, 2, 3)],
        waits={1: (EUR,), 2: (USD,), 3: (EUR, USD)},
    )
    assert kit.store.wake(kit.lease, EUR, 150.0) == 2
    assert [kit.get(n).due for n in (1, 2, 3)] == [150.0, None, 150.0]
    assert kit.get(1).state is State.WAITING
    assert kit.store.wake(kit.lease, PARTY, 150.0) == 0


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
