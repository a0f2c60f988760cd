"""What a service says when we are too fast for it.

Owns: the kinds of limits, and a refusal by one of them as a value.
Never does: reading a service's words (each endpoint's own matter); pacing (`budget.py`).
Tested in: tests/unit/endpoints/web/test_budget.py, test_governor.py.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

WINDOW = 300.0
"""Seconds over which a service counts, where it does not say."""


class Limit(StrEnum):
    """Which limit refused a request."""

    REQUESTS = "requests"
    EXECUTION = "execution time"
    CONCURRENCY = "concurrency"
    BUSY = "busy"
    """No limit of ours: the service as a whole has enough to do."""


class Refusal(NamedTuple):
    """A request that was refused because of a limit; nothing of it happened."""

    limit: Limit
    retry_after: float | None = None
    most: float | None = None
    """Requests, or seconds of execution, that fit into one window on one web server."""
    window: float = WINDOW
