"""Lots of points, and which of them a deduction draws from.

Owns: what a lot can pay on a day, and the order in which lots are used up.
Never does: SQL, clocks, deciding whether a deduction may happen (`rules.py`).
Tested in: tests/unit/ledger/journal/test_lots.py.

Facts: commerce-loyalty, section 6: a deduction is bound to the lots it draws from; points are
available from the start date to the expiration date, both included.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple


@dataclass(slots=True)
class Lot:
    """What is left of one entry that brought points; `remaining` in ten-thousandths."""

    entry: int
    remaining: int
    starts: date
    expires: date | None

    def expired(self, on: date) -> bool:
        """Whether its last day is past."""
        return self.expires is not None and self.expires < on

    def unvested(self, on: date) -> bool:
        """Whether its first day is still to come."""
        return self.starts > on and not self.expired(on)

    def available(self, on: date) -> bool:
        """Whether it can pay."""
        return self.starts <= on and not self.expired(on)


class Draw(NamedTuple):
    """So much of a lot, in ten-thousandths; negative where it is put back."""

    lot: Lot
    units: int


def spendable(lots: Iterable[Lot], on: date) -> list[Lot]:
    """The lots that can pay, those that expire first in front, then the oldest."""
    return sorted((lot for lot in lots if lot.available(on)), key=by_age)


def retrievable(own: Lot | None, lots: Iterable[Lot], on: date) -> list[Lot]:
    """Where earned points are taken back from: their own lot, unvested ones, available ones.

    The own lot counts even when it is expired: what nobody can spend hurts nobody. None where it
    was handed on. Unvested points go before available ones (commerce-loyalty, section 2), the
    newest first.
    """
    others = [lot for lot in lots if lot is not own]
    unvested = sorted((lot for lot in others if lot.unvested(on)), key=lambda lot: -lot.entry)
    return [*([own] if own is not None else []), *unvested, *spendable(others, on)]


def draw(lots: Iterable[Lot], units: int) -> list[Draw]:
    """Take up to `units` from the lots, one after the other; the lots are left as they are."""
    drawn: list[Draw] = []
    for lot in lots:
        if units <= 0:
            break
        part = min(lot.remaining, units)
        if part > 0:
            drawn.append(Draw(lot, part))
            units -= part
    return drawn


def by_age(lot: Lot) -> tuple[date, date, int]:
    """Orders lots as they are used up."""
    return (lot.expires or date.max, lot.starts, lot.entry)
