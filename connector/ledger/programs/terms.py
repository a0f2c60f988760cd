"""The conditions of a rule, made ready to be asked often.

Owns: whether a member, an occasion, a line and a day meet them.
Never does: counting (`earning.py`); choosing which rules are asked (`index.py`).
Tested in: tests/unit/ledger/programs/test_earning.py.

Names compare folded (`fields.fold`). A key of `for` asks for one of its entries, and all keys are
asked for. One entry of `not-for` is enough to leave something out: of products, categories and
offers the lines, of means of payment the part paid with them, of anything else the whole rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from connector.ledger.fields import fold
from connector.ledger.members.member import Member
from connector.ledger.programs.document import (
    Circumstances,
    Conditions,
    Exceptions,
    Redeem,
    Rule,
    Weekday,
)
from connector.ledger.programs.occasion import Item, Occasion

Labels: TypeAlias = frozenset[str]
_WEEKDAYS = list(Weekday)
ANYTHING: Labels = frozenset()


def folded(labels: Iterable[str] | None) -> Labels:
    """The labels as they compare; empty where nothing is asked for."""
    return frozenset(map(fold, labels or ()))


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a sale with its names folded."""

    place: int
    product: str
    categories: tuple[str, ...]
    offer: str | None
    quantity: Decimal
    amount: Decimal
    bought: bool = False
    """Whether it was paid with points instead of money."""

    @classmethod
    def of(cls, place: int, item: Item) -> Line:
        """The line at a place of a sale."""
        offer = None if item.offer is None else fold(item.offer)
        categories = tuple(map(fold, item.categories))
        return cls(
            place,
            fold(item.product),
            categories,
            offer,
            item.quantity,
            item.amount,
            bool(item.points),
        )


@dataclass(frozen=True, slots=True)
class Days:
    """A period and its weekdays; with none of them, every day."""

    first: date | None
    until: date | None
    weekdays: frozenset[int]

    @classmethod
    def of(cls, one: Circumstances) -> Days:
        """The days that conditions ask for."""
        return cls(one.first, one.until, frozenset(map(_WEEKDAYS.index, one.weekdays or ())))

    def holds(self, day: date) -> bool:
        """Whether it is one of them."""
        return (
            (self.first is None or self.first <= day)
            and (self.until is None or day <= self.until)
            and (not self.weekdays or day.weekday() in self.weekdays)
        )

    @property
    def bounded(self) -> bool:
        """Whether from or until are given."""
        return self.first is not None or self.until is not None


@dataclass(frozen=True, slots=True)
class Whole:
    """What is asked of member, channel, store and day."""

    groups: Labels
    tiers: Labels
    channels: Labels
    units: Labels
    activities: Labels
    days: Days

    @classmethod
    def of(cls, one: Circumstances) -> Whole:
        """What `for` or `not-for` say about the whole."""
        wide = one if isinstance(one, Exceptions) else Exceptions()
        return cls(
            folded(one.groups),
            folded(one.tiers),
            folded(one.channels),
            folded(wide.units),
            folded(wide.activities),
            Days.of(one),
        )

    def asks(self, member: Member, tier: str | None, place: Place) -> bool:
        """Whether every key that is given is met, the days left aside."""
        return (
            (not self.groups or not self.groups.isdisjoint(member.groups))
            and (not self.tiers or tier in self.tiers)
            and (not self.channels or place.channel in self.channels)
            and (not self.units or place.unit in self.units)
            and (not self.activities or place.activity in self.activities)
        )

    def names(self, member: Member, tier: str | None, place: Place) -> bool:
        """Whether any key that is given is met, the days left aside."""
        return (
            not self.groups.isdisjoint(member.groups)
            or tier in self.tiers
            or place.channel in self.channels
            or place.unit in self.units
            or place.activity in self.activities
        )


@dataclass(frozen=True, slots=True)
class Place:
    """Where something happens, and for an activity what, folded."""

    channel: str | None = None
    unit: str | None = None
    activity: str | None = None

    @classmethod
    def of(cls, occasion: Occasion) -> Place:
        """Where a sale or activity happens."""
        channel, unit = (
            None if name is None else fold(name) for name in (occasion.channel, occasion.unit)
        )
        activity = getattr(occasion, "activity", None)
        return cls(channel, unit, None if activity is None else fold(activity))


@dataclass(frozen=True, slots=True)
class Goods:
    """What is asked of a line."""

    products: Labels
    categories: Labels
    offers: Labels

    @classmethod
    def of(cls, one: Exceptions) -> Goods:
        """What `for` or `not-for` say about lines."""
        return cls(folded(one.products), folded(one.categories), folded(one.offers))

    def __bool__(self) -> bool:
        return bool(self.products or self.categories or self.offers)

    def asks(self, line: Line) -> bool:
        """Whether every key that is given is met."""
        return (
            (not self.products or line.product in self.products)
            and (not self.categories or not self.categories.isdisjoint(line.categories))
            and (not self.offers or line.offer in self.offers)
        )

    def names(self, line: Line) -> bool:
        """Whether any key that is given is met."""
        return (
            line.product in self.products
            or line.offer in self.offers
            or not self.categories.isdisjoint(line.categories)
        )


@dataclass(frozen=True, slots=True)
class Terms:
    """All conditions of one rule."""

    whole: Whole
    goods: Goods
    not_whole: Whole
    not_goods: Goods
    payments: Labels = ANYTHING
    not_payments: Labels = ANYTHING
    least_amount: Decimal | None = None
    least_quantity: Decimal | None = None

    @classmethod
    def of(cls, rule: Rule | Redeem) -> Terms:
        """The conditions of a rule that earns, or of one that says what points pay."""
        yes, no = rule.for_, rule.not_for
        none = Goods(ANYTHING, ANYTHING, ANYTHING)
        whole, not_whole = Whole.of(yes), Whole.of(no)
        if not isinstance(yes, Conditions) or not isinstance(no, Exceptions):
            return cls(whole, none, not_whole, none)
        return cls(
            whole,
            Goods.of(yes),
            not_whole,
            Goods.of(no),
            folded(yes.payments),
            folded(no.payments),
            yes.least_amount,
            yes.least_quantity,
        )

    def on(self, day: date) -> bool:
        """Whether the rule holds on a day."""
        never = self.not_whole.days
        # A period to leave out and weekdays to leave out are two exceptions, not one.
        inside = never.bounded and Days(never.first, never.until, frozenset()).holds(day)
        return self.whole.days.holds(day) and not inside and day.weekday() not in never.weekdays

    def meets(self, member: Member, tier: str | None, place: Place) -> bool:
        """Whether member, channel, store and activity are such that the rule holds."""
        return self.whole.asks(member, tier, place) and not self.not_whole.names(
            member, tier, place
        )

    def lines(self, lines: Sequence[Line]) -> Sequence[Line]:
        """Those that count."""
        if not self.goods and not self.not_goods:
            return lines
        return [one for one in lines if self.goods.asks(one) and not self.not_goods.names(one)]
