"""Posting what extensions give, each once.

Owns: the postings of gifts, and telling extensions of tiers.
Never does: deciding what is given (`extensions.py`).
Tested in: tests/unit/ledger/programs/test_gifts.py.

A gift has a posting of its own, named after what it is given once for, in the transaction of what
led to it: both happen or neither does, and a replay finds it there. It is no part of the sale, so
the return of goods leaves it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, NamedTuple

from connector.errors import ConfigError, RecordError
from connector.ledger.journal.journal import post_within
from connector.ledger.journal.keys import GIFT
from connector.ledger.journal.posting import Earn, Posted, Posting
from connector.ledger.journal.tables import postings
from connector.ledger.members.facts import facts
from connector.ledger.programs.extensions import TierReached
from connector.ledger.programs.occasion import Earned
from connector.ledger.programs.owing import TIER, Debt, Owed, note
from connector.ledger.sql import rows_in

if TYPE_CHECKING:
    from connector.ledger.ledger import WriteTransaction
    from connector.ledger.members.member import Member
    from connector.ledger.programs.book import Program, Programs
    from connector.ledger.programs.rounding import PointKind
    from connector.ledger.programs.standing import Reached


class Given(NamedTuple):
    """What an extension gives a card for something that happened."""

    card: str
    """Its number."""
    earned: Earned
    at: datetime
    source: Mapping[str, str]
    """What happened, for the posting."""
    sale: str | None = None
    """The number of the sale it is given for."""


def give(transaction: WriteTransaction, gifts: Iterable[Given], zone: tzinfo) -> list[Posted]:
    """Post what was not given before; a card that may not earn gets nothing.

    Of several under one name the first is given.
    """
    wanted: dict[str, Given] = {}
    for one in gifts:
        wanted.setdefault(f"{GIFT}{one.earned.once}", one)
    known = rows_in(transaction.connection, [postings.c.key], postings.c.key, list(wanted))
    for row in list(known):
        del wanted[row[0]]
    if not wanted:
        return []
    new = [_posting(key, one) for key, one in wanted.items()]
    posted: list[Posted] = []
    for result in post_within(transaction, new, zone):
        if isinstance(result, Posted):
            posted.append(result)
        elif result.error.code != "card-blocked":
            raise result.error
    return posted


def give_for_tiers(
    transaction: WriteTransaction, programs: Programs, rises: Sequence[Reached]
) -> set[str]:
    """Tell the extensions of each program who rose in it, and post what they give.

    The ids of the cards that got something: it may raise them again.
    """
    using = {one.document.program: one for one in programs.programs if one.extensions}
    # What a customer gets once goes to the card that made them rise.
    moved = transaction.touched.cards
    concerned = sorted(
        (one for one in rises if one.program in using),
        key=lambda one: (one.card not in moved, one.number),
    )
    if not concerned:
        return set()
    members = facts(transaction.connection, [one.card for one in concerned])
    at = transaction.at.astimezone(transaction.zone)
    ids = {members[one.card].card: one.card for one in concerned}
    gifts: list[Given] = []
    for one in concerned:
        program, member = using[one.program], members[one.card]
        reached = TierReached(one.number, one.program, one.tier, at)
        try:
            gifts += for_tier(program, reached, member, programs.kinds)
        except (ConfigError, RecordError) as error:
            owed = Debt(TIER, one.card, Owed.by(program, error), member, at, one.tier)
            note(transaction.connection, [owed])
    posted = give(transaction, gifts, transaction.zone)
    return {ids[entry.card] for result in posted for entry in result.entries if entry.card in ids}


def for_tier(
    program: Program, reached: TierReached, member: Member, kinds: Mapping[str, PointKind]
) -> list[Given]:
    """What the extensions of a program give a card for its tier.

    Raises RecordError `extension-failed`, and ConfigError as `extensions.load`.
    """
    source = {"program": reached.program, "tier": reached.tier}
    found = program.extensions.gifts(reached, member, kinds)
    return [Given(reached.card, one, reached.at, source) for one in found]


def _posting(key: str, one: Given) -> Posting:
    earned = one.earned
    rule = f"{earned.program}/{earned.rule}@{earned.version}"
    line = Earn(one.card, earned.kind, earned.points, earned.why, rule, earned.months)
    return Posting(key, (line,), one.at, source=one.source, sale=one.sale)
