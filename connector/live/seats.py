"""Who serves a map: the one instance that holds its seat, until it stops or dies.

Owns: the seats of this instance, renewed by a thread of their own, because a cycle may take
longer than the others shall wait for a dead one.
Never does: keeping two workers from one map at a time: the lease of each run does that, seats
only keep instances from taking turns.
Tested in: tests/unit/live/test_seats.py.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable

from connector.errors import DualWriteError, LeaseHeldError
from connector.store.base import Store
from connector.store.work import Lease

SEAT = 20.0
"""Seconds after which the seat of an instance that fell silent is free."""
RENEW = 5.0
LOOK = 1.0
"""Seconds between two looks for a seat that others hold."""

_LOG = logging.getLogger(__name__)


class Seats:
    """The seats of some maps. `store` is used by the thread that calls `look` and by no other.

    `holder` and `gone` are those of leases, `monotonic` counts seconds, `changed` is called
    when a seat was won or lost.
    """

    def __init__(
        self,
        store: Store,
        maps: Iterable[str],
        holder: str,
        gone: Callable[[str], bool],
        monotonic: Callable[[], float],
        changed: Callable[[], None],
    ) -> None:
        self._store = store
        self._maps = tuple(maps)
        self._holder = holder
        self._gone = gone
        self._monotonic = monotonic
        self._changed = changed
        self._held: dict[str, tuple[Lease, float]] = {}
        self._told: dict[str, str] = {}
        self._lock = threading.Lock()
        self.trouble: DualWriteError | None = None
        """Why nothing is known of seats now: the state cannot be asked. From any thread."""
        self.looked = False
        """Whether it was asked once."""

    def held(self) -> frozenset[str]:
        """The maps that are ours to work. From any thread."""
        now = self._monotonic()
        with self._lock:
            return frozenset(map for map, (_, until) in self._held.items() if now < until)

    def keep(self, ended: threading.Event) -> None:
        """Look after the seats until `ended`, then give them back."""
        try:
            while not ended.is_set():
                self.look()
                ended.wait(RENEW if len(self._held) == len(self._maps) else LOOK)
        finally:
            self.give_back()

    def look(self) -> None:
        """Renew what is held and try for the rest."""
        before = (self.held(), self.trouble is None, self.looked)
        trouble: DualWriteError | None = None
        for map in self._maps:
            try:
                self._look(map)
            except LeaseHeldError as error:
                self._lost(map, f"standing by: {error.cause}")
            except DualWriteError as error:
                # What is held lapses by the clock if this goes on.
                trouble = error
                self._tell(map, f"the seat cannot be looked after: {error.message}")
        self.trouble, self.looked = trouble, True
        if (self.held(), trouble is None, True) != before:
            self._changed()

    def _look(self, map: str) -> None:
        held = self._held.get(map)
        asked = self._monotonic()
        if held is not None and held[1] - asked > SEAT - RENEW:
            return
        if held is None:
            lease = self._store.acquire(_seat(map), self._holder, SEAT, self._gone)
        else:
            lease = self._store.renew(held[0], SEAT)
        with self._lock:
            self._held[map] = (lease, asked + SEAT)
        self._tell(map, "active")

    def _lost(self, map: str, why: str) -> None:
        with self._lock:
            self._held.pop(map, None)
        self._tell(map, why, once=why.partition(" until ")[0])

    def _tell(self, map: str, what: str, once: str | None = None) -> None:
        """Log a state when it begins, not again while it lasts."""
        if self._told.get(map) != (once or what):
            self._told[map] = once or what
            _LOG.info("%s: %s", map, what)

    def give_back(self) -> None:
        """Let others take over at once; a seat that cannot be given back lapses by itself."""
        with self._lock:
            held, self._held = self._held, {}
        for map, (lease, _) in held.items():
            try:
                self._store.release(lease)
            except DualWriteError as error:
                _LOG.warning(
                    "%s: others wait up to %.0f s for the seat: %s", map, SEAT, error.message
                )


def _seat(map: str) -> str:
    """The name of a lease that no run ever asks for: maps are called without blanks."""
    return f"serve {map}"
