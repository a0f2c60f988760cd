"""Authorisations that nobody captured in time.

Owns: giving their points back.
Never does: deciding how long one stands (`payments.py`).
Tested in: tests/unit/ledger/payments/test_lapsing.py.

It happens with the turn of the day, and before any other payment, so that points nobody needs any
more are there for whoever pays next.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import tzinfo
from decimal import Decimal

from connector.ledger.ledger import Ledger, WriteTransaction
from connector.ledger.payments.book import Book
from connector.ledger.payments.giving_back import Return, give_back
from connector.ledger.payments.payment import State

AT_ONCE = 500
"""Payments in one transaction: a till that waits for it does not wait long."""
BY = "lapse"


def lapse(ledger: Ledger, zone: tzinfo, most: int | None = None) -> int:
    """Give back what is overdue; how many payments lapsed, at most about so many.

    Each transaction settles up to `AT_ONCE` of them; none is opened where nothing is overdue.
    """
    lapsed = 0
    while most is None or lapsed < most:
        with ledger.reading() as connection:
            if not Book(connection).any_overdue(ledger.now()):
                break
        with ledger.writing(BY) as transaction:
            settled = lapse_within(transaction, zone)
        if not settled:  # another process was faster, or the clock went back
            break
        lapsed += settled
    return lapsed


def lapse_within(transaction: WriteTransaction, zone: tzinfo) -> int:
    """As `lapse`, up to `AT_ONCE` of them."""
    book = Book(transaction.connection)
    overdue = book.overdue(transaction.at, AT_ONCE)
    returns = [
        Return(
            one,
            replace(one.less(Decimal(0)), state=State.LAPSED, settled=transaction.at),
            "lapse",
            f"nobody captured the payment for order {one.order}",
        )
        for one in overdue
    ]
    if returns:
        give_back(transaction, returns, zone)
        book.change([one.after for one in returns])
    return len(returns)
