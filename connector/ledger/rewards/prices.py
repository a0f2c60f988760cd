"""Products with a price in points.

Owns: these prices, and which one holds on a day.
Never does: paying with them (`checkout.py`).
Tested in: tests/unit/ledger/rewards/test_prices.py.

A product may have a price in several kinds of points. Of two prices in one kind that both hold on
a day, the one that began later counts: a price that is to change needs no end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple, TypeAlias

import sqlalchemy as sa

from connector.errors import RecordError, Subject
from connector.ledger.fields import fold
from connector.ledger.journal.amounts import points, units
from connector.ledger.ledger import WriteTransaction
from connector.ledger.rewards.tables import NAME_LENGTH, prices
from connector.ledger.schema import REWARD_POINTS
from connector.ledger.sql import rows_in

_P = prices.c
_KIND = REWARD_POINTS.table.c


class Price(NamedTuple):
    """What one piece of a product costs, from the first to the last day, both included."""

    product: str
    kind: str
    points: Decimal
    first: date | None
    last: date | None

    def holds(self, on: date) -> bool:
        """Whether it counts on a day."""
        return (self.first or on) <= on <= (self.last or on)


Prices: TypeAlias = Mapping[tuple[str, str], Price]
"""By folded product and folded kind."""

_COLUMNS = (_P.product, _KIND.reward_point_id, _P.units, _P.valid_from, _P.valid_until)


def put(transaction: WriteTransaction, price: Price) -> Price:
    """A price from now on, in place of one that begins on the same day; as the ledger spells it.

    Raises RecordError: `point-kind-unknown`, `points-invalid`, `points-fractional`,
    `price-invalid`.
    """
    connection = transaction.connection
    columns = [_KIND.id, _KIND.reward_point_id, _KIND.reward_point_type]
    kind = connection.execute(
        sa.select(*columns).where(_KIND.key == fold(price.kind))
    ).one_or_none()
    if kind is None:
        raise RecordError(
            "point-kind-unknown",
            f"the ledger has no kind of points '{price.kind}'",
            remedy="`dualwrite ledger list --entity reward-points` shows what there is; `dualwrite "
            f"ledger set {price.kind} RewardPointType=Quantity Redeemable=Yes --create --entity "
            "reward-points` makes it",
            subject=Subject(field="kind"),
        )
    cost = units(price.points, whole=kind.reward_point_type == "Quantity")
    _check(price, cost)
    same = [_P.key == fold(price.product), _P.kind == kind.id, _same(price.first)]
    connection.execute(sa.delete(prices).where(*same))
    last = connection.scalar(sa.select(sa.func.max(_P.number)))
    row = {
        "number": int(last or 0) + 1,
        "product": price.product,
        "key": fold(price.product),
        "kind": kind.id,
        "units": cost,
        "valid_from": price.first,
        "valid_until": price.last,
        "at": transaction.feed.stored_at,
        "by": transaction.by,
    }
    connection.execute(sa.insert(prices), [row])
    return price._replace(kind=kind.reward_point_id, points=points(cost))


def drop(transaction: WriteTransaction, product: str, kind: str | None = None) -> int:
    """Take a product's prices away, in one kind or in all; how many there were."""
    where = [_P.key == fold(product)]
    if kind is not None:
        where.append(_P.kind.in_(sa.select(_KIND.id).where(_KIND.key == fold(kind))))
    return transaction.connection.execute(sa.delete(prices).where(*where)).rowcount


def listed(
    connection: sa.Connection, product: str | None = None, on: date | None = None
) -> list[Price]:
    """All prices, of one product or of all, or only those that count on a day."""
    query = sa.select(*_COLUMNS).join(REWARD_POINTS.table, _KIND.id == _P.kind)
    if product is not None:
        query = query.where(_P.key == fold(product))
    found = [_price(row) for row in connection.execute(query.order_by(_P.key, _KIND.key))]
    if on is not None:
        return list(_in_force(found, on).values())
    return sorted(found, key=lambda one: (fold(one.product), fold(one.kind), _begin(one)))


def on_day(connection: sa.Connection, products: Iterable[str], on: date) -> Prices:
    """What these products cost on a day."""
    keys = list({fold(one) for one in products})
    joined = _KIND.id == _P.kind
    return _in_force(
        (_price(row) for row in rows_in(connection, _COLUMNS, _P.key, keys, joined)), on
    )


def _in_force(found: Iterable[Price], on: date) -> dict[tuple[str, str], Price]:
    by_begin = sorted((one for one in found if one.holds(on)), key=_begin)
    return {(fold(one.product), fold(one.kind)): one for one in by_begin}


def _price(row: Iterable[object]) -> Price:
    product, kind, cost, first, last = row
    assert isinstance(cost, int)
    return Price(product, kind, points(cost), first, last)  # type: ignore[arg-type]


def _begin(price: Price) -> date:
    return price.first or date.min


def _same(first: date | None) -> sa.ColumnElement[bool]:
    return _P.valid_from.is_(None) if first is None else _P.valid_from == first


def _check(price: Price, cost: int) -> None:
    wrong = None
    if not price.product.strip() or len(price.product) > NAME_LENGTH:
        wrong = f"a product has a name of 1 to {NAME_LENGTH} characters"
    elif cost <= 0:
        wrong = "a price is above 0"
    elif price.first is not None and price.last is not None and price.last < price.first:
        wrong = f"it ends on {price.last}, before it begins on {price.first}"
    if wrong is not None:
        raise RecordError(
            "price-invalid",
            f"this is no price in points: {wrong}",
            remedy="correct it; `dualwrite ledger rewards price PRODUCT --remove` takes one away",
            subject=Subject(field="price"),
        )
