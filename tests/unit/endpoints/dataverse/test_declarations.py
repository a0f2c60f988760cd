"""Definitions as the public documentation shows them, byte for byte where it shows them."""

from __future__ import annotations

from typing import Any

import pytest

from connector.endpoints.dataverse.declarations import LARGEST_DECIMAL, Declarations
from connector.mapping.tables.wanted import INT32, WantedColumn, WantedTable
from connector.mapping.values import ValueType

TO = Declarations(1033)
PREFIX = "Microsoft.Dynamics.CRM."


def label(text: str, language: int = 1033) -> dict[str, Any]:
    return {
        "@odata.type": f"{PREFIX}Label",
        "LocalizedLabels": [
            {
                "@odata.type": f"{PREFIX}LocalizedLabel",
                "Label": text,
                "LanguageCode": language,
            }
        ],
    }


def test_a_text_column() -> None:
    wanted = WantedColumn("new_BankName", "Bank Name", ValueType.TEXT, length=50, required=True)
    assert TO.column(wanted) == {
        "@odata.type": f"{PREFIX}StringAttributeMetadata",
        "AttributeType": "String",
        "AttributeTypeName": {"Value": "StringType"},
        "SchemaName": "new_BankName",
        "DisplayName": label("Bank Name"),
        "RequiredLevel": {
            "Value": "ApplicationRequired",
            "CanBeChanged": True,
            "ManagedPropertyLogicalName": "canmodifyrequirementlevelsettings",
        },
        "MaxLength": 50,
        "FormatName": {"Value": "Text"},
    }


@pytest.mark.parametrize(
    ("wanted", "kind", "facets"),
    [
        (
            WantedColumn("x_A", "A", ValueType.INTEGER, minimum=0),
            "Integer",
            {"Format": "None", "MinValue": 0, "MaxValue": INT32},
        ),
        (
            WantedColumn("x_A", "A", ValueType.DECIMAL, scale=4, maximum=9),
            "Decimal",
            {"Precision": 4, "MinValue": -LARGEST_DECIMAL, "MaxValue": 9},
        ),
        (
            WantedColumn("x_A", "A", ValueType.DATE),
            "DateTime",
            {"Format": "DateOnly", "DateTimeBehavior": {"Value": "DateOnly"}},
        ),
        (
            WantedColumn("x_A", "A", ValueType.INSTANT),
            "DateTime",
            {"Format": "DateAndTime", "DateTimeBehavior": {"Value": "UserLocal"}},
        ),
        (
            WantedColumn("x_A", "A", ValueType.CHOICE, options={7: "Seven"}),
            "Picklist",
            {
                "OptionSet": {
                    "@odata.type": f"{PREFIX}OptionSetMetadata",
                    "IsGlobal": False,
                    "OptionSetType": "Picklist",
                    "Options": [{"Value": 7, "Label": label("Seven")}],
                }
            },
        ),
        (
            WantedColumn("x_A", "A", ValueType.BOOLEAN),
            "Boolean",
            {
                "DefaultValue": False,
                "OptionSet": {
                    "@odata.type": f"{PREFIX}BooleanOptionSetMetadata",
                    "IsGlobal": False,
                    "OptionSetType": "Boolean",
                    "TrueOption": {"Value": 1, "Label": label("Yes")},
                    "FalseOption": {"Value": 0, "Label": label("No")},
                },
            },
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_facets_of_each_type(wanted: WantedColumn, kind: str, facets: dict[str, Any]) -> None:
    made = TO.column(wanted)
    assert made["@odata.type"] == f"{PREFIX}{kind}AttributeMetadata"
    assert made["AttributeTypeName"] == {"Value": f"{kind}Type"}
    assert {name: made[name] for name in facets} == facets
    assert made["RequiredLevel"]["Value"] == "None"


TABLE = WantedTable(
    "new_banks",
    "new_Bank",
    "Bank",
    "Banks",
    WantedColumn("new_Name", "Name", ValueType.TEXT),
    (),
    ("new_name",),
)


def test_a_table_comes_with_its_primary_column_and_is_tracked() -> None:
    made = TO.table(TABLE)
    assert made["@odata.type"] == f"{PREFIX}EntityMetadata"
    assert (made["SchemaName"], made["EntitySetName"]) == ("new_Bank", "new_banks")
    assert (made["OwnershipType"], made["ChangeTrackingEnabled"]) == ("UserOwned", True)
    (primary,) = made["Attributes"]
    assert (primary["SchemaName"], primary["IsPrimaryName"]) == ("new_Name", True)


def test_a_lookup_is_a_relationship_that_keeps_its_target() -> None:
    wanted = WantedColumn("new_Currency", "Currency", ValueType.REFERENCE, target="currencies")
    made = TO.lookup(wanted, "new_bank", "transactioncurrency", "transactioncurrencyid")
    assert made["@odata.type"] == f"{PREFIX}OneToManyRelationshipMetadata"
    assert made["SchemaName"] == "new_transactioncurrency_new_bank_new_Currency"
    assert (made["ReferencedEntity"], made["ReferencedAttribute"]) == (
        "transactioncurrency",
        "transactioncurrencyid",
    )
    assert made["ReferencingEntity"] == "new_bank"
    assert made["CascadeConfiguration"]["Delete"] == "Restrict"
    assert made["Lookup"]["@odata.type"] == f"{PREFIX}LookupAttributeMetadata"
    assert made["Lookup"]["SchemaName"] == "new_Currency"


def test_a_key() -> None:
    made = TO.key(TABLE)
    assert made["@odata.type"] == f"{PREFIX}EntityKeyMetadata"
    assert (made["SchemaName"], made["KeyAttributes"]) == ("new_Bank_Key", ["new_name"])
    assert made["DisplayName"] == label("Bank key")


def test_labels_are_in_the_language_of_the_organization() -> None:
    german = Declarations(1031)
    assert german.column(WantedColumn("x_A", "A", ValueType.DATE))["DisplayName"] == label(
        "A", 1031
    )
