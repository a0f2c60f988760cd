"""The organization's clock, which a switch can put forward.

Owns: what time it is for rows and delta tokens.
Never does: access tokens and service protection, which run on the machine's own clock.
Tested in: tests/integration/sandbox/test_tracking.py.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """The machine's clock and what it was put forward by."""

    def __init__(self) -> None:
        self.ahead = 0.0
        """Seconds."""

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time() + self.ahead

    def moment(self) -> datetime:
        """The same, in UTC."""
        return datetime.fromtimestamp(self.now(), UTC)

    def text(self) -> str:
        """This second in the wire form of an instant."""
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.now()))
