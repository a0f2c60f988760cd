"""What is asked of the journal, and what it answers.

Owns: the values that cross the line between the journal and its callers.
Never does: anything; see `journal.py`.
Tested in: tests/unit/ledger/journal/.

Entry types are those of Commerce (commerce-loyalty, section 6): Earn, Redeem, ReturnEarned,
Adjust, Refund. There is none for expiry: a lot keeps what is left of it and its last day.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from operator import attrgetter
from typing import NamedTuple, TypeAlias

from connector.errors import RecordError


class EntryType(StrEnum):
    """What one line of the journal is."""

    EARN = "Earn"
    REDEEM = "Redeem"
    RETURN_EARNED = "ReturnEarned"
    ADJUST = "Adjust"
    REFUND = "Refund"


@dataclass(frozen=True, slots=True)
class Earn:
    """A card earns points; at a cap of the kind it earns what still fits."""

    card: str
    kind: str
    points: Decimal
    why: str = ""
    """The arithmetic, for the person who asks later."""
    rule: str | None = None
    """What it was earned by, as PROGRAM/RULE@VERSION."""
    months: int | None = None
    """How long the points live, 0 for ever; None as their kind says."""


@dataclass(frozen=True, slots=True)
class Redeem:
    """Points pay. A contact tender card also spends what the other cards of its household hold."""

    card: str
    kind: str
    points: Decimal
    why: str = ""


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Goods came back: what entry `entry` earned for them goes.

    Where part of it was spent already, what is there is taken; the answer says how much. A card
    that was replaced answers by the one that replaced it, here and in `GiveBack`.
    """

    entry: int
    points: Decimal
    why: str = ""


@dataclass(frozen=True, slots=True)
class GiveBack:
    """Goods paid with points came back: the points return to the lots they were drawn from."""

    entry: int
    points: Decimal
    why: str = ""


@dataclass(frozen=True, slots=True)
class Adjust:
    """A person adds or, with a negative number, removes points.

    With `for_tiers` they count for tiers as if they were earned, or taken back.
    """

    card: str
    kind: str
    points: Decimal
    why: str = ""
    for_tiers: bool = False


@dataclass(frozen=True, slots=True)
class Transfer:
    """Points move to another card and keep their first and last day."""

    card: str
    to: str
    kind: str
    points: Decimal
    why: str = ""


@dataclass(frozen=True, slots=True)
class HandOver:
    """All that a card holds goes to the one that replaces it, unvested points as well."""

    card: str
    to: str
    why: str = ""


Line: TypeAlias = Earn | Redeem | TakeBack | GiveBack | Adjust | Transfer | HandOver


@dataclass(frozen=True, slots=True)
class Posting:
    """Lines that happen together or not at all.

    `key` is the idempotency key: who posts it again gets the first answer. `at` is when it
    happened, aware; now where it is None. `source` names channel, receipt, order and so on.
    `sale` is the number of the sale it belongs to: that earned, was paid with points, or came back.
    """

    key: str
    lines: tuple[Line, ...]
    at: datetime | None = None
    comment: str = ""
    source: Mapping[str, str] = field(default_factory=dict)
    sale: str | None = None

    def digest(self) -> str:
        """The same for two postings that ask for the same."""
        content = [
            [(type(line).__name__, *_told(line)) for line in self.lines],
            self.at,
            self.comment,
            dict(self.source),
            self.sale,
        ]
        text = json.dumps(content, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


def _told(line: Line) -> tuple[object, ...]:
    # A key outlives versions: a line that says no more than it could before has the same digest.
    if isinstance(line, Adjust) and not line.for_tiers:
        return line.card, line.kind, line.points, line.why
    told: tuple[object, ...] = attrgetter(*line.__slots__)(line)
    return told


class Entry(NamedTuple):
    """One line of the journal. `card` and `kind` are spelled as the ledger spells them.

    `points` are signed as they count for the card; `asked` differs from them where a cap or
    points already spent left less. `source` is the entry a return refers to.
    """

    number: int
    posting: int
    at: datetime
    type: EntryType
    card: str
    kind: str
    points: Decimal
    asked: Decimal
    starts: date | None
    expires: date | None
    source: int | None
    why: str
    rule: str | None = None
    sale: str | None = None
    """The folded number of the sale its posting belongs to."""


class Posted(NamedTuple):
    """It stands in the journal; `repeated` where it stood there before."""

    number: int
    entries: tuple[Entry, ...]
    repeated: bool = False


class Refused(NamedTuple):
    """Nothing of it was posted."""

    error: RecordError


Result: TypeAlias = Posted | Refused
