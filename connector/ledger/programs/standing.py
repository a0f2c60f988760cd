"""The tiers of cards, worked out from the journal.

Owns: which points count for whom, and bringing the rows of card tiers up to date.
Never does: the arithmetic of tiers (`tiers.py`); noticing when it is to be done.
Tested in: tests/unit/ledger/programs/test_standing.py.

What was earned counts, on the day it was earned, less what returns took back of it; so does an
adjustment whose author says so. Any other, and what people gave away or received, does not: a tier
is what a customer bought for. A card that was replaced counts for the one that stands for it now.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import sqlalchemy as sa

from connector.ledger.fields import fold
from connector.ledger.journal.posting import EntryType
from connector.ledger.journal.tables import entries, postings
from connector.ledger.members.member import Member
from connector.ledger.members.tables import card_programs
from connector.ledger.operations import Done, Operation, Remove, Upsert
from connector.ledger.programs.book import Program, Programs
from connector.ledger.programs.gifts import give_for_tiers
from connector.ledger.programs.lookup import Lookup
from connector.ledger.programs.pools import Pools
from connector.ledger.programs.store import load
from connector.ledger.programs.tiers import Daily, Standing, reach, standing
from connector.ledger.schema import CARDS, REWARD_POINTS
from connector.ledger.shown.entities import CARD_TIERS, joined

if TYPE_CHECKING:
    from connector.ledger.ledger import Ledger, WriteTransaction

_AT_ONCE = 400
"""Cards worked out together; with each come all it counts with."""
_TIER = CARD_TIERS.table.c
_SHOWN = Lookup(
    sa.select(
        *(_TIER.card_number, _TIER.program, _TIER.id),
        *(_TIER.tier, _TIER.level, _TIER.valid_from),
    ),
    _TIER.card_number,
)
_JOINED = Lookup(sa.select(card_programs.c.card, card_programs.c.program), card_programs.c.card)
_KIND = REWARD_POINTS.table.c
_COUNTED = (
    _KIND.id == entries.c.kind,
    _KIND.key.in_(sa.bindparam("kinds", expanding=True)),
    postings.c.at >= sa.bindparam("since"),
)
_EARNED = Lookup(
    sa.select(entries.c.card, _KIND.key, postings.c.at, entries.c.units).where(
        sa.or_(
            entries.c.type == EntryType.EARN,
            sa.and_(entries.c.type == EntryType.ADJUST, entries.c.for_tiers),
        ),
        postings.c.number == entries.c.posting,
        *_COUNTED,
    ),
    entries.c.card,
)
_ORIGIN = entries.alias("origin")
_RETURNED = Lookup(
    sa.select(_ORIGIN.c.card, _KIND.key, postings.c.at, entries.c.asked).where(
        entries.c.type == EntryType.RETURN_EARNED,
        _ORIGIN.c.number == entries.c.source,
        postings.c.number == _ORIGIN.c.posting,
        *_COUNTED,
    ),
    entries.c.card,
)
"""Returns are found by the card they were taken from, and count for the one that had earned."""
_SIDES = timedelta(days=1)
"""A day begins up to so much before or after it does in UTC."""


class Reached(NamedTuple):
    """A card came into a tier above the one it had."""

    card: str
    """Its id."""
    number: str
    program: str
    tier: str


Told: TypeAlias = Callable[[Sequence[Reached]], object]
"""Whoever is told who rose."""


class _Row(NamedTuple):
    """What is shown of a card in a program so far."""

    id: str
    tier: str | None
    level: int
    since: date | None


def restate(
    transaction: WriteTransaction,
    cards: Collection[str] | None = None,
    reached: Told | None = None,
) -> int:
    """Bring the tiers of these cards up to date, and of all they count with; how many changed.

    `cards` are ids, None for every card; any number of them takes the same memory. `reached` is
    told, within the transaction, who came into a higher tier; so are extensions, and what they give
    may raise a card further.
    """
    programs = load(transaction.connection)
    if cards is not None and not programs.tiered:
        return 0
    batches = _batches(transaction.connection, cards)
    return sum(_restated(transaction, programs, some, reached) for some in batches)


def restate_all(ledger: Ledger, by: str, reached: Told | None = None) -> int:
    """The same for every card, some at a time, so that sales go on meanwhile."""
    with ledger.reading() as connection:
        some = _after(connection, "")
    changed = 0
    while some:
        with ledger.writing(by) as transaction:
            programs = load(transaction.connection)
            changed += _restated(transaction, programs, some, reached)
            some = _after(transaction.connection, some[-1])
    return changed


def _restated(
    transaction: WriteTransaction,
    programs: Programs,
    cards: Collection[str],
    reached: Told | None,
) -> int:
    """Some cards; those that are given something for a tier are looked at once more."""
    changed = 0
    while cards:
        written, rises = _Restating(transaction, programs, cards).done()
        changed += written
        if rises and reached is not None:
            reached(rises)
        cards = give_for_tiers(transaction, programs, rises)
    return changed


def _batches(connection: sa.Connection, cards: Collection[str] | None) -> Iterator[Sequence[str]]:
    if cards is not None:
        wanted = sorted(set(cards))
        for start in range(0, len(wanted), _AT_ONCE):
            yield wanted[start : start + _AT_ONCE]
        return
    some = _after(connection, "")
    while some:
        yield some
        some = _after(connection, some[-1])


def _after(connection: sa.Connection, card: str) -> Sequence[str]:
    """The next cards of all, in the order of their ids."""
    id = CARDS.table.c.id
    query = sa.select(id).where(id > card).order_by(id).limit(_AT_ONCE)
    return list(connection.scalars(query))


class _Restating:
    """One batch of cards."""

    def __init__(
        self, transaction: WriteTransaction, programs: Programs, cards: Collection[str]
    ) -> None:
        self._transaction = transaction
        self._connection = transaction.connection
        self._today = transaction.at.astimezone(transaction.zone).date()
        self._programs = [one for one in programs.programs if one.document.tiers]
        self._pools = Pools(self._connection, cards)
        self._holders = self._pools.holders
        self._members = self._who()
        self._rows = self._shown()

    def done(self) -> tuple[int, list[Reached]]:
        """Write what changed: how many rows, and who came into a higher tier."""
        operations: list[Operation] = []
        rises: list[Reached] = []
        obsolete = dict(self._rows)
        levels: dict[tuple[str, str], int] = {}
        for (card, name), row in self._rows.items():
            at = (self._pools.own(card), name)
            levels[at] = max(row.level, levels.get(at, 0))
        earned = self._earned()
        for program in self._programs:
            pool = self._pools.shared if program.document.pooled else self._pools.own
            pools = _pooled(earned, pool)
            for card, member in self._members.items():
                at = (card, program.document.program)
                daily = pools.get(pool(card), {})
                if not self._is_shown(program, member, daily, at in self._rows):
                    continue
                before = obsolete.pop(at, None)
                found = standing(program.document.tiers, daily, self._today)
                operations.append(Upsert(_values(program, member.card, found, before)))
                # A card that stands for another one does not reach what that one had.
                stood = levels.get((self._pools.own(card), at[1]), 0)
                if found.tier is not None and found.tier.level > stood:
                    rises.append(Reached(card, member.card, at[1], found.tier.tier))
        operations += [Remove(row.id, None) for row in obsolete.values()]
        results = self._transaction.apply(CARD_TIERS, operations)
        written = sum(not isinstance(one, Done) or one.effect != "unchanged" for one in results)
        return written, rises

    @staticmethod
    def _is_shown(program: Program, member: Member, daily: Daily, was: bool) -> bool:
        """A program that is for all is shown on the cards for which anything counts."""
        if not program.offering.open_to(member):
            return False
        return was or bool(daily) or program.document.program in member.programs

    def _shown(self) -> dict[tuple[str, str], _Row]:
        """What is shown of these cards, by card id and program."""
        ids = {one.number: one.id for one in self._holders.values()}
        return {
            (ids[number], program): _Row(id, tier, level or 0, since)
            for number, program, id, tier, level, since in _SHOWN.rows(self._connection, ids)
        }

    def _who(self) -> dict[str, Member]:
        """What programs ask of who takes part, by card id."""
        joins: dict[str, set[str]] = {}
        for card, program in _JOINED.rows(self._connection, self._holders):
            joins.setdefault(card, set()).add(program)
        return {
            one.id: Member(one.number, one.party, programs=frozenset(joins.get(one.id, ())))
            for one in self._holders.values()
        }

    def _earned(self) -> Mapping[str, Mapping[str, Mapping[date, int]]]:
        """By card and folded kind, ten-thousandths by the day they were earned on."""
        tiers = [tier for one in self._programs for tier in one.document.tiers]
        first = max(reach(tiers, self._today) or date.min, date.min + _SIDES)
        asked = {"kinds": list({fold(tier.kind) for tier in tiers})}
        since = datetime.combine(first - _SIDES, time())
        found: dict[str, dict[str, dict[date, int]]] = {}
        for lookup in (_EARNED, _RETURNED) if tiers else ():
            rows = lookup.rows(self._connection, self._holders, since=since, **asked)
            for card, kind, at, units in rows:
                day = at.replace(tzinfo=UTC).astimezone(self._transaction.zone).date()
                days = found.setdefault(card, {}).setdefault(kind, {})
                days[day] = days.get(day, 0) + units
        return found


def _pooled(
    earned: Mapping[str, Mapping[str, Mapping[date, int]]], pool: Callable[[str], str]
) -> dict[str, Daily]:
    """What counts for each pool: all its cards together, the oldest day first."""
    sums: dict[str, dict[str, dict[date, int]]] = {}
    for card, kinds in earned.items():
        for kind, days in kinds.items():
            into = sums.setdefault(pool(card), {}).setdefault(kind, {})
            for day, units in days.items():
                into[day] = into.get(day, 0) + units
    return {
        name: {kind: sorted(days.items()) for kind, days in kinds.items()}
        for name, kinds in sums.items()
    }


def _values(program: Program, card: str, found: Standing, before: _Row | None) -> dict[str, object]:
    """The row of a card in a program."""
    document, tier = program.document, found.tier
    since = found.since
    if tier is not None and before is not None and before.tier == tier.tier and before.since:
        since = min(before.since, found.since or before.since)
    return {
        "CardTierId": joined(card, document.program),
        "CardNumber": card,
        "Program": document.program,
        "ProgramTitle": document.title or document.program,
        "Tier": None if tier is None else tier.tier,
        "Level": None if tier is None else tier.level,
        "ValidFrom": since,
        "ValidTo": found.until,
        "Points": found.have,
        "NextTier": None if found.next is None else found.next.tier,
        "PointsToNext": found.missing,
        "NextChange": found.changes,
    }
