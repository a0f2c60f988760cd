"""Points that a payment gives back: to the lots they were drawn from.

Owns: the postings that do so, and the entries they refer to.
Never does: deciding whether something comes back (`payments.py`, `lapsing.py`, `refunds.py`).
Tested in: tests/unit/ledger/payments/test_payments.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal

import sqlalchemy as sa

from connector.ledger.fields import fold
from connector.ledger.journal.amounts import points
from connector.ledger.journal.journal import post_within
from connector.ledger.journal.keys import PAYMENT
from connector.ledger.journal.posting import EntryType, GiveBack, Posted, Posting, Refused
from connector.ledger.journal.tables import entries
from connector.ledger.ledger import WriteTransaction
from connector.ledger.payments.book import Held
from connector.ledger.schema import REWARD_POINTS
from connector.ledger.sql import rows_in


@dataclass(frozen=True, slots=True)
class Return:
    """A payment `before` and `after` part of it came back; `name` is unique within the payment."""

    before: Held
    after: Held
    name: str
    why: str


@dataclass(slots=True)
class _Drawn:
    """An entry of a payment, and the points it still holds."""

    entry: int
    kind: str
    points: Decimal


def give_back(
    transaction: WriteTransaction, returns: Sequence[Return], zone: tzinfo
) -> list[Posted | None]:
    """Post what comes back, one posting for each return; None where no point moves."""
    moving = [one.before.posting for one in returns if one.before.shares != one.after.shares]
    if not moving:
        return [None] * len(returns)
    drawn = _drawn(transaction.connection, moving)
    postings = [_posting(one, drawn.get(one.before.posting, ())) for one in returns]
    results = post_within(transaction, [one for one in postings if one is not None], zone)
    posted: list[Posted] = []
    for result in results:
        if isinstance(result, Refused):
            raise result.error
        posted.append(result)
    following = iter(posted)
    return [None if one is None else next(following) for one in postings]


def _posting(one: Return, drawn: Sequence[_Drawn]) -> Posting | None:
    lines: list[GiveBack] = []
    for before, after in zip(one.before.shares, one.after.shares, strict=True):
        left = before.points - after.points
        # A card that pools drew from several: the last one gets its points back first.
        for source in reversed([d for d in drawn if d.kind == fold(before.rule.kind)]):
            part = min(left, source.points)
            if part > 0:
                lines.append(GiveBack(source.entry, part, one.why))
                source.points -= part
                left -= part
        assert left == 0, "what a payment holds was drawn by its entries"
    if not lines:
        return None
    payment = one.before
    return Posting(
        f"{PAYMENT}{payment.number}:{one.name}",
        tuple(lines),
        source={"payment": str(payment.number)},
        sale=payment.order,
    )


def _drawn(connection: sa.Connection, postings: Sequence[int]) -> dict[int, list[_Drawn]]:
    """By posting, the entries that took points, less what came back to them."""
    e, kind = entries.c, REWARD_POINTS.table.c
    backs = entries.alias("backs")
    came = (
        sa.select(sa.func.coalesce(sa.func.sum(backs.c.asked), 0))
        .where(backs.c.source == e.number, backs.c.type == EntryType.REFUND)
        .scalar_subquery()
    )
    columns = [e.posting, e.number, kind.key, -e.units - came]
    of_kind = (kind.id == e.kind, e.type == EntryType.REDEEM)
    drawn: dict[int, list[_Drawn]] = {number: [] for number in postings}
    found = rows_in(connection, columns, e.posting, postings, *of_kind)
    for posting, *row in sorted(map(tuple, found)):
        drawn[posting].append(_Drawn(row[0], row[1], points(int(row[2]))))
    return drawn
