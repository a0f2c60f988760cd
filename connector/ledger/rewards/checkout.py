"""Paying the lines of a cart that cost points.

Owns: what they cost, whether the card can pay for all of them, the withdrawal, and what of it
goes back when goods come back.
Never does: rules of its own on who may pay: the journal's are asked, for a check as well.
Tested in: tests/unit/ledger/rewards/test_checkout.py, tests/integration/test_checkout_races.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import sqlalchemy as sa

from connector.errors import RecordError, Subject
from connector.ledger.fields import fold
from connector.ledger.journal.accounts import Accounts
from connector.ledger.journal.amounts import UNIT, points, units
from connector.ledger.journal.books import Books
from connector.ledger.journal.journal import post_within
from connector.ledger.journal.keys import CHECKOUT
from connector.ledger.journal.lots import spendable
from connector.ledger.journal.posting import (
    EntryType,
    GiveBack,
    Posted,
    Posting,
    Redeem,
    Refused,
)
from connector.ledger.journal.rules import enter, may_pay
from connector.ledger.journal.statements import entries_of
from connector.ledger.journal.tables import entries, postings
from connector.ledger.ledger import WriteTransaction
from connector.ledger.rewards.cart import Cart, CartLine
from connector.ledger.rewards.prices import Price, on_day
from connector.ledger.schema import REWARD_POINTS
from connector.ledger.sql import rows_in


class Due(NamedTuple):
    """What one line costs in points; `line` is its place in the cart."""

    line: int
    product: str
    quantity: Decimal
    kind: str
    each: Decimal
    points: Decimal


class Total(NamedTuple):
    """What a cart costs in one kind of points, and what the card can pay with."""

    kind: str
    points: Decimal
    available: Decimal


class Checked(NamedTuple):
    """What became of looking a cart over: it can be paid where there are no problems.

    `due` has every line whose cost is known, also one with a problem.
    """

    due: tuple[Due, ...]
    totals: tuple[Total, ...]
    problems: tuple[RecordError, ...]


def checked(connection: sa.Connection, cart: Cart, on: date) -> Checked:
    """Whether the lines of a cart that cost points can be paid on a day; nothing is posted."""
    due, problems = _due(connection, cart, on)
    if not (due or problems):
        return Checked((), (), ())
    if cart.card is None:
        return Checked(tuple(due), (), (*problems, _no_card()))
    barred = _barred(connection, cart.card)
    problems += [barred] if barred is not None else []
    totals: list[Total] = []
    for kind in dict.fromkeys(one.kind for one in due):
        asked = sum((one.points for one in due if one.kind == kind), Decimal(0))
        total, problem = _payable(connection, Redeem(cart.card, kind, asked), on)
        totals.append(total)
        # What bars the card bars it for every kind, and is told once.
        problems += [problem] if problem is not None and barred is None else []
    return Checked(tuple(due), tuple(totals), tuple(problems))


def carried_out(transaction: WriteTransaction, cart: Cart) -> tuple[Posted, tuple[Due, ...]]:
    """Withdraw what the lines of a cart cost: all of it, once for an order, or nothing.

    The same order again gets the first answer, whatever prices are by then. Raises RecordError:
    `order-required`, `checkout-empty`, those of `checked` and of the journal, and
    `posting-differs` where the order had another cart before.
    """
    if cart.order is None:
        raise _refusal(
            "order-required",
            "a checkout needs the number of its order",
            "give the cart an `order`: it makes the withdrawal happen once",
            "order",
        )
    day = transaction.at.astimezone(transaction.zone).date()
    before = _before(transaction.connection, cart)
    due, problems = (before, []) if before else _due(transaction.connection, cart, day)
    if problems:
        raise problems[0]
    if cart.card is None:
        raise _no_card()
    if not due:
        raise _refusal(
            "checkout-empty",
            "no line of this cart is paid with points",
            "give such lines `pay-with: KIND`",
            "lines",
        )
    (result,) = post_within(transaction, [_posting(cart, due)])
    if isinstance(result, Refused):
        raise result.error
    return result, tuple(due)


def come_back(
    connection: sa.Connection, order: str, shares: Mapping[int, Fraction]
) -> list[GiveBack]:
    """What is still to be given back where goods of an order came back.

    `shares` is how much of each line came back in all so far, from 0 to 1, by its place in the
    cart. Kinds that know no parts of a point give back the whole points of it, and the rest with
    the last piece.
    """
    found = [postings.c.key == CHECKOUT + fold(order)]
    source = connection.scalar(sa.select(postings.c.source).where(*found))
    if source is None:
        return []
    paid = list(entries_of(connection, *found, entries.c.type == EntryType.REDEEM.value))
    returned = _returned(connection, [one.number for one in paid])
    whole = _whole(connection)
    lines: list[GiveBack] = []
    left = iter(paid)
    for due in map(_parsed, json.loads(source["lines"])):
        rest = units(due.points)
        # A card that pools may have paid one line from several cards, with an entry for each.
        while rest > 0:
            entry = next(left)
            part = units(-entry.points)
            rest -= part
            back = int(part * shares.get(due.line, Fraction(0)))
            back -= back % UNIT if fold(entry.kind) in whole else 0
            back -= returned.get(entry.number, 0)
            if back > 0:
                why = f"line {due.line + 1}, {due.product}, came back"
                lines.append(GiveBack(entry.number, points(back), why))
    return lines


# ---------------------------------------------------------------------------- what is due


def _due(connection: sa.Connection, cart: Cart, on: date) -> tuple[list[Due], list[RecordError]]:
    wanted = [(place, one) for place, one in enumerate(cart.lines) if one.pay_with is not None]
    prices = on_day(connection, [one.product for _, one in wanted], on) if wanted else {}
    due: list[Due] = []
    problems: list[RecordError] = []
    for place, line in wanted:
        price = prices.get((fold(line.product), fold(str(line.pay_with))))
        problems += _problems(place, line, price)
        if price is not None and _whole_pieces(line):
            cost = price.points * line.quantity
            due.append(Due(place, line.product, line.quantity, price.kind, price.points, cost))
    return due, problems


def _problems(place: int, line: CartLine, price: Price | None) -> Iterator[RecordError]:
    """All that keeps a line from being paid with points."""
    where = f"lines.{place}"
    if line.amount or line.discount or line.tax or line.offer:
        yield _refusal(
            "points-line-money",
            f"line {place + 1} is paid with points and has an amount, discount, offer or tax",
            "leave these out: a price in points is what it is, without discount and tax",
            where,
        )
    if not _whole_pieces(line):
        yield _refusal(
            "quantity-fractional",
            f"line {place + 1} asks for {line.quantity} pieces of a product paid with points",
            "ask for whole pieces",
            where,
        )
    if price is None:
        kind = str(line.pay_with)
        yield _refusal(
            "price-unknown",
            f"line {place + 1}: '{line.product}' has no price in points of the kind '{kind}' today",
            f"give it one with `dualwrite ledger rewards price {line.product} {kind} POINTS`, "
            "or sell it for money",
            where,
        )


def _whole_pieces(line: CartLine) -> bool:
    return line.quantity == line.quantity.to_integral_value()


def _barred(connection: sa.Connection, card: str) -> RecordError | None:
    """Why a card pays nothing, whatever it holds."""
    books = Books(lambda: 0)
    Accounts(connection, books).load_purse(card, ())
    try:
        may_pay(books.card(card))
    except RecordError as error:
        return error
    return None


def _payable(connection: sa.Connection, line: Redeem, on: date) -> tuple[Total, RecordError | None]:
    """What the card can pay with, and why it cannot pay, by the journal's own rules."""
    books = Books(lambda: 0)
    Accounts(connection, books).load([line])
    problem: RecordError | None = None
    available = 0
    try:
        purse = books.purse(books.card(line.card), books.kind(line.kind))
        available = sum(lot.remaining for lot in spendable((lot for _, lot in purse), on))
        enter(books, [line], on)
    except RecordError as error:
        problem = error
    return Total(line.kind, line.points, points(available)), problem


