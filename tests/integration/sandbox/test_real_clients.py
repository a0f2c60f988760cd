"""Clients made for the real service, unchanged: MSAL and the official Python SDK."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from azure.identity import ClientSecretCredential
from msal import ConfidentialClientApplication
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError
from PowerPlatform.Dataverse.models.upsert import UpsertItem

if TYPE_CHECKING:
    from tests.conftest import DataverseSession

CARD = "msdyn_loyaltycard"
CARDS = "msdyn_loyaltycards"


@pytest.fixture(autouse=True)
def trust(sandbox: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The one variable that all of these clients look at; it wins over their arguments."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", sandbox["ca"])


@pytest.fixture
def client(sandbox: dict[str, Any], dataverse: DataverseSession) -> Iterator[DataverseClient]:
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


def application(sandbox: dict[str, Any], secret: str) -> ConfidentialClientApplication:
    return ConfidentialClientApplication(
        sandbox["client_id"],
        client_credential=secret,
        authority=sandbox["authority"],
        instance_discovery=False,
    )


def test_msal_gets_a_token_that_opens_the_door(
    sandbox: dict[str, Any], dataverse: DataverseSession
) -> None:
    app = application(sandbox, sandbox["client_secret"])
    scopes = [f"{sandbox['dataverse']}/.default"]
    result = app.acquire_token_for_client(scopes=scopes)
    assert result["token_source"] == "identity_provider"
    assert app.acquire_token_for_client(scopes=scopes)["token_source"] == "cache"
    header = {"Authorization": f"Bearer {result['access_token']}"}
    assert dataverse.get("WhoAmI", headers=header).status_code == 200


def test_msal_takes_the_authority_as_an_oidc_issuer(sandbox: dict[str, Any]) -> None:
    app = ConfidentialClientApplication(
        sandbox["client_id"],
        client_credential=sandbox["client_secret"],
        oidc_authority=sandbox["authority"],
    )
    result = app.acquire_token_for_client(scopes=[f"{sandbox['dataverse']}/.default"])
    assert "access_token" in result


def test_msal_reports_a_wrong_secret(sandbox: dict[str, Any]) -> None:
    app = application(sandbox, "wrong")
    result = app.acquire_token_for_client(scopes=[f"{sandbox['dataverse']}/.default"])
    assert result["error"] == "invalid_client"
    assert "AADSTS7000215" in result["error_description"]


def test_create_update_read_delete(client: DataverseClient, dataverse: DataverseSession) -> None:
    record = client.records.create(
        CARD, {"msdyn_cardnumber": "C-1", "msdyn_cardtendertype": "Blocked"}
    )
    client.records.update(CARD, record, {"msdyn_partynumber": "P-1"})
    row = client.records.retrieve(
        CARD, record, select=["msdyn_cardtendertype", "msdyn_partynumber"]
    )
    assert row is not None
    # The client has turned the label into its number with the help of the metadata.
    assert (row["msdyn_cardtendertype"], row["msdyn_partynumber"]) == (806380003, "P-1")
    client.records.delete(CARD, record)
    assert dataverse.get(f"{CARDS}({record})").status_code == 404


def test_many_at_once_and_pages(client: DataverseClient) -> None:
    ids = client.records.create(CARD, [{"msdyn_cardnumber": f"C-{n}"} for n in range(25)])
    assert len(set(ids)) == 25
    client.records.update(CARD, ids[:3], {"msdyn_partynumber": "P"})
    pages = list(
        client.records.list_pages(
            CARD, select=["msdyn_cardnumber", "msdyn_partynumber"], page_size=10
        )
    )
    assert [len(page) for page in pages] == [10, 10, 5]
    rows = [row for page in pages for row in page]
    assert {row["msdyn_cardnumber"] for row in rows} == {f"C-{n}" for n in range(25)}
    assert sum(row["msdyn_partynumber"] == "P" for row in rows) == 3
    found = client.records.list(
        CARD, filter="msdyn_partynumber eq 'p'", select=["msdyn_cardnumber"]
    )
    assert len(list(found)) == 3
    client.records.delete(CARD, ids[:2], use_bulk_delete=False)
    assert len(list(client.records.list(CARD, select=["msdyn_cardnumber"]))) == 23


def test_upsert_one_and_many(client: DataverseClient, dataverse: DataverseSession) -> None:
    def item(number: str, party: str) -> UpsertItem:
        return UpsertItem(
            alternate_key={"msdyn_cardnumber": number}, record={"msdyn_partynumber": party}
        )

    client.records.upsert(CARD, [item("C O'1", "P-1")])
    client.records.upsert(CARD, [item("C O'1", "P-2"), item("C-2", "P-3")])
    rows = dataverse.get(f"{CARDS}?$select=msdyn_cardnumber,msdyn_partynumber").json()["value"]
    found = {row["msdyn_cardnumber"]: row["msdyn_partynumber"] for row in rows}
    assert found == {"C O'1": "P-2", "C-2": "P-3"}


def test_a_batch_of_the_client(client: DataverseClient, dataverse: DataverseSession) -> None:
    batch = client.batch.new()
    batch.records.create(CARD, {"msdyn_cardnumber": "C-1"})
    batch.records.create(CARD, {"msdyn_cardnumber": "c-1"})
    batch.records.create(CARD, {"msdyn_cardnumber": "C-2"})
    result = batch.execute(continue_on_error=True)
    assert len(result.succeeded) == 2
    (failed,) = result.failed
    assert failed.status_code == 412
    assert dataverse.get(f"{CARDS}?$count=true").json()["@odata.count"] == 2


def test_refusals_arrive_as_the_clients_own_errors(client: DataverseClient) -> None:
    with pytest.raises(HttpError) as caught:
        client.records.create(CARD, {"msdyn_cardnumber": "x" * 101})
    assert caught.value.status_code == 400
    assert "0x80044331" in str(caught.value.details)


def test_metadata_of_the_client(client: DataverseClient) -> None:
    table = client.tables.get("msdyn_LoyaltyCard")
    assert table is not None
    assert table["entity_set_name"] == CARDS
    columns = {column["LogicalName"] for column in client.tables.list_columns(CARD)}
    assert {"msdyn_cardnumber", "msdyn_cardtendertype"} <= columns
    typed = client.tables.list_columns(CARD, typed=True)
    (number,) = [column for column in typed if column["LogicalName"] == "msdyn_cardnumber"]
    assert number["MaxLength"] == 100
