"""A ledger with cards and kinds of points, and its journal."""

from __future__ import annotations

import pytest

from connector.ledger.journal.journal import Journal
from connector.ledger.ledger import Ledger
from connector.ledger.operations import Done, Upsert

CARDS: dict[str, dict[str, object]] = {
    "A": {},
    "B": {},
    "POOL": {"CardTenderType": "AsContactTender", "PartyNumber": "P1"},
    "SAME": {"PartyNumber": "P1"},
    "EARNS": {"CardTenderType": "NoTender", "PartyNumber": "P1"},
    "SHUT": {"CardTenderType": "Blocked", "PartyNumber": "P1"},
}
KINDS: dict[str, dict[str, object]] = {
    "plain": {"RewardPointType": "Quantity", "Redeemable": "Yes"},
    "money": {
        "RewardPointType": "Amount",
        "Redeemable": "Yes",
        "RewardPointCurrency": "EUR",
        "ExpirationTimeUnit": "Month",
        "ExpirationTimeValue": 1,
    },
    "later": {
        "RewardPointType": "Quantity",
        "Redeemable": "Yes",
        "VestingTimeUnit": "Day",
        "VestingTimeValue": 10,
    },
    "capped": {"RewardPointType": "Quantity", "MaximumLoyaltyRewardPoints": 100},
    "tier": {"RewardPointType": "Quantity", "Redeemable": "No"},
}


def fill(ledger: Ledger) -> None:
    """The cards and kinds above."""
    cards = [Upsert({"CardNumber": number, **values}) for number, values in CARDS.items()]
    kinds = [Upsert({"RewardPointId": name, **values}) for name, values in KINDS.items()]
    for entity, records in (("cards", cards), ("reward-points", kinds)):
        results = ledger.store(entity).apply(records, by="test", create_references=True)
        assert all(isinstance(one, Done) for one in results), results


@pytest.fixture
def journal(ledger: Ledger) -> Journal:
    fill(ledger)
    return Journal(ledger)
