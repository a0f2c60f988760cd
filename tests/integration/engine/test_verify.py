"""The comparison: what counts as what, what is read again, and repair."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from connector.mapping.values import Side
from tests.integration.engine.conftest import map_text

if TYPE_CHECKING:
    from connector.engine.proof.verify import Verdict
    from tests.integration.engine.conftest import Bench, MakeBench

C, D = Side.COMMERCE, Side.DATAVERSE


def told(verdict: Verdict) -> list[tuple[str, str, str | None]]:
    """(verdict, key, field) of every finding."""
    return sorted((f.verdict, f.key, f.field) for f in verdict.findings)


def test_equal_sides(loaded: Bench) -> None:
    verdict = loaded.verify()
    assert (verdict.equal, verdict.compared, verdict.findings) == (True, 8, [])


def test_an_edit_not_carried_across_is_a_difference(loaded: Bench) -> None:
    loaded.edit(C, "C1", Name="edited", Level=4)
    loaded.edit(D, "D1", level=5)
    verdict = loaded.verify()
    assert told(verdict) == [
        ("difference", "C1", "Level"),
        ("difference", "C1", "Name"),
        ("difference", "D1", "Level"),
    ]
    assert not verdict.equal


def test_an_edited_one_way_target_is_drift_until_its_source_moves(loaded: Bench) -> None:
    loaded.edit(D, "C1", note="agent")
    before = loaded.writes()
    loaded.sync()
    assert loaded.writes() == before
    verdict = loaded.verify()
    assert (verdict.equal, told(verdict)) == (True, [("drift", "C1", "Note")])
    loaded.edit(C, "C1", Note="source")
    loaded.sync()
    assert loaded.card(D, "C1")["note"] == "source"
    losses = [change for change in loaded.history("C1") if change.kind == "lost"]
    assert [change.before for change in losses] == [{"note": "agent"}]
    loaded.assert_settled()


def test_a_conflict_is_excused_and_the_rest_of_the_record_is_not(loaded: Bench) -> None:
    loaded.edit(C, "C1", Name="ours", Level=1)
    loaded.edit(D, "C1", name="theirs")
    loaded.sync()
    assert loaded.card(D, "C1")["level"] == 1
    verdict = loaded.verify()
    assert told(verdict) == [("excused", "C1", "Name")]
    loaded.edit(C, "C1", Level=2)
    assert told(loaded.verify()) == [("difference", "C1", "Level"), ("excused", "C1", "Name")]


@pytest.mark.parametrize("side", list(Side))
def test_a_row_missing_on_one_side(loaded: Bench, side: Side) -> None:
    loaded.new(side, "new")
    loaded.delete(side.other, "C1")
    assert told(loaded.verify()) == [("difference", "C1", None), ("difference", "new", None)]


def test_what_changes_during_the_comparison_is_read_again(loaded: Bench) -> None:
    """A row written between the two scans looks different, but is not any more."""
    scan = loaded.commerce.scan

    def late(*args: object) -> object:
        loaded.edit(D, "C1", name="both")
        loaded.edit(C, "C1", Name="both")
        loaded.new(C, "new")
        pages = scan(*args)  # type: ignore[arg-type]
        loaded.new(D, "new")
        loaded.delete(D, "C2")
        loaded.commerce.drop("Cards", "c-C2")
        return pages

    loaded.commerce.scan = late  # type: ignore[assignment,method-assign]
    verdict = loaded.verify()
    assert verdict.findings == []


def test_a_column_kept_differently_by_agreement_is_counted_apart(loaded: Bench) -> None:
    loaded.dataverse.loses["name"] = lambda value: str(value)[:3]
    loaded.edit(C, "C1", Name="longer")
    loaded.sync()
    verdict = loaded.verify()
    assert (verdict.equal, verdict.adjusted, verdict.findings) == (True, 1, [])


def _missed_edit(bench: Bench) -> None:
    bench.edit(D, "C1", name="unseen")


def _missed_delete(bench: Bench) -> None:
    bench.delete(C, "C2")


def _missed_delete_to_restore(bench: Bench) -> None:
    bench.delete(D, "C3")


def _missed_creates(bench: Bench) -> None:
    bench.new(C, "X1")
    bench.new(D, "X2")


MISSED: list[Callable[[Bench], None]] = [
    _missed_edit,
    _missed_delete,
    _missed_delete_to_restore,
    _missed_creates,
]


@pytest.mark.parametrize("missed", MISSED)
def test_repair_settles_what_no_feed_told(loaded: Bench, missed: Callable[[Bench], None]) -> None:
    known = len(loaded.commerce.log), len(loaded.dataverse.log)
    missed(loaded)
    # The feeds never tell of it, as after a restore of one side.
    for endpoint, length in zip((loaded.commerce, loaded.dataverse), known, strict=True):
        endpoint.log[length:] = [("", "")] * (len(endpoint.log) - length)
    loaded.sync()
    assert not loaded.verify().equal
    verdict = loaded.repair()
    assert verdict.findings == []
    loaded.assert_settled()


def test_every_finding_reaches_the_report(loaded: Bench) -> None:
    heard: list[str] = []
    loaded.edit(C, "C1", Name="edited")
    loaded.edit(D, "C2", note="drift")
    loaded.verify(lambda finding: heard.append(finding.verdict))
    assert sorted(heard) == ["difference", "drift"]


def test_ignored_rows_are_no_differences(make_bench: MakeBench) -> None:
    bench = make_bench(map_text(deletes="{commerce: ignore, dataverse: ignore}"))
    bench.new(C, "C1")
    bench.load()
    bench.delete(C, "C1")
    bench.sync()
    assert told(bench.verify()) == [("ignored", "C1", None)]
