"""Exact arithmetic with points and money, rounded once, at the end.

Owns: how points of a kind and amounts of a currency are rounded.
Never does: floating point; deciding how many points there are.
Tested in: tests/unit/ledger/programs/test_rounding.py.

Facts: commerce-loyalty, section 2: points by quantity are whole numbers, points by amount are
rounded as their currency is.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal

from connector.ledger.currencies import decimals

EXACT = Context(prec=200, rounding=ROUND_HALF_UP)
"""Products of amounts never lose a digit here, and one division at the end hardly any."""


@dataclass(frozen=True, slots=True)
class PointKind:
    """What programs need to know of a kind of points.

    `whole` where it is counted by quantity; `ranking` orders kinds that could all pay.
    """

    name: str
    whole: bool = True
    currency: str | None = None
    redeemable: bool = True
    ranking: int | None = None

    @property
    def smallest(self) -> Decimal:
        """The smallest part of a point there is."""
        return Decimal(1) if self.whole else Decimal(1).scaleb(-decimals(self.currency))

    def rounded(self, points: Decimal) -> Decimal:
        """Earned points: half and more is rounded up."""
        return points.quantize(self.smallest, ROUND_HALF_UP, EXACT)

    def enough(self, points: Decimal) -> Decimal:
        """The fewest points that are not less."""
        return points.quantize(self.smallest, ROUND_CEILING, EXACT)


def money(amount: Decimal, currency: str) -> Decimal:
    """The most of a currency that is not more than `amount`."""
    return amount.quantize(Decimal(1).scaleb(-decimals(currency)), ROUND_FLOOR, EXACT)


def plain(number: Decimal) -> str:
    """A number for people: no exponent, no zeros that say nothing."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
