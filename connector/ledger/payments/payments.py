"""Points as a means of payment: one API for tills, web shops and call centres.

Owns: authorising, capturing and voiding, each one transaction, each once.
Never does: choosing the points (`covering.py`), knowing what they are worth (`programs/`).
Tested in: tests/unit/ledger/payments/test_payments.py, tests/integration/test_payment_races.py.

The points leave the card when a payment is authorised, as Redeem entries, so what is available is
right at once; what is not needed after all comes back as Refund entries into the same lots. Every
writer of a ledger takes its lock first, so two payments never spend the same point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal

import sqlalchemy as sa

from connector.errors import RecordError, Subject
from connector.ledger.fields import fold
from connector.ledger.journal.journal import post_within
from connector.ledger.journal.keys import PAYMENT
from connector.ledger.journal.posting import Posting, Redeem, Refused
from connector.ledger.ledger import Ledger, WriteTransaction
from connector.ledger.payments.book import Book, Held
from connector.ledger.payments.covering import Share, cover, total
from connector.ledger.payments.giving_back import Return, give_back
from connector.ledger.payments.lapsing import AT_ONCE, lapse
from connector.ledger.payments.money import payable
from connector.ledger.payments.orders import paid
from connector.ledger.payments.payment import (
    Answer,
    Covered,
    Part,
    Payment,
    Rejected,
    Request,
    State,
)
from connector.ledger.payments.refunds import Refunded, refund_within
from connector.ledger.payments.tables import ORDER_LENGTH
from connector.ledger.payments.terms import Asked, Load, Purse, purse
from connector.ledger.programs.store import load
from connector.ledger.sales.tables import sales

HOLD = timedelta(days=7)
"""How long an authorisation stands unless the request says otherwise."""
LONGEST_HOLD = timedelta(days=366)
LONGEST_KEY = 150


class Payments:
    """Payments with the points of one open ledger.

    `hold` says how long an authorisation stands; `zone` where days begin and end, that of the
    ledger where it is None.
    """

    def __init__(
        self,
        ledger: Ledger,
        zone: tzinfo | None = None,
        *,
        hold: timedelta = HOLD,
        load: Load = load,
    ) -> None:
        self._ledger = ledger
        self._zone = zone or ledger.zone
        self._hold = hold
        self._load = load

    def quote(
        self,
        card: str,
        amount: Decimal,
        currency: str,
        *,
        channel: str | None = None,
        kinds: Sequence[str] = (),
    ) -> Covered:
        """What the card could pay of an amount now; nothing is taken.

        Raises RecordError as `authorise` does.
        """
        asked = Asked(card, currency, channel, kinds)
        with self._ledger.reading() as connection:
            held, shares, wanted = self._shares(connection, asked, amount, self._ledger.now())
        return _covered(held, shares, wanted)

    def authorise(self, request: Request, *, key: str, by: str) -> Answer:
        """Take the points for an order; under the same key once, with the first payment as answer.

        A rejection takes nothing and is not remembered. Raises RecordError for what cannot pay at
        all (`card-unknown`, `card-blocked`, `card-earns-only`, `currency-unknown`,
        `amount-invalid`, `point-kind-unknown`, `points-not-redeemable`, `order-earned`,
        `order-currency`), `posting-differs` where something else was asked under this key, and
        `payment-settled` where that payment was called off or lapsed.
        """
        _check(request, key)
        self._lapse()
        with self._ledger.writing(by) as transaction:
            book = Book(transaction.connection)
            before = book.keyed(key)
            if before is None:
                return self._authorised(transaction, book, request, key)
            if before.digest != request.digest():
                raise _differs(key)
            if before.state in {State.VOIDED, State.LAPSED}:
                raise _over(before, "authorised")
            return before.as_payment(repeated=True)

    def capture(self, number: int, amount: Decimal | None = None, *, by: str) -> Payment:
        """The goods are gone: the points are spent, all of them or as many as `amount` needs.

        The rest comes back at once. A captured payment is answered as it is, unless another amount
        was captured. Raises RecordError: `payment-unknown`, `payment-exceeds`, `payment-settled`,
        `amount-invalid`.
        """
        self._lapse()
        with self._ledger.writing(by) as transaction:
            held = _known(transaction, number)
            wanted = None if amount is None else payable(amount, held.currency)
            if held.state is State.CAPTURED and wanted in {None, held.captured}:
                return held.as_payment(repeated=True)
            _open(held, transaction, "captured")
            taken = held.amount if wanted is None else wanted
            if taken > held.amount:
                raise _exceeds(held)
            after = replace(held.less(taken), captured=taken)
            return self._settled(transaction, held, after, State.CAPTURED)

    def void(self, number: int, *, by: str) -> Payment:
        """Call an authorisation off: every point comes back. The same again changes nothing.

        Raises RecordError: `payment-unknown`, `payment-settled`.
        """
        self._lapse()
        with self._ledger.writing(by) as transaction:
            held = _known(transaction, number)
            if held.state is State.VOIDED:
                return held.as_payment(repeated=True)
            _open(held, transaction, "voided")
            return self._settled(transaction, held, held.less(Decimal(0)), State.VOIDED)

    def refund(self, order: str, amount: Decimal, *, key: str, by: str) -> Refunded:
        """Goods paid with points came back; see `refunds.refund_within`."""
        with self._ledger.writing(by) as transaction:
            return refund_within(transaction, order, amount, key, self._zone)

    def show(self, number: int) -> Payment:
        """One payment; RecordError `payment-unknown`."""
        with self._ledger.reading() as connection:
            held = Book(connection).numbered(number)
        if held is None:
            raise _unknown(number)
        return held.as_payment()

    def of_order(self, order: str) -> list[Payment]:
        """The payments for an order, the oldest first."""
        with self._ledger.reading() as connection:
            return [one.as_payment() for one in Book(connection).of_order(order)]

    def of_card(self, card: str, limit: int = 50) -> list[Payment]:
        """The newest payments of a card, the newest first."""
        with self._ledger.reading() as connection:
            held = Book(connection).of_card(fold(card), limit)
        return [one.as_payment() for one in reversed(held)]

    # ------------------------------------------------------------------ parts

    def _authorised(
        self, transaction: WriteTransaction, book: Book, request: Request, key: str
    ) -> Answer:
        connection, at = transaction.connection, transaction.at
        asked = Asked(request.card, request.currency, request.channel, request.kinds)
        held, shares, wanted = self._shares(connection, asked, request.amount, at)
        _one_currency(connection, held, request.order)
        _unearned(connection, held, request.order)
        covered = _covered(held, shares, wanted)
        if not shares or (covered.missing and not request.partial):
            return Rejected("payment-short" if held.means else "payment-worthless", covered)
        number = book.next_number()
        payment = Held(
            number,
            key,
            request.digest(),
            State.AUTHORISED,
            held.card.id,
            held.card.number,
            request.order,
            request.channel,
            held.currency,
            wanted,
            covered.amount,
            None,
            self._redeemed(transaction, request, number, shares),
            at,
            at + (request.hold or self._hold),
            None,
            transaction.by,
            tuple(shares),
        )
        book.add(payment)
        return payment.as_payment()

    def _redeemed(
        self, transaction: WriteTransaction, request: Request, number: int, shares: Sequence[Share]
    ) -> int:
        """The points leave the card; the number of the posting."""
        lines = (
            Redeem(request.card, one.rule.kind, one.points, _why(request, one)) for one in shares
        )
        source = {"payment": str(number)}
        if request.channel is not None:
            source["channel"] = request.channel
        posting = Posting(f"{PAYMENT}{number}", tuple(lines), source=source, sale=request.order)
        (result,) = post_within(transaction, [posting], self._zone)
        if isinstance(result, Refused):
            raise result.error
        return result.number

    def _shares(
        self, connection: sa.Connection, asked: Asked, amount: Decimal, at: datetime
    ) -> tuple[Purse, list[Share], Decimal]:
        """The purse, what of it pays, and the amount that is wanted."""
        held = purse(connection, asked, at.astimezone(self._zone), self._load)
        wanted = payable(amount, held.currency)
        return held, cover(held.means, wanted), wanted

    def _lapse(self) -> None:
        """Points that nobody needs any more are there for whoever asks next."""
        lapse(self._ledger, self._zone, AT_ONCE)

    def _settled(
        self, transaction: WriteTransaction, before: Held, after: Held, state: State
    ) -> Payment:
        after = replace(after, state=state, settled=transaction.at)
        why = f"not needed for order {before.order}"
        give_back(transaction, [Return(before, after, state.value, why)], self._zone)
        Book(transaction.connection).change([after])
        return after.as_payment()


def _one_currency(connection: sa.Connection, held: Purse, order: str) -> None:
    """An order is in one currency, as it was paid before, and as its sale was posted."""
    sold = connection.scalar(sa.select(sales.c.currency).where(sales.c.key == fold(order)))
    before = paid(connection, [order]).get(fold(order))
    for currency in (sold, before and before.currency):
        if currency is not None and currency != held.currency:
            raise RecordError(
                "order-currency",
                f"order '{order}' is in {currency}, and points were to pay {held.currency}",
                remedy=f"pay in {currency}",
                subject=Subject(record=order),
            )


def _unearned(connection: sa.Connection, held: Purse, order: str) -> None:
    """One order does not earn and redeem at once, unless a program of the card says it may."""
    earned = sa.select(sales.c.posting).where(sales.c.key == fold(order))
    if not held.mixed and connection.scalar(earned) is not None:
        raise RecordError(
            "order-earned",
            f"order '{order}' earned points already; it cannot be paid with points as well",
            remedy="authorise before the sale is posted, or let the program say `mixed: rest`",
            subject=Subject(record=order),
        )


def _why(request: Request, one: Share) -> str:
    rule = one.rule
    rate = f"{rule.program}: {rule.points} for {rule.worth} {rule.currency}"
    return f"{one.amount} of order {request.order} ({rate})"


def _covered(held: Purse, shares: Sequence[Share], wanted: Decimal) -> Covered:
    amount = total(shares) or Decimal(0) * wanted
    return Covered(
        held.card.number,
        held.currency,
        wanted,
        amount,
        wanted - amount,
        tuple(map(Part.of, shares)),
        held.why_short() if amount < wanted else "",
    )


# ---------------------------------------------------------------------------- refusals


def _check(request: Request, key: str) -> None:
    if not key or len(key) > LONGEST_KEY:
        raise RecordError(
            "posting-key",
            f"a payment's key has 1 to {LONGEST_KEY} characters",
            remedy="use a name that comes once, such as till and receipt number",
        )
    if not request.order or len(request.order) > ORDER_LENGTH:
        raise RecordError(
            "order-invalid",
            f"an order number has 1 to {ORDER_LENGTH} characters",
            remedy="give the number of the order or receipt that points shall pay",
            subject=Subject(field="order"),
        )
    if request.hold is not None and not timedelta(0) < request.hold <= LONGEST_HOLD:
        raise RecordError(
            "hold-invalid",
            "an authorisation stands for some time, a year at most",
            remedy="give a hold above zero, or none",
            subject=Subject(field="hold"),
        )


def _known(transaction: WriteTransaction, number: int) -> Held:
    held = Book(transaction.connection).numbered(number)
    if held is None:
        raise _unknown(number)
    return held


def _open(held: Held, transaction: WriteTransaction, what: str) -> None:
    """Refuse what is not, or no longer, authorised."""
    if held.state is not State.AUTHORISED or held.until <= transaction.at:
        raise _over(held, what)


def _over(held: Held, what: str) -> RecordError:
    state = State.LAPSED if held.state is State.AUTHORISED else held.state
    since = held.settled or held.until
    return RecordError(
        "payment-settled",
        f"payment {held.number} was {state.value} on {since:%Y-%m-%d %H:%M} UTC "
        f"and cannot be {what}",
        remedy="authorise a new payment; goods that come back are returned with the sale",
        subject=Subject(record=str(held.number)),
    )


def _unknown(number: int) -> RecordError:
    return RecordError(
        "payment-unknown",
        f"the ledger has no payment {number}",
        remedy="`dualwrite ledger pay show --order NUMBER` lists those of an order",
        subject=Subject(record=str(number)),
    )


def _exceeds(held: Held) -> RecordError:
    return RecordError(
        "payment-exceeds",
        f"payment {held.number} covers {held.amount} {held.currency}",
        remedy=f"capture {held.amount} at most, and authorise another payment for the rest",
        subject=Subject(record=str(held.number)),
    )


def _differs(key: str) -> RecordError:
    return RecordError(
        "posting-differs",
        f"another payment was asked for under the key '{key}'",
        remedy="use a key of its own for each payment, the same only to repeat it",
        subject=Subject(record=key),
    )
