"""Posting a batch of sales within one transaction.

Owns: the order of checks, rounds of sales that do not depend on each other, the rows of sales.
Never does: opening the transaction (`till.py`), working out what is earned (`terms.py`).
Tested in: tests/unit/ledger/sales/test_till.py.

What a sale earns may depend on the one before it of the same customer: how many there were, the
tier they led to. So a batch is worked in rounds in which each customer comes once: its outcome is
that of the same sales one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from decimal import Decimal
from typing import Any, NamedTuple

import sqlalchemy as sa

from connector.errors import RecordError, Subject
from connector.ledger.currencies import CODES
from connector.ledger.fields import fold
from connector.ledger.journal.journal import post_within, require_not_ahead
from connector.ledger.journal.keys import SALE
from connector.ledger.journal.posting import Earn, Posted, Posting, Refused
from connector.ledger.journal.statements import entries_of_postings
from connector.ledger.ledger import WriteTransaction
from connector.ledger.members.facts import facts
from connector.ledger.members.member import Member
from connector.ledger.payments.orders import Paid, paid
from connector.ledger.programs.gifts import Given, give
from connector.ledger.programs.occasion import Activity, Earned, Occasion, Sale
from connector.ledger.programs.owing import SALE as OF_SALE
from connector.ledger.programs.owing import Debt, Owed, Owing, note
from connector.ledger.sales.buyers import Buyer, Buyers
from connector.ledger.sales.checks import check_sale
from connector.ledger.sales.forms import line_row, sale_digest, sale_row
from connector.ledger.sales.receipt import Answer, Receipt
from connector.ledger.sales.tables import sale_lines, sales
from connector.ledger.sales.terms import TermsSource
from connector.ledger.schema import CARDS, REFERENCES
from connector.ledger.sql import rows_in

_DIFFERS = {
    "sale": "sale-differs",
    "return": "return-differs",
    "activity": "activity-differs",
}
POINTS = "points"
"""The means of payment that is points."""
_KNOWN = (
    *(sales.c.key, sales.c.digest, sales.c.number, sales.c.posting),
    CARDS.table.c.card_number,
)
_ON_CARD = CARDS.table.c.id == sales.c.card
_INSERT, _INSERT_LINES = sa.insert(sales), sa.insert(sale_lines)
_LAST = sa.select(sa.func.max(sales.c.id))
_CURRENCY = REFERENCES["currencies"].c.number


class _Wanted(NamedTuple):
    """A sale that is fit to be posted; `at` of the sale is in the zone of the till."""

    place: int
    sale: Sale
    key: str
    digest: str


class _Judged(NamedTuple):
    """A sale with what it earns."""

    wanted: _Wanted
    buyer: Buyer
    member: Member
    posting: Posting | None
    gifts: Sequence[Earned]
    """What extensions give for it, apart from the sale."""
    owed: Sequence[Owed]
    """Programs that cannot be judged."""


class SaleBatch:
    """The sales of one transaction. With `enrol`, cards nobody knows are made."""

    def __init__(
        self,
        transaction: WriteTransaction,
        zone: tzinfo,
        source: TermsSource,
        *,
        enrol: bool = False,
    ) -> None:
        self._transaction = transaction
        self._connection = transaction.connection
        self._zone = zone
        self._source = source
        self._terms = source.current(self._connection)
        self._buyers = Buyers(transaction, enrol=enrol)
        self._known: dict[str, tuple[str, Receipt]] = {}
        self._answers: dict[int, Answer] = {}
        self._moved: set[str] = set()
        """Ids of the cards that earned since tiers were looked at."""

    def sold(self, wanted: Sequence[Sale]) -> list[Answer]:
        """The answers, in order; all that is accepted is stored."""
        checked = list(self._checked(wanted))
        self._known = self._before([one.key for one in checked])
        new = [one for one in checked if one.key not in self._known]
        self._buyers.load(one.sale for one in new)
        self._paid = paid(self._connection, [one.key for one in new])
        self._next_id = int(self._connection.scalar(_LAST) or 0) + 1
        for part in self._rounds(checked):
            self._post(part)
        return [self._answers[place] for place in range(len(wanted))]

    # ------------------------------------------------------------------ before

    def _checked(self, wanted: Sequence[Sale]) -> Iterator[_Wanted]:
        known = self._currencies({one.currency for one in wanted})
        for place, sale in enumerate(wanted):
            try:
                check_sale(sale)
                require_not_ahead(sale.at, self._transaction.at)
                local = replace(
                    sale, at=sale.at.astimezone(self._zone), currency=_currency(sale, known)
                )
            except RecordError as error:
                self._answers[place] = Refused(error)
            else:
                yield _Wanted(place, local, fold(sale.number), sale_digest(local))

    def _currencies(self, wanted: Iterable[str]) -> frozenset[str]:
        """Those there are, and those of the wanted ones that this ledger lists besides."""
        codes = sorted({one.strip().upper() for one in wanted} - CODES)
        found = rows_in(self._connection, [_CURRENCY], _CURRENCY, codes)
        return CODES.union(row[0] for row in found)

    def _before(self, keys: Sequence[str]) -> dict[str, tuple[str, Receipt]]:
        """Digest and answer of the sales that were posted before, by key."""
        rows = list(rows_in(self._connection, _KNOWN, sales.c.key, keys, _ON_CARD))
        entries = entries_of_postings(self._connection, [row[3] for row in rows if row[3]])
        return {
            key: (digest, Receipt(number, card, posting, entries.get(posting, ()), repeated=True))
            for key, digest, number, posting, card in rows
        }

    # ------------------------------------------------------------------ rounds

    def _rounds(self, wanted: Iterable[_Wanted]) -> Iterator[list[_Judged]]:
        """The new sales, judged, in parts that can be posted together.

        A sale goes into the round after the one before it of its customer or under its number.
        """
        rounds: list[list[tuple[_Wanted, Buyer]]] = [[]]
        following: dict[str, int] = {}
        for one in wanted:
            if self._answered(one):
                continue
            try:
                buyer = self._buyers.of(one.sale)
            except RecordError as error:
                self._answers[one.place] = Refused(error)
                continue
            names = (f"sale {one.key}", buyer.customer)
            place = max(following.get(name, 0) for name in names)
            following.update(dict.fromkeys(names, place + 1))
            if place == len(rounds):
                rounds.append([])
            rounds[place].append((one, buyer))
        for part in rounds:
            yield self._judged([one for one in part if not self._answered(one[0])])

    def _answered(self, one: _Wanted) -> bool:
        """Whether the number was posted before; the sale has its answer then."""
        known = self._known.get(one.key)
        if known is None:
            return False
        digest, receipt = known
        same = digest == one.digest
        self._answers[one.place] = receipt if same else Refused(differs("sale", one.sale.number))
        return True

    def _judged(self, part: Sequence[tuple[_Wanted, Buyer]]) -> list[_Judged]:
        if self._terms.tiered and self._moved:
            self._source.restate(self._transaction, self._moved)
            self._moved = set()
        members = facts(self._connection, [buyer.id for _, buyer in part])
        judged: list[_Judged] = []
        for given, buyer in part:
            member = members[buyer.id]
            try:
                one = given._replace(sale=with_points(given.sale, self._paid.get(given.key)))
            except RecordError as error:  # of the payment
                self._answers[given.place] = Refused(error)
                continue
            owing = Owing()
            earned, gifts = parted(self._terms.earned(one.sale, member, owing))
            posting = _posting(one.sale, buyer, earned)
            judged.append(_Judged(one, buyer, member, posting, gifts, owing.owed))
        return judged

    # ------------------------------------------------------------------ posting

    def _post(self, part: Sequence[_Judged]) -> None:
        wanted = [one.posting for one in part if one.posting is not None]
        results = iter(post_within(self._transaction, wanted, self._zone))
        rows: list[dict[str, Any]] = []
        lines: list[dict[str, Any]] = []
        given: list[Given] = []
        owed: list[Debt] = []
        places: dict[str, int] = {}
        for one in part:
            result = None if one.posting is None else next(results)
            place, sale, key, digest = one.wanted
            if isinstance(result, Refused):
                self._answers[place] = result
                continue
            receipt = _receipt(sale.number, one.buyer.number, result)
            self._answers[place] = receipt._replace(owed=tuple(one.owed))
            places[key] = place
            self._known[key] = digest, receipt._replace(repeated=True)
            owed += (Debt(OF_SALE, key, due, one.member, sale.at) for due in one.owed)
            rows.append(self._row(one, receipt))
            self._moved.add(one.buyer.id)
            lines += (
                line_row(self._next_id, line, item) for line, item in enumerate(sale.lines, 1)
            )
            self._next_id += 1
            given += given_for(one.wanted.sale, one.buyer.number, one.gifts)
        if given:
            self._give(given, places)
        if rows:
            self._connection.execute(_INSERT, rows)
            self._connection.execute(_INSERT_LINES, lines)
        note(self._connection, owed)

    def _give(self, given: Sequence[Given], places: Mapping[str, int]) -> None:
        """Post gifts, and tell of them in the answers of their sales."""
        for posted in give(self._transaction, given, self._zone):
            for entry in posted.entries:
                place = places[entry.sale or ""]
                receipt = self._answers[place]
                if isinstance(receipt, Receipt):
                    self._answers[place] = receipt._replace(entries=(*receipt.entries, entry))

    def _row(self, one: _Judged, receipt: Receipt) -> dict[str, Any]:
        return {
            **sale_row(one.wanted.sale, one.wanted.digest),
            "id": self._next_id,
            "card": one.buyer.id,
            "member": one.member.form(),
            "versions": dict(self._terms.versions),
            "posting": receipt.posting,
        }


def with_points(sale: Sale, paid: Paid | None) -> Sale:
    """The sale as it was paid: what points cover by payments of the ledger counts, too.

    Raises RecordError `order-currency`.
    """
    if paid is None:
        return sale
    if paid.currency != sale.currency:
        raise RecordError(
            "order-currency",
            f"points paid {paid.currency} of this sale in {sale.currency}",
            remedy="correct the currency, or void the payment",
            subject=Subject(record=sale.number, field="currency"),
        )
    told = {means: some for means, some in sale.payments.items() if fold(means) == POINTS}
    others = {means: some for means, some in sale.payments.items() if means not in told}
    return replace(
        sale, payments={**others, POINTS: max(paid.amount, sum(told.values(), Decimal(0)))}
    )


def parted(earned: Sequence[Earned]) -> tuple[Sequence[Earned], Sequence[Earned]]:
    """What belongs to the occasion, and what extensions give once."""
    if not any(one.once for one in earned):
        return earned, ()
    return [one for one in earned if not one.once], [one for one in earned if one.once]


def given_for(occasion: Occasion, card: str, gifts: Iterable[Earned]) -> Iterator[Given]:
    """Gifts with what they are given for."""
    source = source_of(occasion)
    sale = occasion.number if isinstance(occasion, Sale) else None
    return (Given(card, one, occasion.at, source, sale) for one in gifts)


def earn_lines(card: str, earned: Iterable[Earned]) -> tuple[Earn, ...]:
    """What a card earns, one line for each rule."""
    return tuple(
        Earn(card, one.kind, one.points, one.why, rule_name(one), one.months) for one in earned
    )


def rule_name(earned: Earned) -> str:
    """PROGRAM/RULE@VERSION."""
    return f"{earned.program}/{earned.rule}@{earned.version}"


def source_of(occasion: Occasion) -> Mapping[str, str]:
    """What a posting keeps of where it comes from; its number as the channel spells it."""
    what = "activity" if isinstance(occasion, Activity) else "sale"
    held = {what: occasion.number, "channel": occasion.channel, "unit": occasion.unit}
    return {name: text for name, text in held.items() if text is not None}


def differs(what: str, number: str) -> RecordError:
    """Something else came under the same number."""
    code = _DIFFERS[what]
    return RecordError(
        code,
        f"another {what} with the number {number} is in the ledger",
        remedy=f"use a number of its own for each {what}, the same only to repeat it",
        subject=Subject(record=number),
    )


def _posting(sale: Sale, buyer: Buyer, earned: Sequence[Earned]) -> Posting | None:
    if not earned:
        return None
    lines = earn_lines(buyer.number, earned)
    source = source_of(sale)
    return Posting(f"{SALE}{sale.number}", lines, sale.at, source=source, sale=sale.number)


def _receipt(number: str, card: str, posted: Posted | None) -> Receipt:
    if posted is None:
        return Receipt(number, card, None, ())
    return Receipt(number, card, posted.number, posted.entries)


def _currency(sale: Sale, known: frozenset[str]) -> str:
    """As it is spelled. What no rule asks for is sold all the same: a customer shops abroad."""
    spelled = sale.currency.strip().upper()
    if spelled not in known:
        raise RecordError(
            "sale-currency",
            f"this is a sale in '{sale.currency[:8]}', which is no currency",
            remedy="correct it; the code has three letters, such as EUR",
            subject=Subject(field="currency"),
        )
    return spelled
