"""Groups that wait for a row they refer to, and wake when it comes."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from connector.engine.lookups import ask
from connector.errors import UnreachableError
from connector.mapping.values import Side
from connector.store.record import State
from tests.integration.engine.conftest import map_text
from tests.integration.engine.scripted import Killed, Moments

if TYPE_CHECKING:
    from connector.endpoints.base import Found
    from connector.engine.runs.run import MapRun
    from tests.integration.engine.conftest import Bench, MakeBench

C, D = Side.COMMERCE, Side.DATAVERSE


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    """A map with a lookup; the currency EUR is there."""
    bench = make_bench(map_text(lookup=True))
    bench.dataverse.put("currencies", "id-eur", code="EUR")
    bench.new(C, "C1")
    bench.edit(C, "C1", Currency="EUR")
    return bench


def test_lookups_travel_both_ways(bench: Bench) -> None:
    bench.new(D, "D1")
    bench.edit(D, "D1", currency="id-eur")
    bench.load()
    assert bench.card(D, "C1")["currency"] == "id-eur"
    assert bench.card(C, "D1")["Currency"] == "EUR"
    bench.dataverse.put("currencies", "id-usd", code="USD")
    bench.edit(C, "D1", Currency="usd")
    bench.edit(D, "C1", currency="id-usd")
    bench.sync()
    assert bench.card(D, "D1")["currency"] == "id-usd"
    assert bench.card(C, "C1")["Currency"] == "USD"
    bench.assert_settled()


def test_only_the_group_waits_and_each_sync_asks_once(bench: Bench) -> None:
    for n in range(2, 6):
        bench.new(C, f"C{n}")
        bench.edit(C, f"C{n}", Currency="XTS", Level=n)
    bench.load()
    assert bench.card(D, "C2")["level"] == 2
    assert bench.card(D, "C2")["currency"] is None
    assert bench.record("C2").state is State.WAITING
    verdict = bench.verify()
    assert (verdict.equal, verdict.excused) == (True, 4)
    asked = bench.dataverse.calls["read"]
    before = bench.writes()
    bench.sync()
    assert bench.writes() == before
    assert bench.dataverse.calls["read"] == asked + 1


def test_they_wake_when_the_row_arrives(bench: Bench) -> None:
    bench.edit(C, "C1", Currency="XTS")
    bench.new(D, "D1")
    bench.edit(D, "D1", currency="id-xts")
    bench.load()
    assert {bench.record(key).state for key in ("C1", "D1")} == {State.WAITING}
    bench.dataverse.put("currencies", "id-xts", code="XTS")
    bench.sync()
    assert bench.card(D, "C1")["currency"] == "id-xts"
    assert bench.card(C, "D1")["Currency"] == "XTS"
    bench.assert_settled()


def test_the_rest_of_a_waiting_record_goes_on(bench: Bench) -> None:
    bench.load()
    bench.edit(C, "C1", Currency="XTS", Level=3)
    bench.sync()
    assert bench.card(D, "C1")["level"] == 3
    bench.edit(D, "C1", name="edited")
    bench.sync()
    assert bench.card(C, "C1")["Name"] == "edited"
    assert bench.card(C, "C1")["Currency"] == "XTS"
    assert bench.card(D, "C1")["currency"] == "id-eur"
    bench.edit(C, "C1", Currency="EUR")
    bench.sync()
    bench.assert_settled()
    assert bench.record("C1").state is State.SETTLED


def test_first_contact_keeps_its_rule_for_a_group_that_waits(bench: Bench) -> None:
    bench.edit(C, "C1", Currency="XTS", Name="ours")
    bench.new(D, "C1", "theirs")
    bench.edit(D, "C1", currency="id-eur")
    bench.load()
    assert bench.card(D, "C1")["name"] == "ours"
    assert bench.card(D, "C1")["currency"] == "id-eur"
    bench.dataverse.put("currencies", "id-xts", code="XTS")
    bench.sync()
    assert bench.card(D, "C1")["currency"] == "id-xts"
    assert bench.record("C1").state is State.SETTLED
    bench.assert_settled()


@pytest.mark.parametrize("by_id", [True, False])
def test_a_row_that_took_the_place_of_another_while_a_run_went_on(
    bench: Bench, by_id: bool
) -> None:
    """Two rows of one text, but never at the same time: no ambiguity that sets records aside."""

    def replaced(run: MapRun) -> None:
        (lookup,) = run.map.lookups
        ask(lookup, run.endpoint(D), ["EUR"], [])
        assert lookup.id_of("EUR") == "id-eur"
        bench.dataverse.drop("currencies", "id-eur")
        bench.dataverse.put("currencies", "id-new", code="EUR")
        ask(lookup, run.endpoint(D), *(([], ["id-new"]) if by_id else (["eur"], [])))
        assert lookup.id_of("EUR") == "id-new"

    bench.run(replaced, "sync")


def test_a_read_that_ends_half_way_leaves_nothing_half_known(bench: Bench) -> None:
    """A row found by id makes the text be asked for; then the side falls silent."""

    def silent(run: MapRun) -> None:
        (lookup,) = run.map.lookups
        ask(lookup, run.endpoint(D), ["EUR"], [])
        bench.dataverse.drop("currencies", "id-eur")
        bench.dataverse.put("currencies", "id-new", code="EUR")
        read, times = bench.dataverse.read, itertools.count()

        def once(*args: Any, **by: Any) -> Found:
            if next(times):
                raise UnreachableError("unreachable", "fell silent", remedy="wait")
            return read(*args, **by)

        with mock.patch.object(bench.dataverse, "read", once), pytest.raises(UnreachableError):
            ask(lookup, run.endpoint(D), [], ["id-new"])
        assert not lookup.ambiguous("EUR")
        ask(lookup, run.endpoint(D), [], ["id-new"])
        assert lookup.id_of("EUR") == "id-new"

    bench.run(silent, "sync")


def test_rows_of_one_text_are_ambiguous_however_they_are_found(bench: Bench) -> None:
    def found(run: MapRun) -> None:
        (lookup,) = run.map.lookups
        ask(lookup, run.endpoint(D), ["EUR"], [])
        bench.dataverse.put("currencies", "id-new", code="EUR")
        ask(lookup, run.endpoint(D), [], ["id-new"])
        assert lookup.ambiguous("EUR")

    bench.run(found, "sync")


def test_an_edit_taken_back_after_a_lost_reply_is_an_edit_also_of_a_lookup(bench: Bench) -> None:
    """Whoever goes on knows nothing of currencies yet when it reads what our write made."""
    bench.edit(C, "C1", Currency=None)
    bench.load()
    bench.edit(C, "C1", Currency="EUR")
    bench.reopen(Moments(kill_on=["dataverse has written"]))
    with pytest.raises(Killed):
        bench.sync()
    bench.reopen()
    assert bench.card(D, "C1")["currency"] == "id-eur"
    bench.edit(C, "C1", Currency=None)
    bench.sync()
    assert bench.card(D, "C1")["currency"] is None
    bench.assert_settled()
