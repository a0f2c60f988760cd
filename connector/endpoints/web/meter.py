"""How often one service asked us to slow down.

Owns: the count and the seconds waited, over all requests since the endpoint was opened.
Never does: waiting; deciding what a fault means (`limits.py`).
Tested in: tests/unit/endpoints/web/test_transport.py.
"""

from __future__ import annotations

import threading

from connector.endpoints.base import Throttling


class Meter:
    """Counts; several threads wait and count at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen = Throttling()

    def asked(self, times: int = 1) -> None:
        """So many answers asked us to slow down."""
        with self._lock:
            self._seen = self._seen._replace(times=self._seen.times + times)

    def waits(self, seconds: float) -> None:
        """A request waits so long because it was asked to."""
        with self._lock:
            self._seen = self._seen._replace(seconds=self._seen.seconds + seconds)

    def read(self) -> Throttling:
        """What was counted so far."""
        with self._lock:
            return self._seen
