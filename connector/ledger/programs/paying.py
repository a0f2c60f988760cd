"""What points pay: the rules of a program, and which of them goes first.

Owns: the value of points in a currency, and how it is rounded.
Never does: SQL; asking whether a card has the points (`journal/`).
Tested in: tests/unit/ledger/programs/test_paying.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from connector.ledger.programs.document import Redeem
from connector.ledger.programs.earning import Offering
from connector.ledger.programs.rounding import EXACT, PointKind, money
from connector.ledger.programs.terms import Terms

WHOLE = PointKind("")
"""Whole points."""
_LAST = 2**63
"""Where a kind without a ranking stands."""


@dataclass(frozen=True, slots=True)
class RedeemRule:
    """`points` of a kind pay `worth` of a currency."""

    program: str
    version: int
    kind: str
    """The RewardPointId."""
    currency: str
    points: Decimal
    worth: Decimal
    ranking: int | None = None
    """The kind's RedeemRanking: the lowest goes first, kinds without one last."""
    rounding: PointKind = WHOLE
    """How parts of a point are counted."""

    @classmethod
    def of(cls, offering: Offering, rule: Redeem, kind: PointKind) -> RedeemRule:
        """A rule of a document, with its kind of points."""
        return cls(
            offering.program,
            offering.version,
            kind.name,
            rule.currency,
            rule.points,
            rule.worth,
            kind.ranking,
            kind,
        )

    def needs(self, amount: Decimal) -> Decimal:
        """The points that pay `amount` of the currency: the fewest that are enough."""
        return self.rounding.enough(EXACT.divide(EXACT.multiply(amount, self.points), self.worth))

    def covers(self, points: Decimal) -> Decimal:
        """What so many points pay: never more than they are worth."""
        worth = EXACT.divide(EXACT.multiply(points, self.worth), self.points)
        return money(worth, self.currency)

    @property
    def before(self) -> tuple[int, Decimal, str, str]:
        """Orders the rules that could pay: by ranking, then where fewer points are needed.

        Facts: commerce-loyalty, section 2, for the tie; that the lowest ranking goes first is our
        choice, the documents do not say.
        """
        ranking = _LAST if self.ranking is None else self.ranking
        price = EXACT.divide(self.points, self.worth)
        return ranking, price, self.kind, self.program


@dataclass(frozen=True, slots=True)
class Paying:
    """A redeem rule with who may use it and when."""

    offering: Offering
    rule: RedeemRule
    terms: Terms
