"""The threads beside the one that works: server, seats, look-outs.

Owns: starting and ending them; the death of one is news for the work, which ends with it.
Never does: what they do.
Tested in: tests/unit/live/test_crew.py.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol, TypeAlias

from connector.errors import DualWriteError
from connector.live.inbox import Inbox, Kind, Wake

PATIENCE = 5.0
"""Seconds a thread is waited for at the end."""
AGAIN = 2.0
"""Seconds before a look-out that failed is set up anew."""

_LOG = logging.getLogger(__name__)

Task: TypeAlias = Callable[[threading.Event], None]
"""Something that goes on until the event."""


class Crew:
    """Threads that end together, each told by its own event so that their order can be chosen."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._members: list[tuple[threading.Thread, threading.Event]] = []

    def start(self, name: str, task: Task) -> threading.Thread:
        """Run a task in a thread of its own."""
        ended = threading.Event()

        def run() -> None:
            try:
                task(ended)
            except BaseException as error:  # noqa: BLE001 - raised again by the thread that works
                self._inbox.put(Wake(Kind.BROKEN, name, error))

        thread = threading.Thread(target=run, name=name, daemon=True)
        self._members.append((thread, ended))
        thread.start()
        return thread

    def end(self) -> None:
        """End all, those that came last first."""
        for thread, ended in reversed(self._members):
            ended.set()
            thread.join(PATIENCE)
            if thread.is_alive():
                _LOG.warning("%s did not end in time", thread.name)
        self._members.clear()


class Watch(Protocol):
    """What notices commits (`connector.ledger.watch.Watch`)."""

    pace: float

    def moved(self) -> bool:
        """Whether somebody has committed since the last call."""
        ...


def looking_out(
    side: str, opened: Callable[[], AbstractContextManager[Watch]], inbox: Inbox
) -> Task:
    """A task that wakes the work when somebody commits to a side.

    A side that cannot be read is looked for again; the work finds out by itself what it missed.
    """

    def task(ended: threading.Event) -> None:
        failing = False
        while not ended.is_set():
            try:
                with opened() as watch:
                    if failing:
                        _LOG.info("commits to %s are noticed again", side)
                        inbox.put(Wake(Kind.COMMIT, side))
                    failing = False
                    while not ended.wait(watch.pace):
                        if watch.moved():
                            inbox.put(Wake(Kind.COMMIT, side))
            except DualWriteError as error:
                if not failing:
                    _LOG.warning("commits to %s go unnoticed, polling goes on: %s", side, error)
                failing = True
                ended.wait(AGAIN)

    return task
