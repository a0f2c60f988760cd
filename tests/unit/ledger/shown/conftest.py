"""The ledger of the journal's tests: cards, kinds, a clock, and words for its days."""

from __future__ import annotations

from tests.unit.ledger.journal.conftest import journal as journal
