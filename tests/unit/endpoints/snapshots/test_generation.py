"""A generation holds what it was made from, in however many parts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from connector.endpoints.snapshots import generation
from connector.endpoints.snapshots.entries import Entries
from connector.endpoints.snapshots.generation import Generation, make
from connector.endpoints.snapshots.journal import Journal, Torn


def journal(folder: Path, name: str, *pages: list[tuple[str, str]]) -> Journal:
    made = Journal(folder / name)
    for page in pages:
        made.append(Entries.of(page))
    return made


def held(made: Generation) -> dict[str, int]:
    places = np.arange(made.count)
    return dict(zip(made.ids(places), made.versions(places).tolist(), strict=True))


@pytest.mark.parametrize("part_rows", [1, 7, 1_000_000])
def test_it_is_the_base_without_what_went_and_the_journal_over_it(
    tmp_path: Path, part_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation, "_PART_ROWS", part_rows)
    first = {f"k{number}": "v1" for number in range(500)}
    items = list(first.items())
    rows = journal(tmp_path, "one", items[:200], items[150:400], items[390:])
    assert make(tmp_path / "first", rows) == 500
    base = Generation(tmp_path / "first")
    kept = np.ones(base.count, np.bool_)
    gone = [f"k{number}" for number in range(0, 500, 7)]
    kept[base.find(Entries.of([(id, "") for id in gone]))] = False
    news = [("k1", "v2"), ("k7", "v3"), ("new", "v1"), ("k1", "v4")]
    kept[base.find(Entries.of([("k1", "")]))] = False
    more = journal(tmp_path, "two", news[:2], news[2:])
    make(tmp_path / "second", more, base, kept, {"n": 5})
    second = Generation(tmp_path / "second")
    expected = {**{id: v for id, v in first.items() if id not in gone}, **dict(news)}
    by_id = Entries.of(list(expected.items()))
    assert held(second) == dict(zip(by_id.ids(), by_id.version.tolist(), strict=True))
    assert second.noted == {"n": 5}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "one", "second", "two"]
    assert len(list((tmp_path / "second").iterdir())) == 6
    rows.discard()
    more.discard()


def test_what_cannot_be_finished_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = journal(tmp_path, "one", [("a", "v1")])

    def full(_self: Entries) -> Entries:
        raise OSError("no room")

    monkeypatch.setattr(Entries, "latest", full)
    with pytest.raises(OSError, match="no room"):
        make(tmp_path / "first", rows)
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
    rows.discard()


def test_an_empty_one_is_one(tmp_path: Path) -> None:
    rows = journal(tmp_path, "none")
    make(tmp_path / "empty", rows)
    assert held(Generation(tmp_path / "empty")) == {}
    rows.discard()


def test_one_of_another_format_is_refused(tmp_path: Path) -> None:
    rows = journal(tmp_path, "one", [("a", "v1")])
    make(tmp_path / "first", rows)
    rows.discard()
    manifest = tmp_path / "first" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(Torn):
        Generation(tmp_path / "first")
