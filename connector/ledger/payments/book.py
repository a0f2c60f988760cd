"""Payments as the ledger keeps them.

Owns: reading and writing their rows.
Never does: deciding whether one may be captured or voided (`payments.py`), moving points.
Tested in: tests/unit/ledger/payments/test_payments.py.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from connector.ledger.column_types import utc
from connector.ledger.fields import fold
from connector.ledger.journal.amounts import points
from connector.ledger.payments.covering import Share, kept, total
from connector.ledger.payments.money import money, stored
from connector.ledger.payments.payment import Part, Payment, State
from connector.ledger.payments.tables import parts, payments
from connector.ledger.programs.paying import RedeemRule
from connector.ledger.programs.rounding import PointKind
from connector.ledger.schema import CARDS, REWARD_POINTS
from connector.ledger.sql import rows_in

_P = payments.c
_CARD = CARDS.table.c
_KIND = REWARD_POINTS.table.c
_CALLED = (
    sa.select(_KIND.reward_point_id)
    .where(_KIND.id == parts.c.kind)
    .scalar_subquery()
    .label("called")
)
"""What the kind of a part is called by now."""


@dataclass(frozen=True, slots=True)
class Held:
    """One payment as the ledger knows it; times are aware."""

    number: int
    key: str
    digest: str
    state: State
    card: str
    """Its id."""
    card_number: str
    order: str
    channel: str | None
    currency: str
    asked: Decimal
    covered: Decimal
    captured: Decimal | None
    posting: int
    at: datetime
    until: datetime
    settled: datetime | None
    by: str
    shares: tuple[Share, ...]

    @property
    def amount(self) -> Decimal:
        """What points pay now."""
        return total(self.shares)

    def less(self, amount: Decimal) -> Held:
        """The same when only `amount` of it stays."""
        return replace(self, shares=kept(self.shares, amount))

    def as_payment(self, *, repeated: bool = False) -> Payment:
        """For the caller."""
        return Payment(
            self.number,
            self.key,
            self.state,
            self.card_number,
            self.order,
            self.channel,
            self.currency,
            self.asked,
            self.amount,
            tuple(Part.of(one) for one in self.shares),
            self.at,
            self.until,
            self.settled,
            self.by,
            repeated,
        )


class Book:
    """The payments of a ledger, within one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def numbered(self, number: int) -> Held | None:
        """The payment of that number."""
        return next(iter(self._found(_P.number == number)), None)

    def keyed(self, key: str) -> Held | None:
        """The payment the caller made under that key."""
        return next(iter(self._found(_P.key == key)), None)

    def of_order(self, order: str) -> list[Held]:
        """What was paid with points for an order, the oldest first."""
        return self._found(_P.order_key == fold(order))

    def of_card(self, card: str, limit: int) -> list[Held]:
        """The newest payments of a card, by its folded number; the oldest of them first."""
        newest = sa.select(_P.number).join(CARDS.table, _CARD.id == _P.card)
        newest = newest.where(_CARD.key == card).order_by(_P.number.desc()).limit(limit)
        return self._found(_P.number.in_(newest))

    def overdue(self, at: datetime, limit: int) -> list[Held]:
        """Authorisations that nobody captured in time, up to so many."""
        first = sa.select(_P.number).where(_P.state == State.AUTHORISED, _P.until <= utc(at))
        return self._found(_P.number.in_(first.order_by(_P.until).limit(limit)))

    def any_overdue(self, at: datetime) -> bool:
        """Whether there is any such."""
        due = sa.select(_P.number).where(_P.state == State.AUTHORISED, _P.until <= utc(at))
        return self._connection.scalar(due.limit(1)) is not None

    def next_number(self) -> int:
        """Of the next payment."""
        return int(self._connection.scalar(sa.select(sa.func.max(_P.number))) or 0) + 1

    def add(self, held: Held) -> None:
        """A new payment."""
        row = {
            "number": held.number,
            "key": held.key,
            "digest": held.digest,
            "card": held.card,
            "order_number": held.order,
            "order_key": fold(held.order),
            "channel": held.channel,
            "currency": held.currency,
            "asked": stored(held.asked),
            "covered": stored(held.covered),
            "posting": held.posting,
            "at": utc(held.at),
            "until": utc(held.until),
            "by": held.by,
            **_standing(held),
        }
        self._connection.execute(sa.insert(payments), [row])
        kinds = self._kinds({fold(one.rule.kind) for one in held.shares})
        rows = [
            {
                "payment": held.number,
                "place": place,
                "kind": kinds[fold(one.rule.kind)],
                **_rate(one.rule),
                "points": stored(one.points),
                "amount": stored(one.amount),
            }
            for place, one in enumerate(held.shares)
        ]
        self._connection.execute(sa.insert(parts), rows)

    def change(self, changed: Sequence[Held]) -> None:
        """What these payments are now."""
        rows = [{"of": one.number, **_standing(one)} for one in changed]
        update = sa.update(payments).where(_P.number == sa.bindparam("of"))
        names = ("state", "captured", "amount", "settled")
        self._connection.execute(update.values({name: sa.bindparam(name) for name in names}), rows)
        shares = [
            {
                "of": one.number,
                "at_place": place,
                "rest": stored(share.points),
                "money": stored(share.amount),
            }
            for one in changed
            for place, share in enumerate(one.shares)
        ]
        update = sa.update(parts).where(
            parts.c.payment == sa.bindparam("of"), parts.c.place == sa.bindparam("at_place")
        )
        update = update.values(points=sa.bindparam("rest"), amount=sa.bindparam("money"))
        self._connection.execute(update, shares)

    def _kinds(self, keys: Collection[str]) -> dict[str, str]:
        """The ids of kinds by their folded names."""
        rows = rows_in(self._connection, [_KIND.key, _KIND.id], _KIND.key, list(keys))
        return dict(tuple(row) for row in rows)

    def _found(self, *where: sa.ColumnElement[bool]) -> list[Held]:
        query = (
            sa.select(payments, _CARD.card_number)
            .join(CARDS.table, _CARD.id == _P.card)
            .where(*where)
            .order_by(_P.number)
        )
        rows = self._connection.execute(query).all()
        shares: dict[int, list[Share]] = {row.number: [] for row in rows}
        currencies = {row.number: row.currency for row in rows}
        columns = [*parts.c, _CALLED]
        found = rows_in(self._connection, columns, parts.c.payment, list(shares))
        for row in sorted(found, key=lambda one: (one[0], one[1])):
            shares[row[0]].append(_share(row, currencies[row[0]]))
        return [_held(row, shares[row.number]) for row in rows]


