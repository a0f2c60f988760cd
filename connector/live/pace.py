"""When a map is worked next.

Owns: the interval between two looks at a side that says nothing, the least gap between two
cycles, and the growing wait after a failure.
Never does: waiting, reading a clock; times are seconds on the caller's monotonic one.
Tested in: tests/unit/live/test_pace.py.
"""

from __future__ import annotations

from connector.backoff import Backoff

GAP = 0.1
"""Seconds from the beginning of one cycle to that of the next, however often we are woken: what
comes meanwhile travels together, and a storm of notices does not use up a side's request limits."""
BREATH = 0.02
"""Seconds after a cycle in which commands of people can take the map."""
GROWTH = 1.5
"""By which factor the interval grows with each cycle that found nothing."""


class Pace:
    """One map's next time. `fastest` and `slowest` bound the interval, in seconds."""

    def __init__(self, fastest: float, slowest: float, backoff: Backoff, now: float) -> None:
        self._fastest = fastest
        self._slowest = slowest
        self._backoff = backoff
        self._earliest = now
        self.due = now
        """When to work, if nobody wakes us before."""
        self.interval = fastest
        self.failures = 0
        """In a row."""

    def wake(self, now: float) -> None:
        """Something happened: work as soon as the gap, or the wait after a failure, is over.

        The interval begins anew: a feed may tell a little later than whoever woke us.
        """
        self.interval = self._fastest
        self.due = min(self.due, max(now, self._earliest))

    def worked(
        self, began: float, now: float, *, news: bool, next_due: float | None = None
    ) -> None:
        """A cycle ended well; `next_due` is when a record is to be tried again."""
        self.failures = 0
        self.interval = self._fastest if news else min(self.interval * GROWTH, self._slowest)
        self._earliest = max(began + GAP, now + BREATH)
        self.due = now + self.interval
        if next_due is not None:
            self.due = min(self.due, max(next_due, self._earliest))

    def failed(self, now: float) -> float:
        """A cycle failed; the seconds to wait. Nothing shortens them: a side needs its rest."""
        self.failures += 1
        self.interval = self._fastest
        wait = self._backoff.after(self.failures)
        self.rest(now, wait)
        return wait

    def rest(self, now: float, seconds: float) -> None:
        """Nothing can be done for so long, whoever wakes us."""
        self._earliest = self.due = now + seconds
