"""The journal of an open ledger: posting, once and all or nothing.

Owns: the transaction of a batch of postings, idempotency keys, the order of numbers.
Never does: the rules of a line (`rules.py`), reading for people (`balances.py`, `statements.py`).
Tested in: tests/unit/ledger/journal/test_journal.py, tests/integration/test_journal_races.py.

Every writer of a ledger takes its write lock first (`feed.py`), so postings come one after the
other and a balance that was read stays true until the commit: nothing is ever overdrawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from connector.errors import RecordError, Subject
from connector.ledger.column_types import utc
from connector.ledger.fields import fold
from connector.ledger.journal.accounts import Accounts
from connector.ledger.journal.amounts import points
from connector.ledger.journal.books import Books, Draft
from connector.ledger.journal.keys import require_free
from connector.ledger.journal.posting import Entry, Posted, Posting, Refused, Result
from connector.ledger.journal.rules import enter
from connector.ledger.journal.statements import entries_of_postings
from connector.ledger.journal.tables import KEY_LENGTH, deductions, entries, postings
from connector.ledger.sql import rows_in

if TYPE_CHECKING:
    from connector.ledger.ledger import Ledger, WriteTransaction

FUTURE = timedelta(days=1)
"""How far ahead of the ledger's clock a posting may be dated: tills in other time zones."""
STEP = timedelta(minutes=5)
"""How far the clock may be behind the last posting: processes on machines that differ a little."""

_LAST_ENTRY = sa.select(sa.func.max(entries.c.number)).scalar_subquery()
_LAST = (
    sa.select(postings.c.number, postings.c.posted_at, _LAST_ENTRY.label("entry"))
    .order_by(postings.c.number.desc())
    .limit(1)
)
_INSERTS = {table: sa.insert(table) for table in (postings, entries, deductions)}
_TAKE = (
    sa.update(entries)
    .where(entries.c.number == sa.bindparam("lot"))
    .values(remaining=entries.c.remaining - sa.bindparam("taken"))
)


class Journal:
    """Points of one open ledger. `zone` says where days begin and end; the ledger's if None."""

    def __init__(self, ledger: Ledger, zone: tzinfo | None = None) -> None:
        self._ledger = ledger
        self._zone = zone

    def post(self, posting: Posting, *, by: str) -> Posted:
        """Post one; RecordError says why it cannot be."""
        (result,) = self.post_all([posting], by=by)
        if isinstance(result, Refused):
            raise result.error
        return result

    def post_all(self, wanted: Sequence[Posting], *, by: str) -> list[Result]:
        """Post several in one transaction; one result each, in order.

        A refused one leaves no trace and stops nobody; so is one under a key that the ledger
        gives itself (`keys.py`). Raises RecordError `clock-set-back`, before anything is posted,
        and UnreachableError.
        """
        own: dict[int, Result] = {}
        for place, one in enumerate(wanted):
            try:
                require_free(one.key)
            except RecordError as error:
                own[place] = Refused(error)
        free = [one for place, one in enumerate(wanted) if place not in own]
        with self._ledger.writing(by) as transaction:
            results = iter(post_within(transaction, free, self._zone))
        return [own.get(place) or next(results) for place in range(len(wanted))]


def post_within(
    transaction: WriteTransaction, wanted: Sequence[Posting], zone: tzinfo | None = None
) -> list[Result]:
    """As `Journal.post_all`, in a transaction that does something else as well."""
    return _Batch(transaction, wanted, zone or transaction.zone).carried_out()


def require_not_ahead(at: datetime, now: datetime) -> None:
    """Refuse what happened further ahead of the ledger's clock than tills may be.

    Raises RecordError `posting-ahead`.
    """
    if at > now + FUTURE:
        raise RecordError(
            "posting-ahead",
            f"a posting dated {at:%Y-%m-%d %H:%M} is ahead of the ledger's clock",
            cause=f"the clock says {now:%Y-%m-%d %H:%M} (UTC)",
            remedy="correct its date, or the clock of this machine",
        )


