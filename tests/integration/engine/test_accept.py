"""A person accepts a difference: it stays, needs nobody, and ends with the next change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connector.endpoints.base import Page
from connector.engine.decisions.accept import accept
from connector.engine.news.absorb import absorb
from connector.mapping.values import Side
from connector.store.record import State
from tests.integration.engine.scripted import Killed, Moments

if TYPE_CHECKING:
    from connector.engine.runs.run import MapRun
    from tests.integration.engine.conftest import Bench

C, D = Side.COMMERCE, Side.DATAVERSE


def discard(bench: Bench, key: str) -> None:
    """A person discards everything that is parked under a key."""
    numbers = [record.number for record in bench.records()[key.casefold()]]
    bench.run(
        lambda run: accept(run, list(run.store.by_numbers(run.layout, numbers).values()), "anna"),
        "discard",
    )


@pytest.fixture
def refused(loaded: Bench) -> Bench:
    """Dataverse refused an edit of C1."""
    loaded.edit(C, "C1", Name="refused")
    loaded.dataverse.fault = lambda _operation: "rejected"
    loaded.sync()
    loaded.dataverse.fault = lambda _operation: None
    assert loaded.record("C1").state is State.PARKED
    return loaded


def test_the_difference_stays_and_counts_as_ignored(refused: Bench) -> None:
    before = refused.writes()
    discard(refused, "C1")
    assert refused.record("C1").state is State.SETTLED
    assert refused.sync().finished
    assert refused.writes() == before
    verdict = refused.verify()
    assert verdict.equal
    assert [(one.verdict, one.field) for one in verdict.findings] == [("ignored", "Name")]
    (note,) = [row for row in refused.history("C1") if row.kind == "decision"]
    assert note.detail is not None
    assert note.detail.startswith("dataverse-refused discarded")
    assert note.detail.endswith("by anna")


@pytest.mark.parametrize("side", list(Side))
def test_it_ends_when_a_side_changes(refused: Bench, side: Side) -> None:
    discard(refused, "C1")
    refused.edit(side, "C1", **{"Level" if side is C else "level": 5})
    refused.sync()
    assert refused.card(D, "C1")["name"] == "refused"
    refused.assert_settled()


def test_a_full_read_that_shows_nothing_new_does_not_end_it(refused: Bench) -> None:
    discard(refused, "C1")
    refused.commerce.forget_feed()
    refused.dataverse.forget_feed()
    before = refused.writes()
    refused.sync()
    assert refused.writes() == before
    assert refused.record("C1").state is State.SETTLED


def test_a_create_that_never_happened_is_made_with_the_next_change(loaded: Bench) -> None:
    loaded.new(C, "late")
    loaded.dataverse.fault = lambda _operation: "lost-before"
    while loaded.sync().finished is False or loaded.record("late").state is not State.PARKED:
        pass
    loaded.dataverse.fault = lambda _operation: None
    discard(loaded, "late")
    assert loaded.sync().finished
    assert "late" not in loaded.dataverse.by_key("cards")
    assert [one.verdict for one in loaded.verify().findings] == ["ignored"]
    loaded.edit(C, "late", Name="again")
    loaded.sync()
    assert loaded.card(D, "late")["name"] == "again"
    loaded.assert_settled()


def test_twins_are_left_alone_until_one_changes(loaded: Bench) -> None:
    loaded.commerce.put("Cards", "twin", Number="c1", Name="twin", Active="Yes")
    loaded.sync()
    discard(loaded, "C1")
    assert {record.state for record in loaded.records()["c1"]} == {State.SETTLED}
    before = loaded.writes()
    assert loaded.sync().finished
    assert loaded.writes() == before
    verdict = loaded.verify()
    assert verdict.equal
    assert verdict.ignored >= 1
    loaded.commerce.put("Cards", "twin", Name="edited")
    loaded.sync()
    assert loaded.writes() == before
    assert State.PARKED in {record.state for record in loaded.records()["c1"]}


def test_twins_that_are_none_any_more_are_not_accepted(loaded: Bench) -> None:
    """A write to the first was under way when we died; it was deleted, which nobody has read."""
    loaded.edit(C, "C1", Name="edited")
    loaded.reopen(Moments(kill_on=["dataverse is asked to write"]))
    with pytest.raises(Killed):
        loaded.sync()
    loaded.reopen()
    old = loaded.dataverse.id_of("cards", "C1")
    loaded.dataverse.put("cards", "second", number="c1", name="second", active=True)

    def seen(run: MapRun) -> None:
        columns = run.map.column_names(D)
        row = run.endpoint(D).read("cards", columns, by=None, values=["second"]).rows["second"]
        run.commit(absorb(run, D, run.numbers("tick"), Page(row)).seal(run))

    loaded.run(seen, "sync")
    assert {one.state for one in loaded.records()["c1"]} == {State.PARKED}
    loaded.dataverse.drop("cards", old)
    discard(loaded, "C1")
    loaded.sync()
    held = [one.dataverse.id for one in loaded.records()["c1"] if one.dataverse.image is not None]
    assert held == ["second"]
    assert loaded.verify().equal


def test_a_changed_key_is_left_alone_until_a_side_changes(loaded: Bench) -> None:
    loaded.edit(D, "C1", number="other")
    loaded.sync()
    discard(loaded, "C1")
    before = loaded.writes()
    assert loaded.sync().finished
    assert loaded.writes() == before
    verdict = loaded.verify()
    assert verdict.equal
    assert {one.verdict for one in verdict.findings} == {"ignored"}
    loaded.edit(C, "C1", Name="edited")
    loaded.sync()
    assert loaded.record("C1").state is State.PARKED
    assert loaded.writes() == before


def test_a_row_in_the_way_that_changes_is_excused_whoever_accepted_the_record_it_stands_in(
    loaded: Bench,
) -> None:
    """C1 took the key of a card that is to be created: two rows of one key, of two records."""
    loaded.edit(C, "C1", Number="late")
    loaded.new(D, "late")
    loaded.sync()
    parked = {key for key, (one,) in loaded.records().items() if one.state is State.PARKED}
    assert parked == {"c1", "late"}
    for key in parked:
        discard(loaded, key)
    loaded.edit(C, "late", Name="edited")
    loaded.sync()
    assert loaded.record("C1").state is State.PARKED
    verdict = loaded.verify()
    assert verdict.equal, verdict.findings
