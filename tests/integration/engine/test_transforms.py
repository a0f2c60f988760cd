"""Transforms that lose something, through the whole engine: what was sent is not sent again."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from connector.mapping.values import Side
from connector.store.record import State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.engine.conftest import Bench, MakeBench

C, D = Side.COMMERCE, Side.DATAVERSE
HEAD = """\
map: card
commerce: {entity: Cards}
dataverse: {entity: cards}
fields:
  - {commerce: Number, sync: "=", dataverse: number, key: true}
"""
LOSING = (
    HEAD
    + """\
  - {commerce: Name, sync: "><", dataverse: name, transform: [trim, {case: upper}, {truncate: 4}]}
  - {commerce: Level, sync: "><", dataverse: level, transform: [{scale: 3}]}
  - {commerce: Note, sync: ">>", dataverse: note, transform: [{split: {by: " ", part: 1}}]}
  - commerce: Active
    sync: "><"
    dataverse: active
    values: {Yes: true}
    unmatched: {dataverse: false, commerce: "No"}
"""
)
JOINED = (
    HEAD
    + """\
  - join: {columns: [Name, Note, Level], by: ", "}
    sync: ">>"
    dataverse: name
    transform: [{case: upper}]
  - {commerce: Currency, sync: "=", dataverse: note}
"""
)
CUSTOM = (
    HEAD
    + """\
  - {commerce: Name, sync: "><", dataverse: name, transform: [{custom: picky}]}
  - {commerce: Level, sync: "=", dataverse: level}
"""
)
PICKY = """\
class Picky:
    def forward(self, text):
        return {"good": "GOOD", "fine": "FINE"}[text]
    def back(self, text):
        return text.lower()
