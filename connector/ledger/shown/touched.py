"""What a write transaction did that must show: points that moved, names that changed.

Owns: collecting it.
Never does: SQL; `settling.py` makes it show before the commit.
Tested in: tests/unit/ledger/shown/test_settling.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, TypeAlias

from connector.ledger.journal.posting import EntryType

if TYPE_CHECKING:
    from connector.ledger.journal.books import Draft

Account: TypeAlias = tuple[str, str]
"""The ids of a card and of a kind of points."""


@dataclass(slots=True)
class Movement:
    """What postings did to one account, in ten-thousandths.

    `counted` sums entries by type; `moved` sums what came to and went from lots, by their first
    and last day.
    """

    card: str
    """The card's number."""
    kind: str
    """The name of the kind."""
    counted: dict[EntryType, int] = field(default_factory=dict)
    moved: dict[tuple[date, date | None], int] = field(default_factory=dict)

    def _move(self, starts: date, expires: date | None, units: int) -> None:
        self.moved[starts, expires] = self.moved.get((starts, expires), 0) + units

    def enter(self, entry: Draft) -> None:
        """One more entry: the lots it brings and draws from belong to its own account."""
        self.counted[entry.type] = self.counted.get(entry.type, 0) + entry.units
        if entry.lot is not None:
            self._move(entry.lot.starts, entry.lot.expires, entry.units)
        for lot, units in entry.draws:
            self._move(lot.starts, lot.expires, -units)


@dataclass(slots=True)
class Touched:
    """Everything of one transaction."""

    accounts: dict[Account, Movement] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    """Ids of cards and kinds whose name changed, with the name they had before."""
    held: set[str] = field(default_factory=set)
    """Ids of cards that are new, or of another customer now, or replaced."""
    gone: set[str] = field(default_factory=set)
    """Names of cards that were deleted."""

    @property
    def cards(self) -> set[str]:
        """Ids of the cards whose points moved."""
        return {card for card, _ in self.accounts}

    def enter(self, entry: Draft) -> None:
        """An entry that is being stored."""
        account = entry.card.id, entry.kind.id
        movement = self.accounts.get(account)
        if movement is None:
            movement = self.accounts[account] = Movement(entry.card.number, entry.kind.name)
        movement.enter(entry)

    def rename(self, before: Mapping[str, str]) -> None:
        """Records by id with the name they had; the first one counts."""
        self.names = {**before, **self.names}
