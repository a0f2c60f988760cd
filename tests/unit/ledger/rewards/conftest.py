"""A ledger with a card, a customer's two cards, and kinds of points."""

from __future__ import annotations

import pytest

from connector.ledger.ledger import Ledger
from tests.unit.ledger.journal.conftest import fill


@pytest.fixture
def shop(ledger: Ledger) -> Ledger:
    fill(ledger)
    return ledger
