"""Amounts of money as payments take them.

Owns: the refusals of amounts that cannot be paid, and how many decimals an amount shows.
Never does: floating point, converting currencies.
Tested in: tests/unit/ledger/payments/test_money.py.
"""

from __future__ import annotations

from decimal import Decimal

from connector.errors import RecordError, Subject
from connector.ledger.currencies import decimals
from connector.ledger.journal.amounts import SCALE, fits


def payable(amount: Decimal, currency: str) -> Decimal:
    """The amount with the decimals of its currency; RecordError `amount-invalid`."""
    if not fits(amount) or amount <= 0:
        raise _refusal(f"{amount} {currency} cannot be paid", "give an amount above zero")
    smallest = Decimal(1).scaleb(-decimals(currency))
    if amount % smallest:
        raise _refusal(
            f"{amount} has more decimals than {currency} knows", f"give a multiple of {smallest}"
        )
    return amount.quantize(smallest)


def stored(amount: Decimal) -> int:
    """An amount, or points, as the tables hold it: whole ten-thousandths."""
    return int(amount.scaleb(SCALE))


def money(scaled: int, currency: str) -> Decimal:
    """Ten-thousandths as an amount with the decimals of its currency."""
    return Decimal(scaled).scaleb(-SCALE).quantize(Decimal(1).scaleb(-decimals(currency)))


def _refusal(message: str, remedy: str) -> RecordError:
    return RecordError("amount-invalid", message, remedy=remedy, subject=Subject(field="amount"))
