"""How long to wait before the next attempt: one rule for a request and for a record.

Owns: waits that double from the first to the longest, half of each by chance.
Never does: waiting, counting attempts, deciding what may be repeated.
Tested in: tests/unit/test_backoff.py.
"""

from __future__ import annotations

from collections.abc import Callable

from tenacity import RetryCallState, Retrying, wait_exponential
from tenacity.wait import wait_base

_NOBODY = Retrying()
"""Whose attempts are counted elsewhere, such as those of a record, which outlive a process."""


class Backoff(wait_base):
    """A wait strategy of tenacity; `first` and `longest` in seconds, `random` gives [0, 1).

    The n-th wait lies between half of `first * 2 ** (n - 1)` and all of it, cut at `longest`:
    clients that failed together do not come back together.
    """

    def __init__(self, first: float, longest: float, random: Callable[[], float]) -> None:
        self._whole = wait_exponential(multiplier=first, max=longest)
        self._random = random

    def __call__(self, retry_state: RetryCallState) -> float:
        """Seconds to wait after the attempt the state tells of."""
        whole = self._whole(retry_state)
        return whole / 2 + self._random() * whole / 2

    def after(self, failures: int) -> float:
        """Seconds to wait after so many failures, from 1 on."""
        state = RetryCallState(_NOBODY, None, (), {})
        state.attempt_number = failures
        return self(state)
