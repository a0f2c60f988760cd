"""The way between one process and the systems and the store, where everything may go wrong.

Owns: a process that may die at any of its calls, the faults of a call, and the order in which
what it sent at the same time takes effect and is answered.
Never does: deciding when; it asks the chaos of the world it is in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from typing import Any, Protocol

from connector.endpoints.base import (
    Create,
    Entity,
    Found,
    Identity,
    Operation,
    Outcome,
    Page,
    Rejected,
    Stale,
    Transient,
    Unknown,
)
from connector.errors import UnreachableError
from tests.simulation.systems import US, System


class Killed(BaseException):
    """The process is gone; only the world may catch this."""


class Chaos(Protocol):
    """What a world does around the calls of a process."""

    def moment(self, process: Process, name: str) -> None:
        """Something is about to happen, or has happened; the process may die of it."""
        ...

    def happens(self, fault: str) -> bool:
        """Whether a fault strikes now."""
        ...

    def among(self, count: int) -> int:
        """One of so many, by chance."""
        ...

    def tell(self, text: str) -> None:
        """Add to the trace."""
        ...


class Process:
    """One process of ours: it lives until it is killed."""

    def __init__(self, name: str, chaos: Chaos, depth: int = 0) -> None:
        self.name = name
        self.chaos = chaos
        self.depth = depth
        """How many processes it runs on top of: those wait inside a call meanwhile."""
        self.dead = False
        self.tasks: list[Task] = []
        self._running = False

    def moment(self, name: str) -> None:
        """One of its steps."""
        if self.dead:
            raise Killed
        self.chaos.moment(self, name)

    def die(self) -> None:
        """Kill it here; what it sent already may still arrive."""
        self.dead = True
        raise Killed

    def progress(self, wanted: Task | None = None) -> None:
        """Let some of what is under way happen, at least `wanted`, in any order."""
        if self._running:
            return
        self._running = True
        try:
            while wanted is not None and not wanted.done():
                self.tasks.pop(self.chaos.among(len(self.tasks))).happen()
            if wanted is None and self.tasks and self.chaos.happens("overtaking"):
                self.tasks.pop(self.chaos.among(len(self.tasks))).happen()
        finally:
            self._running = False


class Task(Future[Any]):
    """Something under way: it happens at any time until its result is asked for."""

    def __init__(self, process: Process, work: Callable[[], Any], late: Callable[[], None]) -> None:
        super().__init__()
        self._process = process
        self._work = work
        self.late = late
        """What it still does when the process has died meanwhile."""

    def happen(self) -> None:
        """Carry it out."""
        try:
            self.set_result(self._work())
        except Exception as error:  # noqa: BLE001 - it is raised where the result is asked for
            self.set_exception(error)

    def result(self, timeout: float | None = None) -> Any:
        """What came of it; other things may happen first."""
        self._process.progress(self)
        return super().result(timeout)


class Sender(Executor):
    """Several things at once, in an order that chance decides."""

    def __init__(self, process: Process) -> None:
        self.process = process

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Something is under way from now on."""
        wire = getattr(fn, "__self__", None)

        def late() -> None:
            if isinstance(wire, Wire):
                wire.arrive(*args)

        task = Task(self.process, lambda: fn(*args, **kwargs), late)
        self.process.tasks.append(task)
        self.process.progress()
        return task


