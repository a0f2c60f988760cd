"""ImportSolution: a solution file in the form exported ones have, written here by hand."""

from __future__ import annotations

import base64
import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from connector.sandbox.run import running
from tests.integration.sandbox.declared import definition, refusal, status, wait_for

if TYPE_CHECKING:
    from tests.conftest import DataverseSession, SignIn

TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/octet-stream" /></Types>'
)
MANIFEST = """
<ImportExportXml version="9.2.25" SolutionPackageVersion="9.2" languagecode="1033">
  <SolutionManifest>
    <UniqueName>Library</UniqueName>
    <LocalizedNames><LocalizedName description="Library" languagecode="1033" /></LocalizedNames>
    <Version>1.2.0.0</Version>
    <Managed>0</Managed>
    <Publisher>
      <UniqueName>acme</UniqueName>
      <LocalizedNames><LocalizedName description="Acme" languagecode="1033" /></LocalizedNames>
      <CustomizationPrefix>acme</CustomizationPrefix>
      <CustomizationOptionValuePrefix>72700</CustomizationOptionValuePrefix>
    </Publisher>
    <RootComponents><RootComponent type="1" schemaName="acme_book" behavior="0" /></RootComponents>
  </SolutionManifest>
</ImportExportXml>
"""
BOOK = """
<Entity>
  <Name LocalizedName="Book" OriginalName="Book">acme_Book</Name>
  <EntityInfo><entity Name="acme_Book">
    <LocalizedNames><LocalizedName description="Book" languagecode="1033" /></LocalizedNames>
    <LocalizedCollectionNames>
      <LocalizedCollectionName description="Books" languagecode="1033" />
    </LocalizedCollectionNames>
    <attributes>
      <attribute PhysicalName="acme_BookId">
        <Type>primarykey</Type><LogicalName>acme_bookid</LogicalName>
      </attribute>
      <attribute PhysicalName="acme_Name">
        <Type>nvarchar</Type><RequiredLevel>required</RequiredLevel>
        <DisplayMask>PrimaryName|ValidForForm</DisplayMask><MaxLength>80</MaxLength>
        <displaynames><displayname description="Title" languagecode="1033" /></displaynames>
      </attribute>
      <attribute PhysicalName="acme_Pages">
        <Type>int</Type><MinValue>1</MinValue><MaxValue>9999</MaxValue>
      </attribute>
      <attribute PhysicalName="acme_Price">
        <Type>decimal</Type><Accuracy>3</Accuracy><MinValue>0</MinValue><MaxValue>99.5</MaxValue>
      </attribute>
      <attribute PhysicalName="acme_Printed">
        <Type>datetime</Type><Format>date</Format><Behavior>2</Behavior>
      </attribute>
      <attribute PhysicalName="acme_Lent">
        <Type>bit</Type>
        <optionset Name="acme_book_acme_lent"><options>
          <option value="1">
            <labels><label description="Out" languagecode="1033" /></labels>
          </option>
          <option value="0">
            <labels><label description="In" languagecode="1033" /></labels>
          </option>
        </options></optionset>
      </attribute>
      <attribute PhysicalName="acme_Kind">
        <Type>picklist</Type><IsSecured>1</IsSecured>
        <optionset Name="acme_book_acme_kind"><options>
          <option value="7">
            <labels><label description="Novel" languagecode="1033" /></labels>
          </option>
        </options></optionset>
      </attribute>
      <attribute PhysicalName="acme_Shelf">
        <Type>picklist</Type><OptionSetName>acme_shelf</OptionSetName>
      </attribute>
      <attribute PhysicalName="acme_Author">
        <Type>lookup</Type><RequiredLevel>recommended</RequiredLevel>
        <displaynames><displayname description="Author" languagecode="1033" /></displaynames>
      </attribute>
    </attributes>
    <EntitySetName>acme_library</EntitySetName>
    <OwnershipTypeMask>OrgOwned</OwnershipTypeMask>
    <ChangeTrackingEnabled>1</ChangeTrackingEnabled>
    <EntityKeys><EntityKey>
      <Name>acme_AuthorNameKey</Name>
      <EntityKeyAttributes>
        <AttributeName>acme_author</AttributeName><AttributeName>acme_name</AttributeName>
      </EntityKeyAttributes>
      <displaynames><displayname description="Key" languagecode="1033" /></displaynames>
    </EntityKey></EntityKeys>
  </entity></EntityInfo>
</Entity>
"""
CONTACT = """
<Entity>
  <Name LocalizedName="Contact" OriginalName="Contact">Contact</Name>
  <EntityInfo><entity Name="Contact" unmodified="1"><attributes>
    <attribute PhysicalName="acme_Nickname">
      <Type>nvarchar</Type><MaxLength>20</MaxLength>
    </attribute>
  </attributes></entity></EntityInfo>
</Entity>
"""
RELATIONSHIP = """
<EntityRelationship Name="acme_Contact_Book">
  <EntityRelationshipType>OneToMany</EntityRelationshipType>
  <ReferencingEntityName>acme_Book</ReferencingEntityName>
  <ReferencedEntityName>Contact</ReferencedEntityName>
  <CascadeDelete>RemoveLink</CascadeDelete>
  <ReferencingAttributeName>acme_Author</ReferencingAttributeName>
  <EntityRelationshipRoles>
    <EntityRelationshipRole>
      <NavPaneDisplayOption>UseCollectionName</NavPaneDisplayOption>
      <NavigationPropertyName>acme_Author</NavigationPropertyName>
      <RelationshipRoleType>1</RelationshipRoleType>
    </EntityRelationshipRole>
    <EntityRelationshipRole>
      <NavigationPropertyName>acme_Contact_Book</NavigationPropertyName>
      <RelationshipRoleType>0</RelationshipRoleType>
    </EntityRelationshipRole>
  </EntityRelationshipRoles>
</EntityRelationship>
"""
SHELF = """
<optionset Name="acme_shelf" localizedName="Shelf">
  <OptionSetType>picklist</OptionSetType><IsGlobal>1</IsGlobal>
  <options>
    <option value="1"><labels><label description="Upper" languagecode="1033" /></labels></option>
  </options>
</optionset>
"""


