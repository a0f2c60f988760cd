"""When live mode looks, and what is read by key in between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from connector.endpoints.base import Page, Row
from connector.endpoints.looks import SOON, Looks
from connector.endpoints.manner import Manner
from connector.endpoints.snapshots import Snapshots, Table
from connector.errors import UnreachableError
from tests.unit.endpoints.snapshots.things import COLUMNS, Shelf, Shop, after, told

EVERY = 60.0


class Hinted:
    """Hints that wait."""

    def __init__(self) -> None:
        self.waiting: list[str] = []
        self.is_due = False

    def take(self, _entity: str) -> list[str]:
        taken, self.waiting = self.waiting, []
        return taken

    def again(self, _entity: str, ids: Sequence[str]) -> None:
        self.waiting = [*ids, *self.waiting]

    def due(self, _entity: str) -> bool:
        due, self.is_due = self.is_due, False
        return due


class Counted:
    """A detection that counts its looks."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots
        self.looks = 0

    def scan(self, table: Table[Shelf], resume: str | None) -> Iterator[Page]:
        return self._snapshots.scan(table, resume)

    def changes(self, table: Table[Shelf], position: str) -> Iterator[Page]:
        self.looks += 1
        return self._snapshots.changes(table, position)


class Window:
    """A table that is looked at."""

    def __init__(self, folder: Path, manner: Manner) -> None:
        self.shop = Shop(folder)
        self.shop.shelf.put("a", "1")
        self.now = 100.0
        self.hints = Hinted()
        self._snapshots = self.shop.snapshots
        self.detection = Counted(self._snapshots)
        self.looks = Looks(manner, EVERY, lambda: self.now, self._snapshots, self.hints)
        self.position = self.shop.scanned()

    def look(self, position: str | None = None) -> tuple[dict[str, str | None], list[str]]:
        """What is told, and the position moves."""
        table = Table("Cards", COLUMNS, self.shop.shelf)
        pages = list(self.looks.changes(self.detection, table, position or self.position))
        if position is None:
            self.position = after(pages)
        return told(pages)


@pytest.fixture
def live(tmp_path: Path) -> Window:
    return Window(tmp_path, Manner.LIVE)


def test_live_mode_looks_once_in_a_while(live: Window) -> None:
    live.look()
    live.shop.shelf.put("b", "1")
    live.now += EVERY - 1
    assert live.look() == ({}, [])
    live.now += 1
    assert live.look() == ({"b": "1"}, [])
    live.now += 1
    live.look()
    assert live.detection.looks == 2, "the position is new and was looked at from nevertheless"


def test_a_look_that_broke_off_is_made_again_at_once(live: Window) -> None:
    live.shop.shelf.put("b", "1")
    table = Table("Cards", COLUMNS, live.shop.shelf)
    next(iter(live.looks.changes(live.detection, table, live.position)))
    assert live.look() == ({"b": "1"}, [])


def test_a_position_that_was_not_kept_is_looked_from_again(live: Window) -> None:
    before = live.position
    live.shop.shelf.put("b", "1")
    live.look()
    assert live.look(before) == ({"b": "1"}, [])


@pytest.mark.parametrize("manner", [Manner.COMMAND, Manner.REHEARSAL])
def test_others_look_each_time_and_at_all(manner: Manner, tmp_path: Path) -> None:
    window = Window(tmp_path, manner)
    window.hints.waiting = ["a"]
    window.look()
    window.look()
    assert window.detection.looks == 2
    assert window.hints.waiting == ["a"]


def test_hinted_rows_are_read_by_key_and_the_position_stays(live: Window) -> None:
    live.look()
    position = live.position
    live.shop.shelf.put("b", "1")
    live.shop.shelf.remove("a")
    live.hints.waiting = ["a", "b"]
    assert live.look() == ({"b": "1"}, ["a"])
    assert live.position == position
    assert live.detection.looks == 1
    assert live.look() == ({}, [])


def test_a_hint_is_kept_while_its_row_cannot_be_read(
    live: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    live.look()
    live.shop.shelf.put("b", "1")
    live.hints.waiting = ["b"]

    def busy(_ids: Sequence[str]) -> list[Row]:
        raise UnreachableError("throttled", "too many requests", remedy="wait")

    with monkeypatch.context() as patch:
        patch.setattr(live.shop.shelf, "read", busy)
        with pytest.raises(UnreachableError):
            live.look()
    assert live.look() == ({"b": "1"}, [])


def test_a_hinted_row_that_goes_again_is_told_as_deleted(live: Window) -> None:
    live.look()
    live.shop.shelf.put("b", "1")
    live.hints.waiting = ["b"]
    live.look()
    live.shop.shelf.remove("b")
    live.now += EVERY
    assert live.look() == ({}, ["b"])


def test_a_row_that_comes_back_in_another_spelling_is_not_gone(live: Window) -> None:
    live.look()
    read = live.shop.shelf.read
    live.shop.shelf.read = lambda ids: read([id.lower() for id in ids])  # type: ignore[method-assign]
    live.hints.waiting = ["A"]
    assert live.look() == ({"a": "1"}, [])


def test_where_something_changed_nobody_knows_what_a_look_comes_sooner(live: Window) -> None:
    live.look()
    live.now += SOON
    live.look()
    assert live.detection.looks == 1
    live.hints.is_due = True
    live.look()
    assert live.detection.looks == 2


def test_a_hinted_row_in_another_spelling_is_followed(live: Window) -> None:
    live.look()
    live.shop.shelf.folds = True
    live.shop.shelf.put("born", "1")
    live.hints.waiting = ["BORN"]
    assert live.look() == ({"born": "1"}, [])
    live.shop.shelf.remove("born")
    live.now += EVERY
    rows, deleted = live.look()
    assert (rows, "born" in deleted) == ({}, True)


def test_a_hint_that_comes_too_soon_is_not_forgotten(live: Window) -> None:
    live.look()
    live.shop.shelf.put("b", "1")
    live.now += SOON - 1
    live.hints.is_due = True
    assert live.look() == ({}, [])
    live.now += 1
    assert live.look() == ({"b": "1"}, [])
    live.now += SOON
    live.look()
    assert live.detection.looks == 2, "it is told once"
