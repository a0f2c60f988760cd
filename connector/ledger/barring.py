"""Customers who get no card: whoever writes cards, and however.

Owns: finding those a batch names, and refusing the write that would give one of them a card.
Never does: blocking anybody (`desk.py`).
Tested in: tests/unit/ledger/test_barring.py.

Fact: commerce-loyalty, section 3: while a customer is blocked for enrolment no channel issues a
card. A blocked card is none: it may be told of, as history.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from connector.errors import RecordError, Subject
from connector.ledger.fields import Value, fold
from connector.ledger.schema import CARDS, blocked_customers
from connector.ledger.sql import rows_in

BLOCKED = "Blocked"
PARTY, TENDER = CARDS.places(("PartyNumber", "CardTenderType"))
_B = blocked_customers.c


class _Blocking(NamedTuple):
    at: datetime
    by: str
    why: str

    def error(self) -> RecordError:
        why = f": {self.why}" if self.why else ""
        return RecordError(
            "customer-blocked",
            f"this customer gets no card{why}",
            cause=f"blocked by {self.by} on {self.at:%Y-%m-%d}",
            remedy="`dualwrite ledger unblock --party NUMBER` lifts that",
            subject=Subject(field="PartyNumber"),
        )


class Barring:
    """Which of these customers get no card."""

    def __init__(self, connection: sa.Connection, parties: Iterable[str]) -> None:
        keys = list({fold(one) for one in parties})
        rows = rows_in(connection, [_B.party, _B.at, _B.by, _B.why], _B.party, keys)
        self._barred = {row[0]: _Blocking(*row[1:]) for row in rows}

    def refuse(self, party: str) -> None:
        """Raise RecordError `customer-blocked` if this customer is one of them."""
        blocking = self._barred.get(fold(party))
        if blocking is not None:
            raise blocking.error()

    def judge(self, before: Sequence[Value] | None, after: Sequence[Value]) -> None:
        """The same, where a write gives one of them a card; `before` is None for a new one.

        A card they hold already, for whatever reason, may be changed.
        """
        party = after[PARTY]
        if not isinstance(party, str) or after[TENDER] == BLOCKED:
            return
        if before is None or before[TENDER] == BLOCKED or before[PARTY] != party:
            self.refuse(party)
