"""What the sandbox's own tests share: cards, and clients made for the real service."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from azure.identity import ClientSecretCredential
from PowerPlatform.Dataverse.client import DataverseClient

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


@pytest.fixture
def trust(sandbox: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The one variable that all clients from outside look at; it wins over their arguments."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", sandbox["ca"])


@pytest.fixture
def client(
    sandbox: dict[str, Any],
    dataverse: DataverseSession,  # empties the organization
    trust: None,
) -> Iterator[DataverseClient]:
    """The official client, signed in with azure-identity, in an emptied organization."""
    with (
        ClientSecretCredential(
            sandbox["tenant"],
            sandbox["client_id"],
            sandbox["client_secret"],
            authority=sandbox["dataverse"],
            disable_instance_discovery=True,
        ) as credential,
        DataverseClient(sandbox["dataverse"], credential) as opened,
    ):
        yield opened
