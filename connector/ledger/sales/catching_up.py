"""Giving what programs owe, once their extensions are there (`programs/owing.py`).

Owns: judging each debt as of the time it was made, and posting what it comes to.
Never does: noting debts; knowing where extensions come from.
Tested in: tests/unit/ledger/sales/test_catching_up.py.

A debt is judged by the version of the program and the facts of the member of then; of a sale what
has not come back by now counts. Points go to the card, or to the one that stands for it, from the
day they were earned on. What still cannot be judged stays owed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import sqlalchemy as sa

from connector.errors import ConfigError, RecordError
from connector.ledger.journal.amounts import points
from connector.ledger.journal.journal import post_within
from connector.ledger.journal.keys import OWED
from connector.ledger.journal.posting import Earn, Entry, Posted, Posting, Refused
from connector.ledger.ledger import Ledger, WriteTransaction
from connector.ledger.programs.book import Program, Programs
from connector.ledger.programs.extensions import TierReached
from connector.ledger.programs.gifts import for_tier, give
from connector.ledger.programs.occasion import Activity, Occasion, Sale
from connector.ledger.programs.owing import ACTIVITY, SALE, TIER, Debt, debts, keep, settle
from connector.ledger.programs.pools import Pools
from connector.ledger.programs.store import load_versions
from connector.ledger.sales.selling import earn_lines, given_for, parted, source_of
from connector.ledger.sales.sold import lines_of, rest_of, sale_of
from connector.ledger.sales.tables import activities, sales

_TABLES = {SALE: sales, ACTIVITY: activities}


class Settled(NamedTuple):
    """A debt that is gone, and what was posted for it: nothing where nothing was due."""

    debt: Debt
    entries: tuple[Entry, ...]

    @property
    def points(self) -> Mapping[str, Decimal]:
        """What was given, by kind."""
        sums: dict[str, Decimal] = {}
        for one in self.entries:
            sums[one.kind] = sums.get(one.kind, Decimal(0)) + one.points
        return sums


class CaughtUp(NamedTuple):
    """What a run came to."""

    settled: Sequence[Settled]
    left: Sequence[Debt]
    """With the reason of today."""


def catch_up(ledger: Ledger, *, by: str) -> CaughtUp:
    """Judge everything that is owed, each debt in a transaction of its own."""
    with ledger.reading() as connection:
        due = debts(connection)
    done: list[Settled] = []
    left: list[Debt] = []
    for debt in due:
        try:
            with ledger.writing(by) as transaction:
                if settle(transaction.connection, debt):
                    done.append(Settled(debt, _paid(transaction, debt)))
        except (ConfigError, RecordError) as error:
            with ledger.writing(by) as transaction:
                left.append(keep(transaction.connection, debt, error))
    return CaughtUp(done, left)


def _paid(transaction: WriteTransaction, debt: Debt) -> tuple[Entry, ...]:
    connection = transaction.connection
    programs = load_versions(connection, {debt.owed.program: debt.owed.version})
    if debt.what == TIER:
        card = _card(connection, debt.name)
        (program,) = programs.programs
        posted = [] if card is None else _for_tier(transaction, debt, program, programs, card)
    else:
        posted = _for_occasion(transaction, debt, programs)
    return tuple(entry for one in posted for entry in one.entries)


def _for_tier(
    transaction: WriteTransaction, debt: Debt, program: Program, programs: Programs, card: str
) -> list[Posted]:
    reached = TierReached(card, debt.owed.program, debt.tier, debt.at)
    gifts = for_tier(program, reached, debt.member, programs.kinds)
    return give(transaction, gifts, transaction.zone)


def _for_occasion(transaction: WriteTransaction, debt: Debt, programs: Programs) -> list[Posted]:
    connection, table = transaction.connection, _TABLES[debt.what]
    row = connection.execute(sa.select(table).where(table.c.key == debt.name)).one()
    card = _card(connection, row.card)
    assert card is not None, "cards that bought stay"
    occasion: Occasion | None = None
    if debt.what == SALE:
        row = sale_of(connection, debt.name)
        occasion = rest_of(row, lines_of(connection, row.id), transaction.zone)
    else:
        occasion = _activity(row, card, debt)
    if occasion is None:
        return []
    earned, gifts = parted(programs.earned(occasion, debt.member))
    posted = _posted(transaction, debt, occasion, earn_lines(card, earned))
    if posted and row.posting is None:
        # Whatever comes back of it looks there whether it earned anything.
        mine = table.c.key == debt.name
        connection.execute(sa.update(table).where(mine).values(posting=posted[0].number))
    return [*posted, *give(transaction, given_for(occasion, card, gifts), transaction.zone)]


def _posted(
    transaction: WriteTransaction, debt: Debt, occasion: Occasion, lines: tuple[Earn, ...]
) -> list[Posted]:
    if not lines:
        return []
    key = f"{OWED}{debt.owed.program}:{debt.what}:{occasion.number}"
    sale = occasion.number if isinstance(occasion, Sale) else None
    posting = Posting(key, lines, occasion.at, source=source_of(occasion), sale=sale)
    (result,) = post_within(transaction, [posting])
    if isinstance(result, Refused):
        raise result.error
    return [result]


def _activity(row: Any, card: str, debt: Debt) -> Activity:
    return Activity(
        row.number,
        card,
        debt.at,
        row.activity,
        points(row.quantity),
        row.channel,
        row.unit,
        row.fields,
    )


def _card(connection: sa.Connection, id: str) -> str | None:
    """The number of the card that stands for this one by now; None where it is gone."""
    pools = Pools(connection, [id])
    return pools.holders[pools.own(id)].number if id in pools.holders else None
