"""What earns points: a sale with its lines, or another activity.

Owns: these values, as every channel hands them in.
Never does: SQL, clocks, deciding what is earned (`earning.py`).
Tested in: tests/unit/ledger/programs/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

_NOTHING: Mapping[str, Decimal] = MappingProxyType({})
_NO_FIELDS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a sale. `amount` is what was paid for all of it, in the sale's currency.

    `quantity` may have decimals (weight); both are positive, a return is no sale of less.
    """

    product: str
    quantity: Decimal
    amount: Decimal
    categories: tuple[str, ...] = ()
    """Product groups or categories, the nearest first."""
    offer: str | None = None
    """The discount or offer it was sold under."""
    variant: str | None = None
    language: str | None = None
    """Of the product as it was shown, where a shop keeps products by language."""
    points: Decimal = Decimal(0)
    """What was paid for it in points, of a product with a price in points; `amount` is 0 then."""
    fields: Mapping[str, str] = field(default_factory=lambda: _NO_FIELDS)
    """Whatever else the channel tells about the line."""


@dataclass(frozen=True, slots=True)
class Sale:
    """One order or receipt of a card. `number` names it once and for all."""

    number: str
    card: str
    at: datetime
    """When, aware."""
    currency: str
    lines: tuple[Item, ...]
    channel: str | None = None
    unit: str | None = None
    """The store: its operating unit."""
    payments: Mapping[str, Decimal] = field(default_factory=lambda: _NOTHING)
    """Amounts by means of payment; `points` is the one paid with points."""
    fields: Mapping[str, str] = field(default_factory=lambda: _NO_FIELDS)
    """Whatever else the channel tells (shop, language, country, shipping, voucher …)."""


@dataclass(frozen=True, slots=True)
class Activity:
    """Something other than a sale: a survey, a store visit, a post. `number` names it once."""

    number: str
    card: str
    at: datetime
    activity: str
    """What it was, as the rules name it."""
    quantity: Decimal = Decimal(1)
    channel: str | None = None
    unit: str | None = None
    fields: Mapping[str, str] = field(default_factory=lambda: _NO_FIELDS)


Occasion: TypeAlias = Sale | Activity


class Earned(NamedTuple):
    """What one rule gives for one occasion; `points` above zero, rounded as the kind asks."""

    program: str
    version: int
    """Of the program's document in the ledger."""
    rule: str
    kind: str
    """The RewardPointId."""
    points: Decimal
    lines: tuple[int, ...]
    """Places of the lines in the sale that count for the rule; none for a rule of the whole."""
    why: str
    """The arithmetic, for the person who asks later."""
    months: int | None = None
    """How long the points live, 0 for ever; None as their kind says."""
    once: str = ""
    """What it is given once for all under, apart from the occasion (`gifts.py`); empty for what
    belongs to the occasion, and goes with it."""
