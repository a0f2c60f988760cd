"""One rule that earns: how many points it gives for a sale or an activity.

Owns: the arithmetic, and the sentence that tells it.
Never does: choosing which rules are asked (`index.py`); SQL, clocks.
Tested in: tests/unit/ledger/programs/test_earning.py, test_laws.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal

from connector.ledger.fields import fold
from connector.ledger.members.member import Member
from connector.ledger.programs.document import By, Mixed, ProgramDocument, Rule, Step
from connector.ledger.programs.occasion import Activity, Earned, Occasion, Sale
from connector.ledger.programs.rounding import EXACT, PointKind, plain
from connector.ledger.programs.terms import Labels, Line, Place, Terms, folded

POINTS = "points"
"""The means of payment that is points."""
_ZERO = Decimal(0)
_SHORT = Context(prec=10)
"""For figures people read."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An occasion as rules look at it."""

    occasion: Occasion
    place: Place
    lines: tuple[Line, ...]
    payments: Mapping[str, Decimal]
    paid: Decimal
    """All that was paid; what no means of payment is told for was paid somehow."""

    @classmethod
    def of(cls, occasion: Occasion) -> Seen:
        """With all names folded."""
        if isinstance(occasion, Activity):
            return cls(occasion, Place.of(occasion), (), {}, _ZERO)
        lines = tuple(Line.of(place, item) for place, item in enumerate(occasion.lines))
        payments: dict[str, Decimal] = {}
        for means, amount in occasion.payments.items():
            payments[fold(means)] = payments.get(fold(means), _ZERO) + amount
        told = sum(payments.values(), _ZERO)
        sold = sum((line.amount for line in lines), _ZERO)
        return cls(occasion, Place.of(occasion), lines, payments, max(told, sold))

    @property
    def redeems(self) -> bool:
        """Whether points pay any part of it: of the whole, or a line by its price in points."""
        return bool(self.payments.get(POINTS)) or any(line.bought for line in self.lines)

    def paid_with(self, means: Labels) -> Decimal:
        """How much was paid with any of these."""
        return sum((self.payments[one] for one in means if one in self.payments), _ZERO)