# ---------------------------------------------------------------------------- the posting


def _posting(cart: Cart, due: Sequence[Due]) -> Posting:
    assert cart.order is not None, "asked for before"
    assert cart.card is not None, "asked for before"
    return Posting(
        CHECKOUT + fold(cart.order),
        tuple(
            Redeem(cart.card, one.kind, one.points, f"{one.quantity} x {one.product} at {one.each}")
            for one in due
        ),
        comment=f"order {cart.order}",
        source={
            "order": cart.order,
            "cart": cart.digest(),
            "lines": json.dumps([one._asdict() for one in due], default=str),
        },
        sale=cart.order,
    )


def _before(connection: sa.Connection, cart: Cart) -> list[Due]:
    """What was due when this order was checked out before; nothing where it was not."""
    assert cart.order is not None, "asked for before"
    query = sa.select(postings.c.source).where(postings.c.key == CHECKOUT + fold(cart.order))
    source = connection.scalar(query)
    if source is None:
        return []
    if source["cart"] != cart.digest():
        raise RecordError(
            "posting-differs",
            f"order {cart.order} was checked out with another cart",
            remedy="use a number of its own for each order, the same cart only to repeat it",
            subject=Subject(record=cart.order),
        )
    return [_parsed(one) for one in json.loads(source["lines"])]


def _parsed(line: Mapping[str, Any]) -> Due:
    numbers = {name: Decimal(line[name]) for name in ("quantity", "each", "points")}
    return Due(**{**line, **numbers})


def _returned(connection: sa.Connection, numbers: Sequence[int]) -> dict[int, int]:
    """Ten-thousandths of each entry that were given back."""
    found: dict[int, int] = {}
    refunds = entries.c.type == EntryType.REFUND.value
    columns = [entries.c.source, entries.c.asked]
    for source, asked in rows_in(connection, columns, entries.c.source, numbers, refunds):
        found[source] = found.get(source, 0) + asked
    return found


def _whole(connection: sa.Connection) -> set[str]:
    """The kinds that know no parts of a point, folded."""
    k = REWARD_POINTS.table.c
    return set(connection.scalars(sa.select(k.key).where(k.reward_point_type == "Quantity")))


def _no_card() -> RecordError:
    return _refusal(
        "card-required",
        "lines are paid with points, and the cart names no card",
        "give the cart the `card` of the customer, who has to be logged in",
        "card",
    )


def _refusal(code: str, message: str, remedy: str, field: str) -> RecordError:
    return RecordError(code, message, remedy=remedy, subject=Subject(field=field))