def customizations(
    entities: str = BOOK + CONTACT, relationships: str = RELATIONSHIP, option_sets: str = SHELF
) -> str:
    """The third file of a solution."""
    return (
        f"<ImportExportXml><Entities>{entities}</Entities>"
        f"<EntityRelationships>{relationships}</EntityRelationships>"
        f"<optionsets>{option_sets}</optionsets></ImportExportXml>"
    )


def zipped(**changes: str | None) -> bytes:
    """The solution file; `changes` replace a file's text, None leaves it out."""
    files = {"types": TYPES, "solution": MANIFEST, "customizations": customizations(), **changes}
    names = {"types": "[Content_Types].xml"}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name, text in files.items():
            if text is not None:
                file.writestr(names.get(name, f"{name}.xml"), text)
    return content.getvalue()


def bring_in(dataverse: DataverseSession, content: bytes) -> Any:
    """Imports a solution file; the answer."""
    body = {
        "OverwriteUnmanagedCustomizations": False,
        "PublishWorkflows": False,
        "CustomizationFile": base64.b64encode(content).decode(),
        "ImportJobId": "11111111-1111-1111-1111-111111111111",
    }
    return dataverse.post("ImportSolution", json=body)


def test_a_solution_makes_tables_that_serve_rows(tmp_path: Path, sign_in: SignIn) -> None:
    with running(tmp_path, empty=True) as ready:
        session = sign_in(where=ready)
        answer = bring_in(session, zipped())
        assert answer.status_code == 204, answer.text
        book = definition("acme_book")
        shown = session.get(book).json()
        assert (shown["SchemaName"], shown["EntitySetName"]) == ("acme_Book", "acme_library")
        assert shown["OwnershipType"] == "OrganizationOwned"
        assert shown["ChangeTrackingEnabled"] is True
        assert shown["DisplayCollectionName"]["UserLocalizedLabel"]["Label"] == "Books"
        columns = {c["LogicalName"]: c for c in session.get(f"{book}/Attributes").json()["value"]}
        assert columns["acme_name"]["RequiredLevel"]["Value"] == "ApplicationRequired"
        assert columns["acme_pages"]["MaxValue"] == 9999
        assert (columns["acme_price"]["Precision"], columns["acme_price"]["MaxValue"]) == (3, 99.5)
        assert columns["acme_printed"]["DateTimeBehavior"] == {"Value": "DateOnly"}
        assert columns["acme_kind"]["IsSecured"] is True
        key = f"{book}/Keys(LogicalName='acme_authornamekey')"
        wait_for(lambda: status(session, key) == "Active")
        author = session.post("contacts", json={"lastname": "Austen", "acme_nickname": "J"})
        row = {
            "acme_name": "Emma",
            "acme_pages": 474,
            "acme_price": 12.5,
            "acme_printed": "1815-12-23",
            "acme_lent": True,
            "acme_kind": 7,
            "acme_shelf": 1,
            "acme_Author@odata.bind": author.headers["OData-EntityId"],
        }
        assert session.post("acme_library", json=row).status_code == 204
        assert session.post("acme_library", json=row).status_code == 412
        (solution,) = session.get(
            "solutions?$filter=uniquename eq 'Library'&$expand=publisherid"
        ).json()["value"]
        assert solution["version"] == "1.2.0.0"
        assert solution["publisherid"]["customizationoptionvalueprefix"] == 72_700


