"""What of the config the embedded ledger is handed."""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from connector.config.corrections import CorrectionSettings
from connector.config.sides import LedgerSettings
from connector.ledger.corrections.limits import Allowance, Limits
from connector.sides.ledger import limits_of, zone_of


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


def test_days_end_where_the_config_says() -> None:
    side = LedgerSettings(kind="ledger", url="sqlite:///var/ledger.db")
    assert zone_of(side) is UTC
    berlin = side.model_copy(update={"time_zone": "Europe/Berlin"})
    assert zone_of(berlin) == ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize("name", ["Europe/Atlantis", "", "../etc/passwd", "/etc/localtime"])
def test_a_time_zone_that_there_is_not_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="name a time zone such as"):
        LedgerSettings.model_validate(
            {"kind": "ledger", "url": "sqlite:///var/ledger.db", "time_zone": name}
        )