def _standing(held: Held) -> dict[str, Any]:
    """What changes of a payment."""
    return {
        "state": held.state.value,
        "captured": None if held.captured is None else stored(held.captured),
        "amount": stored(held.amount),
        "settled": None if held.settled is None else utc(held.settled),
    }


def _rate(rule: RedeemRule) -> dict[str, Any]:
    """By what points were turned into money, so that they can be turned back in the same way."""
    return {
        "program": rule.program,
        "version": rule.version,
        "rate_points": stored(rule.points),
        "rate_worth": stored(rule.worth),
        "kind_currency": None if rule.rounding.whole else rule.rounding.currency,
    }


def _share(row: Any, currency: str) -> Share:
    kind = PointKind(row.called, whole=row.kind_currency is None, currency=row.kind_currency)
    rate = points(row.rate_points), points(row.rate_worth)
    rule = RedeemRule(row.program, row.version, row.called, currency, *rate, rounding=kind)
    return Share(rule, points(row.points), money(row.amount, currency))


def _held(row: Any, shares: Sequence[Share]) -> Held:
    return Held(
        row.number,
        row.key,
        row.digest,
        State(row.state),
        row.card,
        row.card_number,
        row.order_number,
        row.channel,
        row.currency,
        money(row.asked, row.currency),
        money(row.covered, row.currency),
        None if row.captured is None else money(row.captured, row.currency),
        row.posting,
        row.at.replace(tzinfo=UTC),
        row.until.replace(tzinfo=UTC),
        None if row.settled is None else row.settled.replace(tzinfo=UTC),
        row.by,
        tuple(shares),
    )
