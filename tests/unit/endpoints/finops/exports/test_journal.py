"""The journal of runs: numbers, ends, several processes, and what a crash leaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.endpoints.finops.exports.journal import Journal
from connector.errors import StateError

ME = "host/1"


def ended(journal: Journal, *keys: str, at: float = 10.0) -> int:
    begun = journal.begin(ME, at)
    assert begun is not None
    journal.note(begun.number, "job")
    journal.end(begun.number, keys, at)
    return begun.number


def test_runs_are_told_in_order_with_their_keys(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "runs")
    assert (journal.head(), journal.pending(), journal.after(0)) == (0, None, [])
    assert [ended(journal, "a", "b\n'"), ended(journal), ended(journal, "c")] == [1, 2, 3]
    again = Journal(tmp_path / "runs")
    assert again.id == journal.id
    runs = again.after(1)
    assert runs is not None
    assert [(run.number, run.keys, run.lost) for run in runs] == [(2, 0, None), (3, 1, None)]
    assert list(again.keys(1)) == ["a", "b\n'"]
    assert list(again.keys(1, 1)) == ["b\n'"]


def test_a_run_under_way_is_the_head_for_nobody(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    ended(journal, "a")
    begun = journal.begin(ME, 20.0)
    assert begun is not None
    assert journal.begin("host/2", 21.0) is None
    assert journal.head() == 1
    pending = Journal(tmp_path).pending()
    assert pending is not None
    assert (pending.number, pending.holder, pending.at, pending.execution) == (2, ME, 20.0, None)
    journal.note(2, "job-2")
    pending = Journal(tmp_path).pending()
    assert pending is not None
    assert pending.execution == "job-2"


def test_two_processes_end_a_run_once(tmp_path: Path) -> None:
    one, two = Journal(tmp_path), Journal(tmp_path)
    begun = one.begin(ME, 1.0)
    assert begun is not None
    one.end(begun.number, ["a"], 2.0)
    two.end(begun.number, ["a"], 3.0)
    two.lose(begun.number, "too late", 3.0)
    runs = two.after(0)
    assert runs is not None
    assert [(run.number, run.keys, run.at, run.lost) for run in runs] == [(1, 1, 2.0, None)]


def test_what_a_run_told_that_was_given_up_meanwhile_is_told_under_another_number(
    tmp_path: Path,
) -> None:
    """Whoever counted it as lost has compared before the service exported."""
    slow, quick = Journal(tmp_path), Journal(tmp_path)
    begun = slow.begin(ME, 1.0)
    assert begun is not None
    quick.lose(begun.number, "nobody answered", 700.0)
    assert quick.head() == 1
    slow.end(begun.number, ["a"], 701.0)
    runs = quick.after(1)
    assert runs is not None
    assert [(run.number, run.keys, run.lost) for run in runs] == [(2, 1, None)]
    assert list(quick.keys(2)) == ["a"]


def test_an_end_that_was_not_finished_is_none(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    begun = journal.begin(ME, 1.0)
    assert begun is not None

    def torn() -> Iterator[str]:
        yield "a"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        journal.end(begun.number, torn(), 2.0)
    assert journal.pending() is not None
    assert sorted(one.suffix for one in tmp_path.iterdir()) == [".begun", ".json"]


def test_a_position_ahead_of_the_journal_is_not_served(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    ended(journal)
    assert journal.after(1) == []
    assert journal.after(2) is None


def test_old_runs_are_forgotten_but_the_last(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for at in (10.0, 20.0, 30.0):
        ended(journal, "a", at=at)
    (tmp_path / "00000001.0af3.zip").write_bytes(b"left by a crash")
    journal.forget(25.0)
    assert {one.name[:8] for one in tmp_path.glob("0*")} == {"00000003"}
    assert journal.after(0) is None
    assert journal.after(2) is not None
    journal.forget(100.0)
    assert journal.head() == 3
    assert ended(journal) == 4


def test_a_folder_nobody_can_write_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StateError) as caught:
        Journal(tmp_path / "file" / "runs")
    assert caught.value.code == "snapshot-unwritable"
    assert str(tmp_path) in caught.value.message
