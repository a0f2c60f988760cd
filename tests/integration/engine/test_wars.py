"""Somebody undoes what we write, again and again: it ends, and a person is told by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.endpoints.base import Create
from connector.engine.decisions.again import try_again
from connector.mapping.values import Side
from connector.store.record import State
from connector.store.work import ChangeKind
from tests.integration.engine.conftest import map_text

if TYPE_CHECKING:
    from tests.integration.engine.conftest import Bench, MakeBench

C, D = Side.COMMERCE, Side.DATAVERSE
DAY = 86_400.0


def fight(bench: Bench, rounds: int) -> int:
    """A job in each system sets the name of C1 to what it believes in; how many writes we made."""
    before = bench.writes()
    for _ in range(rounds):
        if bench.card(C, "C1")["Name"] != "x":
            id = bench.commerce.id_of("Cards", "C1")
            bench.commerce.change("Cards", id, {"Name": "x"}, by="commerce job")
        bench.sync()
        if bench.card(D, "C1")["name"] != "y":
            id = bench.dataverse.id_of("cards", "C1")
            bench.dataverse.change("cards", id, {"name": "y"}, by="crm job")
        bench.sync()
    return bench.writes() - before


def retry(bench: Bench, key: str) -> None:
    bench.run(lambda run: try_again(run, [bench.record(key)]), "retry")


def test_two_jobs_that_insist_are_ended(loaded: Bench) -> None:
    assert fight(loaded, 12) <= 8
    record = loaded.record("C1")
    assert record.state is State.PARKED
    assert record.problem is not None
    assert record.problem.code == "unstable"
    assert "'x'" in record.problem.message
    assert "'y'" in record.problem.message
    assert "job" in record.problem.message
    assert fight(loaded, 3) == 0
    assert loaded.verify().excused == 1


def test_the_other_fields_of_the_record_and_the_other_records_go_on(loaded: Bench) -> None:
    fight(loaded, 12)
    loaded.edit(C, "C1", Level=7, Note="n")
    assert loaded.rehearse().counts == {"park": 1, "update dataverse": 1}
    loaded.edit(C, "C2", Name="new")
    loaded.sync()
    assert loaded.card(D, "C1")["level"] == 7
    assert loaded.card(D, "C1")["note"] == "n"
    assert loaded.card(D, "C2")["name"] == "new"
    assert loaded.record("C1").state is State.PARKED


def test_it_stays_parked_for_as_long_as_nobody_decides(loaded: Bench) -> None:
    fight(loaded, 12)
    loaded.ahead += 2 * DAY
    loaded.edit(C, "C1", Level=7)
    loaded.sync()
    assert loaded.record("C1").state is State.PARKED
    assert fight(loaded, 2) == 0


def test_a_persons_decision_lets_it_try_again(loaded: Bench) -> None:
    fight(loaded, 12)
    retry(loaded, "C1")
    assert loaded.record("C1").problem is None
    loaded.assert_settled()
    assert 2 <= fight(loaded, 12) <= 8
    assert loaded.record("C1").state is State.PARKED


def test_a_change_on_the_source_side_ends_it(loaded: Bench) -> None:
    fight(loaded, 12)
    loaded.edit(C, "C1", Name="z")
    loaded.edit(D, "C1", name="z")
    loaded.sync()
    assert loaded.record("C1").problem is None
    loaded.assert_settled()


def test_people_may_change_their_mind_as_often_as_they_like(loaded: Bench) -> None:
    for n in range(12):
        loaded.edit(C, "C1", Name=f"{n % 2}")
        loaded.sync()
        assert loaded.card(D, "C1")["name"] == f"{n % 2}"
    loaded.assert_settled()


def test_a_row_that_is_deleted_as_often_as_it_is_restored(loaded: Bench) -> None:
    for _ in range(8):
        if "c1" in loaded.dataverse.by_key("cards"):
            loaded.delete(D, "C1")
        loaded.sync()
    creates = [row for row in loaded.history("C1") if row.kind is ChangeKind.CREATE]
    assert len(creates) == 1 + 3
    problem = loaded.record("C1").problem
    assert problem is not None
    assert problem.code == "unstable"
    assert "3 times" in problem.message
    retry(loaded, "C1")
    assert "c1" in loaded.dataverse.by_key("cards")
    loaded.assert_settled()


def test_restores_on_many_days_are_no_war(loaded: Bench) -> None:
    for _ in range(6):
        loaded.delete(D, "C1")
        loaded.sync()
        loaded.ahead += DAY / 2
        assert "c1" in loaded.dataverse.by_key("cards")
    assert sum(isinstance(one, Create) for one in loaded.dataverse.written) == 5 + 6


def test_a_mark_that_is_taken_off_as_often_as_it_is_set(make_bench: MakeBench) -> None:
    bench = make_bench(map_text(deletes="{commerce: deactivate, dataverse: restore}"))
    bench.new(C, "C1")
    bench.load()
    bench.delete(C, "C1")
    for _ in range(8):
        bench.sync()
        bench.edit(D, "C1", active=True)
    bench.sync()
    assert bench.writes() == 1 + 3
    problem = bench.record("C1").problem
    assert problem is not None
    assert problem.code == "unstable"
