"""The solution file, in the form exported solutions have."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from lxml import etree

from connector.endpoints.dataverse.solution import Addition, additions, left_out, write_solution
from connector.mapping.tables.provision import (
    AddOption,
    AwaitKey,
    MakeColumn,
    MakeKey,
    MakeTable,
    Step,
    TrackChanges,
)
from connector.mapping.tables.wanted import WantedColumn, WantedTable
from connector.mapping.values import ValueType

NUMBER = WantedColumn("new_Number", "Number", ValueType.TEXT, length=30, required=True)
COLUMNS = (
    WantedColumn("new_Uses", "Uses", ValueType.INTEGER, minimum=0),
    WantedColumn("new_Worth", "Worth", ValueType.DECIMAL, scale=4),
    WantedColumn("new_Day", "Day", ValueType.DATE),
    WantedColumn("new_At", "At", ValueType.INSTANT),
    WantedColumn("new_Active", "Active", ValueType.BOOLEAN),
    WantedColumn("new_Kind", "Kind <&>", ValueType.CHOICE, options={7: "Paper", 8: "Plastic"}),
    WantedColumn("new_Money", "Money", ValueType.REFERENCE, target="transactioncurrencies"),
)
TABLE = WantedTable("new_cards", "new_Card", "Card", "Cards", NUMBER, COLUMNS, ("new_number",))
STEPS: list[Step] = [
    MakeTable(TABLE),
    *(MakeColumn(TABLE, column) for column in COLUMNS),
    MakeKey(TABLE),
    AwaitKey(TABLE),
]


@pytest.fixture
def written(tmp_path: Path) -> dict[str, etree._Element]:
    """The files of a new table, parsed."""
    return read(tmp_path / "tables.zip", additions(STEPS, {}))


def read(path: Path, tables: list[Addition]) -> dict[str, etree._Element]:
    write_solution(path, tables, {"transactioncurrencies": "TransactionCurrency"}, 1031)
    with zipfile.ZipFile(path) as file:
        return {name: etree.fromstring(file.read(name)) for name in file.namelist()}


def text(node: etree._Element, path: str) -> str:
    (found,) = node.findall(path)
    return found.text or ""


def attributes(node: etree._Element) -> dict[str, str]:
    return {str(name): str(value) for name, value in node.attrib.items()}


def attribute(files: dict[str, etree._Element], name: str) -> etree._Element:
    found = files["customizations.xml"].find(f".//attribute[@PhysicalName='{name}']")
    assert found is not None
    return found


def test_the_three_files(written: dict[str, etree._Element]) -> None:
    assert set(written) == {"[Content_Types].xml", "solution.xml", "customizations.xml"}
    default = written["[Content_Types].xml"][0]
    assert attributes(default) == {"Extension": "xml", "ContentType": "application/octet-stream"}


def test_an_unmanaged_solution_of_the_tables_publisher(
    written: dict[str, etree._Element],
) -> None:
    manifest = written["solution.xml"].find("SolutionManifest")
    assert manifest is not None
    assert text(manifest, "Managed") == "0"
    assert text(manifest, "UniqueName") == "DualWriteTables"
    assert text(manifest, "Publisher/CustomizationPrefix") == "new"
    (component,) = manifest.findall("RootComponents/RootComponent")
    assert attributes(component) == {"type": "1", "schemaName": "new_card", "behavior": "0"}
    assert written["solution.xml"].get("languagecode") == "1031"


def test_the_table(written: dict[str, etree._Element]) -> None:
    (entity,) = written["customizations.xml"].findall("Entities/Entity")
    assert text(entity, "Name") == "new_Card"
    info = entity.find("EntityInfo/entity")
    assert info is not None
    assert info.get("Name") == "new_Card"
    assert info.get("unmodified") is None
    assert text(info, "EntitySetName") == "new_cards"
    assert text(info, "OwnershipTypeMask") == "UserOwned"
    assert text(info, "ChangeTrackingEnabled") == "1"
    (key,) = info.findall("EntityKeys/EntityKey")
    assert text(key, "LogicalName") == "new_card_key"
    assert text(key, "EntityKeyAttributes/AttributeName") == "new_number"
    (label,) = info.findall("LocalizedCollectionNames/LocalizedCollectionName")
    assert attributes(label) == {"description": "Cards", "languagecode": "1031"}


def test_the_primary_column(written: dict[str, etree._Element]) -> None:
    number = attribute(written, "new_Number")
    assert text(number, "Type") == "nvarchar"
    assert text(number, "LogicalName") == "new_number"
    assert text(number, "RequiredLevel") == "required"
    assert text(number, "DisplayMask").startswith("PrimaryName|")
    assert (text(number, "MaxLength"), text(number, "Length")) == ("30", "60")


@pytest.mark.parametrize(
    ("name", "kind", "facets"),
    [
        ("new_Uses", "int", {"Format": "none", "MinValue": "0", "MaxValue": "2147483647"}),
        ("new_Worth", "decimal", {"Accuracy": "4", "MinValue": "-100000000000"}),
        ("new_Day", "datetime", {"Format": "date", "Behavior": "2"}),
        ("new_At", "datetime", {"Format": "datetime", "Behavior": "1"}),
        ("new_Active", "bit", {"AppDefaultValue": "0"}),
        ("new_Kind", "picklist", {"AppDefaultValue": "-1"}),
        ("new_Money", "lookup", {"LookupStyle": "single"}),
    ],
)
def test_columns_with_their_facets(
    written: dict[str, etree._Element], name: str, kind: str, facets: dict[str, str]
) -> None:
    column = attribute(written, name)
    assert text(column, "Type") == kind
    assert {facet: text(column, facet) for facet in facets} == facets
    assert not text(column, "DisplayMask").startswith("PrimaryName")


def test_a_choice_is_local_and_named_after_table_and_column(
    written: dict[str, etree._Element],
) -> None:
    (options,) = attribute(written, "new_Kind").findall("optionset")
    assert options.get("Name") == "new_card_new_kind"
    assert (text(options, "IsGlobal"), text(options, "OptionSetType")) == ("0", "picklist")
    found = {
        one.get("value"): one.find("labels/label") for one in options.findall("options/option")
    }
    assert {
        value: node.get("description") for value, node in found.items() if node is not None
    } == {
        "7": "Paper",
        "8": "Plastic",
    }


def test_a_lookup_is_a_relationship_at_the_root(written: dict[str, etree._Element]) -> None:
    (relation,) = written["customizations.xml"].findall("EntityRelationships/EntityRelationship")
    assert relation.get("Name") == "new_transactioncurrency_new_card_new_Money"
    assert text(relation, "ReferencingEntityName") == "new_Card"
    assert text(relation, "ReferencedEntityName") == "TransactionCurrency"
    assert text(relation, "ReferencingAttributeName") == "new_Money"
    lookup, collection = relation.findall("EntityRelationshipRoles/EntityRelationshipRole")
    assert text(lookup, "RelationshipRoleType") == "1"
    assert text(lookup, "NavigationPropertyName") == "new_Money"
    assert text(collection, "RelationshipRoleType") == "0"
    assert text(collection, "NavigationPropertyName") == relation.get("Name")


def test_a_table_that_is_there_is_only_added_to(tmp_path: Path) -> None:
    steps: list[Step] = [MakeColumn(TABLE, COLUMNS[0]), TrackChanges(TABLE)]
    files = read(tmp_path / "more.zip", additions(steps, {"new_cards": "new_GiftCard"}))
    (component,) = files["solution.xml"].findall("SolutionManifest/RootComponents/RootComponent")
    assert (component.get("schemaName"), component.get("behavior")) == ("new_giftcard", "2")
    (info,) = files["customizations.xml"].findall("Entities/Entity/EntityInfo/entity")
    assert info.get("unmodified") == "1"
    assert info.get("Name") == "new_GiftCard"
    assert [one.get("PhysicalName") for one in info.findall("attributes/attribute")] == ["new_Uses"]
    assert info.find("EntitySetName") is None
    assert info.find("EntityKeys") is None
    assert text(info, "ChangeTrackingEnabled") == "1"


def test_an_option_of_a_choice_that_is_there_cannot_be_carried() -> None:
    option = AddOption(TABLE, COLUMNS[5], 8)
    steps: list[Step] = [option, AwaitKey(TABLE)]
    assert additions(steps, {}) == []
    assert left_out(steps) == [option]


def test_the_same_tables_give_the_same_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        read(tmp_path / name, additions(STEPS, {}))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
