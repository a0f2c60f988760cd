"""What is said again and again, said seldom.

Owns: that the same trouble is told when it begins and every quarter of an hour, not each time.
Never does: logging.
Tested in: tests/unit/live/test_seldom.py.
"""

from __future__ import annotations

EVERY = 900.0
"""Seconds after which trouble that lasts is told again."""


class Seldom:
    """Trouble of one kind, told seldom; times are seconds on the caller's monotonic clock."""

    def __init__(self) -> None:
        self._told: dict[str, float] = {}

    def due(self, what: str, now: float) -> bool:
        """Whether it is told now: it is new, or was not told for long."""
        told = self._told.get(what)
        if told is not None and now - told < EVERY:
            return False
        self._told[what] = now
        return True

    def over(self) -> None:
        """It is over: what comes next is new."""
        self._told.clear()
