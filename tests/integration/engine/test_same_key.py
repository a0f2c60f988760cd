"""Two rows and one key: made on both sides, made anew after a delete, swapped, or in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connector.endpoints.base import Create
from connector.engine.decisions.renames import Way, resolve_renamed
from connector.engine.decisions.undecided import Undecided
from connector.engine.runs.run import MapRun
from connector.mapping.values import Side
from connector.store.record import State
from connector.store.work import ChangeKind
from tests.integration.engine.conftest import map_text

if TYPE_CHECKING:
    from tests.integration.engine.conftest import Bench, MakeBench

C, D = Side.COMMERCE, Side.DATAVERSE


def put(bench: Bench, side: Side, id: str, key: str, name: str) -> None:
    """Somebody makes a card under an id."""
    if side is C:
        bench.commerce.put("Cards", id, Number=key, Name=name, Active="Yes")
    else:
        bench.dataverse.put("cards", id, number=key, name=name, active=True)


def name_of(bench: Bench, side: Side, key: str) -> object:
    return bench.card(side, key)["Name" if side is C else "name"]


def code_of(bench: Bench, key: str) -> str | None:
    problem = bench.record(key).problem
    return problem.code if problem is not None else None


# ------------------------------------------------------------------ made on both sides


def test_a_card_made_on_both_sides_meets_itself(loaded: Bench) -> None:
    put(loaded, C, "c", "N1", "ours")
    put(loaded, D, "d", "n1 ", "theirs")
    loaded.sync()
    assert len(loaded.records()["n1"]) == 1
    assert name_of(loaded, D, "n1") == "ours", "the master wins"
    lost = [row.before for row in loaded.history("N1") if row.kind is ChangeKind.LOST]
    assert lost == [{"name": "theirs"}]
    assert not any(isinstance(one, Create) for one in loaded.dataverse.written[5:])
    loaded.assert_settled()


@pytest.mark.parametrize("side", [C, D])
def test_a_card_made_on_the_other_side_while_ours_is_under_way(loaded: Bench, side: Side) -> None:
    target = loaded.dataverse if side is D else loaded.commerce
    put(loaded, side.other, "one", "N1", "ours")
    made: list[bool] = []

    def race() -> None:
        if not made:
            made.append(True)
            put(loaded, side, "other", "N1", "theirs")

    target.before_write = race
    loaded.sync()
    loaded.sync()
    assert len(loaded.records()["n1"]) == 1
    master = "ours" if side is D else "theirs"
    assert name_of(loaded, C, "N1") == name_of(loaded, D, "N1") == master
    loaded.assert_settled()


# ------------------------------------------------------------------ deleted and made anew


@pytest.mark.parametrize("policy", ["propagate", "restore", "deactivate", "ignore"])
@pytest.mark.parametrize("same_id", [True, False])
@pytest.mark.parametrize("side", [C, D])
def test_deleted_and_made_anew_within_one_page(
    make_bench: MakeBench, side: Side, same_id: bool, policy: str
) -> None:
    """No delete travels: the card is there, under whatever id."""
    bench = make_bench(map_text(deletes=f"{{commerce: {policy}, dataverse: {policy}}}"), page=50)
    bench.new(C, "C1", "old")
    bench.load()
    endpoint, entity = (bench.commerce, "Cards") if side is C else (bench.dataverse, "cards")
    id = endpoint.id_of(entity, "C1")
    before = bench.writes()
    bench.delete(side, "C1")
    put(bench, side, id if same_id else "anew", "C1", "new")
    bench.sync()
    assert name_of(bench, side.other, "C1") == "new"
    assert name_of(bench, side, "C1") == "new"
    assert bench.writes() == before + 1
    bench.assert_settled()


def test_deleted_and_made_anew_against_an_edit_is_a_first_contact_no_conflict_is_lost(
    loaded: Bench,
) -> None:
    loaded.delete(D, "C1")
    put(loaded, D, "anew", "C1", "theirs")
    loaded.edit(C, "C1", Name="ours")
    loaded.sync()
    record = loaded.record("C1")
    values = {name_of(loaded, C, "C1"), name_of(loaded, D, "C1")}
    assert record.state is State.CONFLICT
    assert values == {"ours", "theirs"}, "both edits stand until a person decides"


def test_moved_from_one_card_to_another_within_one_page(loaded: Bench) -> None:
    """C1 is deleted and C2 takes its number: a rename, whatever became of the number before."""
    loaded.delete(C, "C1")
    loaded.edit(C, "C2", Number="C1")
    loaded.sync()
    assert code_of(loaded, "C2") == "key-changed"
    loaded.commerce.change("Cards", "c-C2", {"Number": "C2"})
    loaded.sync()
    assert code_of(loaded, "C2") is None
    loaded.assert_settled()


# ------------------------------------------------------------------ swapped


@pytest.mark.parametrize("side", [C, D])
def test_two_numbers_swapped_in_one_page_are_one_case(loaded: Bench, side: Side) -> None:
    endpoint, entity = (loaded.commerce, "Cards") if side is C else (loaded.dataverse, "cards")
    column = "Number" if side is C else "number"
    one, two = endpoint.id_of(entity, "C1"), endpoint.id_of(entity, "C2")
    before = loaded.writes()
    endpoint.change(entity, one, {column: "C2"})
    endpoint.change(entity, two, {column: "C1"})
    loaded.edit(C, "C3", Name="goes on")
    loaded.sync()
    assert (code_of(loaded, "C1"), code_of(loaded, "C2")) == ("key-changed", "key-changed")
    assert loaded.writes() == before + 1
    assert name_of(loaded, D, "C3") == "goes on"
    assert loaded.verify().differences == 0
    endpoint.change(entity, one, {column: "C1"})
    endpoint.change(entity, two, {column: "C2"})
    loaded.sync()
    assert (code_of(loaded, "C1"), code_of(loaded, "C2")) == (None, None)
    loaded.assert_settled()


# ------------------------------------------------------------------ in the way


@pytest.mark.parametrize("side", [C, D])
def test_a_create_whose_key_another_record_holds_is_parked_at_once(
    loaded: Bench, side: Side
) -> None:
    endpoint, entity = (loaded.commerce, "Cards") if side is C else (loaded.dataverse, "cards")
    renamed = endpoint.id_of(entity, "C1")
    endpoint.change(entity, renamed, {"Number" if side is C else "number": "N1"})
    loaded.sync()
    put(loaded, side.other, "new", "N1", "new")
    loaded.sync()
    record = loaded.record("N1")
    assert record.problem is not None
    assert record.problem.code == "row-in-the-way"
    assert renamed in record.problem.message
    assert str(loaded.record("C1").number) in record.problem.message
    assert record.attempts <= 1
    before = loaded.writes()
    loaded.edit(side.other, "N1", **{"Level" if side is D else "level": 3})
    loaded.sync()
    assert code_of(loaded, "N1") == "row-in-the-way"
    assert loaded.writes() == before


@pytest.fixture(params=list(Side))
def in_the_way(request: pytest.FixtureRequest, loaded: Bench) -> tuple[Bench, Side]:
    """N1 is new on one side, but on this one C1 was given that number."""
    side: Side = request.param
    renumber(loaded, side, "C1", "N1")
    put(loaded, side.other, "new", "N1", "new")
    loaded.sync()
    assert (code_of(loaded, "C1"), code_of(loaded, "N1")) == ("key-changed", "row-in-the-way")
    return loaded, side


def renumber(bench: Bench, side: Side, old: str, new: str) -> None:
    """Somebody changes the number of a card."""
    bench.edit(side, old, **{"Number" if side is C else "number": new})


@pytest.mark.parametrize("how", ["put back", "renamed", "deleted", "old-key"])
def test_a_record_travels_when_the_row_in_its_way_leaves(
    in_the_way: tuple[Bench, Side], how: str
) -> None:
    bench, side = in_the_way
    if how == "deleted":
        bench.delete(side, "N1")
    elif how == "old-key":
        changed = bench.record("C1")

        refused: list[Undecided] = []

        def resolve(run: MapRun) -> int:
            return resolve_renamed(run, [changed], Way.OLD_KEY, "anna", refused.append)

        assert (bench.run(resolve, "resolve"), refused) == (1, [])
    else:
        renumber(bench, side, "N1", "C1" if how == "put back" else "C9")
    bench.sync()
    assert code_of(bench, "N1") is None
    assert name_of(bench, side, "N1") == "new"
    if how != "renamed":
        bench.assert_settled()


def test_a_row_that_was_in_the_way_only_between_two_pages(loaded: Bench) -> None:
    """The feed never tells of its new number: that it was in the way was read."""
    put(loaded, C, "new", "N1", "new")
    renumber(loaded, D, "C1", "N1")
    renamed = loaded.dataverse.id_of("cards", "N1")
    loaded.dataverse.hidden = lambda id: id == renamed
    loaded.sync()
    loaded.dataverse.hidden = lambda _id: False
    assert (code_of(loaded, "C1"), code_of(loaded, "N1")) == ("key-changed", "row-in-the-way")
    renumber(loaded, D, "N1", "C1")
    loaded.sync()
    assert name_of(loaded, D, "N1") == "new"
    loaded.assert_settled()


def test_a_row_in_the_way_that_leaves_while_a_newcomer_stands_on_its_old_key(
    loaded: Bench,
) -> None:
    """C1 took the key of a card that is to be created, and somebody made another C1."""
    loaded.edit(D, "C1", number="late")
    loaded.new(C, "late")
    loaded.sync()
    assert code_of(loaded, "late") == "row-in-the-way"
    put(loaded, D, "newcomer", "C1", "newcomer")
    loaded.sync()
    assert {r.problem and r.problem.code for r in loaded.records()["c1"]} == {"duplicate-key"}
    loaded.edit(D, "late", number="elsewhere")
    loaded.sync()
    assert code_of(loaded, "late") is None
    assert name_of(loaded, D, "late") == name_of(loaded, C, "late")
