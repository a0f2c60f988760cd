"""What a refusal says about the service's protection limits.

Owns: the three limits by their codes, and the figures in their messages.
Never does: deciding how fast to go on (`budget`).
Tested in: tests/unit/endpoints/dataverse/test_limits.py.

Facts: "Dataverse Web API: api-limits": per application user and web server, over a sliding
window of 300 seconds: 6,000 requests, 1,200 s of combined execution time, 52 requests at once.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

from connector.endpoints.dataverse.faults import Fault

WINDOW = 300.0
"""Seconds over which the service counts, where it does not say."""


class Limit(StrEnum):
    """Which limit refused a request."""

    REQUESTS = "requests"
    EXECUTION = "execution time"
    CONCURRENCY = "concurrency"
    BUSY = "busy"
    """No limit of ours: the service as a whole has enough to do."""


_BY_CODE = {
    "0x80072322": Limit.REQUESTS,
    "0x80072321": Limit.EXECUTION,
    "0x80072326": Limit.CONCURRENCY,
}
_DOCUMENTED = {Limit.REQUESTS: 6000.0, Limit.EXECUTION: 1200.0}
"""What is taken for the limit where a refusal names none, as in another language. What was used
before would not do: somebody else may have used up the window, or a process that has ended."""
_MOST = re.compile(r"limit of ([\d.,]+)( milliseconds)?", re.IGNORECASE)
_OVER = re.compile(r"window of ([\d.,]+) seconds", re.IGNORECASE)


class Refusal(NamedTuple):
    """A request that was refused because of a limit; nothing of it happened."""

    limit: Limit
    retry_after: float | None = None
    most: float | None = None
    """Requests, or seconds of execution, that fit into one window on one web server."""
    window: float = WINDOW


def refusal_of(fault: Fault) -> Refusal | None:
    """What a fault says about limits; None for any other fault."""
    limit = _BY_CODE.get(fault.code)
    if limit is None:
        if fault.status != 429 and (fault.status != 503 or fault.retry_after is None):
            return None
        limit = Limit.BUSY
    most, over = _MOST.search(fault.message), _OVER.search(fault.message)
    figure = _number(most[1]) if most else None
    if figure is None:
        figure = _DOCUMENTED.get(limit)
    elif limit is Limit.EXECUTION:
        figure /= 1000
    window = (_number(over[1]) if over else None) or WINDOW
    return Refusal(limit, fault.retry_after, figure, window)


def _number(text: str) -> float | None:
    """A figure as people write it: with commas between thousands."""
    digits = text.replace(",", "").rstrip(".")
    try:
        return float(digits) or None
    except ValueError:
        return None
