"""The proof that what is shown of balances is what the journal says, and that its lots add up.

Owns: comparing the two, account by account, in bounded memory.
Never does: changing either.
Tested in: tests/unit/ledger/shown/test_proof.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import sqlalchemy as sa

from connector.ledger.journal.lots import Lot
from connector.ledger.journal.posting import EntryType
from connector.ledger.journal.statements import mismatched_lots
from connector.ledger.journal.tables import entries
from connector.ledger.journal.totals import SOON, Totals
from connector.ledger.schema import CARDS, REWARD_POINTS
from connector.ledger.shown.entities import POINT_BALANCES, joined
from connector.ledger.shown.standing import standing

if TYPE_CHECKING:
    from connector.ledger.ledger import Ledger

AT_ONCE = 2_000
"""Rows that are fetched at a time."""

_E = entries.c
_ROW = POINT_BALANCES.table.c
Account: TypeAlias = tuple[str, str]
Figures: TypeAlias = dict[str, Any]
"""By name of the field."""

_account = itemgetter(0)


class Difference(NamedTuple):
    """A figure that is shown otherwise than it is; there must be none."""

    card: str
    """Its number."""
    kind: str
    """The RewardPointId."""
    field: str
    """Of the balance; `entry NUMBER` is what is left of that lot."""
    shown: Any
    right: Any


def differences(ledger: Ledger) -> Iterator[Difference]:
    """Every figure that differs on the day that is shown; before the first turn only lots.

    A lot that does not add up is told by its entry: what it says is left, and what is.
    """
    with ledger.reading() as connection:
        connection = connection.execution_options(yield_per=AT_ONCE)
        day = standing(connection).turned
        if day is not None:
            yield from _balances(connection, day)
        for lot in mismatched_lots(connection):
            yield Difference(lot.card, lot.kind, f"entry {lot.entry}", lot.remaining, lot.proven)


def _balances(connection: sa.Connection, day: date) -> Iterator[Difference]:
    right = ((account, 0, figures) for account, figures in _right(connection, day))
    shown = ((account, 1, figures) for account, figures in _shown(connection))
    for _, both in groupby(merge(right, shown, key=_account), _account):
        sides: list[Figures] = [{}, {}]
        for _, side, figures in both:
            sides[side] = figures
        names = sides[0] or sides[1]
        for field in names:
            is_right, is_shown = (one.get(field) for one in sides)
            if is_right != is_shown:
                card, kind = names["CardNumber"], names["RewardPointId"]
                yield Difference(card, kind, field, is_shown, is_right)


def _right(connection: sa.Connection, day: date) -> Iterator[tuple[Account, Figures]]:
    """Every account as its entries add up, in the order of ids."""
    days = (_E.card, _E.kind, _E.type, _E.starts, _E.expires)
    number, name = CARDS.table.c.card_number, REWARD_POINTS.table.c.reward_point_id
    sums = (
        sa.select(*days, sa.func.sum(_E.units).label("u"), sa.func.sum(_E.remaining).label("r"))
        .group_by(*days)
        .subquery()
    )
    held = sums.c
    query = (
        sa.select(held.card, held.kind, number, name, held.type, held.starts, held.expires)
        .add_columns(held.u, held.r)
        .select_from(
            sums.outerjoin(CARDS.table, CARDS.table.c.id == held.card).outerjoin(
                REWARD_POINTS.table, REWARD_POINTS.table.c.id == held.kind
            )
        )
        .order_by(held.card, held.kind)
    )
    for account, rows in groupby(connection.execute(query), itemgetter(0, 1)):
        totals, card, kind = Totals(), "", ""
        for row in rows:
            card, kind = row[2], row[3]
            totals.count(EntryType(row[4]), int(row[7]))
            if row[8] is not None:
                totals.hold(Lot(0, int(row[8]), row[5], row[6]), day, SOON)
        names = {"balance_id": joined(card, kind), "card_number": card, "reward_point_id": kind}
        yield account, _figures(names | totals.balance(kind)._asdict())


def _shown(connection: sa.Connection) -> Iterator[tuple[Account, Figures]]:
    query = sa.select(POINT_BALANCES.table).order_by(_ROW.card, _ROW.kind)
    for row in connection.execute(query).mappings():
        yield (row["card"], row["kind"]), _figures(dict(row))


def _figures(columns: Mapping[str, Any]) -> Figures:
    return {one.name: columns[one.column] for one in POINT_BALANCES.fields}
