"""Why an entry of the journal is what it is: rule, arithmetic, lots, and the sale behind it.

Owns: bringing together what the ledger knows of one entry; only reads.
Never does: judging anew what was earned; deciding how it looks (`cli/ledger/why.py`).
Tested in: tests/unit/cli/test_ledger_sales.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import sqlalchemy as sa

from connector.errors import Subject, UsageError
from connector.ledger.fields import fold
from connector.ledger.journal.amounts import points
from connector.ledger.journal.lots import Lot
from connector.ledger.journal.posting import Entry
from connector.ledger.journal.statements import Note, entries_of, notes
from connector.ledger.journal.tables import deductions, entries
from connector.ledger.ledger import Ledger
from connector.ledger.sales.tables import sale_lines, sales
from connector.ledger.schema import CARDS


class Share(NamedTuple):
    """So many points between a lot and the entry that drew from it or put them back."""

    entry: Entry
    points: Decimal


class Rest(NamedTuple):
    """What is left of the lot an entry brought, on a day.

    `state` is `available`, `unvested`, `expired` or `used up`.
    """

    points: Decimal
    state: str
    on: date


class SoldLine(NamedTuple):
    """A line of the sale, and what came back of it."""

    line: int
    product: str
    categories: tuple[str, ...]
    quantity: Decimal
    amount: Decimal
    returned_quantity: Decimal
    returned_amount: Decimal


@dataclass(frozen=True, slots=True)
class SoldSale:
    """The sale an entry belongs to."""

    number: str
    at: datetime
    currency: str
    channel: str | None
    unit: str | None
    payments: Mapping[str, Decimal]
    lines: tuple[SoldLine, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """Everything the ledger knows of one entry."""

    entry: Entry
    note: Note
    program: str | None
    """The program or `rewards` whose rule earned it; None where none did."""
    rule: str | None
    version: int | None
    sale: SoldSale | None
    source: Entry | None
    """The entry it returns, or the lot it was moved from."""
    drawn: tuple[Share, ...]
    """The lots it drew from, or put points back into."""
    rest: Rest | None
    """Of the lot it brought."""
    used: tuple[Share, ...]
    """The entries that drew from the lot it brought; negative where they put points back."""
    returns: tuple[Entry, ...]
    """What came back of it."""


def why(ledger: Ledger, card: str, number: int) -> Why:
    """Explain entry `number` of a card, as of today.

    Raises UsageError `record-missing` where the card has no such entry.
    """
    key = CARDS.table.c.key == fold(card)
    with ledger.reading() as connection:
        entry = next(entries_of(connection, entries.c.number == number, key), None)
        if entry is None:
            raise UsageError(
                "record-missing",
                f"this card has no entry {number}",
                remedy="`dualwrite ledger transactions CARD` lists its entries",
                subject=Subject(record=f"…{card[-4:]}"),
            )
        program, rule, version = _rule(entry.rule)
        source = None
        if entry.source is not None:
            source = next(entries_of(connection, entries.c.number == entry.source))
        return Why(
            entry,
            notes(connection, [entry.posting])[entry.posting],
            program,
            rule,
            version,
            _sale(connection, entry.sale),
            source,
            _shares(connection, deductions.c.lot, deductions.c.entry == number),
            _rest(connection, number, ledger.today()),
            _shares(connection, deductions.c.entry, deductions.c.lot == number),
            tuple(entries_of(connection, entries.c.source == number)),
        )


def _rule(name: str | None) -> tuple[str | None, str | None, int | None]:
    """PROGRAM/RULE@VERSION in its parts."""
    if name is None:
        return None, None, None
    program, _, rest = name.partition("/")
    rule, _, version = rest.rpartition("@")
    return program, rule, int(version)


def _shares(
    connection: sa.Connection, of: sa.Column[int], where: sa.ColumnElement[bool]
) -> tuple[Share, ...]:
    held = sa.select(of, deductions.c.units).where(where)
    units = dict[int, int](tuple(row) for row in connection.execute(held))
    found = entries_of(connection, entries.c.number.in_(units)) if units else ()
    return tuple(Share(entry, points(units[entry.number])) for entry in found)


def _rest(connection: sa.Connection, number: int, on: date) -> Rest | None:
    columns = (entries.c.remaining, entries.c.starts, entries.c.expires)
    row = connection.execute(sa.select(*columns).where(entries.c.number == number)).one()
    if row.remaining is None:
        return None
    lot = Lot(number, row.remaining, row.starts, row.expires)
    if lot.remaining == 0:
        state = "used up"
    elif lot.expired(on):
        state = "expired"
    else:
        state = "unvested" if lot.unvested(on) else "available"
    return Rest(points(lot.remaining), state, on)


def _sale(connection: sa.Connection, key: str | None) -> SoldSale | None:
    if key is None:
        return None
    row = connection.execute(sa.select(sales).where(sales.c.key == key)).one_or_none()
    if row is None:  # paid in advance, and not sold yet
        return None
    found = sa.select(sale_lines).where(sale_lines.c.sale == row.id).order_by(sale_lines.c.line)
    return SoldSale(
        row.number,
        row.at.replace(tzinfo=UTC),
        row.currency,
        row.channel,
        row.unit,
        {means: Decimal(amount) for means, amount in row.payments.items()},
        tuple(_line(line) for line in connection.execute(found)),
    )


def _line(row: Any) -> SoldLine:
    return SoldLine(
        row.line,
        row.product,
        tuple(row.categories),
        points(row.quantity),
        points(row.amount),
        points(row.returned_quantity),
        points(row.returned_amount),
    )


def as_dict(why: Why) -> dict[str, object]:
    """The documented JSON form (docs/json.md)."""

    def shares(held: Sequence[Share]) -> list[dict[str, object]]:
        return [{"entry": _plain(one.entry), "points": one.points} for one in held]

    sale = why.sale
    return {
        "entry": _plain(why.entry),
        **why.note._asdict(),
        "program": why.program,
        "rule": why.rule,
        "version": why.version,
        "sale": None
        if sale is None
        else {
            "number": sale.number,
            "at": sale.at,
            "currency": sale.currency,
            "channel": sale.channel,
            "unit": sale.unit,
            "payments": dict(sale.payments),
            "lines": [one._asdict() for one in sale.lines],
        },
        "source": None if why.source is None else _plain(why.source),
        "drawn": shares(why.drawn),
        "rest": None if why.rest is None else why.rest._asdict(),
        "used": shares(why.used),
        "returns": [_plain(one) for one in why.returns],
    }


def _plain(entry: Entry) -> dict[str, object]:
    return {**entry._asdict(), "type": entry.type.value}
