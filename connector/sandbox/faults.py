"""Switches for tests: refused, delayed and lost answers, and counts of what was asked.

Owns: which requests meet a fault, and the request counts.
Never does: carrying a fault out (`app`), switches inside the organization (`service`).
Tested in: tests/integration/sandbox/test_faults.py.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from connector.odata.malformed import MalformedError
from connector.odata.paths import parse_segment, split_path


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
    LOST_REPLY = "lost-reply"
    """It happens, then the connection is closed without an answer."""
    SLOW = "slow"
    """It happens after `seconds`."""


@dataclass(slots=True)
class Fault:
    """One fault, met by the next `count` fitting requests after the first `after` ones."""

    kind: FaultKind
    count: int = 1
    retry_after: int | None = None
    seconds: float = 1.0
    method: str | None = None
    path: str = ""
    after: int = 0

    def fits(self, method: str, path: str) -> bool:
        """Whether a request is of the sort this fault waits for."""
        return self.count > 0 and self.path in path and self.method in (None, method)


def parse_fault(value: dict[str, Any]) -> Fault:
    """A fault from its JSON. Raises `ValueError` or `TypeError` for anything else."""
    return Fault(**{**value, "kind": FaultKind(value.get("kind", ""))})


class Faults:
    """The faults that are set, and what has been counted since the last reset."""

    def __init__(self) -> None:
        self._set: list[Fault] = []
        self.requests: Counter[str] = Counter()

    def add(self, fault: Fault) -> None:
        """Arm one more fault; the oldest fitting one is met first."""
        self._set.append(fault)

    def clear(self) -> None:
        """Disarm all."""
        self._set.clear()

    def meet(self, method: str, path: str) -> Fault | None:
        """The fault this request meets, counted down."""
        for fault in self._set:
            if not fault.fits(method, path):
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            fault.count -= 1
            return fault
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
