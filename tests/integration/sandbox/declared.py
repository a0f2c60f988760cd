"""Definitions as the tests send them to the metadata API."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.conftest import DataverseSession

CRM = "Microsoft.Dynamics.CRM"
PATIENCE_SECONDS = 120.0


def label(text: str, language: int = 1033) -> dict[str, Any]:
    """A Label with one text."""
    one = {"@odata.type": f"{CRM}.LocalizedLabel", "Label": text, "LanguageCode": language}
    return {"@odata.type": f"{CRM}.Label", "LocalizedLabels": [one]}


def attribute(kind: str, schema_name: str, **facets: Any) -> dict[str, Any]:
    """One column of the metadata type `<kind>AttributeMetadata`."""
    return {
        "@odata.type": f"{CRM}.{kind}AttributeMetadata",
        "SchemaName": schema_name,
        "RequiredLevel": {"Value": "None"},
        "DisplayName": label(schema_name),
        **facets,
    }


def entity(schema_name: str, *attributes: dict[str, Any], **members: Any) -> dict[str, Any]:
    """A table with a primary name column `new_Name` and `attributes`."""
    name = attribute("String", "new_Name", MaxLength=100, IsPrimaryName=True)
    return {
        "@odata.type": f"{CRM}.EntityMetadata",
        "SchemaName": schema_name,
        "OwnershipType": "UserOwned",
        "HasActivities": False,
        "HasNotes": False,
        "IsActivity": False,
        "DisplayName": label(schema_name.partition("_")[2]),
        "DisplayCollectionName": label(schema_name.partition("_")[2] + "s"),
        "Attributes": [name, *attributes],
        **members,
    }


def definition(name: str) -> str:
    """The path of a table's definition."""
    return f"EntityDefinitions(LogicalName='{name}')"


def create_table(dataverse: DataverseSession, *attributes: dict[str, Any], **members: Any) -> str:
    """Creates the table `new_Book`; its MetadataId."""
    answer = dataverse.post("EntityDefinitions", json=entity("new_Book", *attributes, **members))
    assert answer.status_code == 204, answer.text
    return str(answer.headers["OData-EntityId"][-37:-1])


def create_key(
    dataverse: DataverseSession, table: str, *columns: str, name: str = "new_key"
) -> str:
    """Asks for an alternate key; the path of its definition."""
    answer = dataverse.post(
        f"{definition(table)}/Keys",
        json={"SchemaName": name, "KeyAttributes": [*columns], "DisplayName": label(name)},
    )
    assert answer.status_code == 204, answer.text
    return f"{definition(table)}/Keys({answer.headers['OData-EntityId'][-37:-1]})"


def status(dataverse: DataverseSession, key: str) -> str:
    """How far the index of a key is."""
    return str(dataverse.get(key).json()["EntityKeyIndexStatus"])


def wait_for(holds: Callable[[], bool]) -> None:
    """Until something holds; fails when it takes too long."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.05)


def refusal(answer: Any) -> tuple[int, str]:
    """Status and code of a refused request."""
    return answer.status_code, answer.json()["error"]["code"]
