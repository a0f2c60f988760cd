"""Primary ids the ledger makes itself: GUIDs that sort by the time they were made.

Owns: the layout (RFC 9562, version 7). Random GUIDs as a primary key scatter inserts over the
whole index and slow down as the table grows; time-ordered ones are appended.
Never does: keeping ids apart across machines by anything but their random part.
Tested in: tests/unit/ledger/test_ids.py.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator

_COUNTER_BITS = 12
_RANDOM_BITS = 62
_POOL = 4096


class TimeOrderedIds:
    """Makes one id per call, each greater than the one before; safe from several threads.

    `milliseconds` gives the time since 1970, `random_bytes` that many unguessable bytes.
    """

    def __init__(
        self,
        milliseconds: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._milliseconds = milliseconds
        self._random_bytes = random_bytes
        self._lock = threading.Lock()
        self._last = 0
        self._pool: Iterator[int] = iter(())

    def __call__(self) -> str:
        """The next id, as lower-case GUID text."""
        with self._lock:
            # Time and counter are one number: it only rises, even if the clock steps back
            # or more than 4,096 ids are made in a millisecond.
            self._last = max(self._milliseconds() << _COUNTER_BITS, self._last + 1)
            moment = self._last
            tail = next(self._pool, None)
            if tail is None:
                tail = self._refill()
        stamp, counter = moment >> _COUNTER_BITS, moment & 0xFFF
        text = f"{stamp:012x}7{counter:03x}{tail | 1 << 63:016x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def _refill(self) -> int:
        """One random part, with more kept for later: asking the system costs more than the id."""
        block = self._random_bytes(8 * _POOL)
        numbers = memoryview(block).cast("Q").tolist()
        self._pool = iter([number >> (64 - _RANDOM_BITS) for number in numbers])
        return next(self._pool)
