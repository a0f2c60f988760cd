"""What the running transaction wrote, for those who want to hear of it once it is committed.

Owns: the list of creates, updates and deletes, undone with the savepoint they belong to.
Never does: telling anybody (`events.py`); keeping what nobody waits for.
Tested in: tests/integration/sandbox/finops/test_events.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connector.sandbox.finops.entities import Entity

CREATE, UPDATE, DELETE = "Create", "Update", "Delete"


@dataclass(frozen=True, slots=True)
class Happening:
    """One row written: its fields before and after, in the values of the wire."""

    message: str
    entity: Entity
    recid: int
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    user: str


class Happenings:
    """The list of one database connection."""

    def __init__(self) -> None:
        self.wanted: frozenset[str] = frozenset()
        """Sets somebody listens to; of others nothing is noted, so that a load costs nothing."""
        self._noted: list[Happening] = []

    def note(self, happening: Happening) -> None:
        """Remember one write until the transaction ends."""
        self._noted.append(happening)

    def mark(self) -> int:
        """Where a savepoint begins."""
        return len(self._noted)

    def undo(self, mark: int) -> None:
        """Forget what was noted behind `mark`: it is rolled back."""
        del self._noted[mark:]

    def take(self) -> list[Happening]:
        """What was noted and is committed now; the list begins anew."""
        taken, self._noted = self._noted, []
        return taken
