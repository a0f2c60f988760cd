"""The cards that sales name, for a batch at once.

Owns: finding them, and making those nobody knows where that is wanted.
Never does: enrolling a customer (`desk.py`).
Tested in: tests/unit/ledger/sales/test_till.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import sqlalchemy as sa

from connector.errors import RecordError, Subject
from connector.ledger.fields import fold
from connector.ledger.ledger import WriteTransaction
from connector.ledger.members.tables import households
from connector.ledger.operations import Done, Refused, Upsert
from connector.ledger.programs.occasion import Activity, Sale
from connector.ledger.schema import CARDS
from connector.ledger.sql import rows_in

BLOCKED = "Blocked"
_CARD = CARDS.table.c
_HOUSEHOLD = (
    sa.select(households.c.name).where(households.c.party == _CARD.party_number).scalar_subquery()
)
_COLUMNS = (
    *(_CARD.key, _CARD.id, _CARD.card_number, _CARD.card_tender_type),
    *(_CARD.party_number, _HOUSEHOLD),
)


class Buyer(NamedTuple):
    """A card as a sale needs to know it."""

    id: str
    number: str
    tender: str
    party: str | None
    household: str | None

    @property
    def customer(self) -> str:
        """Whose sales may count together."""
        if self.household is not None:
            return f"household {self.household}"
        return f"party {fold(self.party)}" if self.party is not None else f"card {self.id}"


class Buyers:
    """The cards of one batch. With `enrol`, `load` makes those nobody knows."""

    def __init__(self, transaction: WriteTransaction, *, enrol: bool = False) -> None:
        self._transaction = transaction
        self._enrol = enrol
        self._found: dict[str, Buyer | RecordError] = {}

    def load(self, occasions: Iterable[Sale | Activity]) -> None:
        """Fetch the cards of all of them."""
        wanted = {fold(one.card): one.card for one in occasions}
        self._fetch(list(wanted))
        missing = {key: number for key, number in wanted.items() if key not in self._found}
        if self._enrol and missing:
            self._make(missing)

    def of(self, occasion: Sale | Activity) -> Buyer:
        """The card of a sale that was loaded.

        Raises RecordError: `card-unknown`, `card-blocked`, and a new card's own.
        """
        buyer = self._found.get(fold(occasion.card))
        if isinstance(buyer, RecordError):
            raise buyer
        if buyer is None:
            raise _refused(
                "card-unknown",
                occasion.card,
                "is not in the ledger",
                "check its number, or issue it: `dualwrite ledger issue NUMBER`; "
                "`import-orders --enrol` makes all such cards",
            )
        if buyer.tender == BLOCKED:
            raise _refused(
                "card-blocked",
                buyer.number,
                "is blocked",
                "use another card; `dualwrite ledger member CARD` shows the customer's, and which "
                "one replaced it",
            )
        return buyer

    def _fetch(self, keys: list[str]) -> None:
        for key, *card in rows_in(self._transaction.connection, _COLUMNS, _CARD.key, keys):
            self._found[key] = Buyer(*card)

    def _make(self, missing: dict[str, str]) -> None:
        wanted = [Upsert({"CardNumber": number}) for number in missing.values()]
        results = self._transaction.apply(CARDS, wanted)
        for key, result in zip(missing, results, strict=True):
            if isinstance(result, Refused):
                self._found[key] = result.error
        made = [key for key, one in zip(missing, results, strict=True) if isinstance(one, Done)]
        self._fetch(made)


def _refused(code: str, number: str, what: str, remedy: str) -> RecordError:
    return RecordError(
        code, f"the card {what}", remedy=remedy, subject=Subject(record=f"…{number[-4:]}")
    )
