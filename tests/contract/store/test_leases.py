"""Leases, fencing and durable numbers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from connector.errors import LeaseHeldError, StateError
from connector.mapping.values import Side
from connector.store.base import Store
from connector.store.record import Wait
from connector.store.work import Lease, Work

if TYPE_CHECKING:
    from tests.contract.store.conftest import Kit

WAIT = Wait("currency", Side.DATAVERSE, "transactioncurrencies", "isocurrencycode", "EUR")

FENCED: dict[str, Callable[[Kit, Lease], object]] = {
    "commit": lambda kit, lease: kit.store.commit(lease, Work(1, 1.0, inserted=[kit.record(1)])),
    "adopt": lambda kit, lease: kit.store.adopt(
        lease, kit.layout, Side.DATAVERSE, 1, [], None, 1, 1.0
    ),
    "wake": lambda kit, lease: kit.store.wake(lease, WAIT, 1.0),
    "reopen_intents": lambda kit, lease: kit.store.reopen_intents(lease, 1, 1.0),
    "renew": lambda kit, lease: kit.store.renew(lease, 60),
}


def steal(kit: Kit, thief: Store) -> Lease:
    """Let the first worker sleep through its lease while a second one takes it."""
    kit.lease = kit.store.renew(kit.lease, 0.02)
    time.sleep(0.05)
    return thief.acquire(kit.map, "second", 60)


def test_a_held_lease_names_its_holder_and_its_end(kit: Kit) -> None:
    with pytest.raises(LeaseHeldError) as caught:
        kit.another().acquire(kit.map, "second", 60)
    assert caught.value.code == "lease-held"
    assert caught.value.exit_code == 5
    assert caught.value.subject.map == kit.map
    assert "first holds it until" in str(caught.value)


def test_a_lease_is_of_one_map(kit: Kit) -> None:
    assert kit.another().acquire("other-map", "second", 60).fencing == 1


def test_a_lease_expires_by_the_clock_of_the_store_and_fencing_grows(kit: Kit) -> None:
    taken = steal(kit, kit.another())
    assert taken.fencing == kit.lease.fencing + 1
    assert taken.expires == pytest.approx(time.time() + 60, abs=5)


def test_a_released_lease_is_free_and_its_number_is_not_used_again(kit: Kit) -> None:
    kit.store.release(kit.lease)
    assert kit.another().acquire(kit.map, "second", 60).fencing == kit.lease.fencing + 1


def test_releasing_a_lost_lease_leaves_the_new_holder_alone(kit: Kit) -> None:
    second = kit.another()
    taken = steal(kit, second)
    kit.store.release(kit.lease)
    assert second.renew(taken, 60).fencing == taken.fencing


def test_renewing_moves_the_end(kit: Kit) -> None:
    renewed = kit.store.renew(kit.lease, 600)
    assert renewed.expires > kit.lease.expires + 500
    assert renewed.fencing == kit.lease.fencing


@pytest.mark.parametrize("call", FENCED)
def test_a_stolen_lease_changes_nothing(kit: Kit, call: str) -> None:
    steal(kit, kit.another())
    with pytest.raises(LeaseHeldError) as caught:
        FENCED[call](kit, kit.lease)
    assert caught.value.code == "lease-lost"
    assert "second holds it" in str(caught.value)
    assert kit.store.by_numbers(kit.layout, [1]) == {}


@pytest.mark.parametrize("call", FENCED)
def test_an_expired_lease_nobody_took_is_lost_too(kit: Kit, call: str) -> None:
    lease = kit.store.renew(kit.lease, 0.02)
    time.sleep(0.05)
    with pytest.raises(LeaseHeldError):
        FENCED[call](kit, lease)


def test_the_same_holder_with_an_older_fencing_number_is_refused(kit: Kit) -> None:
    kit.store.release(kit.lease)
    again = kit.store.acquire(kit.map, "first", 60)
    with pytest.raises(LeaseHeldError):
        kit.store.commit(kit.lease, Work(1, 1.0, inserted=[kit.record(1)]))
    kit.store.commit(again, Work(1, 1.0, inserted=[kit.record(1)]))
    assert kit.get(1).key == "c1"


def test_numbers_start_at_one_and_never_overlap_between_workers(kit: Kit) -> None:
    second = kit.another()
    firsts = [store.numbers("record", 10) for store in (kit.store, second, kit.store)]
    assert firsts == [1, 11, 21]
    assert second.numbers("change", 1) == 1


def test_numbers_survive_the_process(kit: Kit) -> None:
    kit.store.numbers("tick", 5)
    kit.store.close()
    assert kit.another().numbers("tick", 1) == 6


@pytest.mark.parametrize(("name", "count"), [("no-such", 1), ("record", 0), ("record", -3)])
def test_numbers_that_cannot_be_reserved_are_refused(kit: Kit, name: str, count: int) -> None:
    with pytest.raises(StateError, match="cannot be reserved"):
        kit.store.numbers(name, count)
    assert kit.store.numbers("record", 1) == 1


def test_the_lease_of_a_dead_holder_is_taken_over_at_once(kit: Kit) -> None:
    other = kit.another()
    with pytest.raises(LeaseHeldError):
        other.acquire(kit.map, "second", 60, lambda holder: holder != kit.lease.holder)
    taken = other.acquire(kit.map, "second", 60, lambda holder: holder == kit.lease.holder)
    assert taken.fencing == kit.lease.fencing + 1
    with pytest.raises(LeaseHeldError):
        kit.store.commit(kit.lease, Work(1, 1.0, inserted=[kit.record(1)]))
