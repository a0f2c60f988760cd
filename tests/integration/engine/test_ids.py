"""Sides whose ids we do not choose: those whose rows are identified by their key, and those that
allot ids."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from connector.endpoints.base import Create, Delete, Operation
from connector.engine.decisions.renames import Way, resolve_renamed
from connector.engine.ports import Guard
from connector.engine.runs.run import MapRun
from connector.errors import MapStoppedError
from connector.mapping.values import Side
from connector.store.work import ChangeKind
from tests.integration.engine.conftest import map_text

if TYPE_CHECKING:
    from tests.integration.engine.conftest import Bench, MakeBench
    from tests.integration.engine.scripted import Fault

C, D = Side.COMMERCE, Side.DATAVERSE


def keyed(make_bench: MakeBench, text: str = "") -> Bench:
    """A bench whose commerce side knows a row by its key and names nobody who changed it."""
    bench = make_bench(text or map_text())
    bench.commerce.ids, bench.commerce.names_modifiers = "key", False
    return bench


def allotting(make_bench: MakeBench, text: str = "") -> Bench:
    """A bench whose commerce side gives each row an id of its own choice."""
    bench = make_bench(text or map_text())
    bench.commerce.ids, bench.commerce.names_modifiers = "allotted", False
    return bench


# ------------------------------------------------------------------ the id of a create


def test_a_key_is_the_id_before_the_create_leaves(make_bench: MakeBench) -> None:
    bench = keyed(make_bench)
    bench.dataverse.put("cards", "d", number="N1", name="theirs", active=True)
    bench.load()
    (create,) = bench.commerce.written
    assert isinstance(create, Create)
    assert create.id == "Number='N1'"
    assert bench.record("N1").commerce.id == "Number='N1'"
    bench.assert_settled()


@pytest.mark.parametrize("shown", [True, False])
def test_an_allotted_id_is_kept_in_the_record_and_in_the_audit(
    make_bench: MakeBench, shown: bool
) -> None:
    bench = allotting(make_bench)
    bench.commerce.sees_creates = shown
    bench.dataverse.put("cards", "d", number="N1", name="theirs", active=True)
    bench.load()
    (id,) = bench.commerce.rows["Cards"]
    assert bench.record("N1").commerce.id == id
    told = [row.target for row in bench.history("N1") if row.kind is ChangeKind.CREATE]
    assert told == [id]
    bench.assert_settled()


# ------------------------------------------------------------------ a create whose reply was lost


def lose_reply(bench: Bench) -> None:
    """The next create in commerce happens, and nobody hears of it."""
    faults: list[Fault] = ["lost-after"]
    bench.commerce.fault = lambda one: faults.pop() if isinstance(one, Create) and faults else None


@pytest.mark.parametrize("make", [keyed, allotting])
def test_a_create_without_a_reply_is_found_by_what_it_carried(
    make_bench: MakeBench, make: Callable[..., Bench]
) -> None:
    bench = make(make_bench)
    bench.new(D, "N1", "theirs")
    lose_reply(bench)
    bench.load()
    assert len(bench.commerce.rows["Cards"]) == 1
    assert len(bench.commerce.written) == 1
    assert not [row for row in bench.history("N1") if row.kind is ChangeKind.LOST]
    bench.assert_settled()


@pytest.mark.parametrize("make", [keyed, allotting])
def test_an_edit_of_the_source_meanwhile_travels_over_our_own_write(
    make_bench: MakeBench, make: Callable[..., Bench]
) -> None:
    """What the lost create left in commerce is ours, and no edit that could stand against it."""
    bench = make(make_bench)
    bench.new(C, "C1")
    bench.load()
    bench.new(D, "N1", "old")
    lose_reply(bench)
    bench.limits = replace(bench.limits, rounds=1)
    bench.sync()
    bench.edit(D, "N1", name="new")
    bench.limits = replace(bench.limits, rounds=20)
    bench.sync()
    assert bench.card(C, "N1")["Name"] == "new"
    bench.assert_settled()


def test_a_row_somebody_made_under_the_key_is_a_first_contact(make_bench: MakeBench) -> None:
    """Its id is the one our create had: it proves nothing."""
    bench = keyed(make_bench)
    bench.new(D, "N1", "ours")
    faults: list[Fault] = ["lost-before"]

    def fault(one: Operation) -> Fault | None:
        if isinstance(one, Create) and faults:
            bench.commerce.put("Cards", one.id, Number="N1", Name="theirs", Level=7)
            return faults.pop()
        return None

    bench.commerce.fault = fault
    bench.load()
    assert bench.card(C, "N1")["Name"] == bench.card(D, "N1")["name"] == "theirs"
    assert bench.card(D, "N1")["level"] == 7
    lost = [row.before for row in bench.history("N1") if row.kind is ChangeKind.LOST]
    assert lost == [{"name": "ours"}], "the master won, and the other value is on record"
    bench.assert_settled()


def test_a_row_in_the_way_of_a_create_is_a_first_contact(make_bench: MakeBench) -> None:
    bench = keyed(make_bench)
    bench.new(D, "N1", "ours")

    def somebody() -> None:
        bench.commerce.before_write = lambda: None
        bench.new(C, "N1", "theirs")

    bench.commerce.before_write = somebody
    bench.load()
    assert len(bench.commerce.rows["Cards"]) == 1
    assert bench.card(D, "N1")["name"] == "theirs"
    lost = [row.before for row in bench.history("N1") if row.kind is ChangeKind.LOST]
    assert lost == [{"name": "ours"}]
    bench.assert_settled()


# ------------------------------------------------------------------ rows known by their key


@pytest.fixture
def known_by_key(make_bench: MakeBench) -> Bench:
    """Three cards on both sides; a delete in commerce propagates."""
    bench = keyed(make_bench, map_text(deletes="{commerce: propagate, dataverse: propagate}"))
    for number in ("N1", "N2", "N3"):
        bench.new(C, number)
    bench.load()
    return bench


def test_a_changed_key_is_a_delete_and_a_new_card(known_by_key: Bench) -> None:
    bench = known_by_key
    old, number = bench.dataverse.id_of("cards", "N1"), bench.record("N1").number
    bench.delete(C, "N1")
    bench.new(C, "N9", "renamed")
    bench.sync()
    assert old not in bench.dataverse.rows["cards"]
    assert bench.card(D, "N9")["name"] == "renamed"
    (gone,) = [r for r in bench.open().history(number) if r.kind is ChangeKind.SEEN]
    assert gone.detail == "deleted"
    assert (gone.before or {})["Name"] == "N1", "what the old card held is on record"
    bench.assert_settled()


def test_changed_keys_count_for_the_delete_guard(known_by_key: Bench) -> None:
    bench = known_by_key
    bench.guard = Guard(rows=1)
    for number in ("N1", "N2"):
        bench.delete(C, number)
        bench.new(C, f"{number}-new")
    with pytest.raises(MapStoppedError):
        bench.sync()
    assert len(bench.dataverse.rows["cards"]) >= 3


def test_a_card_made_again_under_its_key_is_not_written_by_an_old_plan(known_by_key: Bench) -> None:
    """The update was planned from the row that is gone: its version refuses it."""
    bench = known_by_key
    bench.edit(D, "N1", name="edited")

    def again() -> None:
        bench.commerce.before_write = lambda: None
        bench.delete(C, "N1")
        bench.new(C, "N1", "another card")

    bench.commerce.before_write = again
    bench.sync()
    names = {bench.card(C, "N1")["Name"], bench.card(D, "N1")["name"]}
    told = {
        str(v)
        for r in bench.history("N1")
        for v in {**(r.before or {}), **(r.after or {})}.values()
    }
    assert {"edited", "another card"} <= names | told
    assert bench.record("N1").conflicts or len(names) == 1


def test_a_card_made_again_after_our_delete_is_a_new_card(known_by_key: Bench) -> None:
    bench = known_by_key
    bench.delete(D, "N1")
    bench.sync()
    assert "n1" not in bench.commerce.by_key("Cards")
    bench.new(C, "N1", "another card")
    bench.sync()
    assert bench.card(D, "N1")["name"] == "another card"
    bench.assert_settled()


def test_a_card_made_again_after_a_delete_without_a_reply_is_a_new_card(
    known_by_key: Bench,
) -> None:
    bench = known_by_key
    bench.delete(D, "N1")
    faults: list[Fault] = ["lost-after"]
    bench.commerce.fault = lambda one: faults.pop() if isinstance(one, Delete) and faults else None
    bench.limits = replace(bench.limits, rounds=1)
    bench.sync()
    bench.commerce.rows["Cards"].pop("Number='N1'", None)
    bench.new(C, "N1", "another card")
    bench.limits = replace(bench.limits, rounds=20)
    bench.sync()
    assert bench.card(C, "N1")["Name"] == "another card"
    assert bench.card(D, "N1")["name"] == "another card"
    bench.assert_settled()


def test_a_card_renamed_on_both_sides_is_paired_again_by_one_decision(known_by_key: Bench) -> None:
    """The row here stayed, the one there is another: a person knows that it is one card."""
    bench = known_by_key
    row = bench.dataverse.id_of("cards", "N1")
    bench.edit(D, "N1", number="N9")
    bench.delete(C, "N1")
    bench.new(C, "N9", "N1")
    bench.sync()
    renamed = bench.record("N1")
    assert renamed.problem is not None
    assert renamed.problem.code == "key-changed"

    def resolve(run: MapRun) -> int:
        return resolve_renamed(run, [renamed], Way.NEW_CARD, "anna", lambda _undecided: None)

    assert bench.run(resolve, "resolve") == 1
    bench.sync()
    assert bench.dataverse.id_of("cards", "N9") == row, "its row was never deleted"
    assert bench.record("N9").dataverse.id == row
    bench.assert_settled()
