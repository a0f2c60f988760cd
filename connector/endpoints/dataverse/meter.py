"""How often one organization asked us to slow down.

Owns: the count and the seconds waited, over all requests since the endpoint was opened.
Never does: waiting; deciding what a fault means.
Tested in: tests/unit/endpoints/dataverse/test_transport.py.

Facts: "Dataverse Web API: api-limits": 429 with Retry-After for the service protection limits,
and 503 with Retry-After where the service is away for a while.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from connector.endpoints.base import Throttling


def throttles(status: int, headers: Mapping[str, str]) -> bool:
    """Whether an answer, or one part of a batch's answer, asks us to come back later."""
    return status == 429 or (status == 503 and "retry-after" in headers)


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
