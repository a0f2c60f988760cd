"""A side whose answers are waited for without losing the lease.

Owns: that whoever asks a side a question in the middle of a run goes on renewing meanwhile, however
long the side, its limits and its repetitions take.
Never does: what leaves by itself: pages read ahead and writes in flight are waited for by the run.
Tested in: tests/integration/engine/test_lease.py.

A short lease lets another machine take over soon after one has died. So the thread that holds it
never waits for a side itself: the question goes to the executor, and the thread looks after the
lease until the answer is there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from connector.endpoints.base import Endpoint, Entity, Found, Identity

T = TypeVar("T")


class Ask(Protocol):
    """Has something called elsewhere and waits for it (`MapRun.ask`)."""

    def __call__(self, question: Callable[[], T]) -> T:
        """What the question answers, or raises."""
        ...


class Attended:
    """See `connector.endpoints.base.Endpoint`."""

    def __init__(self, endpoint: Endpoint, ask: Ask) -> None:
        self._endpoint = endpoint
        self._ask = ask
        # Submitted by the run as they are, or answered without asking the side.
        self.scan = endpoint.scan
        self.changes = endpoint.changes
        self.write = endpoint.write
        self.id_for = endpoint.id_for
        self.newer = endpoint.newer
        self.throttling = endpoint.throttling
        self.pace = endpoint.pace
        self.close = endpoint.close

    def identity(self) -> Identity:
        """Which world this is."""
        return self._ask(lambda: self._endpoint.identity())

    def describe(self, entity: str) -> Entity:
        """One table, from live metadata."""
        return self._ask(lambda: self._endpoint.describe(entity))

    def read(
        self, entity: str, columns: Sequence[str], *, by: str | None, values: Sequence[str]
    ) -> Found:
        """Records by id or column."""
        return self._ask(lambda: self._endpoint.read(entity, columns, by=by, values=values))
