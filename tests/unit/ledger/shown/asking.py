"""Words of these tests: what is shown, and what the journal says."""

from __future__ import annotations

from datetime import date
from typing import Any

from connector.ledger.journal.balances import balances
from connector.ledger.ledger import Ledger

FIGURES = (
    "Available",
    "Unvested",
    "Expiring",
    "NextExpiry",
    "Redeemed",
    "Expired",
    "Lifetime",
    "Adjusted",
)


def shown(ledger: Ledger) -> dict[str, dict[str, Any]]:
    """The shown balances by their key."""
    store = ledger.store("point-balances")
    records = [
        dict(zip(store.entity.names, one.values, strict=True)) for one in store.page(None, 10_000)
    ]
    return {str(one["BalanceId"]): one for one in records}


def right(ledger: Ledger, day: date) -> dict[str, dict[str, Any]]:
    """The same as the journal has it on a day."""
    found: dict[str, dict[str, Any]] = {}
    for card in ledger.store("cards").page(None, 10_000, ["CardNumber"]):
        number = str(card.values[0])
        for kind, *figures in balances(ledger, number, day):
            names = {"BalanceId": f"{number}/{kind}", "CardNumber": number, "RewardPointId": kind}
            found[names["BalanceId"]] = names | dict(zip(FIGURES, figures, strict=True))
    return found
