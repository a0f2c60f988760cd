"""Creates, updates and deletes: one outcome for each operation.

Owns: what is looked at before a write, and after one whose failure has two readings.
Never does: sending (`sending.py`); repeating a write that may have happened.
Tested in: tests/unit/endpoints/odata_v2/test_writes.py, tests/contract/endpoints/.

Rows without ETags are read immediately before they are written and compared with what was
expected; what a person writes between that read and our write is lost, which `check` says. Creates
are looked up first everywhere: a service may take the POST of a key that is there for an update.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from connector.endpoints.base import (
    Create,
    Exists,
    Missing,
    Operation,
    Outcome,
    Row,
    Stale,
    Transient,
    Unknown,
    Update,
)
from connector.endpoints.odata_v2.connection import Connection
from connector.endpoints.odata_v2.faults import refused
from connector.endpoints.odata_v2.metadata import Table
from connector.endpoints.odata_v2.reads import Reader
from connector.endpoints.odata_v2.sending import Habits, Sending
from connector.endpoints.odata_v2.steps import Preparation, Step, waves
from connector.errors import DualWriteError

_IN_THE_WAY = "a row with this key is there"
_UNSEEN = Transient("not sent: the row could not be looked at before")
Found = TypeVar("Found")


class Writing:
    """One `write` call on one table; used once."""

    def __init__(
        self,
        connection: Connection,
        reader: Reader,
        table: Table,
        columns: Sequence[str],
        *,
        method: str,
        habits: Habits,
        late: Callable[[], bool],
    ) -> None:
        self._side = connection.side
        self._reader = reader
        self._table = table
        self._columns = columns
        self._replaces = method == "PUT"
        self._late = late
        self._preparation = Preparation(table, method)
        projection = reader.projection(table, columns)
        self._sending = Sending(connection, table, projection, habits, late)

    def run(self, operations: Sequence[Operation]) -> list[Outcome]:
        """One outcome each, in order.

        Raises `UnreachableError`, `AccessError` and `MapError` where nothing happened yet.
        """
        outcomes = self._sending.outcomes
        steps: list[Step] = []
        for place, operation in enumerate(operations):
            step = self._preparation.step(place, operation)
            if isinstance(step, Step):
                steps.append(step)
            else:
                outcomes[place] = step
        for wave in waves(steps):
            self._write(wave)
        denied = self._sending.denied
        if denied and len(denied) == len(steps):
            raise refused(denied[0], self._side, self._table.name, "POST $batch")
        return [outcomes[place] for place in range(len(operations))]

    def _write(self, steps: Sequence[Step]) -> None:
        """Look, send, and look again where that tells something."""
        seen = self._look([step for step in steps if self._is_looked_at(step)])
        if seen is None:
            for step in steps:
                self._sending.outcomes[step.place] = _UNSEEN
            return
        ready = [step for step in steps if self._passes(step, seen)]
        if self._replaces:
            ready = self._completed(ready)
        if ready:
            self._sending.send(ready)
        self._settle_doubts()

    # ------------------------------------------------------------------------ before

    def _is_looked_at(self, step: Step) -> bool:
        if isinstance(step.operation, Create):
            return step.key is not None
        return not (self._table.versioned and step.guarded)

    def _look(self, steps: Sequence[Step]) -> Mapping[str, Row] | None:
        """The rows of these steps by id; None where outcomes must come back without them."""
        ids = [step.id for step in steps]
        return self._read(lambda: self._reader.by_ids(self._table, self._columns, ids), ids)

    def _read(
        self, read: Callable[[], Mapping[str, Found]], ids: Sequence[str]
    ) -> Mapping[str, Found] | None:
        if not ids:
            return {}
        if self._late():
            return None
        try:
            return read()
        except DualWriteError:
            # What was carried out has to reach the engine, which meets the rest again.
            if not self._sending.begun:
                raise
            return None

    def _passes(self, step: Step, seen: Mapping[str, Row]) -> bool:
        """Whether a step is sent after the look; what is not gets its outcome here."""
        if not self._is_looked_at(step):
            return True
        row = seen.get(step.id)
        outcome: Outcome | None = None
        if isinstance(step.operation, Create):
            outcome = None if row is None else Exists(row.id, _IN_THE_WAY)
        elif row is None:
            outcome = Missing()
        elif step.operation.version not in (None, row.version):
            outcome = Stale()
        if outcome is not None:
            self._sending.outcomes[step.place] = outcome
        return outcome is None

    def _completed(self, steps: Sequence[Step]) -> list[Step]:
        """Updates that replace whole rows, with what the rows hold besides."""
        ids = [step.id for step in steps if isinstance(step.operation, Update)]
        whole = self._read(lambda: self._reader.whole(self._table, ids), ids)
        ready: list[Step] = []
        for step in steps:
            if not isinstance(step.operation, Update):
                ready.append(step)
            elif whole is None:
                self._sending.outcomes[step.place] = _UNSEEN
            elif step.id in whole:
                ready.append(self._preparation.completed(step, whole[step.id]))
            else:
                self._sending.outcomes[step.place] = Missing()
        return ready

    # ------------------------------------------------------------------------ after

    def _settle_doubts(self) -> None:
        """Tell apart by the rows as they are what a status does not."""
        steps, self._sending.doubtful = self._sending.doubtful, []
        seen = self._look(steps)
        for step in steps:
            creating = isinstance(step.operation, Create)
            if seen is None:
                if creating:
                    self._sending.outcomes[step.place] = Unknown("refused, and not looked at since")
            elif creating and step.id in seen:
                self._sending.outcomes[step.place] = Exists(seen[step.id].id, _IN_THE_WAY)
            elif not creating and step.id not in seen:
                self._sending.outcomes[step.place] = Missing()
