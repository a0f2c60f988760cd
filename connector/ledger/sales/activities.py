"""Posting an activity other than a sale within a transaction.

Owns: the order of checks, the row of the activity.
Never does: opening the transaction (`till.py`), working out what is earned (`terms.py`).
Tested in: tests/unit/ledger/sales/test_activities.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import tzinfo

import sqlalchemy as sa

from connector.ledger.fields import fold
from connector.ledger.journal.journal import post_within, require_not_ahead
from connector.ledger.journal.keys import ACTIVITY as KEY
from connector.ledger.journal.posting import Posted, Posting, Refused
from connector.ledger.journal.statements import entries_of_postings
from connector.ledger.ledger import WriteTransaction
from connector.ledger.members.facts import facts
from connector.ledger.programs.gifts import give
from connector.ledger.programs.occasion import Activity, Earned
from connector.ledger.programs.owing import ACTIVITY, Debt, Owing, note
from connector.ledger.sales.buyers import Buyers
from connector.ledger.sales.checks import check_activity
from connector.ledger.sales.forms import activity_digest, activity_row
from connector.ledger.sales.receipt import Receipt
from connector.ledger.sales.selling import differs, earn_lines, given_for, parted, source_of
from connector.ledger.sales.tables import activities
from connector.ledger.sales.terms import TermsSource
from connector.ledger.schema import CARDS


def do(
    transaction: WriteTransaction, activity: Activity, zone: tzinfo, source: TermsSource
) -> Receipt:
    """Store the activity and post what it earns.

    Raises RecordError: `activity-differs`, and those of a sale.
    """
    check_activity(activity)
    require_not_ahead(activity.at, transaction.at)
    connection, activity = (
        transaction.connection,
        replace(activity, at=activity.at.astimezone(zone)),
    )
    digest = activity_digest(activity)
    known = _before(connection, activity, digest)
    if known is not None:
        return known
    buyers = Buyers(transaction)
    buyers.load([activity])
    buyer = buyers.of(activity)
    member = facts(connection, [buyer.id])[buyer.id]
    owing = Owing()
    earned, gifts = parted(source.current(connection).earned(activity, member, owing))
    posted = _posted(transaction, _postings(activity, buyer.number, earned), zone)
    given = give(transaction, given_for(activity, buyer.number, gifts), zone)
    number = None if posted is None else posted.number
    row = {**activity_row(activity, digest), "card": buyer.id, "posting": number}
    connection.execute(sa.insert(activities), [row])
    name = fold(activity.number)
    note(connection, (Debt(ACTIVITY, name, one, member, activity.at) for one in owing.owed))
    moved = [*([] if posted is None else [posted]), *given]
    entries = tuple(entry for one in moved for entry in one.entries)
    return Receipt(activity.number, buyer.number, number, entries, owed=tuple(owing.owed))


def _before(connection: sa.Connection, activity: Activity, digest: str) -> Receipt | None:
    a, card = activities.c, CARDS.table.c
    query = (
        sa.select(a.number, a.digest, a.posting, card.card_number)
        .join(CARDS.table, card.id == a.card)
        .where(a.key == fold(activity.number))
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    if row.digest != digest:
        raise differs("activity", activity.number)
    entries = entries_of_postings(connection, [row.posting] if row.posting else [])
    return Receipt(
        row.number, row.card_number, row.posting, entries.get(row.posting, ()), repeated=True
    )


def _postings(activity: Activity, card: str, earned: Sequence[Earned]) -> list[Posting]:
    if not earned:
        return []
    key, source = f"{KEY}{activity.number}", source_of(activity)
    return [Posting(key, earn_lines(card, earned), activity.at, activity.activity, source)]


def _posted(
    transaction: WriteTransaction, wanted: Sequence[Posting], zone: tzinfo
) -> Posted | None:
    # Also with nothing to post: a clock set back is refused there.
    results = post_within(transaction, wanted, zone)
    for result in results:
        if isinstance(result, Refused):
            raise result.error
        return result
    return None
