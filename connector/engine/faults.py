"""What every fault means: one table for the replies to writes, one for errors.

Owns: the family of each fault, whether it counts as an attempt, when the record or the map is
due again, and what happens then.
Never does: carrying it out (`settle.py` for records, `connector/operations/runs/writing.py` for
maps).
Tested in: tests/unit/engine/test_faults.py, which also holds docs/operations.md to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from connector.endpoints.base import Outcome, Transient
from connector.errors import (
    AccessError,
    ConfigError,
    DualWriteError,
    IdentityChangedError,
    LeaseHeldError,
    MapError,
    MapStoppedError,
    PositionExpiredError,
    RecordError,
    StateError,
    UnreachableError,
    UsageError,
)


class Family(StrEnum):
    """What sort of fault it is."""

    DONE = "done"
    STALE = "stale"
    """What we believed is out of date; nothing was done."""
    TRANSIENT = "transient"
    """Nothing was done; the same may pass later."""
    UNKNOWN = "unknown outcome"
    """It may or may not have been done."""
    PERMANENT = "permanent"
    """Nothing was done; the same will fail again."""


class Due(StrEnum):
    """When the record, or the map, is taken up again."""

    NOT = "not by itself"
    AT_ONCE = "at once"
    AT_ONCE_THEN_LATER = "at once, then after growing waits"
    LATER = "after growing waits"
    AS_TOLD = "when the side says"
    NEXT_RUN = "with the next run"


class Step(StrEnum):
    """What happens then, or instead."""

    NOTHING = "nothing"
    READ = "read the row, plan anew"
    SEND = "plan and send again"
    PARK = "park the record"
    SCAN = "read the table whole"
    NEXT_MAP = "end this map, go on with the next"
    END = "end the command"


@dataclass(frozen=True, slots=True)
class Handling:
    """One row of the table."""

    family: Family
    attempt: bool
    """Whether it counts towards `retry.attempts`, after which the record is parked."""
    due: Due
    step: Step
    incident: str | None = None
    """Under which kind alerts count it."""


REPLIES: Mapping[str, Handling] = {
    "applied": Handling(Family.DONE, False, Due.NOT, Step.NOTHING),
    "stale": Handling(Family.STALE, False, Due.AT_ONCE, Step.READ),
    "exists": Handling(Family.STALE, True, Due.AT_ONCE_THEN_LATER, Step.READ),
    "missing": Handling(Family.STALE, True, Due.AT_ONCE_THEN_LATER, Step.READ),
    "unknown": Handling(
        Family.UNKNOWN, True, Due.AT_ONCE_THEN_LATER, Step.READ, incident="unknown"
    ),
    "transient": Handling(Family.TRANSIENT, True, Due.LATER, Step.SEND, incident="transient"),
    # The side is busy, which says nothing against the record: it is never parked for that.
    "transient, Retry-After": Handling(
        Family.TRANSIENT, False, Due.AS_TOLD, Step.SEND, incident="transient"
    ),
    "rejected": Handling(Family.PERMANENT, False, Due.NOT, Step.PARK, incident="rejected"),
}
"""By the name of the reply to a write; `reply_name`."""

ERRORS: Mapping[type[DualWriteError], Handling] = {
    UnreachableError: Handling(
        Family.TRANSIENT, False, Due.NEXT_RUN, Step.END, incident="unreachable"
    ),
    PositionExpiredError: Handling(Family.STALE, False, Due.AT_ONCE, Step.SCAN),
    LeaseHeldError: Handling(Family.TRANSIENT, False, Due.NEXT_RUN, Step.NEXT_MAP),
    MapStoppedError: Handling(Family.PERMANENT, False, Due.NOT, Step.NEXT_MAP),
    MapError: Handling(Family.PERMANENT, False, Due.NOT, Step.NEXT_MAP),
    UsageError: Handling(Family.PERMANENT, False, Due.NOT, Step.NEXT_MAP),
    AccessError: Handling(Family.PERMANENT, False, Due.NOT, Step.END),
    IdentityChangedError: Handling(Family.PERMANENT, False, Due.NOT, Step.END),
    ConfigError: Handling(Family.PERMANENT, False, Due.NOT, Step.END),
    StateError: Handling(Family.PERMANENT, False, Due.NOT, Step.END),
    RecordError: Handling(Family.PERMANENT, False, Due.NOT, Step.PARK),
}
"""By the class of an error; whatever a read, or a whole request to write, may raise."""


def reply_name(outcome: Outcome) -> str:
    """The row of `REPLIES` a reply belongs to."""
    name = type(outcome).__name__.lower()
    if isinstance(outcome, Transient) and outcome.retry_after is not None:
        name += ", Retry-After"
    return name


def handling_of(outcome: Outcome) -> Handling:
    """What the reply to a write means for its record."""
    return REPLIES[reply_name(outcome)]


def handling_of_error(error: DualWriteError) -> Handling:
    """What an error means for the map it met."""
    return ERRORS[type(error)]