class _Batch:
    """The postings of one transaction."""

    def __init__(
        self, transaction: WriteTransaction, wanted: Sequence[Posting], zone: tzinfo
    ) -> None:
        self._connection = transaction.connection
        self._now = self._posted_at = transaction.at.astimezone(UTC)
        self._by = transaction.by
        self._wanted = wanted
        self._zone = zone
        self._posting, self._entry, self._latest = self._last()
        self._books = Books(self._next_entry)
        self._rows: dict[sa.Table, list[dict[str, Any]]] = {
            postings: [],
            entries: [],
            deductions: [],
        }
        self._touched: dict[int, int] = {}
        self._shown = transaction.touched

    def carried_out(self) -> list[Result]:
        """The results, stored."""
        self._refuse_older_clock()
        known = self._known()
        new = [one for one in self._wanted if one.key not in known]
        lines = [line for one in new for line in one.lines]
        Accounts(self._connection, self._books).load(lines, self._days(new))
        results: list[Result] = []
        for one in self._wanted:
            try:
                results.append(self._once(one, known))
            except RecordError as error:
                results.append(Refused(error))
        self._store()
        return results

    # ------------------------------------------------------------------ one posting

    def _once(self, one: Posting, known: dict[str, tuple[str, Posted]]) -> Posted:
        asked = one.digest()
        if one.key not in known:
            posted = self._posted(one, asked)
            known[one.key] = asked, posted._replace(repeated=True)
            return posted
        digest, posted = known[one.key]
        if digest != asked:
            raise RecordError(
                "posting-differs",
                f"something else was posted under the key '{one.key}'",
                remedy="use a key of its own for each posting, the same only to repeat it",
                subject=Subject(record=one.key),
            )
        return posted

    def _posted(self, one: Posting, digest: str) -> Posted:
        at = self._at(one)
        if not one.lines:
            raise RecordError(
                "posting-empty", "a posting without lines says nothing", remedy="give it a line"
            )
        if not one.key or len(one.key) > KEY_LENGTH:
            raise RecordError(
                "posting-key",
                f"a posting's key has 1 to {KEY_LENGTH} characters",
                remedy="use the receipt or order number, or another name that comes once",
            )
        before = self._entry
        try:
            drafts = enter(self._books, one.lines, self._day(at))
        except RecordError:
            self._entry = before
            raise
        self._posting += 1
        self._rows[postings].append(
            {
                "number": self._posting,
                "key": one.key,
                "digest": digest,
                "at": utc(at),
                "posted_at": utc(self._posted_at),
                "posted_by": self._by,
                "comment": one.comment,
                "source": dict(one.source),
                "sale": None if one.sale is None else fold(one.sale),
            }
        )
        return Posted(self._posting, tuple(self._entered(draft, one, at) for draft in drafts))

    def _entered(self, draft: Draft, one: Posting, at: datetime) -> Entry:
        number, lot = draft.number, draft.lot
        self._shown.enter(draft)
        self._rows[entries].append(
            {
                "number": number,
                "posting": self._posting,
                "type": draft.type.value,
                "card": draft.card.id,
                "kind": draft.kind.id,
                "units": draft.units,
                "asked": draft.asked,
                "remaining": None if lot is None else draft.units,
                "starts": None if lot is None else lot.starts,
                "expires": None if lot is None else lot.expires,
                "source": draft.source,
                "why": draft.why,
                "rule": draft.rule,
                "for_tiers": draft.for_tiers,
            }
        )
        for drawn, units in draft.draws:
            row = {"entry": number, "lot": drawn.entry, "units": units}
            self._rows[deductions].append(row)
            self._touched[drawn.entry] = self._touched.get(drawn.entry, 0) + units
        return Entry(
            number,
            self._posting,
            at,
            draft.type,
            draft.card.number,
            draft.kind.name,
            points(draft.units),
            points(draft.asked),
            None if lot is None else lot.starts,
            None if lot is None else lot.expires,
            draft.source,
            draft.why,
            draft.rule,
            None if one.sale is None else fold(one.sale),
        )

    def _at(self, one: Posting) -> datetime:
        at = self._now if one.at is None else one.at.astimezone(UTC)
        require_not_ahead(at, self._now)
        return at

    def _day(self, at: datetime) -> date:
        return at.astimezone(self._zone).date()

    def _days(self, wanted: Iterable[Posting]) -> set[date]:
        """The days of those that are not refused for being ahead."""
        moments = [self._now if one.at is None else one.at.astimezone(UTC) for one in wanted]
        return {self._day(at) for at in moments if at <= self._now + FUTURE}

    def _next_entry(self) -> int:
        self._entry += 1
        return self._entry

    # ------------------------------------------------------------------ the database

    def _last(self) -> tuple[int, int, datetime | None]:
        """The last posting and the last entry, and when they were made."""
        row = self._connection.execute(_LAST).one_or_none()
        if row is None:
            return 0, 0, None
        return row.number, row.entry or 0, row.posted_at.replace(tzinfo=UTC)

    def _refuse_older_clock(self) -> None:
        latest = self._latest
        if latest is None:
            return
        if latest > self._now + STEP:
            raise RecordError(
                "clock-set-back",
                f"the last posting was made at {latest:%Y-%m-%d %H:%M:%S}, which is yet to come",
                cause=f"the clock of this machine says {self._now:%Y-%m-%d %H:%M:%S} (UTC)",
                remedy="set the clock right; nothing was posted",
            )
        # Small steps back add up unnoticed if each is compared with the one before.
        self._posted_at = max(self._now, latest)

    def _known(self) -> dict[str, tuple[str, Posted]]:
        """Digest and answer of the postings that were made before, by key."""
        columns = [postings.c.key, postings.c.digest, postings.c.number]
        keys = [one.key for one in self._wanted]
        rows = list(rows_in(self._connection, columns, postings.c.key, keys))
        of = entries_of_postings(self._connection, [number for _, _, number in rows])
        return {
            key: (digest, Posted(number, of[number], repeated=True)) for key, digest, number in rows
        }

    def _store(self) -> None:
        execute = self._connection.execute
        for table, rows in self._rows.items():
            if rows:
                execute(_INSERTS[table], rows)
        if self._touched:
            lots = [{"lot": lot, "taken": units} for lot, units in self._touched.items()]
            execute(_TAKE, lots)
