"""Lookups by several columns: a bank is found by its name and by the code of its currency."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connector.endpoints.base import Update
from connector.mapping.values import Side
from connector.store.record import State

if TYPE_CHECKING:
    from tests.integration.engine.conftest import Bench, MakeBench

C, D = Side.COMMERCE, Side.DATAVERSE
HEAD = """\
map: card
commerce: {entity: Cards}
dataverse: {entity: cards}
fields:
  - {commerce: Number, sync: "=", dataverse: number, key: true}
  - {commerce: Name, sync: "=", dataverse: name}
"""
BOTH = HEAD + (
    '  - {lookup: {currency.code: BankCurrency, name: Note}, sync: "=", dataverse: bank}\n'
)
WITHIN = (
    HEAD
    + """\
  - {commerce: Currency, sync: "=", dataverse: currency.code, together: bank}
  - {lookup: {name: Note, currency.code: Currency}, sync: "=", dataverse: bank, together: bank}
"""
)


def banks(bench: Bench) -> None:
    """Two banks of one name, which keep different currencies, and one of another name."""
    bench.dataverse.put("currencies", "id-eur", code="EUR")
    bench.dataverse.put("currencies", "id-usd", code="USD")
    bench.dataverse.put("banks", "first-eur", name="First", currency="id-eur")
    bench.dataverse.put("banks", "first-usd", name="First", currency="id-usd")
    bench.dataverse.put("banks", "second-eur", name="Second", currency="id-eur")


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    """Both columns travel with the lookup."""
    bench = make_bench(BOTH, page=20)
    banks(bench)
    bench.new(C, "C1")
    bench.edit(C, "C1", Note="first", BankCurrency="usd")
    return bench


def keys(bench: Bench, key: str) -> tuple[object, ...]:
    card = bench.card(C, key)
    return card.get("Note"), card.get("BankCurrency")


def test_they_travel_both_ways_and_settle(bench: Bench) -> None:
    bench.new(D, "D1")
    bench.edit(D, "D1", bank="second-eur")
    bench.new(D, "D2")
    bench.load()
    assert bench.card(D, "C1")["bank"] == "first-usd"
    assert keys(bench, "C1") == ("first", "usd")
    assert keys(bench, "D1") == ("Second", "EUR")
    assert keys(bench, "D2") == (None, None)
    bench.assert_settled()
    bench.edit(C, "C1", BankCurrency="EUR")
    bench.edit(D, "D1", bank="first-usd")
    bench.sync()
    assert bench.card(D, "C1")["bank"] == "first-eur"
    assert keys(bench, "D1") == ("First", "USD")
    bench.assert_settled()


def test_only_what_differs_is_written_back(bench: Bench) -> None:
    bench.load()
    bench.edit(D, "C1", bank="first-eur")
    bench.sync()
    written = bench.commerce.written[-1]
    assert isinstance(written, Update)
    assert written.values == {"BankCurrency": "EUR"}
    bench.assert_settled()


def test_many_records_ask_once_for_each_table(bench: Bench) -> None:
    for n in range(2, 12):
        bench.new(C, f"C{n}")
        bench.edit(C, f"C{n}", Note="FIRST" if n % 2 else "Second", BankCurrency="EUR")
    asked = bench.dataverse.calls["read"]
    bench.load()
    assert bench.dataverse.calls["read"] - asked == 2
    held = {bench.card(D, f"C{n}")["bank"] for n in range(2, 12)}
    assert held == {"first-eur", "second-eur"}


def test_they_wait_for_the_row_with_all_of_it(bench: Bench) -> None:
    bench.edit(C, "C1", Note="Second", Name="known")
    bench.load()
    record = bench.record("C1")
    assert record.state is State.WAITING
    assert bench.card(D, "C1")["name"] == "known"
    assert bench.card(D, "C1")["bank"] is None
    (wait,) = bench.open().waits("card")
    assert (wait.entity, wait.column, wait.value) == ("banks", "name + currency", "Second / usd")
    bench.dataverse.put("banks", "third", name="Third", currency="id-usd")
    bench.sync()
    assert bench.record("C1").state is State.WAITING
    bench.dataverse.put("banks", "second-usd", name="Second", currency="id-usd")
    bench.sync()
    assert bench.card(D, "C1")["bank"] == "second-usd"
    bench.assert_settled()


def test_they_wait_where_what_the_row_belongs_to_comes_later(bench: Bench) -> None:
    bench.edit(C, "C1", BankCurrency="SEK")
    bench.load()
    bench.dataverse.put("currencies", "id-sek", code="SEK")
    bench.sync()
    assert bench.record("C1").state is State.WAITING
    bench.dataverse.put("banks", "first-sek", name="First", currency="id-sek")
    bench.sync()
    assert bench.card(D, "C1")["bank"] == "first-sek"
    bench.assert_settled()


def test_two_rows_with_all_of_it_find_none(bench: Bench) -> None:
    bench.dataverse.put("banks", "other", name="FIRST", currency="id-usd")
    bench.load()
    record = bench.record("C1")
    assert record.state is State.PARKED
    assert record.problem is not None
    assert record.problem.code == "reference-ambiguous"
    assert "name + currency 'first / usd'" in record.problem.message


@pytest.mark.parametrize(
    ("values", "bank", "code"),
    [
        ({"Note": None, "BankCurrency": None}, None, None),
        ({"Note": None}, None, "lookup-incomplete"),
        ({"Note": "Plain", "BankCurrency": None}, "plain", None),
    ],
)
def test_an_empty_column_finds_a_row_that_has_it_empty(
    bench: Bench, values: dict[str, str | None], bank: str | None, code: str | None
) -> None:
    bench.dataverse.put("banks", "plain", name="Plain", currency=None)
    bench.edit(C, "C1", **values)
    bench.load()
    problem = bench.record("C1").problem
    assert (problem.code if problem else None) == code
    if code is None:
        assert bench.card(D, "C1")["bank"] == bank
        bench.assert_settled()


def test_edits_of_both_sides_are_one_conflict(bench: Bench) -> None:
    bench.load()
    bench.edit(C, "C1", Note="Second")
    bench.edit(D, "C1", bank="first-eur")
    bench.sync()
    assert bench.record("C1").state is State.CONFLICT
    assert (bench.card(D, "C1")["bank"], keys(bench, "C1")) == ("first-eur", ("Second", "usd"))


def test_over_two_steps_the_row_in_between_is_found_by_several(make_bench: MakeBench) -> None:
    """The row whose `bank` is the bank of this name and currency."""
    bench = make_bench(
        HEAD + '  - {lookup: {name: Note, currency.code: BankCurrency}, sync: "=", '
        "dataverse: branch.bank}\n"
    )
    banks(bench)
    bench.dataverse.put("branches", "id-branch", bank="first-usd")
    bench.new(C, "C1")
    bench.edit(C, "C1", Note="First", BankCurrency="USD")
    bench.load()
    assert bench.card(D, "C1")["branch"] == "id-branch"
    bench.assert_settled()
    bench.dataverse.put("branches", "other-branch", bank="second-eur")
    bench.edit(D, "C1", branch="other-branch")
    bench.sync()
    assert keys(bench, "C1") == ("Second", "EUR")
    bench.assert_settled()


# ---------------------------------------------------------------------------- a context


@pytest.fixture
def within(make_bench: MakeBench) -> Bench:
    """The currency of the card has a row of its own; the bank is looked for within it."""
    bench = make_bench(WITHIN, page=20)
    banks(bench)
    bench.new(C, "C1")
    bench.edit(C, "C1", Note="First", Currency="USD")
    bench.load()
    return bench


def test_within_a_context_the_row_of_that_context_is_found(within: Bench) -> None:
    assert within.card(D, "C1")["bank"] == "first-usd"
    within.new(D, "D1")
    within.edit(D, "D1", currency="id-eur", bank="first-eur")
    within.sync()
    card = within.card(C, "D1")
    assert (card["Note"], card["Currency"]) == ("First", "EUR")
    within.assert_settled()


def test_a_row_of_another_context_is_refused_by_name(within: Bench) -> None:
    """Taken over by its name alone it would be the bank of the same name at home."""
    within.edit(D, "C1", bank="first-eur", name="told")
    within.sync()
    record = within.record("C1")
    assert record.state is State.PARKED
    assert record.problem is not None
    assert record.problem.code == "reference-elsewhere"
    assert "'EUR' for `Currency`, the record itself 'USD'" in record.problem.message
    assert within.card(C, "C1")["Note"] == "First"
    within.edit(D, "C1", currency="id-eur")
    within.sync()
    assert within.card(C, "C1")["Currency"] == "EUR"
    within.assert_settled()


def test_a_context_that_changes_is_looked_for_anew(within: Bench) -> None:
    within.edit(C, "C1", Currency="EUR")
    within.sync()
    card = within.card(D, "C1")
    assert (card["currency"], card["bank"]) == ("id-eur", "first-eur")
    within.assert_settled()
