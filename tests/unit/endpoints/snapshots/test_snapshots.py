"""What a compare of whole reads tells, and what it takes for granted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.endpoints.base import Page
from connector.endpoints.snapshots import Snapshots, Table
from connector.errors import PositionExpiredError, StateError
from tests.unit.endpoints.snapshots.things import Shelf, Shop, after, told


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path / "snapshots")
    for number in range(8):
        shop.shelf.put(f"k{number}", "v1")
    return shop


def test_a_scan_hands_out_every_row_and_a_position(shop: Shop) -> None:
    pages = shop.scan()
    assert [len(page.rows) for page in pages] == [3, 3, 2]
    assert [page.position is None for page in pages] == [True, True, False]
    assert all(page.resume for page in pages[:-1])


def test_an_idle_look_reads_no_row_and_keeps_its_position(shop: Shop) -> None:
    position = shop.scanned()
    pages = shop.changes(position)
    assert told(pages) == ({}, [])
    assert after(pages) == position
    assert shop.shelf.read_ids == []
    assert len(shop.generations()) == 1


def test_what_differs_is_read_by_id_and_deletes_come_last(shop: Shop) -> None:
    position = shop.scanned()
    shop.shelf.put("k1", "v2")
    shop.shelf.put("new", "v1")
    shop.shelf.remove("k0")
    pages = shop.changes(position)
    assert told(pages) == ({"k1": "v2", "new": "v1"}, ["k0"])
    assert [bool(page.deleted) for page in pages] == [False, False, True, False]
    assert shop.shelf.read_ids == ["k1", "new", "k0"]
    assert told(shop.changes(after(pages))) == ({}, [])


def test_a_position_answers_the_same_as_often_as_it_is_asked(shop: Shop) -> None:
    first = shop.scanned()
    shop.shelf.put("k1", "v2")
    beside = told(shop.changes(first))  # a dry run
    second = after(shop.changes(first))
    shop.shelf.put("k2", "v2")
    assert told(shop.changes(second)) == ({"k2": "v2"}, [])
    assert beside == ({"k1": "v2"}, [])
    assert told(shop.changes(first)) == ({"k1": "v2", "k2": "v2"}, [])


def test_two_looks_at_once_do_not_disturb_each_other(shop: Shop) -> None:
    position = shop.scanned()
    shop.shelf.put("k1", "v2")
    one = shop.snapshots.changes(shop.table(), position)
    other = shop.snapshots.changes(shop.table(), position)
    first = next(one)
    pages = list(other)
    rest = [first, *one]
    assert told(pages) == told(rest) == ({"k1": "v2"}, [])
    assert told(shop.changes(after(pages))) == told(shop.changes(after(rest))) == ({}, [])


def test_what_a_look_told_before_it_was_broken_off_is_followed(shop: Shop) -> None:
    """A run keeps page by page; what it kept may be gone before the next look."""
    position = shop.scanned()
    shop.shelf.put("a new one", "v1")
    look = shop.snapshots.changes(shop.table(), position)
    assert [row.id for row in next(look).rows] == ["a new one"]
    look.close()  # type: ignore[attr-defined]
    shop.shelf.remove("a new one")
    pages = shop.changes(position)
    assert told(pages) == ({}, ["a new one"])
    assert told(shop.changes(after(pages))) == ({}, [])


def test_what_a_look_told_before_its_position_got_lost_is_followed(shop: Shop) -> None:
    position = shop.scanned()
    shop.shelf.put("a new one", "v1")
    shop.changes(position)
    shop.shelf.remove("a new one")
    assert told(shop.changes(position)) == ({}, ["a new one"])


def test_an_idle_look_that_is_left_early_leaves_nothing(shop: Shop) -> None:
    position = shop.scanned()
    before = sorted(shop.folder.rglob("*"))
    look = shop.snapshots.changes(shop.table(), position)
    next(look)
    look.close()  # type: ignore[attr-defined]
    assert {p for p in shop.folder.rglob("*") if p.name != "claimed"} == set(before)


def test_a_row_that_moved_between_pages_is_not_deleted(shop: Shop) -> None:
    position = shop.scanned()
    shop.shelf.hidden = {"k3", "k4"}
    shop.shelf.put("k4", "v2")
    pages = shop.changes(position)
    assert told(pages) == ({"k4": "v2"}, [])
    assert told(shop.changes(after(pages))) == ({}, [])


def test_a_row_seen_twice_is_one_row(shop: Shop) -> None:
    shop.shelf.repeated = {"k1", "k5"}
    position = shop.scanned()
    shop.shelf.put("k1", "v2")
    pages = shop.changes(position)
    assert told(pages) == ({"k1": "v2"}, [])
    shop.shelf.repeated = set()
    assert told(shop.changes(after(pages))) == ({}, [])


def test_of_two_sights_in_one_scan_the_later_counts(shop: Shop) -> None:
    def edit(number: int) -> None:
        if number == 1:
            shop.shelf.put("k1", "v2")
            shop.shelf.rows_by_id["k9"] = shop.shelf.rows_by_id["k1"]  # seen again at the end

    shop.shelf.turned = edit
    position = shop.scanned()
    shop.shelf.turned = lambda _number: None
    shop.shelf.remove("k9")
    assert told(shop.changes(position)) == ({}, [])


def test_what_is_written_during_a_scan_is_told_afterwards(shop: Shop) -> None:
    def edit(number: int) -> None:
        if number == 1:
            shop.shelf.put("k0", "v2")
            shop.shelf.remove("k1")
            shop.shelf.put("a", "v1")

    shop.shelf.turned = edit
    position = shop.scanned()
    shop.shelf.turned = lambda _number: None
    assert told(shop.changes(position)) == ({"k0": "v2", "a": "v1"}, ["k1"])


def test_what_changes_between_the_list_and_the_read_is_told_as_read(shop: Shop) -> None:
    position = shop.scanned()
    shop.shelf.put("k1", "v2")
    shop.shelf.put("k2", "v2")
    listed = [(row.id, row.version or "") for row in shop.shelf.rows_by_id.values()]

    class Late(Shelf):
        def versions(self) -> Iterator[list[tuple[str, str]]]:
            yield listed

    late = Late(shop.shelf.rows_by_id)
    shop.shelf.put("k1", "v3")
    shop.shelf.remove("k2")
    shop.shelf.put("k3", "v2")
    pages = list(shop.snapshots.changes(Table("Cards", ("Name",), late), position))
    assert told(pages) == ({"k1": "v3"}, ["k2"])
    assert told(shop.changes(after(pages))) == ({"k3": "v2"}, [])


def test_a_long_look_gives_a_page_now_and_then(shop: Shop) -> None:
    """So that a signal is heard and a lease is kept while nothing is found."""
    position = shop.scanned()
    seconds = iter(range(0, 1000, 3))
    slow = Snapshots(shop.folder, "https://shop.example", lambda: float(next(seconds)))
    pages = list(slow.changes(shop.table(), position))
    assert told(pages) == ({}, [])
    assert [page.resume for page in pages[:-1]] == [position]
    assert after(pages) == position


def test_ids_that_differ_by_case_only_are_two_rows(shop: Shop) -> None:
    shop.shelf.put("K1", "v1")
    position = shop.scanned()
    shop.shelf.remove("K1")
    assert told(shop.changes(position)) == ({}, ["K1"])


@pytest.mark.parametrize("id", ["a'b/c", "日本語", "", "x" * 5000, "\ud800", "\x1f"])
def test_any_text_may_be_an_id(shop: Shop, id: str) -> None:
    shop.shelf.put(id, "v1")
    position = shop.scanned()
    shop.shelf.remove(id)
    assert told(shop.changes(position)) == ({}, [id])


def test_a_table_that_reads_as_empty_asks_for_a_scan(shop: Shop) -> None:
    position = shop.scanned()
    shop.shelf.rows_by_id.clear()
    with pytest.raises(PositionExpiredError) as raised:
        shop.changes(position)
    assert raised.value.code == "position-emptied"
    position = shop.scanned()
    assert told(shop.changes(position)) == ({}, [])


def test_the_last_two_rows_may_go(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.shelf.put("a", "v1")
    shop.shelf.put("b", "v1")
    position = shop.scanned()
    shop.shelf.rows_by_id.clear()
    assert told(shop.changes(position)) == ({}, ["a", "b"])


def test_an_empty_table_may_fill(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    position = shop.scanned()
    shop.shelf.put("a", "v1")
    assert told(shop.changes(position)) == ({"a": "v1"}, [])


# ---------------------------------------------------------------------------- resuming


def test_a_scan_resumes_after_each_page_into_a_whole_generation(shop: Shop) -> None:
    pages = shop.scan()
    for number, page in enumerate(pages[:-1], start=1):
        rest = shop.scan(page.resume)
        assert [row.id for page in [*pages[:number], *rest] for row in page.rows] == sorted(
            shop.shelf.rows_by_id
        )
        assert told(shop.changes(after(rest))) == ({}, [])


def test_a_scan_goes_on_where_a_killed_one_stopped(shop: Shop) -> None:
    scan = shop.snapshots.scan(shop.table(), None)
    resume = next(scan).resume
    next(scan)  # was never committed
    (journal,) = shop.folder.glob("*/*.rows")
    with journal.open("r+b") as file:
        file.truncate(file.seek(0, 2) - 5)  # and only half of it reached the disk
    assert told(shop.changes(after(shop.scan(resume)))) == ({}, [])


@pytest.mark.parametrize("harm", ["truncate", "flip", "delete"])
def test_a_scan_whose_journal_is_damaged_begins_anew(shop: Shop, harm: str) -> None:
    resume = next(shop.snapshots.scan(shop.table(), None)).resume
    (journal,) = shop.folder.glob("*/*.rows")
    content = bytearray(journal.read_bytes())
    content[-1] ^= 1
    if harm == "delete":
        journal.unlink()
    else:
        journal.write_bytes(content if harm == "flip" else content[:-1])
    with pytest.raises(PositionExpiredError):
        shop.scan(resume)


@pytest.mark.parametrize("file", ["high", "low", "version", "ends", "text", "manifest.json"])
@pytest.mark.parametrize("harm", ["truncate", "flip", "delete"])
def test_a_damaged_generation_asks_for_a_scan(shop: Shop, file: str, harm: str) -> None:
    position = shop.scanned()
    (path,) = shop.folder.glob(f"*/*/{file}")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    if harm == "delete":
        path.unlink()
    else:
        path.write_bytes(content if harm == "flip" else content[:-1])
    with pytest.raises(PositionExpiredError):
        shop.changes(position)


def test_a_position_belongs_to_system_entity_and_columns(shop: Shop) -> None:
    position = shop.scanned()
    others = [
        (shop.snapshots, shop.table(columns=("Name", "Day"))),
        (shop.snapshots, shop.table(entity="Points")),
        (Snapshots(shop.folder, "https://other.example"), shop.table()),
    ]
    for snapshots, table in others:
        with pytest.raises(PositionExpiredError):
            list(snapshots.changes(table, position))
        resume = next(shop.snapshots.scan(shop.table(), None)).resume
        with pytest.raises(PositionExpiredError):
            list(snapshots.scan(table, resume))


@pytest.mark.parametrize(
    "text", ["", "{}", "null", "12", "garbage!", "snapshot.x.../../etc", "snapshot..", '{"tie":1}']
)
def test_what_is_no_position_asks_for_a_scan(shop: Shop, text: str) -> None:
    with pytest.raises(PositionExpiredError):
        shop.changes(text)
    with pytest.raises(PositionExpiredError):
        shop.scan(text)


def test_a_folder_that_cannot_be_used_is_named(shop: Shop) -> None:
    shop.folder.write_text("a file")
    with pytest.raises(StateError) as raised:
        shop.scan()
    assert raised.value.code == "snapshot-unwritable"
    assert str(shop.folder) in raised.value.message


# ---------------------------------------------------------------------------- anything at all

Edits: TypeAlias = list[tuple[str, str | None]]
EDITS = st.lists(
    st.tuples(st.sampled_from("abcdefghij"), st.sampled_from(["v1", "v2", "v3", None])), max_size=12
)
LOOKS = st.tuples(
    EDITS,
    EDITS,
    st.none() | st.integers(0, 3),  # pages kept of a look whose position got lost
    st.sets(st.sampled_from("abcdefghij")),
)


@settings(max_examples=50, deadline=None)
@given(looks=st.lists(LOOKS, max_size=5))
def test_whoever_follows_the_feed_holds_what_the_table_holds(
    tmp_path_factory: pytest.TempPathFactory,
    looks: list[tuple[Edits, Edits, int | None, set[str]]],
) -> None:
    """Edits between looks and amid them, rows hidden from the list, looks that were broken off."""
    shop = Shop(tmp_path_factory.mktemp("shop"))
    shelf = shop.shelf
    for id in ("keep 1", "keep 2", "keep 3"):
        shelf.put(id, "v1")  # a read never is empty
    held = told(shop.scan())[0]
    position = shop.scanned()

    def apply(edits: Edits) -> None:
        for id, version in edits:
            if version is None:
                shelf.rows_by_id.pop(id, None)
            else:
                shelf.put(id, version)

    def keep(pages: Iterable[Page]) -> None:
        for page in pages:
            held.update({row.id: row.version for row in page.rows})
            for id in page.deleted:
                held.pop(id, None)

    for between, amid, kept, hidden in looks:
        apply(between)
        shelf.hidden = hidden
        shelf.turned = lambda number, amid=amid: apply(amid) if number == 1 else None  # type: ignore[misc]
        look = shop.snapshots.changes(shop.table(), position)
        pages = list(islice(look, kept))
        keep(pages)
        look.close()  # type: ignore[attr-defined]
        shelf.turned, shelf.hidden = (lambda _number: None), set()
        if kept is None:
            position = after(pages)
    keep(shop.changes(position))
    assert held == {id: row.version for id, row in shelf.rows_by_id.items()}
