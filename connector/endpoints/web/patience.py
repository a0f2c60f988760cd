"""How long one request is tried.

Owns: the policy of one request, and how long a write may take with all its waits.
Never does: waiting (`transport.py`), pacing (`governor.py`), trying a record again (the engine).
Tested in: tests/unit/endpoints/web/test_transport.py.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from connector.endpoints.web.credentials import LONGEST_ACQUISITION
from connector.endpoints.web.governor import READY

CONNECT_TIMEOUT = 10.0
"""Seconds for a connection with its TLS handshake."""
LONGEST_PATIENCE = 60.0
"""Seconds within which one request is sent again at most, whatever the config says: a lease has
to outlive it, and a longer wait is better kept in the store."""
WRITE_REQUESTS = 3
"""Requests one call of `write` makes at most: updates, a bulk create, and its second form."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How one request is tried again: `[retry]` of the config, in seconds, and its means."""

    attempts: int = 6
    """How often it is sent at most."""
    first: float = 1.0
    longest: float = 60.0
    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = random.random
    monotonic: Callable[[], float] = time.monotonic
    """What `sleep` passes."""

    @property
    def whole(self) -> float:
        """Seconds after the first sending within which the last one begins."""
        return min(self.longest, LONGEST_PATIENCE)


def longest_write(timeout: float, patience: Patience) -> float:
    """Seconds one call of `write` takes at most, with every wait and repetition.

    The last sending begins within the patience; it may find its token refused and ask for
    another one. A call may have to wait for its turn behind others.
    """
    sending = 2 * (LONGEST_ACQUISITION + CONNECT_TIMEOUT + timeout)
    return WRITE_REQUESTS * (patience.whole + sending) + (READY - 1) * timeout
