"""What is shown of a card or a kind that gets another name, or of a card that goes.

Owns: carrying the names over: balances, tiers and segments stand under new keys.
Never does: deciding whether a card may be renamed or deleted (`batch.py`).
Tested in: tests/unit/ledger/shown/test_names.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from connector.ledger.operations import Insert, Operation, Remove
from connector.ledger.schema import CARDS, EntityType
from connector.ledger.shown.entities import CARD_SEGMENTS, CARD_TIERS, POINT_BALANCES, joined
from connector.ledger.shown.sheet import Sheet
from connector.ledger.shown.touched import Account
from connector.ledger.sql import rows_in

if TYPE_CHECKING:
    from connector.ledger.ledger import WriteTransaction

PAGE = 1_000
"""Balances that are renamed at a time: a kind may be on every card."""
_OF_CARDS: tuple[tuple[EntityType, int], ...] = ((CARD_TIERS, 2), (CARD_SEGMENTS, 2))
"""Entities with a row per card and something else, and the place of its name."""
_BALANCE = POINT_BALANCES.table.c


def carry_over(transaction: WriteTransaction) -> None:
    """Show tiers and segments under the names the transaction leaves behind."""
    names = transaction.touched.names
    now = _numbers(transaction.connection, names)
    before = {old: now[id_] for id_, old in names.items() if id_ in now}
    for entity, place in _OF_CARDS:
        _move_rows(transaction, entity, place, before)


def carry_over_balances(transaction: WriteTransaction, sheet: Sheet) -> None:
    """The same with balances."""
    for accounts in _accounts(transaction.connection, list(transaction.touched.names)):
        sheet.rename(accounts)


def _accounts(connection: sa.Connection, ids: list[str]) -> Iterator[Collection[Account]]:
    """The accounts of these cards and kinds, page by page in the order of their ids."""
    columns = [_BALANCE.card, _BALANCE.kind]
    mine = sa.or_(_BALANCE.card.in_(ids), _BALANCE.kind.in_(ids))
    query = sa.select(*columns).where(mine).order_by(*columns).limit(PAGE)
    after: sa.ColumnElement[bool] = sa.true()
    while page := connection.execute(query.where(after)).fetchall():
        yield [(card, kind) for card, kind in page]
        after = sa.tuple_(*columns) > sa.tuple_(*page[-1])


def _numbers(connection: sa.Connection, names: Collection[str]) -> dict[str, str]:
    """The numbers that those of them have now that are cards."""
    card = CARDS.table.c
    rows = rows_in(connection, [card.id, card.card_number], card.id, list(names))
    return {row[0]: row[1] for row in rows}


def _move_rows(
    transaction: WriteTransaction, entity: EntityType, place: int, before: dict[str, str]
) -> None:
    """Rows of renamed cards under their new keys, none of cards that are gone.

    `before` is number to new number, `place` that of the other part of the key.
    """
    table = entity.table.c
    columns: list[sa.ColumnElement[Any]] = [table.id, *(table[one.column] for one in entity.fields)]
    numbers = [*before, *(transaction.touched.gone - before.keys())]
    removed: list[Operation] = []
    added: list[Operation] = []
    for row_id, *values in rows_in(transaction.connection, columns, table.card_number, numbers):
        removed.append(Remove(row_id, None))
        number = before.get(values[1])
        if number is not None:
            values[:2] = joined(number, values[place]), number
            given = dict(zip(entity.names, values, strict=True))
            added.append(Insert(transaction.new_id(), given))
    if removed:
        transaction.apply(entity, [*removed, *added])