"""


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    bench = make_bench(LOSING)
    bench.new(C, "C1", "  a long name ")
    bench.edit(C, "C1", Level=2, Note="first second", Active="No")
    bench.new(D, "D1", " another one ")
    bench.edit(D, "D1", level=9, note="theirs", active=True)
    return bench


def quiet(bench: Bench) -> None:
    """Nothing is left to do, and nothing differs under the map."""
    before = bench.writes()
    bench.sync()
    assert bench.writes() == before
    verdict = bench.verify()
    assert (verdict.equal, verdict.differences) == (True, 0)


def test_both_ways_at_first_contact(bench: Bench) -> None:
    bench.load()
    ours, theirs = bench.card(D, "C1"), bench.card(C, "D1")
    assert (ours["name"], ours["level"], ours["note"], ours["active"]) == (
        "A LO",
        6,
        "first",
        False,
    )
    assert (theirs["Name"], theirs["Level"], theirs["Active"]) == (" another one ", 3, "Yes")
    quiet(bench)


def test_an_edit_comes_across_and_what_was_cut_stays(bench: Bench) -> None:
    bench.load()
    bench.edit(D, "C1", level=12)
    bench.edit(C, "D1", Active="No")
    bench.sync()
    assert bench.card(C, "C1")["Level"] == 4
    assert bench.card(C, "C1")["Name"] == "  a long name "
    assert bench.card(D, "D1")["active"] is False
    quiet(bench)


def test_an_edit_behind_the_cut_is_no_news(bench: Bench) -> None:
    bench.load()
    before = bench.writes()
    bench.edit(C, "C1", Name="a lo-cal name", Note="first third")
    bench.sync()
    assert bench.writes() == before
    assert bench.card(C, "C1")["Name"] == "a lo-cal name"
    quiet(bench)


def test_what_a_person_writes_on_the_far_side_is_taken_as_it_is(bench: Bench) -> None:
    bench.load()
    bench.edit(D, "C1", name="in small letters")
    bench.sync()
    assert bench.card(C, "C1")["Name"] == "in small letters"
    assert bench.card(D, "C1")["name"] == "in small letters"
    quiet(bench)


@pytest.fixture
def picky(make_bench: MakeBench, tmp_path: Path) -> Iterator[Bench]:
    """A map over a transform of an installed package that takes two words only."""
    info = tmp_path / "site" / "picky-1.dist-info"
    info.mkdir(parents=True)
    (info.parent / "picky_words.py").write_text(PICKY, "utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: picky\nVersion: 1\n", "utf-8")
    points = "[dualwrite.transforms]\npicky = picky_words:Picky\n"
    (info / "entry_points.txt").write_text(points, "utf-8")
    sys.path.insert(0, str(info.parent))
    yield make_bench(CUSTOM)
    sys.path.remove(str(info.parent))
    sys.modules.pop("picky_words", None)


def test_a_package_that_fails_on_one_record_stops_no_other(picky: Bench) -> None:
    for key, name in (("C1", "good"), ("C2", "strange"), ("C3", "fine")):
        picky.new(C, key, name)
    picky.load()
    assert [picky.card(D, key)["name"] for key in ("C1", "C3")] == ["GOOD", "FINE"]
    parked = picky.record("C2")
    assert parked.state is State.PARKED
    assert parked.problem is not None
    assert parked.problem.code == "transform-failed"
    assert "`picky` failed on 'strange': KeyError" in parked.problem.message
    picky.edit(C, "C2", Name="good")
    picky.edit(D, "C1", name="FINE")
    picky.sync()
    assert picky.card(D, "C2")["name"] == "GOOD"
    assert picky.card(C, "C1")["Name"] == "fine"
    picky.assert_settled()


@pytest.fixture
def joined(make_bench: MakeBench) -> Bench:
    bench = make_bench(JOINED)
    bench.new(C, "C1", "Ada")
    bench.edit(C, "C1", Note="King", Level=7)
    bench.new(C, "C2")
    bench.edit(C, "C2", Name=None)
    return bench


def test_joined_columns_travel_as_one_text(joined: Bench) -> None:
    joined.load()
    assert joined.card(D, "C1")["name"] == "ADA, KING, 7"
    assert joined.card(D, "C2")["name"] is None
    quiet(joined)


def test_an_edit_of_each_joined_column_counts(joined: Bench) -> None:
    joined.load()
    for edit, wanted in (
        ({"Note": "Lovelace"}, "ADA, LOVELACE, 7"),
        ({"Level": None}, "ADA, LOVELACE"),
        ({"Name": None, "Note": "King", "Level": 1}, "KING, 1"),
        ({"Note": None, "Level": None}, None),
    ):
        joined.edit(C, "C1", **edit)
        joined.sync()
        assert joined.card(D, "C1")["name"] == wanted
        quiet(joined)


def test_an_edit_that_gives_the_same_text_is_no_news(joined: Bench) -> None:
    joined.load()
    before = joined.writes()
    joined.edit(C, "C1", Name="ada, king", Note=None)
    joined.sync()
    assert joined.writes() == before
    quiet(joined)


def test_a_joined_text_edited_in_dataverse_is_drift_and_is_kept_in_the_audit(
    joined: Bench,
) -> None:
    joined.load()
    joined.edit(D, "C1", name="by hand")
    joined.edit(C, "C1", Currency="EUR")
    joined.sync()
    assert (joined.card(D, "C1")["name"], joined.card(D, "C1")["note"]) == ("by hand", "EUR")
    verdict = joined.verify()
    assert (verdict.differences, verdict.drift) == (0, 1)
    joined.edit(C, "C1", Name="Augusta")
    joined.sync()
    assert joined.card(D, "C1")["name"] == "AUGUSTA, KING, 7"
    assert any("by hand" in (row.before or {}).values() for row in joined.history("C1"))
    quiet(joined)


def test_joined_columns_meet_a_row_that_is_there(joined: Bench) -> None:
    joined.new(D, "C1", "somebody")
    joined.new(D, "C2", "nobody")
    joined.new(D, "D1", "alone")
    joined.load()
    assert joined.record("C2").state is State.SETTLED
    assert joined.card(D, "C1")["name"] == "ADA, KING, 7"
    assert joined.card(D, "C2")["name"] == "nobody"
    assert joined.card(C, "D1")["Name"] is None
    before = joined.writes()
    joined.sync()
    assert joined.writes() == before
    assert joined.verify().differences == 0
