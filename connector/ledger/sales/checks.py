"""What a till hands in, looked at before anybody asks the ledger.

Owns: the refusals of numbers, texts, times, quantities and amounts that make no sale.
Never does: SQL; knowing cards, currencies or what was sold before.
Tested in: tests/unit/ledger/sales/test_till.py, test_activities.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal

from connector.errors import RecordError, Subject
from connector.ledger.fields import EMPTY_DATE, UNSTORABLE, UNSTORABLE_IN_LINES
from connector.ledger.journal.amounts import SCALE, fits, scaled
from connector.ledger.programs.occasion import Activity, Item, Sale
from connector.ledger.sales.tables import NAME_LENGTH, NUMBER_LENGTH

MOST_LINES = 10_000
_FIELD_LENGTH = 4_000


def check_sale(sale: Sale) -> None:
    """Refuse a sale that says too little or what cannot be.

    Raises RecordError: `sale-number`, `sale-date`, `sale-empty`, `sale-quantity`, `sale-amount`,
    `points-line-money`, `text-invalid`, `text-too-long`, `value-missing`.
    """
    check_number(sale.number)
    _check_characters("card", sale.card)
    _check_characters("currency", sale.currency)
    check_moment(sale.at)
    if not sale.lines or len(sale.lines) > MOST_LINES:
        raise RecordError(
            "sale-empty",
            f"a sale has 1 to {MOST_LINES} lines, this one has {len(sale.lines)}",
            remedy="give its lines; what comes back is a return (`dualwrite ledger return`)",
            subject=Subject(record=sale.number),
        )
    for place, line in enumerate(sale.lines, 1):
        _check_line(line, f"line {place}")
    for means, amount in sale.payments.items():
        _check_text("payments", means)
        amount_units(amount, f"payment {means}")
    _check_texts((("channel", sale.channel), ("unit", sale.unit)))
    _check_fields(sale.fields)


def check_activity(activity: Activity) -> None:
    """As `check_sale`, of an activity."""
    check_number(activity.number)
    _check_characters("card", activity.card)
    check_moment(activity.at)
    quantity_units(activity.quantity, "quantity")
    _check_text("activity", activity.activity)
    _check_texts((("channel", activity.channel), ("unit", activity.unit)))
    _check_fields(activity.fields)


def check_number(number: str) -> None:
    """Refuse what cannot name a sale, a return or an activity: `sale-number`."""
    if not 0 < len(number) <= NUMBER_LENGTH or not number.strip() or UNSTORABLE.search(number):
        raise RecordError(
            "sale-number",
            f"a number has 1 to {NUMBER_LENGTH} printable characters",
            remedy="use the order or receipt number, which comes once",
            subject=Subject(field="number"),
        )


def check_moment(at: datetime) -> None:
    """Refuse a time that is none: `sale-date`."""
    if at.tzinfo is None:
        raise _date(f"{at} does not say in which time zone it is", "add it, such as +01:00 or Z")
    try:
        day = at.astimezone(UTC).date()
    except OverflowError:
        day = EMPTY_DATE
    if day <= EMPTY_DATE:
        raise _date(f"{at} is no time a sale was made at", "correct its date")


def quantity_units(quantity: Decimal, field: str) -> int:
    """Ten-thousandths of a quantity above zero; RecordError `sale-quantity`."""
    if not quantity.is_finite() or quantity <= 0:
        raise _number("sale-quantity", field, f"{quantity} is no quantity that can be sold")
    return _units("sale-quantity", quantity, field)


def amount_units(amount: Decimal, field: str) -> int:
    """Ten-thousandths of an amount of zero or more; RecordError `sale-amount`."""
    if not amount.is_finite() or amount < 0:
        raise _number("sale-amount", field, f"{amount} is no amount that was paid")
    return _units("sale-amount", amount, field)


def _units(code: str, value: Decimal, field: str) -> int:
    if not fits(value):
        raise _number(code, field, f"{value} is too large")
    found = scaled(value)
    if found is None:
        raise _number(code, field, f"{value} has more than {SCALE} decimals")
    return found


def _check_line(line: Item, field: str) -> None:
    quantity_units(line.quantity, f"quantity of {field}")
    amount_units(line.amount, f"amount of {field}")
    if amount_units(line.points, f"points of {field}") and line.amount:
        raise RecordError(
            "points-line-money",
            f"{field} is paid with points and has an amount of {line.amount} as well",
            remedy="give it an amount of 0; what is paid in part with points is a payment",
            subject=Subject(field=field),
        )
    _check_text(f"product of {field}", line.product)
    for category in line.categories:
        _check_text(f"category of {field}", category)
    _check_texts(
        (
            (f"offer of {field}", line.offer),
            (f"variant of {field}", line.variant),
            (f"language of {field}", line.language),
        )
    )
    _check_fields(line.fields)


def _check_texts(texts: Iterable[tuple[str, str | None]]) -> None:
    for field, text in texts:
        if text is not None:
            _check_text(field, text)


def _check_fields(fields: Mapping[str, str]) -> None:
    for name, text in fields.items():
        _check_text("fields", name)
        if len(text) > _FIELD_LENGTH:
            raise _too_long(name, len(text), _FIELD_LENGTH)
        _check_characters(name, text, UNSTORABLE_IN_LINES)


def _check_text(field: str, text: str) -> None:
    if not text.strip():
        raise RecordError(
            "value-missing",
            f"the {field} is empty",
            remedy="give it a value, or leave it out",
            subject=Subject(field=field),
        )
    if len(text) > NAME_LENGTH:
        raise _too_long(field, len(text), NAME_LENGTH)
    _check_characters(field, text)


def _check_characters(field: str, text: str, unstorable: re.Pattern[str] = UNSTORABLE) -> None:
    # Printable text, which is nearly all of it, needs no search.
    if not text.isprintable() and unstorable.search(text):
        raise RecordError(
            "text-invalid",
            f"the {field} holds a control character or a broken character",
            remedy="remove it, or name the encoding the value was written in",
            subject=Subject(field=field),
        )


def _too_long(field: str, length: int, most: int) -> RecordError:
    return RecordError(
        "text-too-long",
        f"the {field} holds {length} characters, {most} fit",
        remedy="shorten the value; nothing is cut off silently",
        subject=Subject(field=field),
    )


def _number(code: str, field: str, message: str) -> RecordError:
    return RecordError(
        code,
        f"{field}: {message}",
        remedy=f"give a number with up to {SCALE} decimals; what comes back is a return",
        subject=Subject(field=field),
    )


def _date(message: str, remedy: str) -> RecordError:
    return RecordError("sale-date", message, remedy=remedy, subject=Subject(field="at"))
