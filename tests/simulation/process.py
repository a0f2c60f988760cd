"""One process of ours, and what it has under way.

Owns: a process that may die at any of its steps, and the order in which what it sent at the same
time takes effect and is answered.
Never does: deciding when; it asks the chaos of the world it is in.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, Protocol


class Killed(BaseException):
    """The process is gone; only the world may catch this."""


class Chaos(Protocol):
    """What a world does around the calls of a process."""

    def moment(self, process: Process, name: str, *details: object) -> None:
        """Something is about to happen, or has happened; the process may die of it."""
        ...

    def happens(self, fault: str) -> bool:
        """Whether a fault strikes now."""
        ...

    def among(self, count: int) -> int:
        """One of so many, by chance."""
        ...

    def tell(self, who: str, what: str, *details: object) -> None:
        """Add to the trace."""
        ...

    def later(self, work: Callable[[], object]) -> None:
        """Something takes effect at some later time, unheard."""
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

    def moment(self, name: str, *details: object) -> None:
        """One of its steps."""
        if self.dead:
            raise Killed
        self.chaos.moment(self, name, *details)

    def die(self) -> None:
        """Kill it here; what it sent already may still arrive."""
        self.dead = True
        raise Killed

    def progress(self, wanted: Task | None = None) -> None:
        """Let some of what is under way happen, at least `wanted`, in any order."""
        if self._running or not self.tasks:
            return
        self._running = True
        try:
            while wanted is not None and not wanted.done():
                self.tasks.pop(self.chaos.among(len(self.tasks))).happen()
            if wanted is None and self.chaos.happens("overtaking"):
                self.tasks.pop(self.chaos.among(len(self.tasks))).happen()
        finally:
            self._running = False


class Task(Future[Any]):
    """Something under way: it happens at any time until its result is asked for."""

    def __init__(
        self, process: Process, work: Callable[[], Any], unwatched: Callable[[], Any] | None
    ) -> None:
        super().__init__()
        self._process = process
        self._work = work
        self.unwatched = unwatched
        """Carries it out while its process is dead or asleep; None where that changes nothing."""

    def happen(self) -> None:
        """Carry it out."""
        try:
            self.set_result(self._work())
        except Exception as error:  # noqa: BLE001 - it is raised where the result is asked for
            self.set_exception(error)

    def land(self) -> None:
        """Carry it out while its process sleeps, which hears of it when it wakes."""
        assert self.unwatched is not None
        self.set_result(self.unwatched())

    def result(self, timeout: float | None = None) -> Any:
        """What came of it; other things may happen first."""
        if not self.done():
            if self._process.dead:
                raise Killed
            self._process.progress(self)
        assert self.done(), "a process waits for what is not under way"
        return super().result()


class Sender(Executor):
    """Several things at once, in an order that chance decides."""

    def __init__(self, process: Process) -> None:
        self.process = process

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Something is under way from now on."""
        arrive = getattr(getattr(fn, "__self__", None), "arrive", None)
        unwatched = None if arrive is None else lambda: arrive(*args)
        task = Task(self.process, lambda: fn(*args, **kwargs), unwatched)
        self.process.tasks.append(task)
        self.process.progress()
        return task
