"""Killed at every effect: joined columns, lookups by several columns, a key over a lookup."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from connector.engine.ports import Guard
from connector.engine.retry import Retry
from connector.mapping.values import Side
from connector.store.record import State
from tests.integration.engine.crashing import CrashBench, crash_everywhere
from tests.integration.engine.restorable import RestorableState

C, D = Side.COMMERCE, Side.DATAVERSE
HEAD = """\
map: card
commerce: {entity: Cards}
dataverse: {entity: cards}
fields:
  - {commerce: Number, sync: "=", dataverse: number, key: true}
"""
JOINED = HEAD + '  - {join: {columns: [Name, Note, Level], by: "-"}, sync: "><", dataverse: name}\n'
SEVERAL = HEAD + '  - {lookup: {name: Note, currency.code: Currency}, sync: "=", dataverse: bank}\n'
COMPANY = (
    HEAD
    + '  - {commerce: Currency, sync: "=", dataverse: currency.code, key: true}\n'
    + '  - {commerce: Name, sync: "=", dataverse: name}\n'
)


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> RestorableState:
    """One file for all scenarios."""
    return RestorableState(tmp_path_factory.mktemp("crash") / "state.db")


MakeBench = Callable[[str], CrashBench]


@pytest.fixture
def bench(state: RestorableState, blank_state: Path) -> Iterator[MakeBench]:
    """Makes the world of a map: two banks of one name, in two currencies."""
    made: list[CrashBench] = []

    def make(text: str) -> CrashBench:
        state.restore(blank_state.read_bytes())
        made.append(CrashBench(state, text))
        made[-1].guard, made[-1].retry = Guard(1000, 1.0), Retry(attempts=12, first=0.0)
        made[-1].commerce.unique = made[-1].dataverse.unique = "currency.code, key" not in text
        for code in ("EUR", "USD"):
            made[-1].dataverse.put("currencies", f"id-{code}", code=code)
            made[-1].dataverse.put("banks", f"bank-{code}", name="First", currency=f"id-{code}")
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_joined_columns_load_and_edits(bench: MakeBench) -> None:
    made = bench(JOINED)
    made.new(C, "C1", "Ada")
    made.edit(C, "C1", Note="King")
    made.new(C, "C2", "Grace")
    made.new(D, "D1", "Mary-Jackson-3")
    assert crash_everywhere(made, partial(CrashBench.load, made)) >= 10
    assert made.card(C, "D1")["Level"] == 3
    made.edit(D, "C1", name="Ada-Lovelace-1")
    made.edit(C, "D1", Level=None)
    made.edit(C, "C2", Note="Hopper")
    assert crash_everywhere(made, partial(CrashBench.sync, made)) >= 10
    assert made.card(C, "C1")["Note"] == "Lovelace"
    assert made.card(D, "C2")["name"] == "Grace-Hopper"


def test_lookups_by_several_columns_that_arrive_later(bench: MakeBench) -> None:
    made = bench(SEVERAL)
    made.new(C, "C1")
    made.edit(C, "C1", Note="First", Currency="USD")
    made.new(C, "C2")
    made.edit(C, "C2", Note="Second", Currency="EUR")
    made.new(D, "D1")
    made.edit(D, "D1", bank="bank-EUR")
    made.load()
    assert made.record("C2").state is State.WAITING
    made.dataverse.put("banks", "second", name="Second", currency="id-EUR")
    made.edit(D, "C1", bank="bank-EUR")
    made.edit(C, "D1", Currency="usd")
    assert crash_everywhere(made, partial(CrashBench.sync, made)) >= 10
    assert made.card(D, "C2")["bank"] == "second"
    assert made.card(C, "C1")["Currency"] == "EUR"
    assert made.card(D, "D1")["bank"] == "bank-USD"


def test_a_key_over_a_lookup(bench: MakeBench) -> None:
    made = bench(COMPANY)
    for n, code in enumerate(("eur", "usd", "sek")):
        made.commerce.put("Cards", f"c{n}", Number=f"C{n}", Currency=code, Name="one")
    made.dataverse.put("cards", "d9", number="D9", currency="id-EUR", name="two")
    assert crash_everywhere(made, partial(CrashBench.load, made), settles=False) >= 10
    assert "c2" not in made.dataverse.by_key("cards"), "its company is not there"
    made.dataverse.put("currencies", "id-SEK", code="SEK")
    made.edit(D, "C0", name="edited")
    made.edit(C, "D9", Name="edited")
    assert crash_everywhere(made, partial(CrashBench.sync, made)) >= 10
    assert made.card(D, "C2")["currency"] == "id-SEK"
    assert made.card(C, "C0")["Name"] == made.card(D, "D9")["name"] == "edited"
