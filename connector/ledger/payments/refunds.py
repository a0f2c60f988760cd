"""Goods paid with points come back.

Owns: giving the points back, once under each key.
Never does: deciding which goods come back (`sales/`), capturing or voiding.
Tested in: tests/unit/ledger/payments/test_refunds.py.
"""

from __future__ import annotations

from datetime import tzinfo
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import sqlalchemy as sa

from connector.errors import RecordError, Subject
from connector.ledger.fields import fold
from connector.ledger.journal.posting import Entry, Posted
from connector.ledger.journal.statements import entries_of
from connector.ledger.journal.tables import KEY_LENGTH, entries
from connector.ledger.ledger import WriteTransaction
from connector.ledger.payments.book import Book, Held
from connector.ledger.payments.giving_back import Return, give_back
from connector.ledger.payments.money import money, payable, stored
from connector.ledger.payments.payment import Payment, State
from connector.ledger.payments.tables import returned
from connector.ledger.programs import rounding

_R = returned.c
_PAYING = (State.AUTHORISED, State.CAPTURED)
_AMOUNT, _SHARE = ":", "/"
"""What stands between order and key of a return: of an amount, and of goods of a sale."""


class Refunded(NamedTuple):
    """What was given back for goods that came back, and the payments as they stand now."""

    amount: Decimal
    payments: tuple[Payment, ...]
    entries: tuple[Entry, ...]
    repeated: bool = False


def refund_within(
    transaction: WriteTransaction, order: str, amount: Decimal, key: str, zone: tzinfo
) -> Refunded:
    """Give back so much of what points pay for an order, the newest payment first.

    Under the same key it happens once. Raises RecordError: `payment-unknown` where points pay
    nothing of this order, `return-exceeds`, `posting-differs`, `posting-key`, `amount-invalid`.
    """
    refund = _Refund(transaction, order, key, zone)
    if not refund.paying:
        raise RecordError(
            "payment-unknown",
            f"points pay nothing of order '{order}'",
            remedy="`dualwrite ledger pay show --order NUMBER` lists what there is",
            subject=Subject(record=order),
        )
    return refund.carried_out(payable(amount, refund.currency))


def refund_share(
    transaction: WriteTransaction, order: str, share: Fraction, key: str, zone: tzinfo
) -> Refunded:
    """Bring what was given back of an order to `share` of what points paid for it.

    `share` is that of all goods that came back so far: 0 to 1, and 1 gives back every point. Under
    the same key it happens once; a caller of `refund_within` may have the same key for something
    else. An order that points pay nothing of gives nothing back.
    """
    refund = _Refund(transaction, order, key, zone, _SHARE)
    return refund.carried_out(refund.up_to(share), exact=False)


class _Refund:
    """One return of one order."""

    def __init__(
        self,
        transaction: WriteTransaction,
        order: str,
        key: str,
        zone: tzinfo,
        manner: str = _AMOUNT,
    ) -> None:
        self._transaction = transaction
        self._connection = transaction.connection
        self._book = Book(transaction.connection)
        self._order = order
        self._name = _key(order, manner, key)
        self._zone = zone
        self._of_order = self._book.of_order(order)
        self.paying = [one for one in self._of_order if one.state in _PAYING]
        self.currency = self.paying[0].currency if self.paying else ""

    def up_to(self, share: Fraction) -> Decimal:
        """What is still to be given back, in whole cents."""
        if not self.paying:
            return Decimal(0)
        before = self._given_back()
        whole = self._left() + before
        back = rounding.money(whole * share.numerator / share.denominator, self.currency)
        return max(Decimal(0), back - before)

    def carried_out(self, asked: Decimal, *, exact: bool = True) -> Refunded:
        """So much is given back, or was under this key."""
        if rows := self._before():
            return self._again(rows, asked if exact else money(rows[0].asked, self.currency))
        left = self._left()
        if asked > left:
            raise RecordError(
                "return-exceeds",
                f"points pay {left} {self.currency} of order '{self._order}', "
                f"{asked} cannot come back",
                remedy=f"return {left} at most with points",
                subject=Subject(record=self._order),
            )
        returns = self._returns(asked)
        if not returns:
            return Refunded(Decimal(0), (), ())
        posted = give_back(self._transaction, returns, self._zone)
        self._book.change([one.after for one in returns])
        self._store(returns, posted, asked)
        moved = tuple(entry for result in posted if result for entry in result.entries)
        after = tuple(one.after.as_payment() for one in returns)
        return Refunded(asked, after, moved)

    def _left(self) -> Decimal:
        return sum((one.amount for one in self.paying), Decimal(0))

    def _given_back(self) -> Decimal:
        """Of these payments, for goods that came back earlier."""
        numbers = [one.number for one in self.paying]
        query = sa.select(sa.func.sum(_R.amount)).where(_R.payment.in_(numbers))
        return money(int(self._connection.scalar(query) or 0), self.currency)

    def _returns(self, asked: Decimal) -> list[Return]:
        returns: list[Return] = []
        for one in reversed(self.paying):
            part = min(asked, one.amount)
            if part:
                name = f"return:{self._count(one) + 1}"
                why = f"goods of order {self._order} came back"
                returns.append(Return(one, one.less(one.amount - part), name, why))
                asked -= part
        return returns

    def _store(self, returns: list[Return], posted: list[Posted | None], asked: Decimal) -> None:
        rows = [
            {
                "key": self._name,
                "payment": one.before.number,
                "amount": stored(one.before.amount - one.after.amount),
                "asked": stored(asked),
                "posting": None if result is None else result.number,
            }
            for one, result in zip(returns, posted, strict=True)
        ]
        self._connection.execute(sa.insert(returned), rows)

    def _count(self, held: Held) -> int:
        """Returns of a payment so far."""
        query = sa.select(sa.func.count()).where(_R.payment == held.number)
        return int(self._connection.scalar(query) or 0)

    def _before(self) -> list[Any]:
        """What was given back under this key."""
        # Also of these payments: order `A` with key `1:2` is named like order `A:1` with key `2`.
        numbers = [one.number for one in self._of_order]
        query = sa.select(returned).where(_R.key == self._name, _R.payment.in_(numbers))
        return list(self._connection.execute(query))

    def _again(self, rows: list[Any], asked: Decimal) -> Refunded:
        """The first answer."""
        if rows[0].asked != stored(asked):
            raise RecordError(
                "posting-differs",
                f"another amount was given back under the key '{self._name}'",
                remedy="use a key of its own for each return, the same only to repeat it",
                subject=Subject(record=self._name),
            )
        numbers = {row.payment for row in rows}
        postings = [row.posting for row in rows if row.posting is not None]
        moved = tuple(entries_of(self._connection, entries.c.posting.in_(postings)))
        now = tuple(one.as_payment(repeated=True) for one in self.paying if one.number in numbers)
        return Refunded(asked, now, moved, repeated=True)


def _key(order: str, manner: str, key: str) -> str:
    """Names a return of an order."""
    name = f"{fold(order)}{manner}{key}"
    if not key or len(name) > KEY_LENGTH:
        raise RecordError(
            "posting-key",
            f"a return's key and its order number have 1 to {KEY_LENGTH - 1} characters",
            remedy="use the number of the return",
        )
    return name
