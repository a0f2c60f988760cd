"""Seats: one instance works a map, the next one waits for it to stop, die or fall silent."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from connector.errors import UnreachableError
from connector.live import seats as module
from connector.live.seats import Seats
from connector.store.opening import open_store
from connector.store.sql_store import SqlStore
from connector.store.work import Lease

MAPS = ("loyalty-card", "loyalty-reward-points")


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Callable[[], SqlStore]]:
    opened: list[SqlStore] = []

    def make() -> SqlStore:
        opened.append(open_store(f"sqlite:///{tmp_path / 'state.db'}"))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


class Instance(Seats):
    """Seats on a clock that a test moves; `changes` counts what was told."""

    def __init__(self, store: SqlStore, name: str, maps: tuple[str, ...] = MAPS) -> None:
        self.now = 0.0
        self.changes = 0
        self.dead: set[str] = set()
        super().__init__(
            store, maps, name, lambda who: who in self.dead, lambda: self.now, self._count
        )

    def _count(self) -> None:
        self.changes += 1


@pytest.fixture
def time_passes(tmp_path: Path) -> Callable[[float], None]:
    """Lets seconds pass for the state, whose clock is its own: nobody has to wait for them."""

    def pass_by(seconds: float) -> None:
        with closing(sqlite3.connect(tmp_path / "state.db")) as state, state:
            state.execute("UPDATE leases SET expires = expires - ?", (seconds,))

    return pass_by


def test_the_first_one_works_and_the_second_stands_by(stores: Callable[[], SqlStore]) -> None:
    one, two = Instance(stores(), "one"), Instance(stores(), "two")
    assert not one.looked
    for _ in range(2):
        one.look()
        two.look()
    assert one.held() == set(MAPS)
    assert two.held() == set()
    assert (one.changes, two.changes) == (1, 1), "the first look is news, the second is not"
    assert one.looked
    one.give_back()
    assert one.held() == set()
    two.look()
    assert two.held() == set(MAPS)


def test_each_map_has_a_seat_of_its_own(stores: Callable[[], SqlStore]) -> None:
    one, two = Instance(stores(), "one", MAPS[:1]), Instance(stores(), "two")
    one.look()
    two.look()
    assert one.held() == {MAPS[0]}
    assert two.held() == {MAPS[1]}


def test_the_seat_of_a_dead_one_is_free_at_once(stores: Callable[[], SqlStore]) -> None:
    one, two = Instance(stores(), "one"), Instance(stores(), "two")
    one.look()
    two.dead.add("one")
    two.look()
    assert two.held() == set(MAPS)
    one.now += module.RENEW + 1
    one.look()
    assert one.held() == set(), "it finds out when it renews"
    assert one.changes == 2


def test_a_silent_one_is_replaced_and_knows_it_by_itself(
    stores: Callable[[], SqlStore], time_passes: Callable[[float], None]
) -> None:
    one, two = Instance(stores(), "one"), Instance(stores(), "two")
    one.look()
    time_passes(module.SEAT + 1)
    one.now = module.SEAT + 1
    assert one.held() == set(), "without asking anybody"
    two.look()
    assert two.held() == set(MAPS)


def test_seats_are_renewed_in_time(
    stores: Callable[[], SqlStore], time_passes: Callable[[float], None]
) -> None:
    one, two = Instance(stores(), "one"), Instance(stores(), "two")
    one.look()
    for _ in range(6):
        time_passes(module.RENEW + 1)
        one.now += module.RENEW + 1
        one.look()
        two.look()
    assert one.held() == set(MAPS)
    assert two.held() == set()


def test_a_state_that_is_away_lets_seats_lapse_and_comes_back(
    stores: Callable[[], SqlStore],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = stores()
    one = Instance(store, "one", MAPS[:1])
    one.look()

    def away(*_: object) -> None:
        raise UnreachableError("state-unreachable", "the server is away", remedy="wait")

    with monkeypatch.context() as patched, caplog.at_level("INFO", "connector.live"):
        patched.setattr(store, "renew", away)
        for _ in range(3):
            one.now += module.RENEW + 1
            one.look()
        assert one.held() == {MAPS[0]}, "18 s are less than the seat lasts"
        assert one.trouble is not None
        assert one.changes == 2, "that there is trouble is news"
        one.now += module.RENEW
        one.look()
        assert one.held() == set()
    assert caplog.text.count("cannot be looked after") == 1, "told once"
    one.look()
    assert one.held() == {MAPS[0]}
    assert one.trouble is None
    assert one.changes == 3


def test_a_seat_that_cannot_be_given_back_keeps_none_of_the_others(
    stores: Callable[[], SqlStore],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = stores()
    one, two = Instance(store, "one"), Instance(stores(), "two")
    one.look()
    release = store.release

    def half_away(lease: Lease) -> None:
        if lease.map.endswith(MAPS[0]):
            raise UnreachableError("state-unreachable", "the server is away", remedy="wait")
        release(lease)

    monkeypatch.setattr(store, "release", half_away)
    one.give_back()
    two.look()
    assert two.held() == {MAPS[1]}
    assert f"{MAPS[0]}: others wait up to 20 s" in caplog.text


def test_the_thread_gives_its_seats_back(stores: Callable[[], SqlStore]) -> None:
    one, ended = Instance(stores(), "one"), threading.Event()
    thread = threading.Thread(target=one.keep, args=[ended])
    thread.start()
    end = time.monotonic() + 20
    while one.held() != set(MAPS):
        assert time.monotonic() < end
        time.sleep(0.01)
    ended.set()
    thread.join(20)
    two = Instance(stores(), "two")
    two.look()
    assert two.held() == set(MAPS)
