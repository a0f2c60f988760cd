"""What tills, shops and call centres do: sell, take back, tell of activities.

Owns: these acts, each one transaction over sales, points and cards.
Never does: working out what is earned (`terms.py`), the rules of points (`journal/rules.py`).
Tested in: tests/unit/ledger/sales/test_till.py, test_returns.py, test_laws.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo

import sqlalchemy as sa

from connector.ledger.desk import Customer, Desk
from connector.ledger.fields import fold
from connector.ledger.journal.posting import Refused
from connector.ledger.ledger import Ledger, WriteTransaction
from connector.ledger.programs.occasion import Activity, Sale
from connector.ledger.sales.activities import do
from connector.ledger.sales.receipt import Answer, Back, Receipt
from connector.ledger.sales.returns import Return, take_back
from connector.ledger.sales.selling import SaleBatch
from connector.ledger.sales.tables import activities, sales
from connector.ledger.sales.terms import LedgerTermsSource, TermsSource
from connector.ledger.schema import CARDS


class Till:
    """Sales of one open ledger. `zone` says where days begin and end; the ledger's if None."""

    def __init__(
        self, ledger: Ledger, zone: tzinfo | None = None, terms: TermsSource | None = None
    ) -> None:
        self._ledger = ledger
        self.zone = zone or ledger.zone
        """Where its days begin and end."""
        self._terms = terms or LedgerTermsSource()

    def sale(self, sale: Sale, customer: Customer | None = None, *, by: str) -> Receipt:
        """Post a sale with what it earns; again with the same number, the first answer.

        With `customer`, a card that is nobody's becomes theirs, and one nobody knows is made; a
        customer without card in hand (`sale.card` empty) buys with the newest they have, or gets
        one from the number sequence. Raises RecordError, and nothing of it is posted.
        """
        with self._ledger.writing(by) as transaction:
            if customer is not None:
                sale = replace(sale, card=self._card(transaction, sale, customer))
            (answer,) = SaleBatch(transaction, self.zone, self._terms).sold([sale])
            return _accepted(answer)

    def sales(self, wanted: Sequence[Sale], *, enrol: bool = False, by: str) -> list[Answer]:
        """Post several in one transaction; one answer each, in order.

        A refused one leaves no trace and stops nobody. With `enrol`, cards nobody knows are made.
        Raises RecordError `clock-set-back`, before anything is posted, and UnreachableError.
        """
        with self._ledger.writing(by) as transaction:
            return SaleBatch(transaction, self.zone, self._terms, enrol=enrol).sold(wanted)

    def returned(
        self,
        sale: str,
        number: str,
        lines: Sequence[Back] | None = None,
        *,
        at: datetime | None = None,
        by: str,
    ) -> Receipt:
        """Goods of a sale come back, all that is left of them where `lines` is None.

        What the sale earned is taken back as far as the rest would not earn it, judged as of the
        sale; points paid are given back in proportion. `number` names the return once and for
        all. Raises RecordError, and nothing of it is posted.
        """
        with self._ledger.writing(by) as transaction:
            return take_back(transaction, Return(sale, number, lines, at), self.zone, self._terms)

    def activity(self, activity: Activity, *, by: str) -> Receipt:
        """Post an activity with what it earns; again with the same number, the first answer.

        Raises RecordError, and nothing of it is posted.
        """
        with self._ledger.writing(by) as transaction:
            return do(transaction, activity, self.zone, self._terms)

    def _card(self, transaction: WriteTransaction, sale: Sale, customer: Customer) -> str:
        """The card a customer buys with; of a sale that is known the one it was sold to."""
        known = (
            sa.select(CARDS.table.c.card_number)
            .join(sales, sales.c.card == CARDS.table.c.id)
            .where(sales.c.key == fold(sale.number))
        )
        sold: str | None = transaction.connection.scalar(known)
        if sold is None:
            return Desk(self._ledger, self.zone).recognise(transaction, sale.card, customer)
        return sale.card if sale.card.strip() else sold

    def when(self, number: str, *, activity: bool = False) -> datetime | None:
        """When the sale, or activity, of that number was made; None where it is not known.

        For callers that do not know the time themselves and may ask twice.
        """
        table = activities if activity else sales
        query = sa.select(table.c.at).where(table.c.key == fold(number))
        with self._ledger.reading() as connection:
            found: datetime | None = connection.scalar(query)
        return None if found is None else found.replace(tzinfo=UTC)


def _accepted(answer: Answer) -> Receipt:
    if isinstance(answer, Refused):
        raise answer.error
    return answer
