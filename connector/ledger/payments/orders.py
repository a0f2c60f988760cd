"""What orders are paid with points.

Owns: this question, for many orders at once.
Never does: changing a payment.
Tested in: tests/unit/ledger/payments/test_refunds.py.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import NamedTuple

import sqlalchemy as sa

from connector.ledger.fields import fold
from connector.ledger.payments.money import money
from connector.ledger.payments.tables import payments
from connector.ledger.sql import rows_in

_P = payments.c
_PAYS = _P.amount > 0


class Paid(NamedTuple):
    """What points pay of an order."""

    amount: Decimal
    currency: str


def paid(connection: sa.Connection, numbers: Collection[str]) -> Mapping[str, Paid]:
    """Folded order number to what points pay of it, authorised payments included.

    Less what was given back; orders that points pay nothing of are not among them. One query for
    each 500 orders.
    """
    keys = list({fold(number) for number in numbers})
    found: dict[str, Paid] = {}
    for key, currency, amount in rows_in(
        connection, [_P.order_key, _P.currency, _P.amount], _P.order_key, keys, _PAYS
    ):
        before = found[key].amount if key in found else Decimal(0)
        found[key] = Paid(before + money(amount, currency), currency)
    return found
