"""Waits: one row per group and target, gone when the record no longer waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.mapping.values import Side
from connector.store.record import State, Wait

if TYPE_CHECKING:
    from tests.contract.store.conftest import Kit

EUR = Wait("currency", Side.DATAVERSE, "transactioncurrencies", "isocurrencycode", "EUR")
USD = Wait("currency", Side.DATAVERSE, "transactioncurrencies", "isocurrencycode", "USD")
PARTY = Wait("party", Side.COMMERCE, "Parties", "PartyNumber", "EUR")


def targets(kit: Kit) -> list[tuple[str, str]]:
    return [(wait.entity, wait.value) for wait in kit.store.waits(kit.map)]


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
