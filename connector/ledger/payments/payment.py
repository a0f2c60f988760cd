"""A payment with points: what is asked, and what is answered.

Owns: these values, as every channel hands them in and gets them back.
Never does: anything; see `payments.py`.
Tested in: tests/unit/ledger/payments/.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from connector.ledger.payments.covering import Share


class State(StrEnum):
    """Where a payment stands. Only an authorised one changes its state."""

    AUTHORISED = "authorised"
    """The points are gone from the card, the goods are not."""
    CAPTURED = "captured"
    """The goods are gone as well, at least some of them."""
    VOIDED = "voided"
    """Called off: every point is back."""
    LAPSED = "lapsed"
    """Nobody captured it in time: every point is back."""


@dataclass(frozen=True, slots=True)
class Request:
    """Points of a card shall pay for an order.

    `order` is the order or receipt number, as the sale will name it. With `partial`, what the
    card has is taken where it is not enough. `kinds` names the kinds of points that may pay;
    all that can where it is empty. `hold` says how long the authorisation stands.
    """

    card: str
    amount: Decimal
    currency: str
    order: str
    channel: str | None = None
    partial: bool = False
    kinds: tuple[str, ...] = ()
    hold: timedelta | None = None

    def digest(self) -> str:
        """The same for two requests that ask for the same."""
        content = asdict(self) | {"amount": str(self.amount.normalize()), "hold": str(self.hold)}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class Part(NamedTuple):
    """Points of one kind, and what they cover by which program's rule."""

    kind: str
    points: Decimal
    amount: Decimal
    program: str
    version: int

    @classmethod
    def of(cls, share: Share) -> Part:
        """For the caller."""
        rule = share.rule
        return cls(rule.kind, share.points, share.amount, rule.program, rule.version)


class Payment(NamedTuple):
    """An accepted payment as it stands.

    `asked` is the amount of the request; `amount` is what points pay of it now, less all that was
    given back, and `parts` says with which. `until` is when an authorisation lapses.
    """

    number: int
    key: str
    state: State
    card: str
    order: str
    channel: str | None
    currency: str
    asked: Decimal
    amount: Decimal
    parts: tuple[Part, ...]
    at: datetime
    until: datetime
    settled: datetime | None
    """When it was captured, voided or lapsed."""
    by: str
    repeated: bool = False
    """It stood like this before the call."""


class Covered(NamedTuple):
    """What the points of a card cover of an amount, and why not more."""

    card: str
    currency: str
    asked: Decimal
    amount: Decimal
    missing: Decimal
    parts: tuple[Part, ...]
    why: str
    """Empty where nothing is missing."""


class Rejected(NamedTuple):
    """Nothing was taken: the card does not cover the amount. `covered` is what it would cover."""

    code: str
    """`payment-short`, or `payment-worthless` where no points of the card pay at all."""
    covered: Covered


Answer: TypeAlias = Payment | Rejected
