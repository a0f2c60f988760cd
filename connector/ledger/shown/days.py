"""The turn of the day: points vest, expire and come near their end without a posting.

Owns: the day that the shown balances stand on, and bringing them to another one.
Never does: changing what is right: the journal needs no job, only what is shown of it does.
Tested in: tests/unit/ledger/shown/test_days.py, tests/integration/test_shown_points.py.

A turn finds by index the lots that count for another figure than before, and works out their
balances, a page in each transaction, so its memory is bounded and tills go on between pages. Until
it has ended, `turned` is the day before it and `turning` its own: a row stands on the day written
in it if that is `turning`, on `turned` if not, whatever older day it bears, for nothing of it
changed since. A turn that was cut off is finished by the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

import sqlalchemy as sa

from connector.ledger.fields import fold
from connector.ledger.journal.amounts import points
from connector.ledger.journal.tables import LIVE, entries
from connector.ledger.journal.totals import SOON
from connector.ledger.ledger import Ledger
from connector.ledger.programs.standing import restate, restate_all
from connector.ledger.schema import CARDS, REWARD_POINTS, EntityType
from connector.ledger.segments.marking import refresh
from connector.ledger.shown.entities import CARD_TIERS
from connector.ledger.shown.sheet import Sheet
from connector.ledger.shown.standing import standing
from connector.ledger.shown.tables import shown_days
from connector.ledger.shown.touched import Account
from connector.ledger.sql import rows_in

PAGE = 5_000
"""Lots, or accounts, of one transaction."""
BY = "turn of the day"
"""Who changed what a turn changes."""

_E = entries.c
Place: TypeAlias = tuple[Any, ...]
Page: TypeAlias = Callable[[sa.Connection, Place | None], list[Place]]
"""Rows that end with the ids of card and kind and begin with their place in an order."""


class Expired(NamedTuple):
    """What nobody spent in time, of one kind."""

    kind: str
    points: Decimal
    lots: int
    cards: int


class Turned(NamedTuple):
    """What a turn did: balances, tiers and marks of segments that show something else since."""

    since: date | None
    """The day that was shown before; None where nothing was."""
    day: date
    balances: int
    tiers: int
    marks: int


def expired(connection: sa.Connection, since: date | None, until: date) -> list[Expired]:
    """What expired after it could still be spent on `since`, and cannot on `until`."""
    name = REWARD_POINTS.table.c.reward_point_id
    count = sa.func.count
    query = (
        sa.select(name, sa.func.sum(_E.remaining), count(), count(_E.card.distinct()))
        .join(REWARD_POINTS.table, REWARD_POINTS.table.c.id == _E.kind)
        .where(LIVE, _E.expires < until, *([] if since is None else [_E.expires >= since]))
        .group_by(name)
        .order_by(name)
    )
    rows = connection.execute(query)
    return [Expired(kind, points(int(units)), lots, cards) for kind, units, lots, cards in rows]


def keep_up(ledger: Ledger, entity: EntityType) -> None:
    """Turn the day before `entity` is read, if a new one has begun and it depends on the day.

    Costs nothing where this ledger object has seen today turned already.
    """
    if entity.read_only and not entity.append_only and ledger.turned_to != ledger.today():
        turn_days(ledger)


def turn_days(ledger: Ledger, day: date | None = None) -> Turned:
    """Show everything as it is on `day`, today if None; nothing to do where it is shown already.

    Any number of processes may do so at once. Days do not turn back.
    """
    day = day or ledger.today()
    first, balances, tiers, marks = True, 0, 0, 0
    since: date | None = None
    while (turn := _begun(ledger, day)) is not None:
        if first:
            since, first = turn.turned, False
        for page in _pages(turn):
            balances += _work_out(ledger, turn, page)
        tiers += restate_all(ledger, BY) if turn.turned is None else _lapse(ledger, turn)
        # They ask the journal as of the day, so a later turn finds what a crash left undone.
        marked = refresh(ledger, turn.turning, by=BY)
        marks += sum(one.added + one.removed + one.renamed for one in marked)
        _end(ledger, turn)
    if day == ledger.today():
        ledger.turned_to = day
    return Turned(day if first else since, day, balances, tiers, marks)


class _Turn(NamedTuple):
    turned: date | None
    turning: date

    def goes_on(self, connection: sa.Connection) -> bool:
        """Whether nobody else ended it meanwhile."""
        return standing(connection) == (self.turned, self.turning)


def _begun(ledger: Ledger, day: date) -> _Turn | None:
    """The turn to be done next, one that was cut off first; None if there is nothing to do."""
    with ledger.reading() as connection:
        now = standing(connection)
    if now.turned is not None and now.turned == now.turning and now.turned >= day:
        return None
    with ledger.writing(BY) as transaction:
        connection = transaction.connection
        now = standing(connection)
        if now.turning is not None and now.turned != now.turning:
            return _Turn(now.turned, now.turning)
        if now.turning is not None and now.turning >= day:
            return None
        if now.turning is None:
            connection.execute(sa.delete(shown_days))
            connection.execute(sa.insert(shown_days), [{"singleton": 1, "turning": day}])
        else:
            connection.execute(sa.update(shown_days).values(turning=day))
        return _Turn(now.turned, day)


def _end(ledger: Ledger, turn: _Turn) -> None:
    with ledger.writing(BY) as transaction:
        if turn.goes_on(transaction.connection):
            transaction.connection.execute(sa.update(shown_days).values(turned=turn.turning))


# ---------------------------------------------------------------------------- balances


def _pages(turn: _Turn) -> Iterator[Page]:
    """The ways to all accounts whose balance is another one on the new day."""
    before, day = turn
    if before is None:
        yield _accounts
        return
    # A lot that vests, one whose last day is past, one that comes near its last day.
    yield _lots(_E.starts, _E.starts > before, _E.starts <= day)
    yield _lots(_E.expires, _E.expires >= before, _E.expires < day)
    near = timedelta(SOON)
    yield _lots(_E.expires, _E.expires > before + near, _E.expires <= day + near)


def _lots(by: sa.Column[Any], *where: sa.ColumnElement[bool]) -> Page:
    query = sa.select(by, _E.number, _E.card, _E.kind).where(LIVE, *where)
    return _paged(query, [by, _E.number])


def _paged(query: sa.Select[Any], order: list[sa.Column[Any]]) -> Page:
    def page(connection: sa.Connection, after: Place | None) -> list[Place]:
        rest = query.order_by(*order).limit(PAGE)
        if after is not None:
            rest = rest.where(sa.tuple_(*order) > sa.tuple_(*after[: len(order)]))
        return [tuple(row) for row in connection.execute(rest)]

    return page


_accounts = _paged(sa.select(_E.card, _E.kind).distinct(), [_E.card, _E.kind])


def _work_out(ledger: Ledger, turn: _Turn, page: Page) -> int:
    changed = 0
    after: Place | None = None
    while True:
        with ledger.writing(BY) as transaction:
            connection = transaction.connection
            if not turn.goes_on(connection):
                return changed
            rows = page(connection, after)
            accounts: dict[Account, None] = {(row[-2], row[-1]): None for row in rows}
            changed += Sheet(transaction, turn.turning).work_out(accounts)
        if len(rows) < PAGE:
            return changed
        after = rows[-1]


# ---------------------------------------------------------------------------- tiers


def _lapse(ledger: Ledger, turn: _Turn) -> int:
    """Tiers that are different by now though nothing was posted; how many."""
    tier, card = CARD_TIERS.table.c, CARDS.table.c
    order = [tier.next_change, tier.id]
    due = sa.select(*order, tier.card_number).where(tier.next_change <= turn.turning)
    page, changed = _paged(due, order), 0
    after: Place | None = None
    while True:
        with ledger.writing(BY) as transaction:
            connection = transaction.connection
            if not turn.goes_on(connection):
                return changed
            rows = page(connection, after)
            keys = [fold(number) for *_, number in rows]
            ids = [row[0] for row in rows_in(connection, [card.id], card.key, keys)]
            changed += restate(transaction, ids)
        if len(rows) < PAGE:
            return changed
        after = rows[-1]
