"""Posting what comes back of a sale within a transaction.

Owns: what can come back, judging the rest of the sale, the points that go and come for it.
Never does: opening the transaction (`till.py`), working out what is earned (`terms.py`).
Tested in: tests/unit/ledger/sales/test_returns.py, test_laws.py.

The rest of a sale is judged as of the sale: by the documents and the facts of the member that were
stored with it (commerce-loyalty, section 4: returns use the original amounts).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from fractions import Fraction
from typing import Any, NamedTuple

import sqlalchemy as sa

from connector.errors import RecordError, Subject
from connector.ledger.column_types import utc
from connector.ledger.fields import fold
from connector.ledger.journal.amounts import UNIT, points
from connector.ledger.journal.journal import post_within, require_not_ahead
from connector.ledger.journal.keys import CHECKOUT, GIFT, PAYMENT, RETURN
from connector.ledger.journal.posting import EntryType, GiveBack, Line, Posting, Refused, TakeBack
from connector.ledger.journal.statements import entries_of_postings
from connector.ledger.journal.tables import entries, postings
from connector.ledger.ledger import WriteTransaction
from connector.ledger.members.member import Member
from connector.ledger.payments.refunds import refund_share
from connector.ledger.rewards.checkout import come_back
from connector.ledger.sales.checks import (
    amount_units,
    check_moment,
    check_number,
    quantity_units,
)
from connector.ledger.sales.forms import digest
from connector.ledger.sales.receipt import Back, Receipt
from connector.ledger.sales.selling import differs, rule_name
from connector.ledger.sales.sold import SoldLine, lines_of, part_back, rest_of, sale_of
from connector.ledger.sales.tables import sale_lines, sale_returns
from connector.ledger.sales.terms import TermsSource
from connector.ledger.schema import REWARD_POINTS

_L = sale_lines.c


@dataclass(frozen=True, slots=True)
class Return:
    """What a till wants: `lines` None for all that is left, `at` None for now."""

    sale: str
    number: str
    lines: Sequence[Back] | None
    at: datetime | None

    def digest(self) -> str:
        """The same for two that ask for the same."""
        lines = None
        if self.lines is not None:
            lines = [(one.line, one.quantity, one.amount) for one in self.lines]
        return digest(fold(self.sale), fold(self.number), lines, self.at)


class _Moved(NamedTuple):
    """An entry of the sale; `units` and what came `back` of them in ten-thousandths."""

    number: int
    posting: str
    """The key of its posting."""
    rule: str | None
    whole: bool
    """Whether it is counted by quantity."""
    units: int
    back: int


def take_back(
    transaction: WriteTransaction, wanted: Return, zone: tzinfo, source: TermsSource
) -> Receipt:
    """Store the return and post what it changes.

    Raises RecordError: `sale-unknown`, `return-differs`, `return-exceeds`, `return-empty`,
    `return-before-sale`, `sale-number`, `sale-date`, `posting-ahead`.
    """
    check_number(wanted.number)
    connection = transaction.connection
    sale = sale_of(connection, wanted.sale)
    known = _before(connection, wanted, sale)
    if known is not None:
        paid = refund_share(transaction, sale.number, Fraction(0), wanted.number, zone)
        return known._replace(entries=(*paid.entries, *known.entries))
    at = _moment(wanted, sale, transaction.at)
    lines = lines_of(connection, sale.id)
    came = _came(wanted, lines)
    paid = refund_share(transaction, sale.number, part_back(lines), wanted.number, zone)
    moved = [
        *_paid_back(connection, sale, lines),
        *_taken_back(connection, sale, lines, zone, source),
    ]
    key = f"{RETURN}{wanted.number}"
    told = {"sale": sale.number, "return": wanted.number}
    posting = Posting(key, tuple(moved), at, source=told, sale=sale.number)
    wanted_postings = [posting] if moved else []
    posted = None
    # Also with nothing to post: a clock set back is refused there.
    for result in post_within(transaction, wanted_postings, zone):
        if isinstance(result, Refused):
            raise result.error
        posted = result
    number = None if posted is None else posted.number
    _store(connection, wanted, sale, at, (came, lines), number)
    entries = (*paid.entries, *(() if posted is None else posted.entries))
    return Receipt(wanted.number, sale.card_number, number, entries)


# ---------------------------------------------------------------------------- what is there


def _before(connection: sa.Connection, wanted: Return, sale: Any) -> Receipt | None:
    query = sa.select(sale_returns).where(sale_returns.c.key == fold(wanted.number))
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    if row.digest != wanted.digest():
        raise differs("return", wanted.number)
    of = entries_of_postings(connection, [row.posting] if row.posting else [])
    return Receipt(row.number, sale.card_number, row.posting, of.get(row.posting, ()), True)


def _moment(wanted: Return, sale: Any, now: datetime) -> datetime:
    if wanted.at is None:
        # A sale may be dated a little ahead, by a till of another time zone.
        made: datetime = sale.at.replace(tzinfo=UTC)
        return max(now, made)
    check_moment(wanted.at)
    require_not_ahead(wanted.at, now)
    if utc(wanted.at) < sale.at:
        raise _refused(
            "return-before-sale",
            f"the sale was made at {sale.at:%Y-%m-%d %H:%M} (UTC), after this return",
            "correct the date of the return",
            "at",
        )
    return wanted.at


def _came(wanted: Return, lines: dict[int, SoldLine]) -> list[tuple[int, int, int]]:
    """What comes back now, by line; the lines stand as after it."""
    if wanted.lines is None:
        left = [one for one in lines.values() if one.quantity > one.returned_quantity]
        came = [one.take(one.quantity - one.returned_quantity, None) for one in left]
    else:
        came = [_one(back, lines) for back in wanted.lines]
    if not came:
        raise _refused(
            "return-empty",
            "nothing of the sale is left to come back, or nothing is named",
            "name lines of the sale with something left",
            "lines",
        )
    return came


def _one(back: Back, lines: dict[int, SoldLine]) -> tuple[int, int, int]:
    field = f"line {back.line}"
    quantity = quantity_units(back.quantity, f"quantity of {field}")
    amount = None if back.amount is None else amount_units(back.amount, f"amount of {field}")
    line = lines.get(back.line)
    if line is None:
        raise _refused(
            "return-exceeds",
            f"the sale has {len(lines)} lines, there is no line {back.line}",
            f"name a line from 1 to {len(lines)}",
            field,
        )
    return line.take(quantity, amount)


# ---------------------------------------------------------------------------- what moves


def _taken_back(
    connection: sa.Connection,
    sale: Any,
    lines: dict[int, SoldLine],
    zone: tzinfo,
    source: TermsSource,
) -> Iterator[Line]:
    """What was earned and the rest of the sale would not earn, the newest entry first."""
    if sale.posting is None:
        return
    due = _due(connection, sale, lines, zone, source)
    held: dict[str, list[tuple[int, int]]] = {}
    for one in _entries(connection, sale, EntryType.EARN):
        if one.posting.startswith(GIFT):
            continue
        held.setdefault(one.rule or "", []).append((one.number, one.units - one.back))
    for rule, earned in held.items():
        rest, left = due[rule], sum(units for _, units in earned)
        too_much = left - min(rest, left)
        why = f"the rest of sale {sale.number} earns {points(rest)} by {rule}"
        for number, units in reversed(earned):
            part = min(units, too_much)
            if part > 0:
                yield TakeBack(number, points(part), why)
                too_much -= part


def _due(
    connection: sa.Connection,
    sale: Any,
    lines: dict[int, SoldLine],
    zone: tzinfo,
    source: TermsSource,
) -> Counter[str]:
    """Ten-thousandths the rest of the sale earns, by rule.

    A version of a rule pays one kind, whose name may have changed since.
    """
    due: Counter[str] = Counter()
    rest = rest_of(sale, lines, zone)
    if rest is None:
        return due
    terms = source.of(connection, sale.versions)
    for one in terms.earned(rest, Member.of_form(sale.member), _still_admitted):
        due[rule_name(one)] += int(one.points * UNIT)
    return due


def _still_admitted(*_: object) -> bool:
    # What an extension admitted at the sale stays admitted where it cannot be asked by now.
    return True


def _paid_back(connection: sa.Connection, sale: Any, lines: dict[int, SoldLine]) -> Iterator[Line]:
    """Of the points that paid for the sale, those that fall to the goods that came back.

    Lines with a price in points know their own; payments with points are `refund_share`'s.
    """
    back = {
        number - 1: Fraction(one.returned_quantity, one.quantity) for number, one in lines.items()
    }
    yield from come_back(connection, sale.number, back)
    share = part_back(lines)
    for one in _entries(connection, sale, EntryType.REDEEM):
        if one.posting.startswith((CHECKOUT, PAYMENT)):
            continue
        step = UNIT if one.whole and share < 1 else 1
        due = int(-one.units * share) // step * step
        if due > one.back:
            why = f"goods of sale {sale.number} came back"
            yield GiveBack(one.number, points(due - one.back), why)


def _entries(connection: sa.Connection, sale: Any, type_: EntryType) -> list[_Moved]:
    """The entries of a type that belong to the sale, the oldest first."""
    e, kind, backs = entries.c, REWARD_POINTS.table.c, entries.alias("backs")
    came = (
        sa.select(sa.func.coalesce(sa.func.sum(sa.func.abs(backs.c.asked)), 0))
        .where(backs.c.source == e.number)
        .where(backs.c.type.in_((EntryType.RETURN_EARNED, EntryType.REFUND)))
        .scalar_subquery()
    )
    query = (
        sa.select(
            *(e.number, postings.c.key, e.rule),
            *(kind.reward_point_type == "Quantity", e.units, came),
        )
        .join(postings, postings.c.number == e.posting)
        .join(REWARD_POINTS.table, kind.id == e.kind)
        .where(postings.c.sale == sale.key, e.type == type_)
        .order_by(e.number)
    )
    return [
        _Moved(number, posting, rule, whole, int(units), int(back))
        for number, posting, rule, whole, units, back in connection.execute(query)
    ]


def _store(
    connection: sa.Connection,
    wanted: Return,
    sale: Any,
    at: datetime,
    happened: tuple[list[tuple[int, int, int]], dict[int, SoldLine]],
    posting: int | None,
) -> None:
    came, lines = happened
    row = {
        "number": wanted.number,
        "key": fold(wanted.number),
        "digest": wanted.digest(),
        "sale": sale.id,
        "at": utc(at),
        "lines": came,
        "posting": posting,
    }
    connection.execute(sa.insert(sale_returns), [row])
    changed = [
        {"of": line, "back": one.returned_quantity, "paid": one.returned_amount}
        for line, one in lines.items()
    ]
    update = (
        sa.update(sale_lines)
        .where(_L.sale == sale.id, _L.line == sa.bindparam("of"))
        .values(returned_quantity=sa.bindparam("back"), returned_amount=sa.bindparam("paid"))
    )
    connection.execute(update, changed)


def _refused(code: str, message: str, remedy: str, field: str) -> RecordError:
    return RecordError(code, message, remedy=remedy, subject=Subject(field=field))
