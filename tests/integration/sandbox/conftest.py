"""What the sandbox's own tests share: cards."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import DataverseSession

CARDS = "msdyn_loyaltycards"
CARD_TYPE = "Microsoft.Dynamics.CRM.msdyn_loyaltycard"


@pytest.fixture
def add_cards(dataverse: DataverseSession) -> Callable[..., list[str]]:
    """Creates cards from numbers in one CreateMultiple; their ids."""

    def add(numbers: Iterable[str], **columns: Any) -> list[str]:
        targets = [
            {"@odata.type": CARD_TYPE, "msdyn_cardnumber": number, **columns} for number in numbers
        ]
        answer = dataverse.post(
            f"{CARDS}/Microsoft.Dynamics.CRM.CreateMultiple", json={"Targets": targets}
        )
        assert answer.status_code == 200, answer.text
        ids: list[str] = answer.json()["Ids"]
        return ids

    return add
