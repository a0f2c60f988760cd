"""What wakes the one thread that works: a notice, a commit, a signal, a seat won or lost.

Owns: the queue between the threads of live mode.
Never does: deciding what a wake-up means.
Tested in: tests/unit/live/test_inbox.py.
"""

from __future__ import annotations

from enum import StrEnum
from queue import Empty, SimpleQueue
from typing import NamedTuple


class Kind(StrEnum):
    """Why somebody wakes the work."""

    NOTICE = "notice"
    """A side told that one of its tables changed; `what` is the table."""
    EVENT = "event"
    """A commerce system told that an entity changed; `what` is `event_of` side and entity."""
    COMMIT = "commit"
    """Somebody committed to a ledger; `what` is its side."""
    FILES = "files"
    """The map files changed, or somebody asks to read them."""
    SEATS = "seats"
    """A seat was won or lost."""
    SIGNAL = "signal"
    BROKEN = "broken"
    """A thread of ours died; `error` says of what."""


def event_of(side: str, entity: str) -> str:
    """What an event is about, as `Wake.what`."""
    return f"{side}/{entity}"


class Wake(NamedTuple):
    """One wake-up."""

    kind: Kind
    what: str = ""
    error: BaseException | None = None


class Inbox:
    """Wake-ups of any thread. `put` is reentrant, so that a signal handler may call it.

    It holds each once, however many notices come while a cycle goes on: whoever takes a wake-up
    acts later than all that were put until then.
    """

    def __init__(self) -> None:
        self._queue: SimpleQueue[Wake] = SimpleQueue()
        self._waiting: set[Wake] = set()

    def put(self, wake: Wake) -> None:
        """Wake whoever takes; nothing for what waits already."""
        if wake not in self._waiting:
            self._waiting.add(wake)
            self._queue.put(wake)

    def take(self, seconds: float) -> set[Wake]:
        """All that has come, each once; waits so long for the first."""
        found: set[Wake] = set()
        try:
            found.add(self._queue.get(timeout=max(seconds, 0.0)))
            while True:
                found.add(self._queue.get_nowait())
        except Empty:
            self._waiting -= found
            return found