def test_what_is_there_stays(dataverse: DataverseSession) -> None:
    assert bring_in(dataverse, zipped()).status_code == 204
    before = dataverse.get(f"{definition('acme_book')}?$expand=Attributes,Keys").json()
    dataverse.post("acme_library", json={"acme_name": "Emma"})
    more = BOOK.replace("<MaxLength>80", "<MaxLength>9").replace(
        '<attribute PhysicalName="acme_Author">',
        '<attribute PhysicalName="acme_Colour"><Type>ntext</Type></attribute>'
        '<attribute PhysicalName="acme_Author">',
    )
    again = bring_in(dataverse, zipped(customizations=customizations(more + CONTACT)))
    assert again.status_code == 204, again.text
    after = dataverse.get(f"{definition('acme_book')}?$expand=Attributes,Keys").json()
    kept = {one["LogicalName"]: one for one in after["Attributes"]}
    assert kept.pop("acme_colour")["AttributeType"] == "Memo"
    assert {one["LogicalName"]: one["MetadataId"] for one in before["Attributes"]} == {
        name: one["MetadataId"] for name, one in kept.items()
    }
    assert kept["acme_name"]["MaxLength"] == 80
    assert len(after["Keys"]) == 1
    assert len(dataverse.get("acme_library").json()["value"]) == 1
    assert (
        dataverse.get("publishers?$filter=uniquename eq 'acme'&$count=true").json()["@odata.count"]
        == 1
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"types": None},
        {"customizations": None},
        {"solution": "<nothing"},
        {"solution": "<ImportExportXml />"},
        {"solution": MANIFEST.replace("<Managed>0", "<Managed>1")},
        {"solution": MANIFEST.replace(">acme</UniqueName>", " />")},
        {"solution": MANIFEST.replace("<CustomizationPrefix>acme", "<CustomizationPrefix>other")},
        {"customizations": customizations(BOOK.replace("PrimaryName|", ""))},
        {"customizations": customizations(BOOK.replace("<MinValue>1<", "<MinValue>few<"))},
        {"customizations": customizations(BOOK.replace('<entity Name="acme_Book">', "<entity>"))},
        {"customizations": customizations(CONTACT)},
        {"customizations": customizations(option_sets="")},
        {"customizations": customizations(relationships=RELATIONSHIP.replace("OneTo", "ManyTo"))},
    ],
)
def test_a_file_that_is_refused_leaves_nothing(
    dataverse: DataverseSession, changes: dict[str, str | None]
) -> None:
    before = dataverse.get("EntityDefinitions").json()
    answer = bring_in(dataverse, zipped(**changes))
    assert answer.status_code in (400, 404), answer.text
    assert dataverse.get("EntityDefinitions").json() == before
    assert dataverse.get("publishers?$filter=uniquename eq 'acme'").json()["value"] == []


def test_what_is_no_solution_file(dataverse: DataverseSession) -> None:
    assert refusal(bring_in(dataverse, b"nothing")) == (400, "0x80040203")
    answer = dataverse.post("ImportSolution", json={"CustomizationFile": "not base64!"})
    assert refusal(answer) == (400, "0x80040203")
    assert dataverse.post("ImportSolution", json={}).status_code == 400
