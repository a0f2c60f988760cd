"""Service protection: how much one user may ask of one web server.

Owns: the profiles, the sliding window, what a request costs, how long a refused client waits.
Never does: HTTP, sleeping (`app.py`).
Tested in: tests/unit/sandbox/test_limits.py, tests/integration/sandbox/test_limits.py.

Facts: "Dataverse: api-limits", "send-parallel-requests". Requests and execution time count over
a sliding window, per user and web server; too many at a time are refused at once. How long
Retry-After is, and how it grows, is not documented: here it is the time until the window has
room again, doubled with every refusal that follows soon on the last one.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

from connector.sandbox.dataverse import access_errors
from connector.sandbox.dataverse.errors import WireError

LONGEST_WAIT = 1 / 5
CALM = 1 / 30
GRACE = 1 / 300
"""Parts of the window: the longest Retry-After; how soon a refusal follows "soon" on the last
one; how long requests that were on their way do not count as pressing on."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The numbers of a profile; 0 is no limit, or no cost."""

    requests: int = 0
    seconds: float = 0
    """Execution time per window."""
    concurrent: int = 0
    window: float = 300
    """Seconds."""
    latency_ms: float = 0
    """Execution time of every request …"""
    row_ms: float = 0
    """… plus this for each row it writes …"""
    read_row_ms: float = 0
    """… or reads."""
    servers: int = 1
    """Web servers behind the address; each has limits of its own."""
    dop: int = 4
    """The recommended degree of parallelism it tells."""

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if type(value) not in (int, float) or not 0 <= value < math.inf:
                raise ValueError(f"{one.name}: a number from 0 on is needed, not {value!r}")
        if self.window <= 0 or self.servers < 1 or self.servers != int(self.servers):
            raise ValueError("window and servers need to be at least 1")

    @property
    def limited(self) -> bool:
        """Whether anything is ever refused."""
        return bool(self.requests or self.seconds or self.concurrent)

    def cost(self, written: int, read: int) -> float:
        """Seconds of execution time of a request over so many rows."""
        return (self.latency_ms + written * self.row_ms + read * self.read_row_ms) / 1000


PROFILES = {
    "fast": Limits(),
    "real": Limits(
        requests=6000,
        seconds=1200,
        concurrent=52,
        latency_ms=200,
        row_ms=3,
        read_row_ms=0.1,
    ),
}


def refusal_of(limit: str, wait: int) -> WireError:
    """What the real profile says when one of its limits is exceeded."""
    real = PROFILES["real"]
    if limit == "concurrent":
        return access_errors.too_concurrent(real.concurrent, wait)
    if limit == "seconds":
        return access_errors.too_much_work(real.seconds, real.window, wait)
    return access_errors.too_many(real.requests, real.window, wait)


def limits_of(profile: str, changed: dict[str, Any]) -> Limits:
    """A profile with some of its numbers changed. Raises `ValueError` or `TypeError`."""
    if profile not in PROFILES:
        raise ValueError(f"no profile {profile!r}; there are {', '.join(PROFILES)}")
    return replace(PROFILES[profile], **changed)


LIMITS = ("requests", "seconds", "concurrent")


class _Patience:
    """How long the next refused client is told to wait."""

    def __init__(self, window: float) -> None:
        self._window = window
        self._level = 0
        self._told = -math.inf
        self.until = -math.inf

    def wait(self, now: float, shortest: float) -> int:
        """Seconds for a refusal at `now`; longer the more of them there are."""
        if now > self._told + self._window * GRACE:
            soon = now < self.until + self._window * CALM
            self._level = self._level + 1 if soon else 0
            wait = min(shortest * 2**self._level, max(shortest, self._window * LONGEST_WAIT))
            self.until = max(self.until, now + wait)
            self._told = now
        return max(1, math.ceil(self.until - now))


class Window:
    """What one user asked of one web server lately."""

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._requests: deque[float] = deque()
        self._work: deque[tuple[float, float]] = deque()
        self._spent = 0.0
        self._running = 0
        self._worn = False
        """Whether the last refusal was for execution time, not for the number of requests."""
        self._patience = _Patience(limits.window)
        self._crowded = _Patience(limits.window)

    def enter(self) -> WireError | None:
        """Let a request in, or say why not; who was let in has to `leave`."""
        limits, now = self._limits, self._clock()
        self._slide(now)
        if limits.concurrent and self._running >= limits.concurrent:
            return access_errors.too_concurrent(limits.concurrent, self._crowded.wait(now, 1))
        if limits.seconds and self._spent > limits.seconds:
            self._worn = True
        elif limits.requests and len(self._requests) >= limits.requests:
            self._worn = False
        elif now >= self._patience.until:
            self._admit(now)
            return None
        # Who comes before the time it was told is refused, whether or not there is room again.
        wait = self._patience.wait(now, max(1.0, self._room(now)))
        if self._worn:
            return access_errors.too_much_work(limits.seconds, limits.window, wait)
        return access_errors.too_many(limits.requests, limits.window, wait)

    def _admit(self, now: float) -> None:
        if self._limits.limited:
            self._requests.append(now)
        self._running += 1

    def leave(self, seconds: float) -> None:
        """A request is done and took so much execution time."""
        self._running -= 1
        if self._limits.limited:
            self._work.append((self._clock(), seconds))
            self._spent += seconds

    def left(self) -> tuple[int, float]:
        """Requests and seconds of execution time until the limits; where there are none, all."""
        limits, real = self._limits, PROFILES["real"]
        self._slide(self._clock())
        requests = limits.requests - len(self._requests) if limits.requests else real.requests
        seconds = limits.seconds - self._spent if limits.seconds else real.seconds
        return max(0, requests), max(0.0, seconds)

    def _slide(self, now: float) -> None:
        old = now - self._limits.window
        while self._requests and self._requests[0] <= old:
            self._requests.popleft()
        while self._work and self._work[0][0] <= old:
            self._spent -= self._work.popleft()[1]

    def _room(self, now: float) -> float:
        """Seconds until the window has room again, if nothing comes meanwhile."""
        limits, old = self._limits, now - self._limits.window
        wait = 0.0
        if limits.requests and len(self._requests) >= limits.requests:
            wait = self._requests[len(self._requests) - limits.requests] - old
        spent = self._spent
        for at, seconds in self._work:
            if not limits.seconds or spent <= limits.seconds:
                break
            spent -= seconds
            wait = max(wait, at - old)
        return wait


class Protection:
    """All users on all web servers."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next = 0
        self.use(limits)

    def use(self, limits: Limits) -> None:
        """Other numbers from now on, with empty windows."""
        self.limits = limits
        self._servers = [f"{number:032x}" for number in range(1, int(limits.servers) + 1)]
        self._windows: dict[tuple[str, str], Window] = {}

    def server(self, affinity: str | None) -> str:
        """The web server a client's affinity cookie names; without one they take turns."""
        if affinity in self._servers:
            return affinity
        self._next += 1
        return self._servers[self._next % len(self._servers)]

    def window(self, user: str, server: str) -> Window:
        """The window of one user on one web server."""
        found = self._windows.get((user, server))
        if found is None:
            found = self._windows[(user, server)] = Window(self.limits, self._clock)
        return found
