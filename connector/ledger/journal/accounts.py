"""Fetching what a batch of postings needs: cards, kinds, lots, and entries to be returned.

Owns: these queries; a fixed number of them for a batch, however many lines it has.
Never does: deciding anything (`rules.py`), writing.
Tested in: tests/unit/ledger/journal/test_accounts.py, test_journal.py, test_laws.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from math import ceil
from typing import Any

import sqlalchemy as sa

from connector.ledger.fields import fold
from connector.ledger.journal.amounts import UNIT, fits, points
from connector.ledger.journal.books import POOLED, Books, Card, Kind, Origin
from connector.ledger.journal.lots import Draw, Lot, by_age
from connector.ledger.journal.posting import (
    Adjust,
    Earn,
    EntryType,
    GiveBack,
    HandOver,
    Line,
    Redeem,
    TakeBack,
    Transfer,
)
from connector.ledger.journal.tables import LIVE, deductions, entries
from connector.ledger.members.tables import households
from connector.ledger.schema import CARDS, REWARD_POINTS
from connector.ledger.sql import rows_in

_CARD = CARDS.table.c
_KIND = REWARD_POINTS.table.c
_HOUSEHOLD = (
    sa.select(households.c.name).where(households.c.party == _CARD.party_number).scalar_subquery()
)
_LOT = (entries.c.number, entries.c.remaining, entries.c.starts, entries.c.expires)
_LOT_OF_CARD = (entries.c.card, entries.c.kind, *_LOT)
_CAN_PAY = (
    sa.select(*_LOT)
    .where(LIVE, entries.c.card == sa.bindparam("card"), entries.c.kind == sa.bindparam("kind"))
    .where(entries.c.starts <= sa.bindparam("day", type_=sa.Date))
    .limit(sa.bindparam("most", type_=sa.Integer))
    .offset(sa.bindparam("skip", type_=sa.Integer))
)
_BY_AGE = (
    _CAN_PAY.where(entries.c.expires >= sa.bindparam("day", type_=sa.Date)).order_by(
        entries.c.expires, entries.c.starts, entries.c.number
    ),
    _CAN_PAY.where(entries.c.expires.is_(None)).order_by(entries.c.starts, entries.c.number),
)
"""The lots of an account that can pay on a day, a page of each: an index is in this order."""
FEW = 8
"""Accounts that are cheaper to look into one by one, where only their first lots are wanted."""
PAGE = 50
"""Lots that are read at first; each further page is twice as long."""
_CARD_COLUMNS = (
    *(_CARD.id, _CARD.card_number, _CARD.card_tender_type, _CARD.party_number),
    *(_CARD.replacement_card_number, _HOUSEHOLD),
)
_KIND_COLUMNS = (
    *(_KIND.id, _KIND.reward_point_id, _KIND.reward_point_type, _KIND.redeemable),
    *(_KIND.expiration_unit, _KIND.expiration_value, _KIND.vesting_unit, _KIND.vesting_value),
    _KIND.maximum_points,
)
_OF_RETURNS = entries.c.type.in_((EntryType.RETURN_EARNED, EntryType.REFUND))


class Accounts:
    """Fills the books of one batch within its transaction."""

    def __init__(self, connection: sa.Connection, books: Books) -> None:
        self._connection = connection
        self._books = books
        self._cards: dict[str, Card] = {}
        self._kinds: dict[str, Kind] = {}
        self._lots: dict[int, Lot] = {}

    def load(self, lines: Sequence[Line], days: Collection[date] = ()) -> None:
        """Fetch everything `lines` name or may draw from.

        `days` are all those on which the lines happen, if they are known. Then lots that are drawn
        from in order are fetched up to where nothing the lines ask for could reach.
        """
        returns = [line for line in lines if isinstance(line, TakeBack | GiveBack)]
        others = [line for line in lines if not isinstance(line, TakeBack | GiveBack)]
        numbers = {fold(line.card) for line in others}
        numbers |= {fold(line.to) for line in others if isinstance(line, Transfer | HandOver)}
        names = {fold(line.kind) for line in others if not isinstance(line, HandOver)}
        rows = self._entries({line.entry for line in returns})
        self._load_cards(_CARD.key, numbers)
        self._load_cards(_CARD.id, {row.card for row in rows})
        self._load_successors()
        self._load_kinds(_KIND.key, names)
        self._load_kinds(_KIND.id, {row.kind for row in rows})
        if any(isinstance(line, HandOver) for line in others):
            self._load_kinds(_KIND.id, self._held())
        self._load_cards(_CARD.party_number, self._sharing())
        self._load_origins(rows)
        most = self._most(lines)
        few = len(self._cards) * len(self._kinds) * len(days) <= FEW
        if most is None or (most and not (days and few)):
            self._load_lots()
        elif most:
            self._load_first_lots(most, days)

    def load_purse(self, card: str, kinds: Iterable[str]) -> None:
        """Fetch a card and the lots of these kinds it could pay with; once for each books."""
        self._load_cards(_CARD.key, [fold(card)])
        self._load_kinds(_KIND.key, {fold(kind) for kind in kinds})
        self._load_cards(_CARD.party_number, self._sharing())
        self._load_lots()

    def _load_cards(self, column: sa.Column[Any], values: Iterable[str]) -> None:
        for row in rows_in(self._connection, _CARD_COLUMNS, column, list(values)):
            card = Card(*row)
            if card.id not in self._cards:
                self._cards[card.id] = card
                self._books.add_card(card)

    def _load_successors(self) -> None:
        """The cards that replaced those we have, and so on; each round brings new ones or ends."""
        known = 0
        while known < len(self._cards):
            known = len(self._cards)
            numbers = {fold(one.replaced_by) for one in self._cards.values() if one.replaced_by}
            self._load_cards(_CARD.key, numbers)

    def _sharing(self) -> set[str]:
        """The customers whose cards pay for those of ours that pool: their households."""
        pooled = [one for one in self._cards.values() if one.tender == POOLED and one.party]
        names = {one.household for one in pooled if one.household}
        column = households.c.party
        rows = rows_in(self._connection, [column], households.c.name, list(names))
        return {row[0] for row in rows} | {one.party for one in pooled if one.party}

    def _held(self) -> set[str]:
        """The kinds of which our cards hold anything."""
        held = list(self._cards)
        rows = rows_in(self._connection, [entries.c.kind], entries.c.card, held, LIVE)
        return {row[0] for row in rows}

    def _load_kinds(self, column: sa.Column[Any], values: Iterable[str]) -> None:
        for row in rows_in(self._connection, _KIND_COLUMNS, column, list(values)):
            id, name, type_, redeemable, unit, value, vesting_unit, vesting, most = row
            if id in self._kinds:
                continue
            self._kinds[id] = Kind(
                id,
                name,
                whole=type_ == "Quantity",
                redeemable=redeemable != "No",
                expires=(unit, value or 0),
                vests=(vesting_unit or "Day", vesting or 0),
                cap=most * UNIT if most else None,
            )
            self._books.add_kind(self._kinds[id])

    def _most(self, lines: Sequence[Line]) -> int | None:
        """How much all lines together may draw from lots in order; None where all lots matter.

        A card that holds ten thousand lots earns and returns as fast as one that holds none: most
        earning looks at no lot, and most returns find what they take in the lot of the sale.
        """
        taken: dict[int, Decimal] = {}
        drawn = Decimal(0)
        for line in lines:
            match line:
                case Earn() if not self._books.capped(line.kind):
                    pass
                case Adjust() if not line.points.is_signed():
                    pass
                case GiveBack():
                    pass
                case Adjust() | Redeem() | Transfer() if fits(line.points):
                    drawn += line.points.copy_abs()
                case TakeBack() if fits(line.points):
                    taken[line.entry] = taken.get(line.entry, Decimal(0)) + line.points
                case _:
                    return None
        if not all(self._in_own_lot(entry, some) for entry, some in taken.items()):
            return None
        # What comes back leaves a lot that could have paid.
        return ceil((drawn + sum(taken.values())) * UNIT) if drawn else 0

    def _in_own_lot(self, entry: int, taken: Decimal) -> bool:
        """Whether what comes back of an entry is all in the lot it brought."""
        origin = self._books.origins.get(entry)
        if origin is None or origin.lot is None or origin.card.replaced_by is not None:
            return False
        return taken <= points(origin.lot.remaining)

    def _load_lots(self) -> None:
        """Every lot with something left, of the cards and kinds the books know."""
        of = list(self._cards)
        for card, kind, *lot in rows_in(self._connection, _LOT_OF_CARD, entries.c.card, of, LIVE):
            if kind in self._kinds:
                self._books.add_lot(self._cards[card], self._kinds[kind], self._lot(lot))

    def _load_first_lots(self, most: int, days: Iterable[date]) -> None:
        """Of each account the lots that are used up first, until they hold `most` on each day."""
        for card in self._cards.values():
            for kind in self._kinds.values():
                found = (lot for day in days for lot in self._first(card, kind, day, most))
                for lot in {lot.entry: lot for lot in found}.values():
                    self._books.add_lot(card, kind, lot)

    def _first(self, card: Card, kind: Kind, day: date, most: int) -> Iterator[Lot]:
        """Those of one account on one day, page by page."""
        of = {"card": card.id, "kind": kind.id, "day": day}
        for query in _BY_AGE:
            skip, page = 0, PAGE
            while most > 0:
                rows = self._connection.execute(query, {**of, "most": page, "skip": skip}).all()
                yield from map(self._lot, rows)
                most -= sum(row.remaining for row in rows)
                if len(rows) < page:
                    break
                skip, page = skip + page, page * 2

    def _lot(self, row: Sequence[Any]) -> Lot:
        """The one object of a lot, however many entries refer to it."""
        return self._lots.setdefault(row[0], Lot(*row))

    # ---------------------------------------------------- entries that may come back

    def _entries(self, numbers: Iterable[int]) -> list[Any]:
        columns = [*_LOT, entries.c.card, entries.c.kind, entries.c.type, entries.c.units]
        return list(rows_in(self._connection, columns, entries.c.number, list(numbers)))

    def _load_origins(self, rows: Sequence[Any]) -> None:
        if not rows:
            return
        numbers = [row.number for row in rows]
        returned = self._returned(numbers)
        drawn = self._drawn(numbers)
        for row in rows:
            self._books.origins[row.number] = Origin(
                row.number,
                EntryType(row.type),
                self._cards[row.card],
                self._kinds[row.kind],
                abs(row.units),
                returned.get(row.number, 0),
                None if row.remaining is None else self._lot(row[: len(_LOT)]),
                drawn.get(row.number, []),
            )

    def _returned(self, numbers: Sequence[int]) -> dict[int, int]:
        """Ten-thousandths that came back of each entry so far."""
        found: dict[int, int] = {}
        columns = (entries.c.source, entries.c.asked)
        for source, asked in rows_in(
            self._connection, columns, entries.c.source, numbers, _OF_RETURNS
        ):
            found[source] = found.get(source, 0) + abs(asked)
        return found

    def _drawn(self, numbers: Sequence[int]) -> dict[int, list[Draw]]:
        """What each entry holds of which lots, less what was given back already."""
        held: dict[int, dict[int, int]] = {}
        columns = [deductions.c.entry, deductions.c.lot, deductions.c.units]
        for entry, lot, some in rows_in(self._connection, columns, deductions.c.entry, numbers):
            held.setdefault(entry, {})[lot] = some
        columns = [entries.c.source, deductions.c.lot, deductions.c.units]
        refunds = (entries.c.type == EntryType.REFUND, deductions.c.entry == entries.c.number)
        for source, lot, some in rows_in(
            self._connection, columns, entries.c.source, numbers, *refunds
        ):
            held[source][lot] += some
        wanted = {lot for lots in held.values() for lot in lots}
        found = {
            row[0]: self._lot(row)
            for row in rows_in(self._connection, _LOT, entries.c.number, list(wanted))
        }
        drawn: dict[int, list[Draw]] = {}
        for entry, lots in held.items():
            in_order = sorted((found[lot] for lot in lots), key=by_age)
            drawn[entry] = [Draw(lot, lots[lot.entry]) for lot in in_order]
        return drawn
