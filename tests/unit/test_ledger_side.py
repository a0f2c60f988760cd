"""What of the config the embedded ledger is handed."""

from __future__ import annotations

from decimal import Decimal

from connector.config_corrections import CorrectionSettings
from connector.ledger.corrections.limits import Allowance, Limits
from connector.ledger_side import limits_of


def test_limits_of_corrections() -> None:
    assert limits_of(CorrectionSettings()) == Limits()
    settings = CorrectionSettings.model_validate(
        {
            "per_request": 5,
            "per_day": 50,
            "per_card_day": 60,
            "reason": False,
            "people": [{"name": "Avery", "per_request": 9, "kinds": ["Bonus"]}, {"name": "*"}],
        }
    )
    five, nine, fifty = Decimal(5), Decimal(9), Decimal(50)
    assert limits_of(settings) == Limits(
        Allowance(five, fifty),
        per_card_day=Decimal(60),
        reason=False,
        people={"Avery": Allowance(nine, fifty, ("Bonus",)), "*": Allowance(five, fifty)},
    )
