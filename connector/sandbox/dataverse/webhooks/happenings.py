"""What the running transaction did, for those who want to hear of it once it is committed.

Owns: the list of creates, updates and deletes, undone with the savepoint they belong to.
Never does: telling anybody (`registrations.py`); keeping what nobody waits for.
Tested in: tests/integration/sandbox/test_webhooks.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from connector.sandbox.dataverse.definitions.tables import Table

CREATE, UPDATE, DELETE = "Create", "Update", "Delete"
Topic: TypeAlias = tuple[str, str]
"""(message, table)."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One row written.

    `values` holds stored values by column: all of a new row, the changed ones of an update,
    none of a delete.
    """

    message: str
    table: Table
    record: str
    values: Mapping[str, str | int | float | None]
    user: str


class Happenings:
    """The list of one database connection."""

    def __init__(self) -> None:
        self.wanted: frozenset[Topic] = frozenset()
        """Only these are noted, so that a bulk load nobody listens to costs nothing."""
        self._noted: list[Happening] = []

    def wants(self, message: str, table: Table) -> bool:
        """Whether anybody listens."""
        return (message, table.name) in self.wanted

    def note(
        self,
        message: str,
        table: Table,
        record: str,
        values: Mapping[str, str | int | float | None],
        user: str,
    ) -> None:
        """Remember one write until the transaction ends; the caller asked `wants` before."""
        self._noted.append(Happening(message, table, record, values, user))

    def mark(self) -> int:
        """Where a savepoint begins."""
        return len(self._noted)

    def undo(self, mark: int = 0) -> None:
        """Forget what was noted behind `mark`: it is rolled back."""
        del self._noted[mark:]

    def take(self) -> list[Happening]:
        """What was noted and is committed now; the list begins anew."""
        taken, self._noted = self._noted, []
        return taken
