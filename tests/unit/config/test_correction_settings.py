"""`[corrections]`: what contradicts itself is told when the config is read."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from connector.config.corrections import AllowanceSettings, CorrectionSettings


def read(**values: Any) -> CorrectionSettings:
    return CorrectionSettings.model_validate(values)


def test_without_the_section_nothing_is_limited() -> None:
    settings = read()
    assert settings.everybody == AllowanceSettings()
    assert (settings.reason, settings.people, settings.per_card_day) == (True, (), None)


def test_somebody_named_has_what_everybody_has_and_limits_of_their_own() -> None:
    settings = read(
        per_request=100,
        per_day=1000,
        kinds=["Bonus"],
        people=[{"name": "avery"}, {"name": "robin", "per_request": 500, "kinds": ["Status"]}],
    )
    avery, robin = map(settings.of, settings.people)
    assert avery == settings.everybody
    assert robin.per_request == Decimal(500)
    assert robin.per_day == Decimal(1000)
    assert settings.named_kinds() == {"Bonus", "Status"}


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"per_request": 0}, "greater than 0"),
        ({"kinds": []}, "at least 1 item"),
        ({"per_request": 5, "per_day": 4}, "per_request must not be greater than per_day"),
        ({"per_request": 5, "per_card_day": 4}, "must not be greater than per_card_day"),
        (
            {"per_day": 4, "people": [{"name": "Avery", "per_request": 5}]},
            "people Avery: per_request must not be greater than per_day",
        ),
        ({"people": [{"name": "Avery"}, {"name": "AVERY"}]}, "avery is named twice"),
        ({"people": [{"per_request": 5}]}, "Field required"),
        ({"most": 5}, "Extra inputs"),
    ],
)
def test_a_contradiction_is_named(values: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as error:
        read(**values)
    assert told in str(error.value)
