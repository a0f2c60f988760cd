"""Steps on their way: batches of change sets, narrowed down until each has its own outcome.

Owns: what is sent together, what is sent again, and what a batch's answer means for each step.
Never does: repeating a write that may have happened; looking at rows (`writes.py`).
Tested in: tests/unit/endpoints/odata_v2/test_batches.py, test_writes.py.

A change set is all or nothing (OData V2: batch processing). If it fails, nothing of it happened,
so its steps can be sent again, in change sets of a tenth each, until those to blame stand alone.
Services that take one operation per change set are remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from connector.endpoints.base import Applied, Outcome, Transient, Unknown
from connector.endpoints.odata_v2 import batches
from connector.endpoints.odata_v2.batches import Part
from connector.endpoints.odata_v2.connection import Connection
from connector.endpoints.odata_v2.faults import fault_of, refused
from connector.endpoints.odata_v2.metadata import Table
from connector.endpoints.odata_v2.outcomes import BUSY, NO_RIGHT, outcome_of
from connector.endpoints.odata_v2.rows import Projection
from connector.endpoints.odata_v2.steps import Step
from connector.endpoints.web.answers import MAYBE_DONE, Answer, Lost, Reply, Unsent
from connector.endpoints.web.faults import Fault
from connector.endpoints.web.governor import Call, Held
from connector.errors import DualWriteError

NARROWING = 10
"""Into how many change sets one is parted that failed."""

Set: TypeAlias = Sequence[Step]
Told: TypeAlias = Sequence[Sequence[Part] | Part]


class Habits:
    """What was learned of how a service takes change sets; shared by all calls."""

    def __init__(self) -> None:
        self.singly: set[str] = set()
        """Tables that take one operation per change set."""


class Sending:
    """The outcomes of one call's steps; no request is begun when it is `late`."""

    def __init__(
        self,
        connection: Connection,
        table: Table,
        projection: Projection,
        habits: Habits,
        late: Callable[[], bool],
    ) -> None:
        self._connection = connection
        self._table = table
        self._projection = projection
        self._habits = habits
        self._late = late
        self.outcomes: dict[int, Outcome] = {}
        """By the place of a step."""
        self.doubtful: list[Step] = []
        """Steps whose outcome has two readings, which a look at the row tells apart."""
        self.denied: list[Fault] = []
        """Refusals for a missing right."""
        self.begun = False
        """Whether something may have happened: from then on outcomes have to reach the engine."""

    def send(self, steps: Set) -> None:
        """Give each of these steps an outcome.

        Raises `UnreachableError` and `AccessError` where nothing of this call happened.
        """
        size = 1 if self._table.name in self._habits.singly else len(steps)
        pending = _parted(steps, size)
        failed: list[Set] = []
        while pending:
            if self._late():
                self._settle(_all(pending), Transient("not sent: the time of this call is over"))
                break
            pending = self._round(pending, failed)
        if failed and all(self._went_well(one) for one in failed):
            self._habits.singly.add(self._table.name)

    def _round(self, sets: Sequence[Set], failed: list[Set]) -> list[Set]:
        """One batch; what is to be sent again is returned, what was parted is put on `failed`."""
        told = self._told(sets)
        if told is None:
            return []
        again: list[Set] = []
        for one, answer in zip(sets, told, strict=False):
            parts = self._answered(one, answer)
            if parts:
                failed.append(one)
                again += parts
        unanswered = sets[len(told) :]
        if unanswered and not again and self._went_well(sets[len(told) - 1]):
            # Nothing failed, and yet answers lack: nobody knows.
            self._settle(_all(unanswered), Unknown("the answer ends before this request"))
            return []
        # A service that stops at a failure has not begun what stands behind it.
        return [*again, *unanswered]

    def _answered(self, one: Set, answer: Sequence[Part] | Part) -> list[Set]:
        """Settle a change set by its answer, or part it."""
        if not isinstance(answer, Part):
            if len(answer) != len(one):
                self._settle(one, Unknown("a change set with another number of answers"))
                return []
            for step, part in zip(one, answer, strict=True):
                self._judge(step, part)
            return []
        if len(one) == 1:
            self._judge(one[0], answer)
        elif answer.status in BUSY:
            fault = fault_of(*answer)
            self._settle(one, Transient(str(fault), fault.retry_after))
        elif answer.status < 300:
            self._settle(one, Unknown("one good answer to a change set of several"))
        else:
            return _parted(one, max(1, len(one) // NARROWING))
        return []

    def _judge(self, step: Step, part: Part) -> None:
        outcome, doubtful = outcome_of(self._table, self._projection, step.operation, part)
        self.outcomes[step.place] = outcome
        if part.status in NO_RIGHT:
            self.denied.append(fault_of(*part))
        elif doubtful and step.key is not None:
            self.doubtful.append(step)

    # ------------------------------------------------------------------------ requests

    def _told(self, sets: Sequence[Set]) -> Told | None:
        """The answers to change sets; None where one answer settled all of them."""
        steps = _all(sets)
        batch = batches.batch_of([[step.request for step in one] for one in sets])
        call = Call(self._table.name, "batch", len(steps))
        try:
            answer = self._connection.post(batch.path, batch.body, batch.headers, call)
        except DualWriteError as error:  # nothing of this batch happened
            self._give_up(steps, error)
            return None
        if isinstance(answer, Reply) and answer.status < 300:
            return self._read(answer, steps)
        self._failed(answer, steps)
        return None

    def _read(self, reply: Reply, steps: Set) -> Told | None:
        self.begun = True
        try:
            return batches.parts_of(reply.body, reply.headers.get("Content-Type", ""))
        except ValueError as error:
            self._settle(steps, Unknown(f"the batch's answer cannot be read: {error}"))
            return None

    def _failed(self, answer: Answer, steps: Set) -> None:
        """Settle steps whose batch failed as a whole, or raise what made it fail."""
        if isinstance(answer, Lost):
            self._lost(steps, answer.text)
        elif isinstance(answer, Unsent):
            self._give_up(steps, self._connection.transport.unreachable(answer))
        elif isinstance(answer, Held):
            self._settle(steps, Transient("held back by the service's limits", answer.seconds))
        else:
            fault = self._connection.transport.fault_of(answer)
            if answer.status in MAYBE_DONE or answer.status < 400:
                self._lost(steps, str(fault))
            elif answer.status in BUSY or answer.status >= 500:
                self._settle(steps, Transient(str(fault), fault.retry_after))
            else:
                side, name = self._connection.side, self._table.name
                self._give_up(steps, refused(fault, side, name, "POST $batch"))

    def _lost(self, steps: Set, text: str) -> None:
        """Nobody knows what became of these."""
        self.begun = True
        self._settle(steps, Unknown(text))

    def _give_up(self, steps: Set, error: Exception) -> None:
        """End with an error, unless earlier outcomes have to reach the engine."""
        if not self.begun:
            raise error
        self._settle(steps, Transient(str(error)))

    def _settle(self, steps: Set, outcome: Outcome) -> None:
        for step in steps:
            self.outcomes[step.place] = outcome

    def _went_well(self, one: Set) -> bool:
        return all(isinstance(self.outcomes.get(step.place), Applied) for step in one)


def _all(sets: Sequence[Set]) -> list[Step]:
    return [step for one in sets for step in one]


def _parted(steps: Set, size: int) -> list[Set]:
    """Change sets of this size at most."""
    return [steps[at : at + size] for at in range(0, len(steps), max(1, size))]
