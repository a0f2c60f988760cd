"""RetrieveMetadataChanges: what a query picks, and what has changed since a stamp."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.sandbox.declared import (
    CRM,
    attribute,
    create_table,
    definition,
    refusal,
)

if TYPE_CHECKING:
    from tests.conftest import DataverseSession

FILTERS = f"{CRM}.DeletedMetadataFilters'Entity'"
EVERYTHING = {"Properties": {"PropertyNames": ["LogicalName"]}}
TEXT, FLAG = "System.String", "System.Boolean"


def ask(
    dataverse: DataverseSession, query: dict[str, Any] | None = None, stamp: str | None = None
) -> Any:
    """The answer to a query, since a stamp where there is one."""
    arguments = {"Query": "@p1"}
    params = {"@p1": json.dumps(query or EVERYTHING)}
    if stamp is not None:
        arguments |= {"ClientVersionStamp": "@p2", "DeletedMetadataFilters": FILTERS}
        params["@p2"] = f"'{stamp}'"
    listed = ",".join(f"{name}={value}" for name, value in arguments.items())
    return dataverse.get(f"RetrieveMetadataChanges({listed})", params=params)


def names(answer: Any) -> set[str]:
    """The tables in an answer."""
    assert answer.status_code == 200, answer.text
    return {one["LogicalName"] for one in answer.json()["EntityMetadata"]}


def condition(name: str, operator: str, kind: str, value: str) -> dict[str, Any]:
    """One condition of a query."""
    return {
        "PropertyName": name,
        "ConditionOperator": operator,
        "Value": {"Type": kind, "Value": value},
    }


def test_only_what_changed_since_the_stamp(dataverse: DataverseSession) -> None:
    first = ask(dataverse)
    assert {"msdyn_loyaltycard", "contact"} <= names(first)
    stamp = first.json()["ServerVersionStamp"]
    assert names(ask(dataverse, stamp=stamp)) == set()
    # Rows are no definitions.
    dataverse.post("msdyn_loyaltycards", json={"msdyn_cardnumber": "C-1"})
    assert names(ask(dataverse, stamp=stamp)) == set()
    create_table(dataverse)
    card = f"{definition('msdyn_loyaltycard')}/Attributes"
    dataverse.post(card, json=attribute("String", "new_Colour"))
    changes = ask(dataverse, stamp=stamp)
    assert names(changes) == {"new_book", "msdyn_loyaltycard"}
    assert {one["HasChanged"] for one in changes.json()["EntityMetadata"]} == {True}
    later = changes.json()["ServerVersionStamp"]
    assert names(ask(dataverse, stamp=later)) == set()


def test_tables_that_went_are_named_by_id(dataverse: DataverseSession) -> None:
    stamp = ask(dataverse).json()["ServerVersionStamp"]
    identity = create_table(dataverse)
    dataverse.delete(definition("new_book"))
    gone = ask(dataverse, stamp=stamp).json()["DeletedMetadata"]
    assert gone == {"Count": 1, "IsReadOnly": False, "Keys": ["Entity"], "Values": [[identity]]}
    nothing = ask(dataverse).json()["DeletedMetadata"]
    assert nothing == {"Count": 0, "IsReadOnly": False, "Keys": [], "Values": []}


def test_stamps_that_are_unknown(dataverse: DataverseSession) -> None:
    stamp = ask(dataverse).json()["ServerVersionStamp"]
    create_table(dataverse)
    dataverse.switch("reset")
    assert refusal(ask(dataverse, stamp=stamp)) == (400, "0x80044352")
    early, late = "1!01/01/2026 00:00:00", "99999999999!01/01/2026 00:00:00"
    for unknown in (early, late):
        assert refusal(ask(dataverse, stamp=unknown)) == (400, "0x80044352")
    assert refusal(ask(dataverse, stamp="yesterday")) == (400, "0x80040203")


@pytest.mark.parametrize(
    ("criteria", "found"),
    [
        ({"Conditions": [condition("LogicalName", "Equals", TEXT, "contact")]}, {"contact"}),
        (
            {
                "FilterOperator": "Or",
                "Conditions": [
                    condition("LogicalName", "Equals", TEXT, "contact"),
                    condition("LogicalName", "Equals", TEXT, "account"),
                ],
            },
            {"contact", "account"},
        ),
        (
            {
                "Conditions": [condition("ChangeTrackingEnabled", "Equals", FLAG, "true")],
                "Filters": [
                    {
                        "Conditions": [
                            condition("LogicalName", "In", "System.String[]", '["contact","role"]')
                        ]
                    }
                ],
            },
            {"contact"},
        ),
        ({"Conditions": [condition("IsCustomizable", "Equals", FLAG, "False")]}, set()),
    ],
)
def test_criteria(dataverse: DataverseSession, criteria: dict[str, Any], found: set[str]) -> None:
    assert names(ask(dataverse, {**EVERYTHING, "Criteria": criteria})) == found


def test_secured_columns_are_found(dataverse: DataverseSession) -> None:
    create_table(dataverse, attribute("String", "new_Secret", IsSecured=True))
    query = {
        "Properties": {"PropertyNames": ["SchemaName", "Attributes"]},
        "Criteria": {"Conditions": [condition("LogicalName", "Equals", TEXT, "new_book")]},
        "AttributeQuery": {
            "Properties": {"PropertyNames": ["SchemaName", "IsSecured"]},
            "Criteria": {"Conditions": [condition("IsSecured", "Equals", FLAG, "true")]},
        },
    }
    (table,) = ask(dataverse, query).json()["EntityMetadata"]
    (column,) = table["Attributes"]
    assert (column["SchemaName"], column["IsSecured"]) == ("new_Secret", True)
    assert column["@odata.type"] == f"#{CRM}.ComplexStringAttributeMetadata"


@pytest.mark.parametrize(
    "call",
    [
        "RetrieveMetadataChanges()",
        "RetrieveMetadataChanges(Query=@p1)?@p1=nothing",
        "RetrieveMetadataChanges(Query=@p1)?@p1=[]",
        'RetrieveMetadataChanges(Query=@p1)?@p1={"Criteria":{"Conditions":[{"PropertyName":"X"}]}}',
    ],
)
def test_calls_that_cannot_be_read(dataverse: DataverseSession, call: str) -> None:
    assert refusal(dataverse.get(call)) == (400, "0x80040203")
