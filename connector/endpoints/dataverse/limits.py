"""What a refusal says about the service's protection limits.

Owns: the three limits by their codes, and the figures in their messages.
Never does: deciding how fast to go on (`web/budget.py`).
Tested in: tests/unit/endpoints/dataverse/test_limits.py.

Facts: "Dataverse Web API: api-limits": per application user and web server, over a sliding
window of 300 seconds: 6,000 requests, 1,200 s of combined execution time, 52 requests at once.
"""

from __future__ import annotations

import re

from connector.endpoints.web.faults import Fault
from connector.endpoints.web.limits import WINDOW, Limit, Refusal

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