@dataclass(frozen=True, slots=True)
class Offering:
    """What all rules of one program share."""

    program: str
    title: str
    version: int
    joined_only: bool
    excluded: Labels
    mixed: Mixed
    pooled: bool

    @classmethod
    def of(cls, document: ProgramDocument, version: int) -> Offering:
        """Of one version of a program."""
        return cls(
            document.program,
            document.title or document.program,
            version,
            document.members == "joined",
            folded(document.excluded),
            document.mixed,
            document.pooled,
        )

    @property
    def whose(self) -> str:
        """Whose sales and points count together, for people."""
        return "all cards together" if self.pooled else "the card"

    def open_to(self, member: Member) -> bool:
        """Whether the card takes part in the program."""
        return not self.joined_only or self.program in member.programs

    def rewards(self, member: Member, seen: Seen) -> bool:
        """Whether the occasion can earn anything in this program."""
        return (
            self.open_to(member)
            and self.excluded.isdisjoint(member.groups)
            and (self.mixed is not Mixed.NO or not seen.redeems)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Earning:
    """A rule that earns, compiled. `order` is its place among all rules of the ledger."""

    order: int
    offering: Offering
    rule: Rule
    kind: PointKind
    terms: Terms
    outside: Labels
    """Means of payment whose part of a sale counts nothing."""

    @classmethod
    def of(cls, order: int, offering: Offering, rule: Rule, kind: PointKind) -> Earning:
        """A rule of a document, with the kind of points it gives."""
        terms = Terms.of(rule)
        not_points = frozenset() if offering.mixed is Mixed.YES else frozenset((POINTS,))
        return cls(order, offering, rule, kind, terms, terms.not_payments | not_points)

    def earned(self, member: Member, seen: Seen) -> Earned | None:
        """What it gives; None for nothing. The day is taken to be one of the rule's days."""
        if isinstance(seen.occasion, Activity) is not (self.rule.by is By.ACTIVITY):
            return None
        tier = member.tiers.get(self.offering.program)
        if not self.terms.meets(member, tier, seen.place):
            return None
        if isinstance(seen.occasion, Activity):
            return self._given(seen.occasion.quantity, Decimal(1), Decimal(1), (), "time")
        return self._of_sale(seen.occasion, member, seen)

    # ------------------------------------------------------------------ a sale

    def _of_sale(self, sale: Sale, member: Member, seen: Seen) -> Earned | None:
        if self.rule.currency not in {None, sale.currency}:
            return None
        lines = self.lines(seen)
        if not lines:
            return None
        amount = sum((line.amount for line in lines), _ZERO)
        quantity = sum((line.quantity for line in lines), _ZERO)
        terms = self.terms
        if (terms.least_amount is not None and amount < terms.least_amount) or (
            terms.least_quantity is not None and quantity < terms.least_quantity
        ):
            return None
        part, of = self.share(seen)
        if part <= 0:
            return None
        all_of_it = len(lines) == len(seen.lines) and not (terms.goods or terms.not_goods)
        places = () if all_of_it else tuple(line.place for line in lines)
        match self.rule.by:
            case By.AMOUNT:
                return self._given(amount, part, of, places, sale.currency)
            case By.QUANTITY:
                return self._given(quantity, part, of, places, "piece")
            case _:
                return self._nth(member.counted(pooled=self.offering.pooled) + 1, places)

    def lines(self, seen: Seen) -> Sequence[Line]:
        """Those that count; lines bought with points are money of no kind."""
        lines = self.terms.lines(seen.lines)
        if self.offering.mixed is Mixed.YES:
            return lines
        return [line for line in lines if not line.bought]

    def share(self, seen: Seen) -> tuple[Decimal, Decimal]:
        """The part of the sale that counts by how it was paid, as a fraction."""
        asked = self.terms.payments
        out = seen.paid_with(self.outside)
        if asked:
            return seen.paid_with(asked - self.outside), seen.paid
        return (seen.paid - out, seen.paid) if out else (Decimal(1), Decimal(1))

    def _nth(self, sales: int, places: tuple[int, ...]) -> Earned | None:
        every = int(self.rule.every)
        if sales % every:
            return None
        whose = self.offering.whose
        which = "each sale" if every == 1 else f"sale {sales} of {whose}, each {every}. counts"
        return self._answer(self.rule.points, places, which)

    def _given(
        self, counted: Decimal, part: Decimal, of: Decimal, places: tuple[int, ...], unit: str
    ) -> Earned | None:
        """Points for `counted`, of which `part` out of `of` counts."""
        every, points = self.rule.every, self.rule.points
        counted, divisor = EXACT.multiply(counted, part), EXACT.multiply(every, of)
        amount = _several(EXACT.divide(counted, of), unit)
        why = f"{plain(points)} for {self._per(unit)}: {amount}"
        if part != of:
            why += f" (of {plain(of)} paid {plain(part)} count)"
        if self._whole:
            counted, divisor = EXACT.divide_int(counted, divisor), Decimal(1)
        return self._answer(EXACT.divide(EXACT.multiply(counted, points), divisor), places, why)

    def _per(self, unit: str) -> str:
        """How much the points are given for."""
        full = "each full" if self._whole else "each"
        every = self.rule.every
        return f"{full} {unit if every == 1 else _several(every, unit)}"

    @property
    def _whole(self) -> bool:
        return self.rule.step is Step.WHOLE

    def _answer(self, points: Decimal, places: tuple[int, ...], why: str) -> Earned | None:
        rounded = self.kind.rounded(points)
        if rounded <= 0:
            return None
        title = f"{self.offering.title}, {self.rule.title or self.rule.rule}"
        was = f"{_short(points)}, rounded to " if points != rounded else ""
        return Earned(
            self.offering.program,
            self.offering.version,
            self.rule.rule,
            self.kind.name,
            rounded,
            places,
            f"{title}: {why} = {was}{plain(rounded)}",
        )


def _short(number: Decimal) -> str:
    """A figure that may have no end."""
    return plain(number.normalize(_SHORT))


def _several(number: Decimal, unit: str) -> str:
    """So many of a unit; currencies have no plural."""
    return f"{_short(number)} {unit}{'' if number == 1 or unit.isupper() else 's'}"
