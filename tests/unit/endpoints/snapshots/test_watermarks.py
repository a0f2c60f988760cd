"""Looks by watermark: late commits, ties, pages, sweeps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.endpoints.base import Page
from connector.endpoints.snapshots import Mark, Marked, Table, Watermarks, watermarks
from connector.endpoints.snapshots.watermarks import Place, parse, text
from connector.errors import PositionExpiredError
from tests.unit.endpoints.snapshots.things import COLUMNS, Shelf, Shop, after, told

BEGUN = datetime(2024, 5, 1, tzinfo=UTC)
OVERLAP = 10.0


@dataclass
class Timed(Shelf):
    """A shelf that notes when each row was written, by a clock that tests move."""

    now: float = 0.0
    marks: dict[str, Mark] = field(default_factory=dict)
    asked: list[Mark] = field(default_factory=list)
    clockless: bool = False

    def write(self, id: str, version: str, at: float | None = None) -> None:
        self.put(id, version)
        self.marks[id] = instant(self.now if at is None else at)

    def since(self, mark: Mark, after: str | None) -> Iterator[Sequence[Marked]]:
        self.asked.append(mark)
        while True:
            place = (mark, after) if after is not None else (mark, "")
            found = sorted((m, id) for id, m in self.marks.items() if id in self.rows_by_id)
            found = [one for one in found if (one > place if after is not None else one >= place)]
            page = [Marked(m, id, self.rows_by_id[id]) for m, id in found[: self.page]]
            yield page
            if len(found) <= self.page:
                return
            mark, after = page[-1].mark, page[-1].key

    def horizon(self) -> Mark | None:
        if self.clockless:
            return max((self.marks[id] for id in self.rows_by_id), default=None)
        return instant(self.now)


def instant(seconds: float) -> datetime:
    return BEGUN + timedelta(seconds=seconds)


class TimedShop:
    """A shop that is looked at by watermark."""

    def __init__(self, folder: Path, sweep: float = 1e9) -> None:
        self.shelf = Timed(page=3)
        self._shop = Shop(folder, self.shelf)
        self.sweep = sweep

    @property
    def _marks(self) -> Watermarks:
        return Watermarks(self._shop.snapshots, OVERLAP, self.sweep, lambda: self.shelf.now)

    def table(self, columns: tuple[str, ...] = COLUMNS) -> Table[Timed]:
        return Table("Cards", columns, self.shelf)

    def scan(self, resume: str | None = None) -> list[Page]:
        return list(self._marks.scan(self.table(), resume))

    def changes(self, position: str, columns: tuple[str, ...] = COLUMNS) -> list[Page]:
        return list(self._marks.changes(self.table(columns), position))


@pytest.fixture
def shop(tmp_path: Path) -> TimedShop:
    shop = TimedShop(tmp_path)
    for number in range(7):
        shop.shelf.write(f"k{number}", "v1", at=-100.0)
    return shop


def test_a_look_tells_of_what_was_written_since(shop: TimedShop) -> None:
    position = after(shop.scan())
    shop.shelf.now = 60
    assert told(shop.changes(position)) == ({}, [])
    shop.shelf.write("k1", "v2")
    shop.shelf.write("new", "v1")
    pages = shop.changes(position)
    assert told(pages) == ({"k1": "v2", "new": "v1"}, [])
    assert told(shop.changes(after(pages))) == ({}, [])
    assert shop.shelf.read_ids == []


def test_an_idle_look_begins_an_overlap_below_the_clock(shop: TimedShop) -> None:
    position = after(shop.scan())
    for now in (60.0, 120.0):
        shop.shelf.now = now
        position = after(shop.changes(position))
    shop.shelf.asked.clear()
    shop.changes(position)
    assert shop.shelf.asked == [instant(120 - OVERLAP)]


def test_a_commit_that_comes_late_within_the_overlap_is_seen(shop: TimedShop) -> None:
    position = after(shop.scan())
    shop.shelf.now = 60
    shop.shelf.write("k1", "v2")
    pages = shop.changes(position)
    shop.shelf.now = 65
    shop.shelf.write("k2", "v2", at=60 - OVERLAP + 1)
    pages = shop.changes(after(pages))
    assert told(pages) == ({"k2": "v2"}, [])


def test_a_row_in_the_overlap_that_was_written_again_is_told_again(shop: TimedShop) -> None:
    position = after(shop.scan())
    shop.shelf.write("k1", "v2")
    pages = shop.changes(position)
    shop.shelf.write("k1", "v3")
    assert told(shop.changes(after(pages))) == ({"k1": "v3"}, [])


def test_rows_of_one_instant_are_not_lost_between_pages(shop: TimedShop) -> None:
    position = after(shop.scan())
    shop.shelf.now = 60
    ids = [f"n{number}" for number in range(8)]
    for id in ids:
        shop.shelf.write(id, "v1")
    pages = shop.changes(position)
    assert [len(page.rows) for page in pages] == [3, 3, 2, 0]
    assert told(pages)[0].keys() == set(ids)
    for number, page in enumerate(pages[:-1], start=1):
        assert page.resume is not None
        rest = shop.changes(page.resume)
        assert told([*pages[:number], *rest])[0].keys() == set(ids)
        assert told(rest)[0].keys() == {r.id for page in pages[number:] for r in page.rows}


def test_a_look_that_is_taken_up_again_counts_from_its_beginning(shop: TimedShop) -> None:
    position = after(shop.scan())
    shop.shelf.now = 60
    for number in range(8):
        shop.shelf.write(f"n{number}", "v1")
    first = shop.changes(position)[0]
    assert first.resume is not None
    shop.shelf.write("k1", "v2", at=60 - OVERLAP / 2)  # behind the page it stopped at
    shop.shelf.now = 3600
    rest = shop.changes(first.resume)
    assert "k1" not in told(rest)[0]
    assert told(shop.changes(after(rest)))[0]["k1"] == "v2"


def test_what_is_written_during_a_scan_is_told_afterwards(shop: TimedShop) -> None:
    def write(number: int) -> None:
        shop.shelf.now = 30
        if number == 1:
            shop.shelf.write("k0", "v2")

    shop.shelf.turned = write
    pages = shop.scan()
    assert told(shop.changes(after(pages))) == ({"k0": "v2"}, [])
    resumed = shop.scan(pages[0].resume)  # it goes on from the clock of its beginning
    assert told(shop.changes(after(resumed))) == ({"k0": "v2"}, [])


def test_deletes_come_with_a_sweep_and_not_before(shop: TimedShop) -> None:
    shop.sweep = 300
    position = after(shop.scan())
    shop.shelf.remove("k3")
    shop.shelf.now = 299
    pages = shop.changes(position)
    assert told(pages) == ({}, [])
    shop.shelf.now = 300
    pages = shop.changes(after(pages))
    assert told(pages) == ({}, ["k3"])
    shop.shelf.pages = 0
    assert told(shop.changes(after(pages))) == ({}, [])
    assert shop.shelf.pages == 0


def test_a_sweep_finds_what_was_written_without_a_mark(shop: TimedShop) -> None:
    shop.sweep = 300
    position = after(shop.scan())
    shop.shelf.put("k3", "v2")
    shop.shelf.now = 300
    assert told(shop.changes(position)) == ({"k3": "v2"}, [])


def test_a_clock_that_was_set_back_brings_a_sweep(shop: TimedShop) -> None:
    shop.shelf.now = 3600
    position = after(shop.scan())
    shop.shelf.now = 60
    shop.shelf.write("k1", "v2")
    pages = shop.changes(position)
    assert told(pages) == ({"k1": "v2"}, [])
    shop.shelf.now = 90
    shop.shelf.write("k2", "v2")
    assert told(shop.changes(after(pages)))[0]["k2"] == "v2"


def test_our_own_clock_that_was_set_back_brings_a_sweep(shop: TimedShop) -> None:
    """Or deletes would not be found before it has caught up."""
    shop.sweep, shop.shelf.clockless = 300, True
    shop.shelf.now = 1e9
    position = after(shop.scan())
    shop.shelf.remove("k3")
    shop.shelf.now = 60
    pages = shop.changes(position)
    assert told(pages)[1] == ["k3"]
    shop.shelf.pages = 0
    shop.changes(after(pages))
    assert shop.shelf.pages == 0, "once is enough"


def test_a_position_remembers_so_many_rows_and_no_more(
    shop: TimedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watermarks, "MOST_TOLD", 2)
    position = after(shop.scan())
    for number in range(5):
        shop.shelf.write(f"k{number}", "v2")
    pages = shop.changes(position)
    assert len(told(pages)[0]) == 5
    again = told(shop.changes(after(pages)))[0]
    assert len(again) == 3
    assert set(again.values()) == {"v2"}


def test_without_a_clock_the_highest_mark_serves(shop: TimedShop) -> None:
    shop.shelf.clockless = True
    position = after(shop.changes(after(shop.scan())))
    assert told(shop.changes(position)) == ({}, [])
    shop.shelf.now = 60
    shop.shelf.write("k1", "v2")
    pages = shop.changes(position)
    assert told(pages) == ({"k1": "v2"}, [])
    shop.shelf.now = 65
    shop.shelf.write("k2", "v2", at=51)
    assert told(shop.changes(after(pages))) == ({"k2": "v2"}, [])


def test_an_empty_table_without_a_clock_may_fill(tmp_path: Path) -> None:
    shop = TimedShop(tmp_path)
    shop.shelf.clockless = True
    pages = shop.changes(after(shop.scan()))
    assert told(pages) == ({}, [])
    shop.shelf.write("a", "v1")
    assert told(shop.changes(after(pages))) == ({"a": "v1"}, [])


def test_a_position_belongs_to_its_columns_and_kind_of_mark(shop: TimedShop) -> None:
    position = after(shop.scan())
    with pytest.raises(PositionExpiredError):
        shop.changes(position, ("Name", "Day"))
    place = parse("Cards", position)
    with pytest.raises(PositionExpiredError):
        shop.changes(text(Place(place.snapshot, place.swept, 17)))


@pytest.mark.parametrize(
    "position", ["", "{}", "null", "12", "garbage!", '{"snapshot":"x","swept":"y"}', "[]"]
)
def test_what_is_no_position_asks_for_a_scan(shop: TimedShop, position: str) -> None:
    with pytest.raises(PositionExpiredError):
        shop.changes(position)
    with pytest.raises(PositionExpiredError):
        shop.scan(position)


MARKS = st.none() | st.integers(0, 2**63) | st.datetimes(timezones=st.just(UTC))


@given(low=MARKS, behind=st.none() | st.tuples(MARKS.filter(lambda m: m is not None), st.text()))
def test_a_place_survives_as_text(low: Mark | None, behind: tuple[Mark, str] | None) -> None:
    place = Place("snapshot.x", 0.5, low, frozenset({"a"}), behind, low)
    assert parse("Cards", text(place)) == place


WRITES = st.lists(
    st.tuples(
        st.sampled_from("abcdefgh"),
        st.floats(0, 5, allow_nan=False).map(lambda x: round(x, 1)),  # pause before it
        st.floats(0, OVERLAP - 0.1).map(lambda x: round(x, 1)),  # how late it is committed
        st.booleans(),  # a look follows
        st.booleans(),  # and its end gets lost
    ),
    max_size=20,
)


@settings(max_examples=100, deadline=None)
@given(writes=WRITES, clockless=st.booleans())
def test_no_commit_is_missed_however_late_within_the_overlap(
    tmp_path_factory: pytest.TempPathFactory,
    writes: list[tuple[str, float, float, bool, bool]],
    clockless: bool,
) -> None:
    """A mark is given when a write begins; others see it from its commit on."""
    shop = TimedShop(tmp_path_factory.mktemp("shop"))
    shelf = shop.shelf
    shelf.clockless = clockless
    for id in "abc":
        shelf.write(id, "v0", at=-100)
    held = told(shop.scan())[0]
    position = after(shop.scan())
    coming: list[tuple[float, float, str, str]] = []

    def commit() -> None:
        for one in sorted(coming):
            at, began, id, version = one
            if at <= shelf.now:
                coming.remove(one)
                shelf.write(id, version, at=began)

    for number, (id, pause, late, looks, lost) in enumerate(writes):
        shelf.now = round(shelf.now + pause, 1)
        # Writes of one row wait for each other, as row locks make them.
        earlier = max((at for at, _, other, _ in coming if other == id), default=shelf.now)
        began = max(shelf.now, earlier)
        coming.append((round(began + late, 1), began, id, f"v{number + 1}"))
        commit()
        if looks:
            pages = shop.changes(position)
            held.update(told(pages[:1] if lost else pages)[0])
            position = position if lost else after(pages)
    shelf.now += 100
    commit()
    held.update(told(shop.changes(position))[0])
    assert held == {id: row.version for id, row in shelf.rows_by_id.items()}
