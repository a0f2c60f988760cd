"""The solution file of `provision` makes the tables that `provision` itself makes."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connector.sandbox.run import running
from tests.acceptance.conftest import Project, make_project, members
from tests.acceptance.living import until

if TYPE_CHECKING:
    from tests.conftest import DataverseSession, SignIn

TABLES = ("msdyn_loyaltycard", "msdyn_loyaltyrewardpoint")
LISTS = "?$expand=Attributes,Keys,ManyToOneRelationships"
OF_ITS_OWN = frozenset(
    {
        "MetadataId",
        "ColumnNumber",
        "ObjectTypeCode",
        "Description",
    }
)
"""Members that say when and where something was made, not what it is."""


def made(session: DataverseSession) -> dict[str, Any]:
    """The loyalty tables as an organization describes them."""
    found: dict[str, Any] = {}
    for name in TABLES:
        path = f"EntityDefinitions(LogicalName='{name}')"
        answer = session.get(path + LISTS)
        assert answer.status_code == 200, answer.text
        picklists = f"{path}/Attributes/Microsoft.Dynamics.CRM.PicklistAttributeMetadata"
        choices = session.get(f"{picklists}?$expand=OptionSet($select=Options)").json()["value"]
        found[name] = (plain(answer.json()), plain(choices))
    return found


def plain(value: Any) -> Any:
    """A definition without what is its own; lists in the order of names."""
    if isinstance(value, dict):
        lookup = "ReferencingAttribute" in value
        dropped = {"SchemaName", "ReferencedEntityNavigationPropertyName"} if lookup else set()
        return {
            name: plain(one)
            for name, one in value.items()
            if name not in OF_ITS_OWN | dropped and not name.startswith("@odata.context")
        }
    if isinstance(value, list):
        return sorted(map(plain, value), key=_place)
    return value


def _place(one: Any) -> str:
    names = ("LogicalName", "ReferencingAttribute", "Value")
    return str([one.get(name) for name in names] if isinstance(one, dict) else one)


def bring_in(project: Project, file: str) -> None:
    """An administrator imports the file and waits for the key indexes."""
    content = base64.b64encode((project.folder / file).read_bytes()).decode()
    answer = project.connector.post("ImportSolution", json={"CustomizationFile": content})
    assert answer.status_code == 204, answer.text
    keys = f"EntityDefinitions(LogicalName='{TABLES[0]}')/Keys"

    def built() -> bool:
        found = project.connector.get(keys).json()["value"]
        return all(one["EntityKeyIndexStatus"] == "Active" for one in found)

    until("the key indexes", built)


def test_an_imported_file_makes_what_provision_makes(tmp_path: Path, sign_in: SignIn) -> None:
    with running(tmp_path / "one", empty=True) as ready:
        imported = make_project(tmp_path / "imported", ready, sign_in)
        imported.json("provision", "--solution", "tables.zip")
        bring_in(imported, "tables.zip")
        by_file = made(imported.connector)
        imported.import_cards(members(20))
        assert imported.json("provision")["steps"] == []
        assert imported.json("check")["problems"] == []
        imported.json("load")
        assert imported.json("verify")["equal"] is True
    with running(tmp_path / "two", empty=True) as ready:
        asked = make_project(tmp_path / "asked", ready, sign_in)
        asked.json("provision")
        by_requests = made(asked.connector)
    assert by_file == by_requests
