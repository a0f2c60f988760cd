"""Switches for tests: refused, delayed and lost answers, and counts of what was asked.

Owns: which requests meet a fault, how long a slow one waits, and the request counts.
Never does: any other fault's effect (`dataverse/app.py`, `finops/face.py`), switches inside the
organization (`dataverse/service.py`).
Tested in: tests/integration/sandbox/test_faults.py.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ParamSpec, TypeVar

from connector.odata.malformed import MalformedError
from connector.odata.paths import parse_segment, split_path
from connector.sandbox.dataverse.limits import LIMITS

_Given = ParamSpec("_Given")
_Answer = TypeVar("_Answer")


class FaultKind(StrEnum):
    """What happens to a request that meets the fault."""

    THROTTLE = "throttle"
    """429 with Retry-After; nothing happens."""
    UNAVAILABLE = "unavailable"
    """503; nothing happens."""
    UNAUTHORIZED = "unauthorized"
    """401, as for an expired token; nothing happens."""
    FORBIDDEN = "forbidden"
    """403, as for a missing role; nothing happens."""
    DROP = "drop"
    """The connection is closed without an answer; nothing happens."""
    HTML = "html"
    """200 with a page of a proxy that wants something else; nothing happens."""
    EMPTY = "empty"
    """200 without a body; nothing happens."""
    ERROR_PAGE = "error-page"
    """500 with a page of HTML; nothing happens."""
    LOST_REPLY = "lost-reply"
    """It happens, then the connection is closed without an answer."""
    CUT = "cut"
    """It happens, then the connection is closed in the middle of the answer."""
    SLOW = "slow"
    """It happens after `seconds`, or once the faults are disarmed."""


@dataclass(slots=True)
class Fault:
    """One fault, met by the next `count` fitting requests after the first `after` ones.

    With `every` N, only each N-th fitting request meets it, the N-th first; with `then`, those
    that meet it take the kinds in turn.
    """

    kind: FaultKind
    count: int = 1
    retry_after: int | None = None
    seconds: float = 1.0
    method: str | None = None
    path: str = ""
    after: int = 0
    every: int = 1
    then: tuple[FaultKind, ...] = ()
    limit: str = "requests"
    """Which limit a throttled request has exceeded: one of `limits.LIMITS`."""
    header: bool = True
    """Whether a throttled request is told when to come again."""
    _passed: int = field(default=0, init=False)
    _met: int = field(default=0, init=False)

    def meets(self) -> FaultKind | None:
        """What this fitting request meets; counted."""
        if self.after > 0:
            self.after -= 1
            return None
        self._passed += 1
        if self._passed % self.every:
            return None
        kinds = (self.kind, *self.then)
        kind = kinds[self._met % len(kinds)]
        self._met += 1
        self.count -= 1
        return kind

    def fits(self, method: str, path: str) -> bool:
        """Whether a request is of the sort this fault waits for."""
        return self.count > 0 and self.path in path and self.method in (None, method)


def parse_fault(value: dict[str, Any]) -> Fault:
    """A fault from its JSON. Raises `ValueError` or `TypeError` for anything else."""
    kind, *then = (FaultKind(name) for name in (value.get("kind", ""), *value.get("then", ())))
    if value.get("every", 1) < 1:
        raise ValueError("every N-th request, N from 1 on")
    if value.get("limit", LIMITS[0]) not in LIMITS:
        raise ValueError(f"limit: one of {', '.join(LIMITS)}")
    return Fault(**{**value, "kind": kind, "then": tuple(then)})


class Faults:
    """The faults that are set, and what has been counted since the last reset."""

    def __init__(self) -> None:
        self._set: list[Fault] = []
        self.requests: Counter[str] = Counter()
        self.met: Counter[str] = Counter()
        self.under_way = 0
        """Requests that have come and have no effect or answer yet."""
        self._disarmed = asyncio.Event()

    def add(self, fault: Fault) -> None:
        """Arm one more fault; the oldest fitting one is met first."""
        self._set.append(fault)

    def clear(self) -> None:
        """Disarm all; requests that are slow go on."""
        self._set.clear()
        self._disarmed.set()
        self._disarmed = asyncio.Event()

    async def be_slow(self, fault: Fault) -> None:
        """Wait for the fault's seconds, or until all faults are disarmed."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._disarmed.wait(), fault.seconds)

    def watched(
        self, answer: Callable[_Given, Awaitable[_Answer]]
    ) -> Callable[_Given, Awaitable[_Answer]]:
        """The same, counted in `under_way` from the head of a request to its answer."""

        async def counted(*args: _Given.args, **kwargs: _Given.kwargs) -> _Answer:
            self.under_way += 1
            try:
                return await answer(*args, **kwargs)
            finally:
                self.under_way -= 1

        return counted

    def meet(self, method: str, path: str) -> tuple[FaultKind, Fault] | None:
        """What this request meets, and the fault it belongs to, counted down."""
        for fault in self._set:
            kind = fault.meets() if fault.fits(method, path) else None
            if kind is not None:
                self.met[kind.value] += 1
                return kind, fault
        return None


def kind_of(method: str, path: str, query: str) -> str:
    """The name under which a request is counted.

    Such as `POST $batch`, `GET msdyn_loyaltycards`, `GET msdyn_loyaltycards?$deltatoken`,
    `PATCH msdyn_loyaltycards()`.
    """
    try:
        first, *rest = [parse_segment(one) for one in split_path(path)] or [parse_segment("/")]
    except (MalformedError, UnicodeDecodeError):
        return f"{method} malformed"
    name = first.name + ("()" if first.guid or first.keys else "")
    name = "/".join([name, *(one.name for one in rest)])
    token = "?$deltatoken" if "deltatoken=" in query else ""
    return f"{method} {name}{token}"
