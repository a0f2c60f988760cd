"""The lease of one run: taken, kept while the run works, given back.

Owns: waiting a little for a lease that is often free, and renewing it in time.
Never does: believing anybody's clock but its own monotonic one, counted from before it asked.
Tested in: tests/integration/engine/test_lease.py.
"""

from __future__ import annotations

from connector.engine.ports import Limits, Ports
from connector.errors import LeaseHeldError
from connector.store.work import Lease

AGAIN = 0.01
"""Seconds between two tries for a lease: live mode leaves it free for twice as long."""


class Tenure:
    """One run's hold on its map."""

    def __init__(self, map: str, ports: Ports, limits: Limits) -> None:
        self._map = map
        self._ports = ports
        self._limits = limits
        self._lease: Lease | None = None
        self._until = 0.0

    @property
    def lease(self) -> Lease:
        """The lease as last renewed."""
        assert self._lease is not None, "this run holds no lease"
        return self._lease

    @property
    def held(self) -> bool:
        """Whether this run has taken its lease."""
        return self._lease is not None

    def take(self) -> None:
        """Take the lease, as soon as whoever holds it gives it back within our patience.

        Raises `LeaseHeldError`.
        """
        ports, seconds = self._ports, self._limits.lease
        end = ports.monotonic() + ports.patience
        while self._lease is None:
            asked = ports.monotonic()
            try:
                self._lease = ports.store.acquire(self._map, ports.holder, seconds, ports.gone)
                self._until = asked + seconds
            except LeaseHeldError:
                if asked >= end or ports.stopping():
                    raise
                ports.sleep(AGAIN)

    def hold(self) -> None:
        """Renew the lease if it does not outlive the longest request by the margin.

        It is counted on our own monotonic clock, from before it was asked for: the store may run
        on another host, whose clock says nothing about ours. Raises `LeaseHeldError` (`lease-lost`)
        where the store has counted it to its end or given it to another run.
        """
        asked = self._ports.monotonic()
        if self._until - asked < self._limits.margin:
            self._lease = self._ports.store.renew(self.lease, self._limits.lease)
            self._until = asked + self._limits.lease

    def give_back(self) -> None:
        """Let others take it at once."""
        if self._lease is not None:
            self._ports.store.release(self._lease)
