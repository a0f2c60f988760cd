"""The maps that are shipped, against what the sandboxes of both systems say of their tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from connector.config.policies import RetrySettings
from connector.config.sides import FinopsSettings
from connector.endpoints.base import Endpoint
from connector.endpoints.manner import Manner
from connector.mapping.document import MapDocument, read_documents
from connector.mapping.moving.build import Wishes
from connector.mapping.moving.known import known_entity
from connector.operations.maps.importing import import_maps
from connector.shipped import shipped
from connector.sides.remote import finops

if TYPE_CHECKING:
    from tests.conftest import DataverseSession

MAPS = {document.map: document for document in read_documents(shipped("mappings"))}
NAMES = sorted(name for name, one in MAPS.items() if known_entity(one.commerce.entity))
"""Those of Finance and Operations."""
YES_NO = {
    "valueTransforms": [{"transformType": "ValueMap", "valueMap": {"yes": "True", "no": "False"}}]
}
IN_DATAVERSE = {
    "currencies": set[str](),
    "loyalty-card": set[str](),
    "loyalty-reward-points": set[str](),
}
"""Maps whose Dataverse table the sandbox has whole."""


@pytest.fixture(scope="module")
def commerce(
    sandbox: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Endpoint]:
    """The stand-in for Finance and Operations."""
    folder = tmp_path_factory.mktemp("finops")
    secret = folder / "secret"
    secret.write_text(str(sandbox["client_secret"]), "utf-8")
    settings = FinopsSettings.model_validate(
        {
            "kind": "finops",
            "url": sandbox["finops"],
            "authority": sandbox["authority"],
            "client_id": sandbox["client_id"],
            "client_secret": f"file:{secret}",
            "ca": sandbox["ca"],
            "token_cache": "",
            "changes": {"folder": str(folder / "snapshots")},
        }
    )
    endpoint = finops("commerce", settings, RetrySettings(), lambda: False, Manner.COMMAND)
    yield endpoint
    endpoint.close()


def symbols(document: MapDocument, index: int) -> set[str]:
    """The commerce symbols a row names."""
    row = document.fields[index]
    written = set(row.value_map or ())
    if row.constant is not None and row.commerce is not None:
        written.add(str(row.constant))
    return written


@pytest.mark.parametrize("name", NAMES)
def test_columns_symbols_and_keys_are_spelled_as_commerce_spells_them(
    commerce: Endpoint, name: str
) -> None:
    document = MAPS[name]
    entity = commerce.describe(document.commerce.entity)
    for index, row in enumerate(document.fields):
        for column in row.commerce_columns:
            assert column in entity.columns, f"{name}: {column}"
            known = entity.columns[column].choices
            if known:
                assert symbols(document, index) <= {str(symbol) for symbol in known}
    keys = {row.commerce for row in document.fields if row.key}
    assert any(set(key.columns) == keys for key in entity.keys) or name == "operating-units"


@pytest.mark.parametrize("name", NAMES)
def test_what_an_import_knows_of_an_entity_is_what_the_system_says(
    commerce: Endpoint, name: str
) -> None:
    document = MAPS[name]
    known = known_entity(document.commerce.entity)
    assert known is not None
    entity = commerce.describe(known.entity_set)
    assert set(known.columns) <= set(entity.columns)
    for column, members in known.symbols.items():
        assert set(members) == {str(one) for one in entity.columns[column].choices or ()}
    assert known.company is ("dataAreaId" in entity.columns)


@pytest.mark.parametrize("name", sorted(IN_DATAVERSE))
def test_columns_are_there_in_dataverse(dataverse: DataverseSession, name: str) -> None:
    document = MAPS[name]
    query = f"EntityDefinitions?$filter=EntitySetName eq '{document.dataverse.entity}'"
    (definition,) = dataverse.get(query).json()["value"]
    path = f"EntityDefinitions(LogicalName='{definition['LogicalName']}')"
    found = dataverse.get(f"{path}/Attributes?$select=LogicalName").json()["value"]
    columns = {one["LogicalName"] for one in found}
    wanted = {(row.dataverse or "").partition(".")[0] for row in document.fields}
    assert wanted - columns == IN_DATAVERSE[name]
    keys = dataverse.get(f"{path}/Keys?$select=KeyAttributes").json()["value"]
    key = {(row.dataverse or "").partition(".")[0] for row in document.fields if row.key}
    assert key in [set(one["KeyAttributes"]) for one in keys]


def test_an_import_may_ask_how_columns_are_spelled(commerce: Endpoint, tmp_path: Path) -> None:
    leg = {
        "sourceSchema": "CustomerGroups",
        "destinationSchema": "msdyn_customergroups",
        "fieldMappings": [
            {"syncDirection": 3, "sourceField": left, "destinationField": right, **more}
            for left, right, more in (
                ("CUSTOMERGROUPID", "msdyn_groupid", {}),
                ("DESCRIPTION", "msdyn_description", {}),
                ("ISSALESTAXINCLUDEDINPRICE", "msdyn_taxincluded", YES_NO),
            )
        ],
    }
    file = tmp_path / "groups.json"
    file.write_text(json.dumps({"legs": [leg]}), "utf-8")
    assert import_maps([file], Wishes()).maps[0].document is None, "nothing says what the key is"
    (made,) = import_maps([file], Wishes(), commerce=commerce).maps
    assert made.document is not None
    assert [(row.commerce, row.key) for row in made.document.fields] == [
        ("CustomerGroupId", True),
        ("Description", False),
        ("IsSalesTaxIncludedInPrice", False),
        ("dataAreaId", True),
    ]
    assert made.document.fields[2].values == {"Yes": True, "No": False}
    assert made.complete
