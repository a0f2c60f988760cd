"""Lookups over two steps: a bank is found by the code of the currency it keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connector.mapping.values import Side
from connector.store.record import State
from tests.integration.engine.conftest import map_text

if TYPE_CHECKING:
    from tests.integration.engine.conftest import Bench, MakeBench

C, D = Side.COMMERCE, Side.DATAVERSE
ROW = '  - {commerce: BankCurrency, sync: "=", dataverse: bank.currency.code}\n'


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    """One bank, which keeps euros."""
    bench = make_bench(map_text() + ROW)
    bench.dataverse.put("currencies", "id-eur", code="EUR")
    bench.dataverse.put("banks", "id-bank", name="First", currency="id-eur")
    bench.new(C, "C1")
    bench.edit(C, "C1", BankCurrency="eur")
    return bench


def test_they_travel_both_ways_and_settle(bench: Bench) -> None:
    bench.new(D, "D1")
    bench.edit(D, "D1", bank="id-bank")
    bench.load()
    assert bench.card(D, "C1")["bank"] == "id-bank"
    assert bench.card(C, "D1")["BankCurrency"] == "EUR"
    bench.assert_settled()
    assert bench.verify().equal


def test_many_records_ask_once_for_each_step(bench: Bench) -> None:
    for n in range(2, 9):
        bench.new(C, f"C{n}")
        bench.edit(C, f"C{n}", BankCurrency="EUR")
    asked = bench.dataverse.calls["read"]
    bench.load()
    assert bench.dataverse.calls["read"] - asked == 2
    assert {bench.card(D, f"C{n}")["bank"] for n in range(1, 9)} == {"id-bank"}


@pytest.mark.parametrize("first", ["currency", "bank"])
def test_they_wait_until_both_rows_are_there(bench: Bench, first: str) -> None:
    bench.edit(C, "C1", BankCurrency="USD")
    bench.load()
    assert bench.record("C1").state is State.WAITING
    steps = {
        "currency": lambda: bench.dataverse.put("currencies", "id-usd", code="USD"),
        "bank": lambda: bench.dataverse.put("banks", "id-new", name="New", currency="id-usd"),
    }
    steps.pop(first)()
    bench.sync()
    assert bench.record("C1").state is State.WAITING
    assert bench.card(D, "C1")["bank"] is None
    steps.popitem()[1]()
    bench.sync()
    assert bench.card(D, "C1")["bank"] == "id-new"
    assert bench.record("C1").state is State.SETTLED
    bench.assert_settled()


def test_on_the_way_back_they_wait_for_the_row_at_the_end(bench: Bench) -> None:
    bench.load()
    bench.dataverse.put("banks", "id-new", name="New", currency="id-usd")
    bench.edit(D, "C1", bank="id-new")
    bench.sync()
    assert bench.record("C1").state is State.WAITING
    bench.dataverse.put("currencies", "id-usd", code="USD")
    bench.sync()
    assert bench.card(C, "C1")["BankCurrency"] == "USD"
    bench.assert_settled()


def test_two_rows_in_between_find_none(bench: Bench) -> None:
    bench.dataverse.put("banks", "id-second", name="Second", currency="id-eur")
    bench.load()
    record = bench.record("C1")
    assert record.state is State.PARKED
    assert record.problem is not None
    assert record.problem.code == "reference-ambiguous"
