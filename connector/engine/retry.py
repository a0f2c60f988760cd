"""When a failed write is tried again, and when a person takes over.

Owns: the waiting times between attempts of one record.
Never does: waiting; the next due time is kept in the store and survives a restart.
Tested in: tests/unit/engine/test_settle.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from connector.backoff import Backoff


@dataclass(frozen=True, slots=True)
class Retry:
    """`[retry]` of the config; times in seconds."""

    attempts: int = 6
    """After so many failed attempts the record is parked."""
    first: float = 1.0
    longest: float = 60.0

    def delay(self, attempt: int, random: Callable[[], float]) -> float:
        """Seconds until the attempt after the `attempt`-th failure (from 1 on)."""
        return Backoff(self.first, self.longest, random).after(attempt)
