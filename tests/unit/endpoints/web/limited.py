"""A service with protection limits, as a model without a wire or a wall clock.

One application user drives it through a `Budget`, always with work at hand.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from dataclasses import dataclass, field

from connector.endpoints.web.budget import Budget
from connector.endpoints.web.limits import Limit, Refusal


@dataclass
class LimitedService:
    """Counts over a sliding window; every call takes `takes` seconds of execution."""

    takes: float
    window: float = 300.0
    execution: float = 1200.0
    requests: int = 6000
    concurrent: int = 52
    hint: int | None = 4
    names_figures: bool = True
    calls: deque[tuple[float, float]] = field(default_factory=deque)
    done: int = 0
    refusals: list[tuple[float, Limit]] = field(default_factory=list)
    most_at_once: int = 0

    def admits(self, now: float, at_once: int) -> Refusal | None:
        """What it says to a request that comes now beside `at_once` others."""
        while self.calls and self.calls[0][0] <= now - self.window:
            self.calls.popleft()
        if at_once >= self.concurrent:
            return Refusal(Limit.CONCURRENCY, 1.0, self.concurrent, self.window)
        used = sum(seconds for _, seconds in self.calls)
        if used >= self.execution:
            return self._refusal(Limit.EXECUTION, self.execution, used - self.execution, now)
        if len(self.calls) >= self.requests:
            return self._refusal(Limit.REQUESTS, self.requests, 0.0, now)
        return None

    def _refusal(self, limit: Limit, most: float, over: float, now: float) -> Refusal:
        wait, freed = 1.0, 0.0
        for end, seconds in self.calls:
            freed += seconds
            if freed > over:
                wait = max(1.0, math.ceil(end + self.window - now))
                break
        return Refusal(limit, wait, most if self.names_figures else None, self.window)


def drive(service: LimitedService, budget: Budget, seconds: float) -> None:
    """Send whatever the budget lets through for so long."""
    now, under_way = 0.0, list[tuple[float, float]]()
    while now < seconds:
        wait = budget.wait(now)
        if wait <= 0:
            refusal = service.admits(now, len(under_way))
            budget.sent()
            if refusal is not None:
                service.refusals.append((now, refusal.limit))
                budget.refused(now, now, refusal)
                continue
            heapq.heappush(under_way, (now + service.takes, now))
            service.most_at_once = max(service.most_at_once, len(under_way))
            continue
        next_end = under_way[0][0] if under_way else math.inf
        if now + wait < next_end:
            now += wait
            continue
        now, sent = heapq.heappop(under_way)
        service.calls.append((now, service.takes))
        service.done += 1
        budget.answered(sent, now, service.hint)
