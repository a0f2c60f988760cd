"""How long generations, journals and notes stay."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from connector.endpoints.snapshots import folder as kept
from connector.endpoints.snapshots import notes
from connector.errors import PositionExpiredError
from tests.unit.endpoints.snapshots.things import COLUMNS, Shop, after, told


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path / "snapshots")
    for id in ("a", "b", "c", "d"):
        shop.shelf.put(id, "v0")
    return shop


def age(folder: Path, seconds: float) -> None:
    """Everything in there was last used that long ago."""
    then = time.time() - seconds
    for path in folder.rglob("*"):
        os.utime(path, (then, then))


def edited(shop: Shop, position: str, version: str) -> str:
    shop.shelf.put("a", version)
    return after(shop.changes(position))


def test_the_generation_before_goes_when_its_successor_proved_to_be_committed(shop: Shop) -> None:
    first = shop.scanned()
    second = edited(shop, first, "v1")
    age(shop.folder, kept.GRACE + 1)
    assert len(shop.generations()) == 2
    shop.changes(second)
    assert shop.generations() == {second.rpartition(".")[2]}
    with pytest.raises(PositionExpiredError):
        shop.changes(first)


def test_a_run_beside_may_go_on_from_the_one_before_for_a_while(shop: Shop) -> None:
    first = shop.scanned()
    second = edited(shop, first, "v1")
    shop.changes(second)
    assert told(shop.changes(first)) == ({"a": "v1"}, [])


def test_dry_runs_do_not_pile_up(shop: Shop) -> None:
    first = shop.scanned()
    shop.shelf.put("a", "v1")
    for _ in range(3 * kept.SPARE):
        shop.changes(first)
    assert len(shop.generations()) <= kept.SPARE + 2


def test_full_reads_nobody_went_on_from_do_not_pile_up(shop: Shop) -> None:
    in_use = shop.scanned()
    shop.changes(in_use)
    for _ in range(3 * kept.SPARE):
        shop.scan()  # as `verify` does
    assert len(shop.generations()) <= kept.SPARE + 1
    assert told(shop.changes(in_use)) == ({}, [])


def test_lines_side_by_side_leave_each_other_alone(shop: Shop) -> None:
    one, other = shop.scanned(), shop.scanned()
    shop.changes(one)
    shop.changes(other)
    age(shop.folder, kept.UNCLAIMED + 1)
    one = edited(shop, one, "v1")
    shop.changes(one)
    assert told(shop.changes(other)) == ({"a": "v1"}, [])


def test_journals_go_when_the_scan_was_gone_on_from(shop: Shop) -> None:
    pages = list(shop.snapshots.scan(shop.table(), None))
    assert pages[0].resume is not None
    age(shop.folder, kept.UNFINISHED + 1)
    shop.changes(after(pages))
    assert not list(shop.folder.glob("*/*.rows"))


def test_what_nobody_uses_goes_with_its_folder(shop: Shop) -> None:
    old = shop.scanned()
    shop.changes(old)
    age(shop.folder, kept.ABANDONED + 1)
    other = shop.table(entity="Points")
    list(shop.snapshots.scan(other, None))
    with pytest.raises(PositionExpiredError):
        shop.changes(old)
    age(shop.folder, kept.UNFINISHED + 1)
    list(shop.snapshots.scan(other, None))
    assert len(list(shop.folder.iterdir())) == 1


def test_what_others_keep_in_the_folder_is_theirs(shop: Shop) -> None:
    for path in (shop.folder / "exports-x" / "1.keys", shop.folder / "note.txt"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("theirs")
    (shop.folder / "events-y").mkdir()
    shop.scan()
    (tie,) = [path for path in shop.folder.iterdir() if len(path.name) == 32]
    (tie / "somebody's").write_text("theirs")
    age(shop.folder, kept.ABANDONED + 1)
    shop.scan()
    names = {path.name for path in shop.folder.rglob("*")}
    assert names >= {"1.keys", "note.txt", "events-y", "somebody's"}


def test_what_a_compare_told_goes_when_its_position_came(shop: Shop) -> None:
    position = edited(shop, shop.scanned(), "v1")
    assert len(list(shop.folder.glob(f"*/*{notes.TOLD}"))) == 1
    shop.changes(position)
    assert not list(shop.folder.glob(f"*/*{notes.TOLD}"))


def test_what_a_broken_off_compare_told_stays(shop: Shop) -> None:
    position = shop.scanned()
    shop.shelf.put("new", "v1")
    next(shop.snapshots.changes(shop.table(), position))
    age(shop.folder, kept.UNFINISHED + 1)
    shop.shelf.remove("new")
    assert told(shop.changes(position)) == ({}, ["new"])


def test_notes_go_when_they_were_read_and_nobody_writes_to_them(shop: Shop) -> None:
    position = shop.scanned()
    shop.snapshots.note("Cards", COLUMNS, ["born"])
    position = after(shop.changes(position))
    shop.changes(position)
    assert len(list(shop.folder.glob(f"*/{notes.PREFIX}*"))) == 1
    age(shop.folder, 2 * notes.OWN + 1)
    shop.changes(position)
    assert not list(shop.folder.glob(f"*/{notes.PREFIX}*"))


def test_notes_that_were_taken_after_the_look_stay(shop: Shop) -> None:
    process, position = shop.snapshots, shop.scanned()
    process.note("Cards", COLUMNS, ["first"])
    position = after(shop.changes(position))
    process.note("Cards", COLUMNS, ["born"])  # into the same file
    age(shop.folder, 2 * notes.OWN + 1)
    assert told(shop.changes(position)) == ({}, ["born"])


def test_notes_stay_for_a_full_read_that_is_gone_on_from_later(shop: Shop) -> None:
    position, other = shop.scanned(), shop.scanned()
    shop.snapshots.note("Cards", COLUMNS, ["born"])
    position = after(shop.changes(position))
    age(shop.folder, 2 * notes.OWN + 1)
    shop.changes(position)
    assert told(shop.changes(other)) == ({}, ["born"])


def test_a_broken_off_removal_leaves_no_half_generation(shop: Shop) -> None:
    position = shop.scanned()
    (manifest,) = shop.folder.glob("*/*/manifest.json")
    manifest.unlink()
    with pytest.raises(PositionExpiredError):
        shop.changes(position)
