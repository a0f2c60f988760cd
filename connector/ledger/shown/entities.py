"""What the ledger shows of points: balances, tiers and segments of cards, and the journal.

Owns: these entities, their fields and their keys.
Never does: running a statement (`settling.py`, `days.py`; tiers and segments are written by those
who work them out).
Tested in: tests/unit/ledger/shown/.

All of them are read-only for everybody outside. Each has `CardNumber`, and a key of its own: one
text, which any system can take as an alternate key.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import sqlalchemy as sa

from connector.ledger.corrections.entity import CORRECTIONS
from connector.ledger.fields import Field, Kind
from connector.ledger.schema import (
    CARDS,
    ID_LENGTH,
    REWARD_POINTS,
    EntityType,
    decimal,
    entity,
    number,
    text,
)
from connector.ledger.shown.transactions import CARD_NUMBER, KIND_NAME, POINT_ENTRIES

KEY_LENGTH = 300
"""Characters of a key of two parts, the longest of them spelled out."""
NAME_LENGTH = 64


def joined(card: str, other: str) -> str:
    """The key of what belongs to a card and to something else; no other two make the same."""
    return "/".join(one.replace("%", "%25").replace("/", "%2F") for one in (card, other))


POINT_BALANCES = entity(
    "LoyaltyPointBalances",
    "point-balances",
    "Balance of a card",
    "point_balances",
    (
        text("BalanceId", "balance_id", KEY_LENGTH, nullable=False),
        CARD_NUMBER,
        KIND_NAME,
        decimal("Available", "available", nullable=False),
        decimal("Unvested", "unvested", nullable=False),
        decimal("Expiring", "expiring", nullable=False),
        Field("NextExpiry", "next_expiry", Kind.DATE),
        decimal("Redeemed", "redeemed", nullable=False),
        decimal("Expired", "expired", nullable=False),
        decimal("Lifetime", "lifetime", nullable=False),
        decimal("Adjusted", "adjusted", nullable=False),
    ),
    sa.Column("card", sa.String(ID_LENGTH), sa.ForeignKey(CARDS.table.c.id), nullable=False),
    sa.Column(
        "kind",
        sa.String(ID_LENGTH),
        sa.ForeignKey(REWARD_POINTS.table.c.id),
        nullable=False,
        index=True,
    ),
    sa.Column("day", sa.Date, nullable=False),
    sa.UniqueConstraint("card", "kind"),
    read_only=True,
)
"""The points of one kind on one card; the figures are those of `journal/balances.py`. `day` is the
one they were last worked out for (`days.py`)."""

CARD_TIERS = entity(
    "LoyaltyCardTiers",
    "card-tiers",
    "Tier of a card",
    "card_tiers",
    (
        text("CardTierId", "card_tier_id", KEY_LENGTH, nullable=False),
        CARD_NUMBER,
        text("Program", "program", NAME_LENGTH, nullable=False),
        text("ProgramTitle", "program_title", 200),
        text("Tier", "tier", NAME_LENGTH),
        number("Level", "level"),
        Field("ValidFrom", "valid_from", Kind.DATE),
        Field("ValidTo", "valid_to", Kind.DATE),
        decimal("Points", "points"),
        text("NextTier", "next_tier", NAME_LENGTH),
        decimal("PointsToNext", "points_to_next"),
        Field("NextChange", "next_change", Kind.DATE),
    ),
    sa.Index("card_tiers_by_card", "card_number"),
    sa.Index("card_tiers_by_change", "next_change", "id"),
    read_only=True,
)
"""The tier a card holds in a program it takes part in. `Points` are those that count for tiers,
`NextTier` is the one above, which takes `PointsToNext` more. `NextChange` is the first day on which
any of this is different though nothing was posted."""

CARD_SEGMENTS = entity(
    "LoyaltyCardSegments",
    "card-segments",
    "Segment of a card",
    "card_segments",
    (
        text("CardSegmentId", "card_segment_id", KEY_LENGTH, nullable=False),
        CARD_NUMBER,
        text("Segment", "segment", NAME_LENGTH, nullable=False),
        text("Title", "title", 200),
        Field("Since", "since", Kind.DATE),
    ),
    sa.Index("card_segments_by_card", "card_number"),
    sa.Index("card_segments_by_segment", "segment"),
    read_only=True,
)
"""A card that a segment holds, since the day it came into it."""

FOLLOWS: Mapping[str, frozenset[str]] = MappingProxyType(
    dict.fromkeys((POINT_BALANCES.name, POINT_ENTRIES.name), frozenset({CORRECTIONS.name}))
)
"""What is shown of points, to what others write that posts any."""

SHOWN: tuple[EntityType, ...] = (POINT_BALANCES, CARD_TIERS, POINT_ENTRIES, CARD_SEGMENTS)
