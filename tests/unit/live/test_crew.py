"""The threads beside the work: none dies unnoticed, a look-out recovers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from connector.errors import UnreachableError
from connector.live import crew as module
from connector.live.crew import Crew, looking_out
from connector.live.inbox import Inbox, Kind, Wake

COMMIT = Wake(Kind.COMMIT, "commerce")


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def crew(inbox: Inbox) -> Iterator[Crew]:
    one = Crew(inbox)
    yield one
    one.end()


def test_a_thread_that_dies_is_news(inbox: Inbox, crew: Crew) -> None:
    def dies(_ended: threading.Event) -> None:
        raise ZeroDivisionError

    crew.start("server", dies)
    (wake,) = inbox.take(20)
    assert (wake.kind, wake.what) == (Kind.BROKEN, "server")
    assert isinstance(wake.error, ZeroDivisionError)


def test_they_end_those_that_came_last_first(inbox: Inbox, crew: Crew) -> None:
    order: list[str] = []

    def until_ended(name: str) -> None:
        def task(ended: threading.Event) -> None:
            ended.wait()
            order.append(name)

        crew.start(name, task)

    for name in ("server", "seats"):
        until_ended(name)
    crew.end()
    assert order == ["seats", "server"]


def test_one_that_does_not_end_is_told_and_left(
    inbox: Inbox,
    crew: Crew,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    stuck = threading.Event()

    def task(_ended: threading.Event) -> None:
        stuck.wait()

    crew.start("stuck", task)
    crew.end()
    stuck.set()
    assert "stuck did not end in time" in caplog.text


class Source:
    """A ledger that is opened, fails and commits as a test wants."""

    pace = 0.001

    def __init__(self) -> None:
        self.away = False
        self.opened = 0
        self.closed = 0
        self.commits = 0

    @contextmanager
    def open(self) -> Iterator[Source]:
        self._check()
        self.opened += 1
        try:
            yield self
        finally:
            self.closed += 1

    def moved(self) -> bool:
        self._check()
        self.commits, before = 0, self.commits
        return before > 0

    def _check(self) -> None:
        if self.away:
            raise UnreachableError("ledger-unreachable", "away", remedy="wait")


def test_a_look_out_wakes_and_recovers(
    inbox: Inbox,
    crew: Crew,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(module, "AGAIN", 0.01)
    source = Source()
    crew.start("look-out", looking_out("commerce", source.open, inbox))
    assert inbox.take(0.1) == set()
    source.commits = 2
    assert inbox.take(20) == {COMMIT}
    source.away = True
    end = time.monotonic() + 20
    while source.closed == 0:
        assert time.monotonic() < end
        time.sleep(0.01)
    time.sleep(0.1)
    source.away = False
    assert inbox.take(20) == {COMMIT}, "something may have been committed meanwhile"
    assert caplog.text.count("go unnoticed") == 1
    assert source.opened == 2
