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

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from connector.endpoints.base import (
    Endpoint,
    Entity,
    Found,
    Identity,
    Operation,
    Outcome,
    Page,
)
from connector.engine.forwarding import Forwarding

T = TypeVar("T")


class Ask(Protocol):
    """Has something called elsewhere and waits for it (`MapRun.ask`)."""

    def __call__(self, question: Callable[[], T]) -> T:
        """What the question answers, or raises."""
        ...


class Attended(Forwarding):
    """See `connector.endpoints.base.Endpoint`."""

    def __init__(self, endpoint: Endpoint, ask: Ask) -> None:
        super().__init__(endpoint)
        self._ask = ask

    def identity(self) -> Identity:
        """Which world this is."""
        return self._ask(self._endpoint.identity)

    def describe(self, entity: str) -> Entity:
        """One table, from live metadata."""
        return self._ask(lambda: self._endpoint.describe(entity))

    def read(
        self, entity: str, columns: Sequence[str], *, by: str | None, values: Sequence[str]
    ) -> Found:
        """Records by id or column."""
        return self._ask(lambda: self._endpoint.read(entity, columns, by=by, values=values))

    def scan(self, entity: str, columns: Sequence[str], resume: str | None) -> Iterator[Page]:
        """Pages of the whole table; a side may get ready first, as the ledger turns its day."""
        return self._ask(lambda: self._endpoint.scan(entity, columns, resume))

    def changes(self, entity: str, columns: Sequence[str], position: str) -> Iterator[Page]:
        """Pages of what changed; the same."""
        return self._ask(lambda: self._endpoint.changes(entity, columns, position))

    # ------------------------------------------------------ submitted by the run as they are

    @property
    def write(self) -> Callable[[str, Sequence[str], Sequence[Operation]], Sequence[Outcome]]:
        """Carries out operations."""
        return self._endpoint.write
