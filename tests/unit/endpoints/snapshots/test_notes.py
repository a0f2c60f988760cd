"""Rows that stand in no generation."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from connector.endpoints.snapshots import Snapshots
from connector.endpoints.snapshots.notes import OWN, PREFIX, Notes, noted_since
from connector.endpoints.snapshots.snapshots import MANY
from tests.unit.endpoints.snapshots.test_watermarks import TimedShop
from tests.unit.endpoints.snapshots.things import COLUMNS, Shop, after, told


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path / "snapshots")
    for id in ("a", "b", "c"):
        shop.shelf.put(id, "v1")
    return shop


def test_a_row_that_was_created_and_deleted_between_two_looks_is_told_as_deleted(
    shop: Shop,
) -> None:
    position = shop.scanned()
    shop.snapshots.note("Cards", COLUMNS, ["born", "alive"])
    shop.shelf.put("alive", "v1")
    pages = shop.changes(position)
    assert told(pages) == ({"alive": "v1"}, ["born"])
    assert shop.shelf.read_ids == ["alive", "born"]
    assert told(shop.changes(position)) == ({"alive": "v1"}, ["born"])
    assert told(shop.changes(after(pages))) == ({}, [])


def test_a_noted_row_is_told_once_and_then_followed(shop: Shop) -> None:
    position = after(shop.changes(shop.scanned()))
    shop.snapshots.note("Cards", COLUMNS, ["new"])
    shop.shelf.put("new", "v1")
    position = after(shop.changes(position))
    assert after(shop.changes(position)) == position
    shop.shelf.remove("new")
    assert told(shop.changes(position)) == ({}, ["new"])


def test_a_noted_row_that_the_list_does_not_show_is_read(shop: Shop) -> None:
    position = shop.scanned()
    shop.snapshots.note("Cards", COLUMNS, ["new"])
    shop.shelf.put("new", "v1")
    shop.shelf.hidden = {"new"}
    assert told(shop.changes(position)) == ({"new": "v1"}, [])


def test_a_table_that_is_not_compared_needs_no_notes(shop: Shop) -> None:
    shop.snapshots.note("Cards", COLUMNS, ["x"])
    assert not shop.folder.exists()


def test_a_note_of_a_row_that_is_known_changes_nothing(shop: Shop) -> None:
    position = shop.scanned()
    shop.snapshots.note("Cards", COLUMNS, ["a"])
    assert told(shop.changes(position)) == ({}, [])


def test_a_note_taken_during_a_look_counts_for_the_next(shop: Shop) -> None:
    position = shop.scanned()
    shop.shelf.put("a", "v2")
    shop.shelf.turned = lambda _number: shop.snapshots.note("Cards", COLUMNS, ["born"])
    pages = shop.changes(position)
    shop.shelf.turned = lambda _number: None
    assert told(pages) == ({"a": "v2"}, [])
    assert told(shop.changes(after(pages))) == ({}, ["born"])


def test_a_note_is_about_one_table(shop: Shop) -> None:
    position = shop.scanned()
    shop.snapshots.note("Points", COLUMNS, ["x"])
    shop.snapshots.note("Cards", ("Other",), ["y"])
    Snapshots(shop.folder, "https://other.example").note("Cards", COLUMNS, ["z"])
    assert told(shop.changes(position)) == ({}, [])


def test_a_row_told_of_by_watermark_and_deleted_before_the_sweep_is_found(tmp_path: Path) -> None:
    shop = TimedShop(tmp_path, sweep=300)
    position = after(shop.scan())
    shop.shelf.now = 100
    shop.shelf.write("born", "v1")
    pages = shop.changes(position)
    assert told(pages) == ({"born": "v1"}, [])
    shop.shelf.remove("born")
    shop.shelf.now = 301
    assert told(shop.changes(after(pages))) == ({}, ["born"])


def test_notes_in_many_files_are_taken_into_a_generation(shop: Shop) -> None:
    position = shop.scanned()
    for _ in range(MANY + 1):
        shop.snapshots.note("Cards", COLUMNS, ["a"])  # each by a process of its own
    moved = after(shop.changes(position))
    assert moved != position
    assert after(shop.changes(moved)) == moved


def test_what_is_torn_at_the_end_of_a_file_was_never_noted(tmp_path: Path) -> None:
    notes = Notes(tmp_path)
    notes.add(["a"])
    notes.add(["b"])
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-1])
    entries, lengths = noted_since(tmp_path, "", {})
    assert entries.ids() == ["a"]
    assert noted_since(tmp_path, "", lengths)[0].ids() == []


def test_a_process_goes_on_to_a_new_file(tmp_path: Path) -> None:
    now = 0.0
    notes = Notes(tmp_path, lambda: now)
    notes.add(["a"])
    _, lengths = noted_since(tmp_path, "", {})
    now = OWN + 1
    notes.add(["b"])
    assert len(list(tmp_path.glob(f"{PREFIX}*"))) == 2
    entries, _ = noted_since(tmp_path, "", lengths)
    assert entries.ids() == ["b"]


@pytest.mark.skipif(os.name == "nt", reason="there a folder cannot be made durable")
def test_names_of_new_files_are_durable_too(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a machine that loses its power has the rows, and no file that holds them."""
    position = shop.scanned()
    folders: list[bool] = []
    fsync = os.fsync

    def watched(handle: int) -> None:
        folders.append(stat.S_ISDIR(os.fstat(handle).st_mode))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", watched)
    process = shop.snapshots
    process.note("Cards", COLUMNS, ["x"])
    process.note("Cards", COLUMNS, ["y"])
    assert folders == [False, True, False]
    folders.clear()
    shop.shelf.put("a", "v2")
    next(iter(shop.snapshots.changes(shop.table(), position)))
    assert folders == [False, True]
