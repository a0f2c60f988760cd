"""Columns of commerce joined into one of Dataverse and parted again, through the whole engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connector.mapping.values import Side
from connector.store.record import State

if TYPE_CHECKING:
    from tests.integration.engine.conftest import Bench, MakeBench

C, D = Side.COMMERCE, Side.DATAVERSE
TEXT = """\
map: card
commerce: {entity: Cards}
dataverse: {entity: cards}
conflict: %s
fields:
  - {commerce: Number, sync: "=", dataverse: number, key: true}
  - {join: {columns: [Name, Note, Level], by: "-"}, sync: "%s", dataverse: name}
  - {commerce: Currency, sync: "=", dataverse: note}
"""


def text(sync: str = "><", conflict: str = "manual") -> str:
    return TEXT % (conflict, sync)


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    """One card of each side."""
    bench = make_bench(text())
    bench.new(C, "C1", "Ada")
    bench.edit(C, "C1", Note="King", Level=7)
    bench.new(D, "D1", "Grace-Hopper")
    bench.load()
    return bench


def parts(bench: Bench, key: str) -> tuple[object, ...]:
    card = bench.card(C, key)
    return tuple(card.get(name) for name in ("Name", "Note", "Level"))


def test_it_is_joined_one_way_and_parted_the_other(bench: Bench) -> None:
    assert bench.card(D, "C1")["name"] == "Ada-King-7"
    assert parts(bench, "D1") == ("Grace", "Hopper", None)
    bench.assert_settled()


def test_an_edit_of_any_part_or_of_the_whole_comes_across(bench: Bench) -> None:
    bench.edit(C, "C1", Note=None)
    bench.edit(D, "D1", name="Grace--85")
    bench.sync()
    assert bench.card(D, "C1")["name"] == "Ada--7"
    assert parts(bench, "D1") == ("Grace", None, 85)
    bench.assert_settled()
    bench.edit(D, "C1", name=None)
    bench.edit(C, "D1", Name=None, Level=None)
    bench.sync()
    assert parts(bench, "C1") == (None, None, None)
    assert bench.card(D, "D1")["name"] is None
    bench.assert_settled()


def test_only_the_parts_that_changed_are_written(bench: Bench) -> None:
    bench.edit(D, "C1", name="Ada-Lovelace-7")
    bench.sync()
    written = bench.commerce.written[-1]
    assert written.values == {"Note": "Lovelace"}  # type: ignore[union-attr]


def test_edits_of_both_sides_are_one_conflict_of_the_whole(bench: Bench) -> None:
    """Merged apart they would make a name nobody wrote."""
    bench.edit(C, "C1", Name="Augusta")
    bench.edit(D, "C1", name="Ada-Lovelace-7")
    bench.sync()
    record = bench.record("C1")
    assert record.state is State.CONFLICT
    assert bench.card(D, "C1")["name"] == "Ada-Lovelace-7"
    assert parts(bench, "C1") == ("Augusta", "King", 7)
    (conflict,) = bench.open().open_conflicts("card", 0, 10)
    assert conflict.conflict.seen[C] == {"Name": "Augusta", "Note": "King", "Level": 7}
    assert conflict.conflict.seen[D] == {"name": "Ada-Lovelace-7"}


@pytest.mark.parametrize("winner", [C, D])
def test_the_winner_of_a_conflict_wins_whole(make_bench: MakeBench, winner: Side) -> None:
    bench = make_bench(text(conflict=winner.value))
    bench.new(C, "C1", "Ada")
    bench.edit(C, "C1", Note="King")
    bench.load()
    bench.edit(C, "C1", Name="Augusta")
    bench.edit(D, "C1", name="Ada-Lovelace")
    bench.sync()
    wanted = ("Augusta", "King", None) if winner is C else ("Ada", "Lovelace", None)
    assert parts(bench, "C1") == wanted
    assert bench.card(D, "C1")["name"] == "-".join(str(part) for part in wanted if part)
    bench.assert_settled()


def test_the_same_edit_on_both_sides_is_agreement(bench: Bench) -> None:
    bench.edit(C, "C1", Note="Lovelace")
    bench.edit(D, "C1", name="Ada-Lovelace-7")
    before = bench.writes()
    bench.sync()
    assert bench.writes() == before
    bench.assert_settled()


def test_a_part_that_holds_the_separator_sets_its_record_aside(bench: Bench) -> None:
    bench.edit(C, "C1", Name="Ada-Maria", Currency="EUR")
    bench.edit(C, "D1", Level=9)
    bench.sync()
    record = bench.record("C1")
    assert record.state is State.PARKED
    assert record.problem is not None
    assert record.problem.code == "join-ambiguous"
    assert "'Ada-Maria'" in record.problem.message
    assert bench.card(D, "C1")["name"] == "Ada-King-7"
    assert bench.card(D, "D1")["name"] == "Grace-Hopper-9"
    bench.edit(C, "C1", Name="Augusta")
    bench.sync()
    assert bench.card(D, "C1")["name"] == "Augusta-King-7"
    bench.assert_settled()


@pytest.mark.parametrize(
    ("whole", "code"), [("a-b-1-c", "join-ambiguous"), ("a-b-c", "number-malformed")]
)
def test_a_whole_that_does_not_come_apart_sets_its_record_aside(
    bench: Bench, whole: str, code: str
) -> None:
    bench.edit(D, "C1", name=whole)
    bench.new(D, "D2", whole)
    bench.sync()
    for key in ("C1", "D2"):
        record = bench.record(key)
        assert record.state is State.PARKED
        assert record.problem is not None
        assert record.problem.code == code
    assert parts(bench, "C1") == ("Ada", "King", 7)
    bench.edit(D, "C1", name="a-b-1")
    bench.edit(D, "D2", name="a")
    bench.sync()
    assert parts(bench, "C1") == ("a", "b", 1)
    assert parts(bench, "D2") == ("a", None, None)
    bench.assert_settled()


@pytest.mark.parametrize("master", [C, D])
def test_at_first_contact_the_master_gives_the_whole(make_bench: MakeBench, master: Side) -> None:
    bench = make_bench(text())
    bench.new(C, "C1", "Ada")
    bench.edit(C, "C1", Note="King")
    bench.new(D, "C1", "Ada-Lovelace")
    bench.new(C, "C2", "Grace")
    bench.new(D, "C2", "Grace")
    bench.load(master=master)
    assert parts(bench, "C1") == ("Ada", "King" if master is C else "Lovelace", None)
    assert bench.card(D, "C1")["name"] == ("Ada-King" if master is C else "Ada-Lovelace")
    bench.assert_settled()


def test_from_dataverse_only_it_is_parted(make_bench: MakeBench) -> None:
    bench = make_bench(text("<<"))
    bench.new(C, "C1", "theirs")
    bench.new(D, "C1", "Ada-King-7")
    bench.load()
    assert parts(bench, "C1") == ("Ada", "King", 7)
    bench.edit(C, "C1", Name="drift")
    bench.sync()
    assert bench.card(D, "C1")["name"] == "Ada-King-7"
    assert bench.verify().drift == 1
    bench.edit(D, "C1", name="Ada-Lovelace-7")
    bench.sync()
    assert parts(bench, "C1") == ("Ada", "Lovelace", 7)
    bench.assert_settled()
