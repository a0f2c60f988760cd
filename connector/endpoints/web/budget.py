"""How fast one application user may go: what it learns from answers and refusals.

Owns: requests in flight, pace and holds of one user; the reaction to each of the three limits.
Never does: I/O, waiting, reading a clock: every call is handed the time.
Tested in: tests/unit/endpoints/web/test_budget.py.

Facts: "Dataverse Web API: send-parallel-requests": begin low and raise the rate until the
service refuses; `x-ms-dop-hint` is the parallelism beyond which throughput falls; who goes on
pushing is told to wait longer. The limits hold per web server, whose number nobody tells: it
follows from how much was taken before the first refusal.
"""

from __future__ import annotations

import math
from collections import deque

from connector.endpoints.web.limits import WINDOW, Limit, Refusal

FIRST_PARALLEL = 2.0
"""Requests in flight before anything is known."""
IN_TRANSIT = 1
"""Requests beyond the hint: it is about those the service works at, others are on their way."""
CUT = 0.7
"""What is left of the parallelism after a refusal for concurrency."""
LESS, MORE = 0.98, 1.01
"""Of what fits into a window: after it was refused, and after a whole window that was not."""
AGAIN = 0.02
"""Share of a window within which further refusals are the same one."""
SHORTEST_HOLD = 1.0
"""Seconds after a refusal that does not say how long."""


class Window:
    """What was used within the last seconds, counted as the service counts it.

    Units are requests, or seconds of execution. `most` is infinite until the service has named
    its limit.
    """

    def __init__(self) -> None:
        self.most = math.inf
        self.length = WINDOW
        self._used: deque[tuple[float, float]] = deque()
        self._total = 0.0
        self._kept_since = -math.inf
        self._cut_at = -math.inf

    @property
    def rate(self) -> float:
        """Units per second that fit in the long run."""
        return self.most / self.length

    def wait(self, now: float) -> float:
        """Seconds until there is room: what is under way counts when it has ended."""
        over = self._seen(now) - self.most
        if over < 0:
            return 0.0
        for at, used in self._used:
            over -= used
            if over < 0:
                return at + self.length - now
        return 0.0

    def use(self, now: float, units: float) -> None:
        """So much was used; after a window without a refusal a little more fits."""
        self._used.append((now, units))
        self._total += units
        if now - self._kept_since >= self.length:
            self.most *= MORE
            self._kept_since = now

    def refused(self, now: float, most: float | None, length: float) -> None:
        """The service says it is full.

        Its limit is for one web server; how many there are follows from what was used before. What
        we measured is somewhat more than what it counts, as by the way there and back.
        """
        if math.isfinite(self.most):
            if now - self._cut_at >= self.length * AGAIN:
                self.most *= LESS
        else:
            self.length = length
            used = self._seen(now)
            told = 1.0 if most is None else most * max(1, round(used / most))
            self.most = max(used, told)
        self._kept_since = self._cut_at = now

    def _seen(self, now: float) -> float:
        while self._used and self._used[0][0] <= now - self.length:
            self._total -= self._used.popleft()[1]
        return self._total


class Budget:
    """What one application user may have in flight, and when it may send the next request."""

    def __init__(self, most: int) -> None:
        self.in_flight = 0
        self.hint: int | None = None
        """What the service recommends, as it last said."""
        self.execution = Window()
        """In seconds of execution."""
        self.requests = Window()
        self.held_by: Limit | None = None
        """The limit that refused last."""
        self._most = most
        self._parallel = min(FIRST_PARALLEL, most)
        self._ceiling = most
        self._slow_start = True
        self._held_until = -math.inf
        self._cut_at = -math.inf

    @property
    def parallel(self) -> int:
        """Requests in flight that are worth having at present."""
        return max(1, int(min(self._parallel, self._bound())))

    def _bound(self) -> float:
        # What is in flight beyond the pace of execution only waits in the service.
        rate = self.execution.rate
        enough = math.ceil(rate) + 1 if math.isfinite(rate) else math.inf
        hint = self._most if self.hint is None else self.hint + IN_TRANSIT
        return min(self._most, self._ceiling, hint, enough)

    def held(self, now: float) -> float:
        """Seconds for which the service told this user to send nothing."""
        return max(0.0, self._held_until - now)

    def pause(self, now: float) -> float:
        """Seconds until the service takes anything from this user again, as far as we know."""
        return max(self.held(now), self.execution.wait(now), self.requests.wait(now))

    def wait(self, now: float) -> float:
        """Seconds until the next request may leave; infinite until one in flight has ended."""
        return math.inf if self.in_flight >= self.parallel else self.pause(now)

    # ------------------------------------------------------------------ what happens

    def sent(self) -> None:
        """A request leaves."""
        self.in_flight += 1

    def answered(self, sent: float, now: float, hint: int | None) -> None:
        """It was accepted, whatever came of it: its time counts, and there may be room for more."""
        self.lost(sent, now)
        self.hint = hint or self.hint
        if now - self._cut_at > WINDOW:
            self._ceiling = self._most
        if self._parallel < self._bound():
            self._parallel += 1.0 if self._slow_start else 1.0 / self._parallel

    def lost(self, sent: float, now: float) -> None:
        """Nobody knows what became of it: its time counts all the same."""
        self.in_flight -= 1
        self.execution.use(now, now - sent)
        self.requests.use(now, 1.0)

    def unsent(self) -> None:
        """It never left: it cost nothing."""
        self.in_flight -= 1

    def refused(self, sent: float, now: float, refusal: Refusal) -> None:
        """The service refused it; everybody who shares this budget waits as long as it says."""
        self.in_flight -= 1
        self.slow_down(sent, now, refusal)

    def slow_down(self, sent: float, now: float, refusal: Refusal) -> None:
        """React to a refusal of a request, or of a part of one, that left at `sent`."""
        hold = refusal.retry_after if refusal.retry_after is not None else SHORTEST_HOLD
        self._held_until = max(self._held_until, now + hold)
        self.held_by = refusal.limit
        if sent < self._cut_at:
            return  # those that left together are refused together: they count once
        self._cut_at = now
        self._slow_start = False
        match refusal.limit:
            case Limit.EXECUTION:
                self.execution.refused(now, refusal.most, refusal.window)
            case Limit.REQUESTS:
                self.requests.refused(now, refusal.most, refusal.window)
            case Limit.CONCURRENCY:
                # The refused one was in flight too.
                self._parallel = max(1.0, min(self._parallel, self.in_flight + 1.0) * CUT)
                self._ceiling = max(1, min(self._ceiling, self.in_flight))
            case Limit.BUSY:
                self._parallel = max(1.0, self._parallel / 2)
