"""What a card can pay with: its points, and what programs say they are worth.

Owns: gathering both for one card, one currency and one moment; the refusals of a card, a
currency or a kind that cannot pay.
Never does: dividing an amount among the kinds (`covering.py`), posting.
Tested in: tests/unit/ledger/payments/test_payments.py.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

import sqlalchemy as sa

from connector.errors import RecordError, Subject
from connector.ledger.currencies import CODES
from connector.ledger.fields import fold
from connector.ledger.journal.accounts import Accounts
from connector.ledger.journal.amounts import points
from connector.ledger.journal.books import Books, Card
from connector.ledger.journal.lots import Lot
from connector.ledger.journal.rules import may_pay, pays
from connector.ledger.members.facts import facts
from connector.ledger.members.member import Member
from connector.ledger.payments.covering import Means
from connector.ledger.programs.paying import RedeemRule
from connector.ledger.schema import CARDS, REFERENCES

_CARD = CARDS.table.c
_CURRENCY = REFERENCES["currencies"].c


class Programs(Protocol):
    """The active programs, as far as payments ask them."""

    def redeeming(
        self, member: Member, currency: str, at: datetime, channel: str | None = None
    ) -> Sequence[RedeemRule]:
        """The rules by which this member's points pay then and there, the first one in front."""

    def mixed(self, member: Member) -> bool:
        """Whether one order of this member may earn and be paid with points."""


Load = Callable[[sa.Connection], Programs]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which purse is meant. `kinds` are the ones that may pay; all that can where it is empty."""

    card: str
    currency: str
    channel: str | None
    kinds: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Purse:
    """What a card can pay with in one currency at one moment."""

    card: Card
    currency: str
    mixed: bool
    """Whether an order that earned may be paid from it."""
    means: tuple[Means, ...]
    later: dict[str, Decimal]
    """Points by kind that pay later."""

    def why_short(self) -> str:
        """What there is, for whoever wonders why it is not enough."""
        if not self.means:
            return f"no program lets these points of the card pay in {self.currency}"
        told = {}
        for one in self.means:
            kind, later = one.rule.kind, self.later[one.rule.kind]
            more = f" (and {later} unvested)" if later else ""
            told[kind] = f"{one.available} of '{kind}'{more}"
        return f"the card has {', '.join(told.values())}"


def purse(connection: sa.Connection, asked: Asked, at: datetime, load: Load) -> Purse:
    """All that may pay; `at` says by its own time zone which day it is.

    Raises RecordError: `card-unknown`, `card-blocked`, `card-earns-only`, `currency-unknown`,
    `point-kind-unknown`, `points-not-redeemable`.
    """
    currency = _currency(connection, asked.currency)
    member = _member(connection, asked.card)
    programs = load(connection)
    rules = programs.redeeming(member, currency, at, asked.channel)
    names = [*asked.kinds, *(rule.kind for rule in rules)]
    books = Books(int)
    Accounts(connection, books).load_purse(member.card, names)
    card = books.card(member.card)
    may_pay(card)
    wanted = {fold(name) for name in asked.kinds}
    for name in asked.kinds:
        pays(books.kind(name))
    if wanted:
        rules = [rule for rule in rules if fold(rule.kind) in wanted]
    lots = {
        rule.kind: [lot for _, lot in books.purse(card, books.kind(rule.kind))] for rule in rules
    }
    means = tuple(Means(rule, _sum(lots[rule.kind], at.date())) for rule in rules)
    later = {kind: _sum(held, at.date(), later=True) for kind, held in lots.items()}
    return Purse(card, currency, programs.mixed(member), means, later)


def _sum(lots: Sequence[Lot], on: date, *, later: bool = False) -> Decimal:
    counts = Lot.unvested if later else Lot.available
    return points(sum(lot.remaining for lot in lots if counts(lot, on)))


def _currency(connection: sa.Connection, code: str) -> str:
    """As it is spelled."""
    if (spelled := code.strip().upper()) in CODES:
        return spelled
    found = connection.scalar(sa.select(_CURRENCY.number).where(_CURRENCY.key == fold(code)))
    if found is None:
        raise RecordError(
            "currency-unknown",
            f"there is no currency '{code}'",
            remedy="give its ISO code, such as EUR",
            subject=Subject(field="currency"),
        )
    return str(found)


def _member(connection: sa.Connection, number: str) -> Member:
    id = connection.scalar(sa.select(_CARD.id).where(_CARD.key == fold(number)))
    if id is None:
        Books(int).card(number)  # refuses what it does not know
    return facts(connection, [str(id)])[str(id)]
