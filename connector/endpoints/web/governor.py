"""The rate of all requests to one service, shared by everybody who sends them.

Owns: admission of each request, round robin over application users, the global bound, measured
call times, and what is told about pace.
Never does: sending; the reaction to a limit (`budget.py`), the size of a call (`calls.py`).
Tested in: tests/unit/endpoints/web/test_governor.py.

Facts: "Dataverse Web API: api-limits" (a limit belongs to an application user, so that each has
its own budget) and "send-parallel-requests" (the recommended parallelism is for all of them).
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from connector.endpoints.base import Pace
from connector.endpoints.web.budget import IN_TRANSIT, Budget
from connector.endpoints.web.calls import CallTimes
from connector.endpoints.web.limits import Limit, Refusal

READY = 2
"""Write calls worth having under way for each that may be in flight: one waits for its turn."""


class Call(NamedTuple):
    """What a request carries, where its time says something about the next ones."""

    table: str
    kind: str
    """create | batch"""
    rows: int


class Turn(NamedTuple):
    """The right to send one request, as one of the application users."""

    user: int
    sent: float
    call: Call | None


class Held(NamedTuple):
    """Nobody may send for so many seconds."""

    seconds: float


class Governor:
    """Admits requests. Safe from several threads.

    `users` is the number of application users, `most` the bound on requests in flight over all
    of them, `batch` the most rows of one call, `timeout` the seconds after which a call is
    given up. `clock` counts seconds and never goes back; `sleep` waits. When `stopping`, writes
    that have no turn yet are given back.
    """

    def __init__(
        self,
        *,
        users: int = 1,
        most: int = 8,
        batch: int = 1000,
        timeout: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self.clock = clock
        self._sleep = sleep
        self._stopping = stopping
        self._most = most
        self._batch = batch
        self._timeout = timeout
        self._budgets = [Budget(most) for _ in range(users)]
        self._next = 0
        self._calls: dict[tuple[str, str], CallTimes] = {}
        self._changed = threading.Condition()

    # ------------------------------------------------------------------ turns

    def turn(
        self, patience: float, call: Call | None = None, user: int | None = None
    ) -> Turn | Held:
        """Wait for the next turn; `user` asks for one of them.

        So many seconds at most are waited where the service told us to; for a write with a `call`
        also where our own count says that its limits are used up, because the state keeps what
        waits longer. Waiting for requests in flight to end is not counted.
        """
        waited = False
        while True:
            if waited and call is not None and self._stopping():
                return Held(0.0)
            waited = True
            with self._changed:
                now = self.clock()
                index, wait, others = self._soonest(now, user)
                if wait <= 0:
                    self._next = (index + 1) % len(self._budgets)
                    self._budgets[index].sent()
                    return Turn(index, now, call)
                if others:  # one of which may end before that
                    self._changed.wait(None if math.isinf(wait) else wait)
                    continue
            counted = wait if call is not None else min(wait, self._budgets[index].held(now))
            if counted > patience:
                return Held(wait)
            patience -= counted
            self._sleep(wait)
            if self._stopping():  # which ends the sleep
                return Held(wait)

    def _soonest(self, now: float, user: int | None) -> tuple[int, float, bool]:
        """The user who may send first, in turn among equals, and the seconds until then.

        And whether requests in flight are waited for, of this user or of another one.
        """
        count = len(self._budgets)
        order = [(self._next + i) % count for i in range(count)] if user is None else [user]
        if sum(budget.in_flight for budget in self._budgets) >= self._bound():
            return order[0], math.inf, True
        waits = [(self._budgets[index].wait(now), index) for index in order]
        wait, index = min(waits, key=lambda one: one[0])
        return index, wait, any(math.isinf(one) for one, _ in waits)

    def _bound(self) -> int:
        """Requests in flight over all users: the hint is for all of them."""
        hints = [budget.hint + IN_TRANSIT for budget in self._budgets if budget.hint]
        return min([self._most, *hints])

    # ------------------------------------------------------------------ what came of it

    def answered(self, turn: Turn, hint: int | None, *, done: bool) -> None:
        """The service took the request; `done` says that it was carried out as a whole."""
        with self._changed:
            now = self.clock()
            self._budgets[turn.user].answered(turn.sent, now, hint)
            if done and turn.call is not None:
                self._times(turn.call).accepted(turn.call.rows, now - turn.sent)
            self._changed.notify_all()

    def refused(self, turn: Turn, refusal: Refusal) -> None:
        """A limit refused it: everybody who shares this user waits."""
        with self._changed:
            now = self.clock()
            self._budgets[turn.user].refused(turn.sent, now, refusal)
            self._changed.notify_all()

    def refused_within(self, turn: Turn, refusal: Refusal) -> None:
        """A limit refused a part of a request that was taken."""
        with self._changed:
            self._budgets[turn.user].slow_down(turn.sent, self.clock(), refusal)

    def unsent(self, turn: Turn) -> None:
        """The request never left."""
        with self._changed:
            self._budgets[turn.user].unsent()
            self._changed.notify_all()

    def lost(self, turn: Turn) -> None:
        """No answer came."""
        with self._changed:
            now = self.clock()
            self._budgets[turn.user].lost(turn.sent, now)
            if turn.call is not None:
                self._times(turn.call).lost(turn.call.rows)
            self._changed.notify_all()

    def _times(self, call: Call) -> CallTimes:
        times = self._calls.get((call.table, call.kind))
        if times is None:
            times = self._calls[call.table, call.kind] = CallTimes(self._batch, self._timeout)
        return times

    def wait(self) -> float:
        """Seconds until the service takes a request from anybody."""
        with self._changed:
            now = self.clock()
            return min(budget.held(now) for budget in self._budgets)

    # ------------------------------------------------------------------ what is told

    def pace(self, table: str) -> Pace:
        """The present pace of writes to one table."""
        with self._changed:
            now = self.clock()
            times = [t for (name, _), t in self._calls.items() if name == table and t.known]
            parallel = min(self._bound(), sum(budget.parallel for budget in self._budgets))
            rows = min((one.rows for one in times), default=CallTimes(self._batch, 1.0).rows)
            rate, limit = self._rate(times, parallel)
            pause = min(budget.pause(now) for budget in self._budgets)
            return Pace(rows, READY * parallel, pause, rate, limit)

    def _rate(self, times: list[CallTimes], parallel: int) -> tuple[float | None, str | None]:
        """Rows per second the service allows, and by what it is bounded."""
        each = [one.rows / seconds for one in times if (seconds := one.seconds(one.rows)) > 0]
        if not each:
            return None, None
        per_call = min(each)  # rows per second of one call after the other
        rows = min(one.rows for one in times)
        bounds: list[tuple[float, str]] = [(parallel * per_call, self._parallel_by(parallel))]
        execution = sum(budget.execution.rate for budget in self._budgets)
        requests = sum(budget.requests.rate for budget in self._budgets)
        bounds.append((execution * per_call, Limit.EXECUTION.value))
        bounds.append((requests * rows, Limit.REQUESTS.value))
        return min(bounds)

    def _parallel_by(self, parallel: int) -> str:
        if any(budget.held_by is Limit.CONCURRENCY for budget in self._budgets):
            return Limit.CONCURRENCY.value
        if parallel < self._bound():
            return "ramping up"
        return "connections" if parallel >= self._most else "recommended parallelism"
