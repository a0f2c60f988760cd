"""What the service tells about itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connector.sandbox.finops.catalog import ENTITIES
from connector.sandbox.finops.enums import ENUMS
from tests.integration.sandbox.csdl import parse_csdl

if TYPE_CHECKING:
    from tests.conftest import FinopsSession

NAMESPACE = "Microsoft.Dynamics.DataEntities"


def test_the_service_document_lists_the_sets(finops: FinopsSession) -> None:
    body = finops.get("").json()
    assert body["@odata.context"] == f"{finops.host}/data/$metadata"
    names = [one["name"] for one in body["value"]]
    assert {"RetailLoyaltyCards", "CDSParties", "DataManagementDefinitionGroups"} <= set(names)
    assert names == sorted(names)


def test_types_keys_and_nullability_are_those_of_the_reference(finops: FinopsSession) -> None:
    answer = finops.get("$metadata")
    assert answer.headers["Content-Type"] == "application/xml"
    model = parse_csdl(answer.content)
    card = model.type_of("RetailLoyaltyCards")
    assert card.key == ("CardNumber",)
    shapes = {one.name: (one.type, one.nullable) for one in card.properties.values()}
    assert shapes == {
        "CardNumber": ("Edm.String", False),
        "CardTenderType": (f"{NAMESPACE}.RetailLoyaltyTenderTypeBase", True),
        "PartyNumber": ("Edm.String", True),
        "ReplacementCardNumber": ("Edm.String", True),
        "OmOperatingUnitNumber": ("Edm.String", True),
        "LoyaltyEnrollmentDate": ("Edm.DateTimeOffset", False),
        "LoyaltyEnrollmentTime": ("Edm.Int32", False),
        "LoyaltyEnrollmentDateLocal": ("Edm.DateTimeOffset", False),
        "LoyaltyEnrollmentTimeLocal": ("Edm.Int32", False),
    }
    points = model.type_of("RetailLoyaltyRewardPoints")
    assert points.key == ("RewardPointId",)
    assert points.properties["MaximumLoyaltyRewardPoints"].type == "Edm.Int64"
    assert model.type_of("CustomerGroups").key == ("dataAreaId", "CustomerGroupId")
    assert set(model.sets) == {*(e.set_name for e in ENTITIES), "DataManagementDefinitionGroups"}


def test_no_text_has_a_length_there(finops: FinopsSession) -> None:
    assert b"MaxLength" not in finops.get("$metadata").content


def test_enumerations_and_actions_are_declared(finops: FinopsSession) -> None:
    text = finops.get("$metadata").text
    for enum in ENUMS:
        assert f'<EnumType Name="{enum.name}">' in text
    assert '<Member Name="Quantity" Value="1"/>' in text
    assert '<Action Name="ExportToPackage" IsBound="true">' in text


def test_it_can_be_as_large_as_a_real_one(finops: FinopsSession) -> None:
    finops.switch("metadata", {"megabytes": 2})
    answer = finops.get("$metadata")
    assert 2e6 < len(answer.content) < 3e6
    assert parse_csdl(answer.content).type_of("RetailLoyaltyCards").key == ("CardNumber",)


def test_the_rest_metadata_name_the_entities(finops: FinopsSession) -> None:
    answer = finops.get(f"{finops.host}/metadata/DataEntities").json()
    named = {one["PublicCollectionName"]: one["Name"] for one in answer["value"]}
    assert named["RetailLoyaltyCards"] == "RetailLoyaltyCardEntity"
    entities = finops.get(f"{finops.host}/metadata/PublicEntities").json()["value"]
    card = next(one for one in entities if one["PublicEntityName"] == "RetailLoyaltyCard")
    keys = [one["Name"] for one in card["Properties"] if one["IsKey"]]
    assert keys == ["CardNumber"]
    assert finops.get(f"{finops.host}/metadata/Nothing").status_code == 404


@pytest.mark.parametrize("path", ["retailloyaltycards", "RetailLoyaltyCard", "cdsparties", "X/Y"])
def test_names_of_sets_are_case_sensitive(finops: FinopsSession, path: str) -> None:
    answer = finops.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"]["message"].startswith("No HTTP resource was found")


def test_only_reading_is_done_to_descriptions(finops: FinopsSession) -> None:
    for path in ("$metadata", ""):
        assert finops.post(path, json={}).status_code == 405
