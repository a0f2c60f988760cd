"""Making a write transaction's changes show, right before its commit.

Owns: what has to follow postings and renames, and its order: names, tiers, balances.
Never does: working out any of it.
Tested in: tests/unit/ledger/shown/test_settling.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.ledger.programs.standing import restate
from connector.ledger.shown.names import carry_over, carry_over_balances
from connector.ledger.shown.sheet import Sheet
from connector.ledger.shown.standing import standing

if TYPE_CHECKING:
    from connector.ledger.ledger import WriteTransaction


def settle(transaction: WriteTransaction) -> None:
    """Bring all that is shown up to date with what this transaction did.

    A ledger that shows no balances yet gets them with its first turn of the day.
    """
    touched = transaction.touched
    if touched.names or touched.gone:
        # Before tiers are worked out: what a card held so far is looked up by its name.
        carry_over(transaction)
    if touched.accounts or touched.held:
        # Before balances: who rises into a tier may be given points for it.
        restate(transaction, touched.cards | touched.held)
    if not (touched.accounts or touched.names):
        return
    now = standing(transaction.connection)
    if now.turning is None:
        return
    sheet = Sheet(transaction, now.turning)
    if touched.accounts:
        sheet.move(touched.accounts, turning=now.turned != now.turning)
    if touched.names:
        carry_over_balances(transaction, sheet)
