"""A run from its beginning to its end.

Owns: what has to be in order before a run may touch a record, and what is put in order after it,
whatever its end.
Never does: the work between the two.
Tested in: tests/integration/engine/.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from connector.endpoints.base import Entity, Identity
from connector.engine.ports import Ports, Tuning
from connector.engine.runs.run import MapRun, stopped
from connector.engine.runs.stock import take_stock
from connector.errors import DualWriteError, LeaseHeldError, UnreachableError
from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.values import Side
from connector.store.work import Lease, MapRow


@dataclass(frozen=True, slots=True)
class Ended:
    """A run of this worker that ended well."""

    lease: Lease
    entities: dict[Side, Entity]
    """The tables as it was told of them."""


@contextmanager
def running(
    command: str,
    map: CompiledMap,
    entities: dict[Side, Entity],
    ports: Ports,
    tuning: Tuning,
    *,
    held: bool = False,
    identities: dict[Side, Identity] | None = None,
    after: Ended | None = None,
) -> Iterator[MapRun]:
    """Hold the lease and the run row of one map for one command.

    `held` is for commands that work on a map a guard or a person holds. `identities` were asked
    for a moment ago. `after` is this worker's last run: where nobody held the map since, no write
    can be open, the tables are as they were then if nobody asked anew, and the run is on record
    only once it has something to tell.

    Raises `LeaseHeldError`, `IdentityChangedError`, `MapStoppedError`.
    """
    if not held:
        refuse_stopped(ports.store.map_row(map.name))
    run = MapRun(map, entities, ports, tuning, identities)
    run.take()
    try:
        if not held:  # it may have been paused while this run came for the lease
            refuse_stopped(ports.store.map_row(map.name))
        fingerprint = map.document.fingerprint()
        alone = after is not None and run.lease.fencing == after.lease.fencing + 1
        run.begin(
            lambda: ports.store.start_run(command, map.name, fingerprint, run.now()),
            unnoticed=alone,
        )
        try:
            if not alone:
                reopened = ports.store.reopen_intents(run.lease, run.number, run.now())
                run.tell("reopened", reopened)
            asked_anew = not (alone and after is not None and after.entities is entities)
            if asked_anew and not held:
                take_stock(run)
            yield run
            run.end_if_held()  # what came too late to end the work holds the next run
        except BaseException as error:
            if not isinstance(error, UnreachableError | LeaseHeldError):
                run.on_record()
            run.fail(error)
            told = error.as_dict() if isinstance(error, DualWriteError) else None
            outcome = error.code if isinstance(error, DualWriteError) else type(error).__name__
            run.finish(outcome, told)
            raise
        run.finish("done")
    finally:
        run.give_back()


def refuse_stopped(row: MapRow | None) -> None:
    """Raise `MapStoppedError` if somebody or something holds the map."""
    if row is not None and row.stopped is not None:
        raise stopped(row.map, row.stopped)
