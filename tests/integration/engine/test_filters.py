"""Rows that enter and leave a filter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connector.endpoints.base import Delete
from connector.engine.ports import Guard
from connector.errors import MapStoppedError
from connector.mapping.values import Side
from connector.store.work import ChangeKind
from tests.integration.engine.conftest import map_text

if TYPE_CHECKING:
    from tests.integration.engine.conftest import Bench, MakeBench

C, D = Side.COMMERCE, Side.DATAVERSE


def filtered(
    commerce: str = "Active eq 'Yes'",
    dataverse: str = "",
    leaving: str = "keep",
    deletes: str = "{commerce: propagate, dataverse: restore}",
    lookup: bool = False,
) -> str:
    """The test map with filters; `Currency` and `currency` are not mapped."""
    text = map_text(deletes=deletes, lookup=lookup)
    text = text.replace("{entity: Cards,", f'{{entity: Cards, filter: "{commerce}",')
    if dataverse:
        text = text.replace("{entity: cards,", f'{{entity: cards, filter: "{dataverse}",')
    return text + f"filter_exit: {leaving}\n"


@pytest.fixture
def make(make_bench: MakeBench) -> MakeBench:
    """A loaded bench with C1, C2 inside and C3 outside the filter."""

    def start(text: str) -> Bench:
        bench = make_bench(text, page=50)
        for n in range(1, 4):
            bench.new(C, f"C{n}")
        bench.edit(C, "C3", Active="No")
        assert bench.load().finished
        return bench

    return start


def test_a_row_that_does_not_pass_is_bound_and_left_alone(make: MakeBench) -> None:
    bench = make(filtered())
    assert sorted(bench.dataverse.by_key("cards")) == ["c1", "c2"]
    record = bench.record("C3")
    assert (record.commerce.id, record.state.value) == ("c-C3", "settled")
    verdict = bench.verify()
    assert (verdict.differences, verdict.ignored, verdict.excused) == (0, 1, 0)
    bench.edit(C, "C3", Name="other")
    before = bench.writes()
    assert bench.sync().finished
    assert bench.writes() == before


def test_a_filter_may_look_at_a_column_that_is_not_mapped(make: MakeBench) -> None:
    bench = make(filtered("Currency eq 'EUR'"))
    assert bench.dataverse.by_key("cards") == {}
    bench.edit(C, "C1", Currency="eur")
    bench.sync()
    assert sorted(bench.dataverse.by_key("cards")) == ["c1"]
    before = bench.writes()
    bench.edit(C, "C1", Currency="EUR")
    bench.sync()
    assert bench.writes() == before, "a column that is not mapped causes no write"
    bench.edit(C, "C1", Currency=None, Name="gone")
    bench.sync()
    assert bench.writes() == before


def test_one_that_enters_is_a_first_contact(make: MakeBench) -> None:
    bench = make(filtered())
    bench.edit(C, "C3", Active="Yes")
    assert bench.sync().finished
    assert bench.card(D, "C3")["name"] == "C3"
    bench.assert_settled()


def test_keep_leaves_both_sides_as_they_are(make: MakeBench) -> None:
    bench = make(filtered())
    before = bench.writes()
    bench.edit(C, "C1", Active="No", Name="left")
    bench.sync()
    bench.edit(C, "C1", Name="later")
    bench.edit(D, "C1", level=7)
    bench.sync()
    assert bench.writes() == before
    assert bench.card(D, "C1")["name"] == "C1"
    verdict = bench.verify()
    assert (verdict.differences, verdict.drift, verdict.adjusted) == (0, 0, 0)
    assert {f.verdict for f in verdict.findings} == {"ignored"}


def test_one_that_returns_goes_on_from_the_agreed_pair(make: MakeBench) -> None:
    bench = make(filtered())
    bench.edit(C, "C1", Active="No", Name="left")
    bench.sync()
    bench.edit(D, "C1", level=7)
    bench.sync()
    bench.edit(C, "C1", Active="Yes")
    bench.sync()
    assert bench.card(D, "C1")["name"] == "left"
    assert bench.card(C, "C1")["Level"] == 7
    bench.assert_settled_but(1)


@pytest.mark.parametrize("deletes", ["propagate", "restore"])
@pytest.mark.parametrize("side", [C, D])
def test_a_delete_outside_the_filter_means_nothing(
    make: MakeBench, side: Side, deletes: str
) -> None:
    bench = make(filtered(deletes=f"{{commerce: {deletes}, dataverse: {deletes}}}"))
    bench.edit(C, "C1", Active="No")
    bench.sync()
    before = bench.writes()
    bench.delete(side, "C1")
    bench.sync()
    assert bench.writes() == before
    assert (bench.verify().differences, bench.verify().ignored) == (0, 2)


@pytest.mark.parametrize("deletes", ["propagate", "restore", "ignore"])
def test_deleted_on_the_other_side_while_outside_it_is_created_when_it_enters(
    make: MakeBench, deletes: str
) -> None:
    """A delete nobody followed is not followed later: the row is new to the map."""
    bench = make(filtered(deletes=f"{{commerce: propagate, dataverse: {deletes}}}"))
    bench.edit(C, "C1", Active="No")
    bench.sync()
    bench.delete(D, "C1")
    bench.sync()
    bench.edit(C, "C1", Active="Yes")
    bench.sync()
    assert bench.card(D, "C1")["name"] == "C1"
    bench.assert_settled_but(1)


def test_a_row_deleted_outside_and_made_anew_inside_meets_its_other_half(make: MakeBench) -> None:
    bench = make(filtered())
    bench.edit(C, "C1", Active="No")
    bench.sync()
    bench.delete(C, "C1")
    bench.sync()
    bench.commerce.put("Cards", "c-new", Number="C1", Name="anew", Active="Yes")
    bench.sync()
    assert bench.card(D, "C1")["name"] == "anew"
    assert [r.outcome for r in bench.history("C1") if r.kind is ChangeKind.DELETE] == []


def test_leaving_deletes_the_other_sides_row(make: MakeBench) -> None:
    bench = make(filtered(leaving="delete"))
    bench.edit(D, "C1", level=7)
    bench.edit(C, "C1", Active="No")
    assert bench.sync().finished
    assert sorted(bench.dataverse.by_key("cards")) == ["c2"]
    assert bench.card(C, "C1")["Active"] == "No", "the row that left stays"
    (delete,) = [row for row in bench.history("C1") if row.kind is ChangeKind.DELETE]
    assert delete.detail == "left the filter of commerce against a newer edit of Level in dataverse"
    assert delete.before is not None
    assert delete.before["level"] == 7
    before = bench.writes()
    bench.sync()
    assert bench.writes() == before
    bench.edit(C, "C1", Active="Yes")
    bench.sync()
    assert bench.card(D, "C1")["name"] == "C1"
    bench.assert_settled_but(1)


def test_leaving_deletes_nothing_that_was_never_in_sync(make: MakeBench) -> None:
    bench = make(filtered(leaving="delete"))
    bench.new(D, "C3")
    bench.sync()
    assert "c3" in bench.dataverse.by_key("cards")


def test_leaving_goes_through_the_delete_guard(make: MakeBench) -> None:
    bench = make(filtered(leaving="delete"))
    bench.guard = Guard(rows=1, share=1.0)
    bench.edit(C, "C1", Active="No")
    bench.edit(C, "C2", Active="No")
    with pytest.raises(MapStoppedError) as stopped:
        bench.sync()
    assert stopped.value.code == "delete-guard"
    assert sum(isinstance(one, Delete) for one in bench.dataverse.written) <= 1


def test_both_sides_filter(make: MakeBench) -> None:
    bench = make(filtered(dataverse="level ne 13"))
    bench.edit(D, "C1", level=13, name="unlucky")
    bench.edit(C, "C1", Note="new")
    before = bench.writes()
    bench.sync()
    assert bench.writes() == before
    bench.edit(D, "C1", level=14)
    bench.sync()
    assert bench.card(C, "C1")["Name"] == "unlucky"
    assert bench.card(D, "C1")["note"] == "new"


def test_a_filter_a_bad_record_and_a_missing_currency_in_one_load(make_bench: MakeBench) -> None:
    bench = make_bench(filtered("Level ge 1", lookup=True).replace("Yes: true, ", ""), page=50)
    for n in range(1, 5):
        bench.new(C, f"C{n}")
        bench.edit(C, f"C{n}", Level=n - 1, Active="No")
    bench.edit(C, "C2", Active="Yes")
    bench.edit(C, "C3", Currency="EUR")
    bench.load()
    assert sorted(bench.dataverse.by_key("cards")) == ["c3", "c4"]
    problem = bench.record("C2").problem
    assert problem is not None
    assert (problem.code, problem.subject.field) == ("choice-unknown", "Active")
    assert bench.card(D, "C3")["currency"] is None
    assert bench.record("C3").waiting == 1
    bench.dataverse.put("currencies", "e", code="EUR")
    bench.sync()
    assert bench.card(D, "C3")["currency"] == "e"
    assert (bench.verify().excused, bench.verify().ignored, bench.verify().differences) == (1, 1, 0)
