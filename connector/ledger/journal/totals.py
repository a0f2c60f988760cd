"""A balance while it is added up, and what it comes to.

Owns: which figure an entry and a lot count for.
Never does: SQL, deciding what may be posted.
Tested in: tests/unit/ledger/journal/test_journal.py, tests/unit/ledger/journal/test_laws.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from connector.ledger.journal.amounts import points
from connector.ledger.journal.lots import Lot
from connector.ledger.journal.posting import EntryType

SOON = 30
"""Days within which points count as about to expire (commerce-loyalty, section 6)."""


class Balance(NamedTuple):
    """The points of one kind on one card, on a day.

    `available` pay today, `unvested` later; `expiring` is the part of the available ones that
    expires soon, `next_expiry` the first day after which some are gone. `redeemed` is less what
    was given back, `lifetime` what was ever earned less what was taken back.
    """

    kind: str
    available: Decimal
    unvested: Decimal
    expiring: Decimal
    next_expiry: date | None
    redeemed: Decimal
    expired: Decimal
    lifetime: Decimal
    adjusted: Decimal
    """What people added and removed, and what came from and went to other cards."""


@dataclass(slots=True)
class Totals:
    """A balance while it is added up, in ten-thousandths."""

    available: int = 0
    unvested: int = 0
    expiring: int = 0
    next_expiry: date | None = None
    redeemed: int = 0
    expired: int = 0
    lifetime: int = 0
    adjusted: int = 0

    def count(self, type_: EntryType, units: int) -> None:
        """Entries of a type, signed."""
        match type_:
            case EntryType.EARN | EntryType.RETURN_EARNED:
                self.lifetime += units
            case EntryType.REDEEM | EntryType.REFUND:
                self.redeemed -= units
            case EntryType.ADJUST:
                self.adjusted += units

    def hold(self, lot: Lot, on: date, soon: int) -> None:
        """What is left of lots with the same days."""
        if lot.expired(on):
            self.expired += lot.remaining
        elif lot.unvested(on):
            self.unvested += lot.remaining
        else:
            self.available += lot.remaining
            if lot.expires is not None and lot.remaining:
                self.next_expiry = min(self.next_expiry or date.max, lot.expires)
                if lot.expires <= on + timedelta(soon):
                    self.expiring += lot.remaining

    def add(self, other: Totals) -> None:
        """What other lots of the account hold, as they were counted already."""
        self.available += other.available
        self.unvested += other.unvested
        self.expiring += other.expiring
        self.expired += other.expired
        if other.next_expiry is not None:
            self.next_expiry = min(self.next_expiry or date.max, other.next_expiry)

    def balance(self, kind: str) -> Balance:
        """The same in points."""
        return Balance(
            kind,
            points(self.available),
            points(self.unvested),
            points(self.expiring),
            self.next_expiry,
            points(self.redeemed),
            points(self.expired),
            points(self.lifetime),
            points(self.adjusted),
        )
