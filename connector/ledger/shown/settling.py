"""Making a write transaction's changes show, right before its commit.

Owns: what has to follow postings and renames, and its order: tiers, then balances.
Never does: working out any of it.
Tested in: tests/unit/ledger/shown/test_settling.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.ledger.programs.standing import restate
from connector.ledger.shown.names import carry_over
from connector.ledger.shown.sheet import Sheet
from connector.ledger.shown.standing import standing

if TYPE_CHECKING:
    from connector.ledger.ledger import WriteTransaction


def settle(transaction: WriteTransaction) -> None:
    """Bring all that is shown up to date with what this transaction did.

    A ledger that shows no balances yet gets them with its first turn of the day.
    """
    touched = transaction.touched
    if touched.accounts or touched.held:
        # First of all: who rises into a tier may be given points for it.
        restate(transaction, touched.cards | touched.held)
    if not (touched.accounts or touched.names or touched.gone):
        return
    now = standing(transaction.connection)
    sheet = None if now.turning is None else Sheet(transaction, now.turning)
    if sheet is not None and touched.accounts:
        sheet.move(touched.accounts, turning=now.turned != now.turning)
    if touched.names or touched.gone:
        carry_over(transaction, sheet)
