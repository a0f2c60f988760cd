"""When a failed write is tried again, and when a person takes over.

Owns: the waiting times between attempts of one record.
Never does: waiting; the next due time is kept in the store and survives a restart.
Tested in: tests/unit/engine/test_settle.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retry:
    """Exponential backoff, half of each wait by chance; times in seconds."""

    attempts: int = 8
    """After so many failed attempts the record is parked."""
    first: float = 2.0
    longest: float = 600.0

    def delay(self, attempt: int, random: Callable[[], float]) -> float:
        """Seconds until the attempt after the `attempt`-th failure (from 1 on)."""
        ceiling = min(self.longest, self.first * 2.0 ** (attempt - 1))
        return ceiling / 2 + random() * ceiling / 2
