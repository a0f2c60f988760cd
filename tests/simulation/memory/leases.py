"""Who may work a map in the in-memory twin, and numbers that are handed out once.

Owns: leases by the store's clock, fencing, sequences.
Never does: waiting.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from connector.errors import LeaseHeldError, StateError, Subject
from connector.store.work import Lease
from tests.simulation.memory.tables import Tables


class Leases:
    """See `connector.store.base.Store`."""

    def __init__(self, tables: Tables, clock: Callable[[], float]) -> None:
        self._tables = tables
        self._clock = clock

    def acquire(self, map: str, holder: str, seconds: float, gone: Callable[[str], bool]) -> Lease:
        """Take a free or expired lease, or that of a dead holder."""
        held = self._tables.leases.get(map)
        if held is not None and held.expires > self._clock() and not gone(held.holder):
            raise self._held(map, lost=False)
        fencing = 1 if held is None else held.fencing + 1
        return self._keep(Lease(map, holder, fencing, self._clock() + seconds))

    def renew(self, lease: Lease, seconds: float) -> Lease:
        """Extend a lease that is still ours."""
        self.hold(lease)
        return self._keep(replace(lease, expires=self._clock() + seconds))

    def release(self, lease: Lease) -> None:
        """Let the lease expire now; its fencing number goes on from here."""
        if self._ours(lease):
            self._keep(replace(lease, expires=0.0))

    def hold(self, lease: Lease) -> None:
        """Raise LeaseHeldError where the lease is lost."""
        if not self._ours(lease):
            raise self._held(lease.map, lost=True)

    def numbers(self, name: str, count: int) -> int:
        """Reserve `count` numbers; the first of them."""
        first = self._tables.sequences.get(name)
        if first is None or count < 1:
            raise StateError(
                "sequence-unknown",
                f"{count} numbers of a sequence {name!r} cannot be reserved",
                remedy="this is a defect of the engine; please report it",
            )
        self._tables.sequences[name] = first + count
        return first

    def _keep(self, lease: Lease) -> Lease:
        self._tables.leases[lease.map] = lease
        return lease

    def _ours(self, lease: Lease) -> bool:
        held = self._tables.leases.get(lease.map)
        return (
            held is not None
            and (held.holder, held.fencing) == (lease.holder, lease.fencing)
            and held.expires > self._clock()
        )

    def _held(self, map: str, *, lost: bool) -> LeaseHeldError:
        held = self._tables.leases.get(map)
        cause = "it expired, and nobody has taken it since"
        if held is not None and held.expires > self._clock():
            until = datetime.fromtimestamp(held.expires, UTC)
            cause = f"{held.holder} holds it until {until:%Y-%m-%d %H:%M:%S} UTC"
        return LeaseHeldError(
            "lease-lost" if lost else "lease-held",
            "the lease is no longer ours" if lost else "another run works this map",
            subject=Subject(map=map),
            cause=cause,
            remedy="wait for it to finish, then run the command again",
        )
