"""Metadata: definitions, typed columns, keys, relationships, CSDL."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.sandbox.csdl import parse_csdl

if TYPE_CHECKING:
    from tests.conftest import DataverseSession

CARD = "EntityDefinitions(LogicalName='msdyn_loyaltycard')"
POINT = "EntityDefinitions(LogicalName='msdyn_loyaltyrewardpoint')"
CRM = "Microsoft.Dynamics.CRM"


def listed(dataverse: DataverseSession, url: str) -> list[dict[str, Any]]:
    answer = dataverse.get(url)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["value"]
    return found


def test_who_and_what_is_there(dataverse: DataverseSession) -> None:
    body = dataverse.get("WhoAmI()").json()
    assert body["@odata.context"] == f"{dataverse.api}/$metadata#{CRM}.WhoAmIResponse"
    assert set(body) == {"@odata.context", "BusinessUnitId", "UserId", "OrganizationId"}
    sets = {one["name"] for one in listed(dataverse, "")}
    assert {"msdyn_loyaltycards", "msdyn_loyaltyrewardpoints", "transactioncurrencies"} <= sets
    assert dataverse.get("RetrieveAvailableLanguages").json()["LocaleIds"] == [1033]


def test_a_table_is_found_by_name_or_id(dataverse: DataverseSession) -> None:
    query = "$select=LogicalName,EntitySetName,PrimaryIdAttribute"
    (row,) = listed(
        dataverse, f"EntityDefinitions?{query}&$filter=LogicalName eq 'msdyn_loyaltycard'"
    )
    assert set(row) == {"MetadataId", "LogicalName", "EntitySetName", "PrimaryIdAttribute"}
    assert row["EntitySetName"] == "msdyn_loyaltycards"
    by_id = dataverse.get(f"EntityDefinitions({row['MetadataId']})?{query}").json()
    by_name = dataverse.get(f"{CARD}?{query}").json()
    assert by_id["PrimaryIdAttribute"] == by_name["PrimaryIdAttribute"] == "msdyn_loyaltycardid"
    missing = dataverse.get("EntityDefinitions(LogicalName='nothing')")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "0x80040217")


def test_change_tracking_can_be_asked_for(dataverse: DataverseSession) -> None:
    url = "EntityDefinitions?$select=LogicalName&$filter="
    tracked = listed(dataverse, url + "ChangeTrackingEnabled eq true")
    assert {row["LogicalName"] for row in tracked} == {
        "msdyn_loyaltycard",
        "msdyn_loyaltyrewardpoint",
        "msdyn_party",
        "transactioncurrency",
        "account",
        "contact",
    }
    assert listed(dataverse, url + "CanChangeTrackingBeEnabled/Value eq false") == []
    assert dataverse.get(f"{CARD}/ChangeTrackingEnabled").json()["value"] is True


def test_columns_have_their_types_and_facets(dataverse: DataverseSession) -> None:
    columns = {row["LogicalName"]: row for row in listed(dataverse, f"{CARD}/Attributes")}
    number = columns["msdyn_cardnumber"]
    assert number["@odata.type"] == f"#{CRM}.StringAttributeMetadata"
    assert (number["AttributeType"], number["MaxLength"]) == ("String", 100)
    assert number["RequiredLevel"]["Value"] == "ApplicationRequired"
    assert columns["msdyn_enrollmentdate"]["DateTimeBehavior"] == {"Value": "DateOnly"}
    assert columns["modifiedon"]["IsValidForUpdate"] is False
    assert columns["createdon"]["Format"] == "DateAndTime"
    assert "OptionSet" not in columns["msdyn_cardtendertype"]
    cap = f"{POINT}/Attributes(LogicalName='msdyn_maximumloyaltyrewardpoints')"
    integer = dataverse.get(f"{cap}/{CRM}.IntegerAttributeMetadata").json()
    assert (integer["MinValue"], integer["MaxValue"]) == (0, 2**31 - 1)
    assert dataverse.get(f"{cap}/{CRM}.StringAttributeMetadata").status_code == 404


def test_options_come_with_expand(dataverse: DataverseSession) -> None:
    url = f"{POINT}/Attributes/{CRM}.PicklistAttributeMetadata"
    query = "?$select=LogicalName&$expand=OptionSet($select=Options)"
    options = {
        row["LogicalName"]: {
            option["Value"]: option["Label"]["UserLocalizedLabel"]["Label"]
            for option in row["OptionSet"]["Options"]
        }
        for row in listed(dataverse, url + query)
    }
    assert options["msdyn_rewardpointtype"] == {192350000: "Quantity", 192350001: "Amount"}
    assert options["msdyn_vestingtimeunit"] == {
        806380000: "Day",
        806380001: "Month",
        806380002: "Year",
    }
    (boolean,) = listed(
        dataverse, f"{POINT}/Attributes/{CRM}.BooleanAttributeMetadata?$expand=OptionSet"
    )
    assert boolean["OptionSet"]["TrueOption"]["Value"] == 1


def test_keys_and_relationships(dataverse: DataverseSession) -> None:
    (key,) = listed(dataverse, f"{CARD}/Keys")
    assert key["KeyAttributes"] == ["msdyn_cardnumber"]
    assert key["EntityKeyIndexStatus"] == "Active"
    where = "$filter=ReferencingAttribute eq 'msdyn_rewardpointcurrency'"
    (relation,) = listed(dataverse, f"{POINT}/ManyToOneRelationships?{where}")
    assert relation["ReferencedEntity"] == "transactioncurrency"
    assert relation["ReferencingEntityNavigationPropertyName"] == "msdyn_RewardPointCurrency"
    currency = "EntityDefinitions(LogicalName='transactioncurrency')/OneToManyRelationships"
    names = [row["SchemaName"] for row in listed(dataverse, currency)]
    assert relation["SchemaName"] in names
    lookups = listed(dataverse, f"{POINT}/Attributes/{CRM}.LookupAttributeMetadata")
    targets = {row["LogicalName"]: row["Targets"] for row in lookups}
    assert targets["msdyn_rewardpointcurrency"] == ["transactioncurrency"]


def test_a_definition_with_everything_expanded(dataverse: DataverseSession) -> None:
    query = (
        "$select=LogicalName&$expand=Attributes($select=LogicalName),Keys($select=KeyAttributes)"
    )
    body = dataverse.get(f"{CARD}?{query}").json()
    assert {"LogicalName", "MetadataId", "@odata.type"} == set(body["Attributes"][0])
    assert body["Keys"][0]["KeyAttributes"] == ["msdyn_cardnumber"]
    assert "Attributes" not in dataverse.get(CARD).json()


@pytest.mark.parametrize(
    "url",
    [
        f"{CARD}/Attributes?$select=MaxLength",
        f"{CARD}/Attributes?$filter=Nothing eq 1",
        "EntityDefinitions?$select=logicalname",
    ],
)
def test_members_that_are_not_there(dataverse: DataverseSession, url: str) -> None:
    answer = dataverse.get(url)
    assert answer.status_code == 400
    assert "Could not find a property named" in answer.json()["error"]["message"]


def test_the_csdl_reads_back(dataverse: DataverseSession) -> None:
    answer = dataverse.get("$metadata?annotations=true")
    assert answer.headers["Content-Type"] == "application/xml"
    assert b"Org.OData.Capabilities.V1.ChangeTracking" in answer.content
    assert b"ChangeTracking" not in dataverse.get("$metadata").content
    model = parse_csdl(answer.content)
    card = model.types[model.sets["msdyn_loyaltycards"]]
    assert card.key == ("msdyn_loyaltycardid",)
    assert card.alternate_keys == (("msdyn_cardnumber",),)
    assert card.properties["msdyn_enrollmentdate"].type == "Edm.Date"
    point = model.types[model.sets["msdyn_loyaltyrewardpoints"]]
    navigation = point.navigation["msdyn_RewardPointCurrency"]
    assert navigation.constraints == {"_msdyn_rewardpointcurrency_value": "transactioncurrencyid"}


def test_metadata_changes_pick_and_project(dataverse: DataverseSession) -> None:
    def named(name: str) -> dict[str, Any]:
        value = {"Type": "System.String", "Value": name}
        return {
            "Conditions": [
                {"PropertyName": "LogicalName", "ConditionOperator": "Equals", "Value": value}
            ]
        }

    query = {
        "Properties": {"PropertyNames": ["LogicalName", "Attributes"]},
        "Criteria": named("msdyn_loyaltycard"),
        "AttributeQuery": {
            "Properties": {"PropertyNames": ["LogicalName", "MaxLength"]},
            "Criteria": named("msdyn_cardnumber"),
        },
    }
    url = "RetrieveMetadataChanges(Query=@p1)"
    (table,) = dataverse.get(url, params={"@p1": json.dumps(query)}).json()["EntityMetadata"]
    (column,) = table["Attributes"]
    assert column["MaxLength"] == 100
    assert dataverse.get(url).status_code == 400
