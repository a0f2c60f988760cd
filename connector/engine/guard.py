"""The delete guard: a mistake on one side must not empty the other.

Owns: how many deletes may still go to one side of a map within the sliding hour, and which
records they are counted by.
Never does: sending or stopping; it says how many, and builds the reason for stopping.
Tested in: tests/unit/engine/test_guard.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from collections.abc import Set as AbstractSet

from connector.engine.ports import Guard
from connector.errors import Problem, Subject
from connector.mapping.values import Side
from connector.store.work import NOT_DONE


def allowance(guard: Guard, bound: int, sent: int) -> int:
    """Deletes that may still go out within the hour, besides those a person released.

    `bound` are the records believed present on that side now, `sent` the deletes of the window.
    The share is of what was there before the window.
    """
    by_share = max(guard.share_from - 1, math.floor(guard.share * (bound + sent)))
    return max(0, min(guard.rows, by_share) - sent)


class Deletes:
    """The deletes of one side, by record: those of the window, and those that may still go out.

    A delete that is sent again is the same delete, and one that surely did not happen is none.
    """

    def __init__(self, free: int, sent: AbstractSet[int]) -> None:
        self.free = free
        """How many more records the guard lets go."""
        self.held_back = 0
        self._released = 0
        self._may_have_happened = set(sent)
        self._counted = set(sent)

    def __len__(self) -> int:
        """Records that count against the guard."""
        return len(self._counted)

    def take(self, record: int, release: Callable[[], bool]) -> bool:
        """Whether this record's delete may go: within the guard, else as `release` has one left."""
        if record in self._counted:
            return True
        if self.free > 0:
            self.free -= 1
        elif release():
            self._released += 1
        else:
            self.held_back += 1
            return False
        self._counted.add(record)
        return True

    def settle(self, record: int, outcome: str) -> bool:
        """Take over how a delete that left ended; whether a release is free again by that."""
        if outcome not in NOT_DONE:
            self._may_have_happened.add(record)
        if record in self._may_have_happened or record not in self._counted:
            return False
        self._counted.remove(record)
        if self._released == 0:
            self.free += 1
            return False
        self._released -= 1
        return True


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