class Wire:
    """One system as one process reaches it."""

    def __init__(self, system: System, process: Process) -> None:
        self.system = system
        self.process = process
        self.name = system.side.value

    def identity(self) -> Identity:
        return Identity(f"world-{self.name}", self.name, users=frozenset({US}))

    def describe(self, entity: str) -> Entity:
        return self.system.describe(entity)

    def scan(self, entity: str, columns: Sequence[str], resume: str | None) -> Iterator[Page]:
        after, head = "", len(self.system.log)
        if resume is not None:
            after, _, place = resume.rpartition("@")
            head = int(place)
        while True:
            self._ask("scan")
            page = self.system.scan_page(columns, after, head, self._skipped, self._repeated)
            self._answer("scan", f"{[row[:3] for row in page.rows]} {page.resume}")
            yield page
            if page.last:
                return
            after = page.rows[-1].id

    def changes(self, entity: str, columns: Sequence[str], position: str) -> Iterator[Page]:
        text = position
        while True:
            self._ask("changes")
            page = self.system.feed_page(columns, text)
            self._answer("changes", f"{[r[:3] for r in page.rows]} -{page.deleted} {page.resume}")
            yield page
            if page.last:
                return
            text = page.resume or text

    def read(
        self, entity: str, columns: Sequence[str], *, by: str | None, values: Sequence[str]
    ) -> Found:
        self._ask("read")
        rows = self.system.read(columns, by, values)
        self._answer("read", f"{by} {list(values)} {[r[:3] for v in rows.values() for r in v]}")
        return Found(rows)

    def write(
        self, entity: str, columns: Sequence[str], operations: Sequence[Operation]
    ) -> Sequence[Outcome]:
        assert len(operations) <= self.system.traits.batch
        self._ask("write")
        outcomes = [self._one(columns, operation) for operation in operations]
        self.process.moment(f"{self.name} has written")
        if self.process.chaos.happens("unreachable"):
            raise UnreachableError("unreachable", f"{self.name} fell silent", remedy="wait")
        return outcomes

    def newer(self, a: str, b: str) -> bool | None:
        return self.system.newer(a, b)

    def close(self) -> None:
        return None

    def arrive(self, entity: str, columns: Sequence[str], operations: Sequence[Operation]) -> None:
        """A write of a dead process takes effect, unheard."""
        for operation in operations:
            outcome = self.system.carry_out(columns, operation)
            self.process.chaos.tell(f"{self.name} late {operation} {outcome}")

    def _skipped(self, _id: str) -> bool:
        return self.system.traits.feed and self.process.chaos.happens("skipped")

    def _repeated(self, _id: str) -> bool:
        return self.process.chaos.happens("repeated")

    def _ask(self, name: str) -> None:
        self.process.moment(f"{self.name} is asked to {name}")
        if self.process.chaos.happens("unreachable"):
            raise UnreachableError("unreachable", f"{self.name} is down", remedy="wait")

    def _answer(self, name: str, text: str) -> None:
        self.process.moment(f"{self.name} {name}: {text}")

    def _one(self, columns: Sequence[str], operation: Operation) -> Outcome:
        outcome = self._carried_out(columns, operation)
        self.process.moment(f"{self.name} {operation} {outcome}")
        return outcome

    def _carried_out(self, columns: Sequence[str], operation: Operation) -> Outcome:
        chaos = self.process.chaos
        if chaos.happens("lost before"):
            return Unknown("the reply was lost")
        if chaos.happens("transient"):
            return Transient("busy", None if chaos.among(2) else float(chaos.among(100)))
        if chaos.happens("rejected"):
            return Rejected("no", "it is not wanted")
        if chaos.happens("stale") and not isinstance(operation, Create):
            return Stale()
        outcome = self.system.carry_out(columns, operation)
        return Unknown("the reply was lost") if chaos.happens("lost after") else outcome


class MortalStore:
    """A store whose changes are moments before and after; the dead cannot call it."""

    TOLD = frozenset(
        {"commit", "adopt", "wake", "reopen_intents", "start_run", "finish_run", "acquire"}
    )

    def __init__(self, store: Any, process: Process) -> None:
        self._store = store
        self._process = process

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            if self._process.dead:
                raise Killed
            if name not in self.TOLD:
                return method(*args, **kwargs)
            self._process.progress()
            self._process.moment(f"before {name}")
            answer = method(*args, **kwargs)
            self._process.moment(f"after {name}")
            return answer

        return call
