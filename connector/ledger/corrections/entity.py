"""Requests to correct points, as an entity of the ledger.

Owns: its fields: what is asked for, which anybody may write, and what came of it, which the
ledger alone writes.
Never does: posting (`desk.py`).
Tested in: tests/unit/ledger/corrections/test_desk.py.

What is asked for is kept as it came, also where it names nothing the ledger knows: whoever asked
is answered in the record and not by an error.
"""

from __future__ import annotations

from enum import StrEnum

import sqlalchemy as sa

from connector.ledger.fields import Field, Kind
from connector.ledger.schema import choice, decimal, entity, text

REASON_LENGTH = 2000
OUTCOME_LENGTH = 1000


class Status(StrEnum):
    """What came of a request."""

    POSTED = "Posted"
    REFUSED = "Refused"


CORRECTIONS = entity(
    "LoyaltyPointCorrections",
    "corrections",
    "Correction of points",
    "point_corrections",
    (
        text("CorrectionId", "correction_id", 100, nullable=False),
        text("CardNumber", "card_number", 100),
        text("RewardPointId", "reward_point_id", 100),
        decimal("Amount", "amount"),
        text("Reason", "reason", REASON_LENGTH, lines=True),
        text("RequestedBy", "requested_by", 256),
        text("EditedBy", "edited_by", 256),
        choice(
            "Status",
            "status",
            {Status.POSTED.value: "Posted", Status.REFUSED.value: "Refused"},
            read_only=True,
        ),
        text("Outcome", "outcome", OUTCOME_LENGTH, read_only=True),
        decimal("PostedPoints", "posted_points", read_only=True),
        decimal("NewBalance", "new_balance", read_only=True),
        Field("PostedAt", "posted_at", Kind.INSTANT, read_only=True),
        text("Entry", "entry", 19, read_only=True),
    ),
    sa.Index("point_corrections_by_time", "posted_at"),
)
"""`EditedBy` is who changed the request last, where that is known; an empty one changes nothing.
`Amount` is negative where points are taken away. `NewBalance` is what was available right after
the posting, `Entry` the TransactionNumber of it."""
