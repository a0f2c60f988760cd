"""The rows of the shown balances, as one write transaction changes them.

Owns: reading them, moving them by what was posted, working them out anew from the lots, storing
them under new versions.
Never does: deciding which day they stand on (`days.py`), or when (`settling.py`).
Tested in: tests/unit/ledger/shown/test_settling.py, tests/unit/ledger/shown/test_laws.py.

A posting costs the rows it touches, however many entries a card has: counts and lots move by what
was posted, and only where the lot that expires first was drawn from, the next one is looked up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from connector.ledger.fields import fold
from connector.ledger.journal.amounts import points
from connector.ledger.journal.lots import Lot
from connector.ledger.journal.posting import EntryType
from connector.ledger.journal.tables import LIVE, entries
from connector.ledger.journal.totals import SOON, Totals
from connector.ledger.schema import CARDS, REWARD_POINTS
from connector.ledger.shown.entities import POINT_BALANCES, joined
from connector.ledger.shown.touched import Account, Movement
from connector.ledger.sql import IN_CHUNK, rows_in

if TYPE_CHECKING:
    from connector.ledger.ledger import WriteTransaction

_ROW = POINT_BALANCES.table.c
_E = entries.c
_FIGURES = ("available", "unvested", "expiring", "redeemed", "expired", "lifetime", "adjusted")
_HELD = ("available", "unvested", "expiring", "expired")

# Statements are built once: a till posts one sale in a transaction, and many of those.
_DAY = sa.bindparam("day", type_=sa.Date)
_SOON = sa.bindparam("soon", type_=sa.Date)
_LASTS = sa.or_(_E.expires.is_(None), _E.expires >= _DAY)
_PAYS = sa.and_(_LASTS, _E.starts <= _DAY)


def _rest(of: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    """What is left of the lots that are so."""
    return sa.func.sum(sa.case((of, _E.remaining), else_=0))


def _of_one_and_many(query: sa.Select[Any]) -> tuple[sa.Select[Any], sa.Select[Any]]:
    """Entries of one card, which is what a till asks for, and of several."""
    several: sa.BindParameter[Any] = sa.bindparam("wanted", expanding=True)
    return query.where(_E.card == sa.bindparam("wanted")), query.where(_E.card.in_(several))


_STORED = (
    *(_ROW.id, _ROW.card, _ROW.kind, _ROW.day, _ROW.next_expiry),
    # As they are stored: they are added to, not shown.
    *(sa.type_coerce(_ROW[name], sa.BigInteger) for name in _FIGURES),
)
_LEFT = (
    sa.func.min(sa.case((sa.and_(LIVE, _PAYS), _E.expires)), type_=sa.Date),
    _rest(_PAYS),
    _rest(sa.and_(_LASTS, _E.starts > _DAY)),
    _rest(sa.and_(_PAYS, _E.expires <= _SOON)),
    _rest(_E.expires < _DAY),
)
_HELD_BY = _of_one_and_many(
    sa.select(_E.card, _E.kind, *_LEFT).where(LIVE).group_by(_E.card, _E.kind)
)
_WHOLE_OF = _of_one_and_many(
    sa.select(_E.card, _E.kind, _E.type, sa.func.sum(_E.units), *_LEFT).group_by(
        _E.card, _E.kind, _E.type
    )
)
_NEXT_EXPIRY = (
    sa.select(_E.expires)
    .where(LIVE, _E.card == sa.bindparam("card"), _E.kind == sa.bindparam("kind"))
    .where(_E.expires >= _DAY, _E.starts <= _DAY)
    .order_by(_E.expires)
    .limit(1)
)
_CHANGE = sa.update(POINT_BALANCES.table).where(_ROW.id == sa.bindparam("row_id"))
_ADD = sa.insert(POINT_BALANCES.table)


@dataclass(slots=True)
class Row:
    """One stored balance."""

    id: str
    day: date
    totals: Totals


class Names(NamedTuple):
    """How the card and the kind of an account are spelled."""

    card: str
    kind: str


class Sheet:
    """The balances of one transaction, all of them on one day."""

    def __init__(self, transaction: WriteTransaction, day: date) -> None:
        self._connection = transaction.connection
        self._feed = transaction.feed
        self._new_id = transaction.new_id
        self._day = day
        self._days = {"day": day, "soon": day + timedelta(SOON)}

    # ------------------------------------------------------------------ what changes

    def move(self, accounts: Mapping[Account, Movement], *, turning: bool) -> None:
        """Bring these accounts up to what was posted.

        While the day is `turning`, rows of an older day are worked out anew instead: where the
        turn stands among their lots nobody knows.
        """
        stored = self._stored(accounts)
        anew = {
            one
            for one in accounts
            if one not in stored or (turning and stored[one].day != self._day)
        }
        names = {one: Names(accounts[one].card, accounts[one].kind) for one in anew}
        figures = self._whole(anew)
        for account, movement in accounts.items():
            if account not in anew:
                figures[account] = self._moved(account, stored[account].totals, movement)
        self._store(figures, stored, names)

    def _moved(self, account: Account, before: Totals, movement: Movement) -> Totals:
        totals, drawn = replace(before), False
        for type_, units in movement.counted.items():
            totals.count(type_, units)
        for (starts, expires), units in movement.moved.items():
            first = totals.next_expiry
            totals.hold(Lot(0, units, starts, expires), self._day, SOON)
            if units < 0:
                totals.next_expiry = first
                drawn = drawn or (first is not None and expires == first)
        if drawn:
            totals.next_expiry = self._next_expiry(account)
        return totals

    def work_out(self, accounts: Collection[Account]) -> int:
        """Work these accounts out from their lots, unless they stand on this day; rows changed.

        What entries counted for stays; an account without a row gets one.
        """
        stored = self._stored(accounts)
        anew = [one for one in accounts if one not in stored or stored[one].day != self._day]
        new = {one for one in anew if one not in stored}
        figures = self._held([one for one in anew if one in stored])
        for account, totals in figures.items():
            before = stored[account].totals
            totals.redeemed = before.redeemed
            totals.lifetime = before.lifetime
            totals.adjusted = before.adjusted
        figures |= self._whole(new)
        return self._store(figures, stored, self._names(new))

    def rename(self, accounts: Collection[Account]) -> None:
        """Give these accounts the names their card and kind have now, as rows under a new key."""
        self.work_out(accounts)
        stored = self._stored(accounts)
        gone = [{"row_id": row.id} for row in stored.values()]
        for row in stored.values():
            self._feed.delete(POINT_BALANCES, row.id)
        if gone:
            table = POINT_BALANCES.table
            self._connection.execute(
                sa.delete(table).where(_ROW.id == sa.bindparam("row_id")), gone
            )
        figures = {account: row.totals for account, row in stored.items()}
        self._store(figures, {}, self._names(set(stored)))

    # ------------------------------------------------------------------ the database

    def _stored(self, accounts: Collection[Account]) -> dict[Account, Row]:
        wanted = set(accounts)
        cards = sorted({card for card, _ in wanted})
        rows = rows_in(self._connection, _STORED, _ROW.card, cards)
        return {
            (card, kind): Row(id_, day, _totals(expiry, _FIGURES, units))
            for id_, card, kind, day, expiry, *units in rows
            if (card, kind) in wanted
        }

    def _of_cards(
        self, queries: tuple[sa.Select[Any], sa.Select[Any]], accounts: Collection[Account]
    ) -> Iterator[Any]:
        """The rows of these accounts, and of others of their cards."""
        of_one, of_many = queries
        cards = sorted({card for card, _ in accounts})
        if len(cards) == 1:
            yield from self._connection.execute(of_one, self._days | {"wanted": cards[0]})
            return
        for start in range(0, len(cards), IN_CHUNK):
            wanted = {"wanted": cards[start : start + IN_CHUNK]}
            yield from self._connection.execute(of_many, self._days | wanted)

    def _names(self, accounts: set[Account]) -> dict[Account, Names]:
        def spelled(column: sa.Column[Any], table: sa.Table, ids: Iterable[str]) -> dict[str, str]:
            rows = rows_in(self._connection, [table.c.id, column], table.c.id, list(set(ids)))
            return {row[0]: row[1] for row in rows}

        cards = spelled(CARDS.table.c.card_number, CARDS.table, (card for card, _ in accounts))
        table = REWARD_POINTS.table
        kinds = spelled(table.c.reward_point_id, table, (kind for _, kind in accounts))
        return {(card, kind): Names(cards[card], kinds[kind]) for card, kind in accounts}

    def _held(self, accounts: Collection[Account]) -> dict[Account, Totals]:
        """What the lots of these accounts come to on the day."""
        found = {account: Totals() for account in accounts}
        for card, kind, first, *units in self._of_cards(_HELD_BY, accounts):
            if (card, kind) in found:
                found[card, kind] = _totals(first, _HELD, units)
        return found

    def _whole(self, accounts: Collection[Account]) -> dict[Account, Totals]:
        """The same, with what all entries of these accounts count for."""
        found = {account: Totals() for account in accounts}
        for card, kind, type_, units, first, *left in self._of_cards(_WHOLE_OF, accounts):
            if (card, kind) in found:
                found[card, kind].count(EntryType(type_), int(units))
                found[card, kind].add(_totals(first, _HELD, left))
        return found

    def _next_expiry(self, account: Account) -> date | None:
        """The last day of the lot that goes first; the index is in that order."""
        card, kind = account
        of = {"card": card, "kind": kind}
        return self._connection.scalar(_NEXT_EXPIRY, self._days | of)

    def _store(
        self,
        figures: Mapping[Account, Totals],
        stored: Mapping[Account, Row],
        names: Mapping[Account, Names],
    ) -> int:
        """Write the rows that differ; how many."""
        changed: list[dict[str, Any]] = []
        same: list[dict[str, Any]] = []
        new: list[dict[str, Any]] = []
        for account, totals in figures.items():
            row = stored.get(account)
            if row is None:
                new.append(self._row(self._new_id(), totals) | _named(account, names[account]))
            elif row.totals != totals:
                changed.append(self._row(row.id, totals))
            elif row.day != self._day:
                same.append({"row_id": row.id, "day": self._day})
        if changed:
            rows = [{"row_id": one.pop("id"), **one} for one in changed]
            self._connection.execute(_CHANGE, rows)
        if same:
            self._connection.execute(_CHANGE, same)
        if new:
            self._connection.execute(_ADD, new)
        self._feed.flush(POINT_BALANCES)
        return len(changed) + len(new)

    def _row(self, row_id: str, totals: Totals) -> dict[str, Any]:
        return {
            "id": row_id,
            "version": self._feed.number(),
            "modified_at": self._feed.stored_at,
            "modified_by": self._feed.by,
            "day": self._day,
            "next_expiry": totals.next_expiry,
            **{name: points(getattr(totals, name)) for name in _FIGURES},
        }


def _totals(expiry: date | None, names: Sequence[str], units: Sequence[Any]) -> Totals:
    """Figures as a database answers sums: PostgreSQL as decimals."""
    return Totals(next_expiry=expiry, **dict(zip(names, map(int, units), strict=True)))


def _named(account: Account, names: Names) -> dict[str, Any]:
    key = joined(names.card, names.kind)
    card, kind = account
    return {
        "card": card,
        "kind": kind,
        "balance_id": key,
        "key": fold(key),
        "card_number": names.card,
        "reward_point_id": names.kind,
    }
