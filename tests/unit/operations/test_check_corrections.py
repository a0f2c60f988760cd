"""What `check` says of the limits of corrections, without any system."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from connector.bootstrap import Project
from connector.config.corrections import CorrectionSettings
from connector.endpoints.base import Found
from connector.mapping.document import MapDocument, parse_document
from connector.mapping.values import Side
from connector.operations.check.corrections import check_corrections

CARRYING = """
map: point-corrections
commerce: {entity: loyaltypointcorrections}
dataverse: {entity: dwrite_pointcorrections}
fields:
  - {commerce: CorrectionId, sync: "=", dataverse: dwrite_pointcorrectionid, key: true}
"""
OTHER = CARRYING.replace("loyaltypointcorrections", "RetailLoyaltyCards")


class Ledger:
    """Knows one kind of points."""

    def read(self, _entity: str, _columns: object, *, by: str, values: list[str]) -> Found:
        assert by == "RewardPointId"
        return Found({one: () for one in values if one == "Bonus"})


def codes(text: str, section: dict[str, Any] | None) -> list[str]:
    settings = SimpleNamespace(
        corrections=CorrectionSettings.model_validate(section or {}),
        model_fields_set={"corrections"} if section is not None else set(),
    )
    project = SimpleNamespace(
        settings=settings, endpoints=lambda _document: {Side.COMMERCE: Ledger()}
    )
    document: MapDocument = parse_document(text)
    return [one.code for one in check_corrections(cast("Project", project), [document])]


@pytest.mark.parametrize(
    ("text", "section", "found"),
    [
        (OTHER, None, []),
        (OTHER, {"per_request": 5}, ["corrections-unused"]),
        (CARRYING, None, ["corrections-unlimited"]),
        (CARRYING, {"per_card_day": 5}, ["corrections-unlimited"]),
        (CARRYING, {"per_request": 5, "kinds": ["Bonus"]}, []),
        (CARRYING, {"per_day": 5, "people": [{"name": "avery"}]}, []),
        (
            CARRYING,
            {"people": [{"name": "avery", "per_day": 5}, {"name": "*"}]},
            ["corrections-unlimited"],
        ),
        (
            CARRYING,
            {"per_day": 5, "people": [{"name": "avery", "kinds": ["Miles"]}]},
            ["corrections-kind-unknown"],
        ),
    ],
)
def test_limits_that_do_not_fit(
    text: str, section: dict[str, Any] | None, found: list[str]
) -> None:
    assert codes(text, section) == found
