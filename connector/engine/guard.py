"""The delete guard: a mistake on one side must not empty the other.

Owns: how many deletes may still go to one side of a map within the sliding hour.
Never does: sending or stopping; it says how many, and builds the reason for stopping.
Tested in: tests/unit/engine/test_guard.py.
"""

from __future__ import annotations

import math

from connector.engine.ports import Guard
from connector.errors import Problem, Subject
from connector.mapping.values import Side


def allowance(guard: Guard, bound: int, sent: int) -> int:
    """Deletes that may still go out within the hour, besides those a person released.

    `bound` are the records believed present on that side now, `sent` the deletes of the window.
    The share is of what was there before the window.
    """
    by_share = max(guard.share_from - 1, math.floor(guard.share * (bound + sent)))
    return max(0, min(guard.rows, by_share) - sent)


def stop_reason(map: str, side: Side, sent: int, waiting: int) -> Problem:
    """Why the map stops, for its row in the store and for the person who decides."""
    return Problem(
        "delete-guard",
        f"{sent} records were deleted in {side} within the hour and {waiting} or more wait to be; "
        "no delete beyond the guard was sent",
        f"look at them with `dualwrite plan --map {map}`; if they are meant, "
        f"`dualwrite maps resume {map} --allow-deletes N` releases exactly N",
        Subject(map=map, side=side.value),
    )
