"""The same tables as an unmanaged solution, for an administrator to import.

Owns: the three files of the zip: what it holds, whose it is, and the definitions.
Never does: importing it; a column or table that exists already.
Tested in: tests/unit/endpoints/dataverse/test_solution.py.

The form is that of exported solutions: "Power Platform: solution file reference" names the files,
the schema CustomizationsSolution.xsd the elements. Nothing in a solution can wait for a key's
index: `dualwrite check` tells when it is built.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree

from connector.endpoints.dataverse.declarations import LARGEST_DECIMAL
from connector.endpoints.dataverse.solution_flags import COLUMN_FLAGS, TABLE_FLAGS
from connector.mapping.tables.provision import (
    AddOption,
    MakeColumn,
    MakeKey,
    MakeTable,
    Step,
    TrackChanges,
)
from connector.mapping.tables.wanted import INT32, WantedColumn, WantedTable
from connector.mapping.values import ValueType

UNIQUE_NAME = "DualWriteTables"
VERSION = "1.0.0.0"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_CONTENT_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_EMPTY = (
    "Roles",
    "Workflows",
    "FieldSecurityProfiles",
    "Templates",
    "EntityMaps",
)
_TYPES: Mapping[ValueType, str] = {
    ValueType.TEXT: "nvarchar",
    ValueType.INTEGER: "int",
    ValueType.DECIMAL: "decimal",
    ValueType.BOOLEAN: "bit",
    ValueType.DATE: "datetime",
    ValueType.INSTANT: "datetime",
    ValueType.CHOICE: "picklist",
    ValueType.REFERENCE: "lookup",
}
_USER_LOCAL, _DATE_ONLY = "1", "2"
_TABLE_COMPONENT = "1"
_WHOLE, _CHANGES_ONLY = "0", "2"
"""How much of a table the solution owns: a new one whole, of another what it adds."""


@dataclass(slots=True)
class Addition:
    """What the solution adds to one table; `new` makes the table itself."""

    table: WantedTable
    name: str
    """Its schema name, which solutions spell in its own case."""
    new: bool = False
    columns: tuple[WantedColumn, ...] = ()
    key: bool = False
    tracked: bool = False

    @property
    def logical_name(self) -> str:
        """The name by which a solution counts it among what it holds."""
        return self.name.lower()


def additions(steps: Iterable[Step], names: Mapping[str, str]) -> list[Addition]:
    """What the steps of a plan come to, by table; waiting and options of choices aside.

    `names` are the schema names of tables that are there, by set name.
    """
    found: dict[str, Addition] = {}
    for step in steps:
        set_name = step.table.set_name
        name = names.get(set_name, step.table.schema_name)
        one = found.setdefault(set_name, Addition(step.table, name))
        match step:
            case MakeTable(table):
                one.new, one.tracked = True, True
                one.columns = (table.primary, *one.columns)
            case MakeColumn(_, column):
                one.columns = (*one.columns, column)
            case MakeKey():
                one.key = True
            case TrackChanges():
                one.tracked = True
    return [one for one in found.values() if one.new or one.columns or one.key or one.tracked]


def left_out(steps: Iterable[Step]) -> list[AddOption]:
    """Steps a solution cannot carry without owning a column that exists."""
    return [step for step in steps if isinstance(step, AddOption)]


def write_solution(
    path: Path, tables: Sequence[Addition], targets: Mapping[str, str], language: int
) -> None:
    """Write the zip. `targets` are schema names of the tables lookups point to, by set name.

    Raises `OSError`.
    """
    files = {
        "[Content_Types].xml": _content_types(),
        "solution.xml": _manifest(tables, language),
        "customizations.xml": _Customizations(targets, language).document(tables),
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, root in files.items():
            text = etree.tostring(root, encoding="utf-8", xml_declaration=True, pretty_print=True)
            # A fixed time, so that the same tables give the same file.
            file.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), text)


def _node(tag: str, *inside: etree._Element | str, **attributes: str) -> etree._Element:
    """An element with a text or with elements."""
    node = etree.Element(tag, attributes)
    for one in inside:
        if isinstance(one, str):
            node.text = one
        else:
            node.append(one)
    return node


def _content_types() -> etree._Element:
    default: Any = {None: _CONTENT_TYPES}
    root = etree.Element(f"{{{_CONTENT_TYPES}}}Types", nsmap=default)
    attributes = {"Extension": "xml", "ContentType": "application/octet-stream"}
    etree.SubElement(root, f"{{{_CONTENT_TYPES}}}Default", attributes)
    return root


def _root(**attributes: str) -> etree._Element:
    return etree.Element("ImportExportXml", attributes, nsmap={"xsi": _XSI})


def _manifest(tables: Sequence[Addition], language: int) -> etree._Element:
    prefixes = [one.table.schema_name.partition("_")[0] for one in tables] or ["new"]
    # Microsoft's own publisher is there already, and is nobody else's to bring.
    prefix = next((one for one in prefixes if one != "msdyn"), prefixes[0])
    root = _root(version="9.2.0.0", SolutionPackageVersion="9.2", languagecode=str(language))
    components = [
        _node(
            "RootComponent",
            type=_TABLE_COMPONENT,
            schemaName=one.logical_name,
            behavior=_WHOLE if one.new else _CHANGES_ONLY,
        )
        for one in tables
    ]
    root.append(
        _node(
            "SolutionManifest",
            _node("UniqueName", UNIQUE_NAME),
            _named("LocalizedNames", "LocalizedName", "Tables of dualwrite", language),
            _node("Descriptions"),
            _node("Version", VERSION),
            _node("Managed", "0"),
            _node(
                "Publisher",
                _node("UniqueName", f"dualwrite{prefix}"),
                _named("LocalizedNames", "LocalizedName", f"dualwrite ({prefix})", language),
                _node("Descriptions"),
                _node("CustomizationPrefix", prefix),
                _node("CustomizationOptionValuePrefix", "10000"),
                _node("Addresses"),
            ),
            _node("RootComponents", *components),
            _node("MissingDependencies"),
        )
    )
    return root


class _Customizations:
    """`customizations.xml`."""

    def __init__(self, targets: Mapping[str, str], language: int) -> None:
        self._targets = targets
        self._language = language

    def document(self, tables: Sequence[Addition]) -> etree._Element:
        root = _root()
        root.append(_node("Entities", *(self._entity(one) for one in tables)))
        for name in _EMPTY:
            root.append(_node(name))
        lookups = [
            self._relationship(one, column)
            for one in tables
            for column in one.columns
            if column.target is not None
        ]
        root.append(_node("EntityRelationships", *lookups))
        root.append(_node("OrganizationSettings"))
        root.append(_node("optionsets"))
        root.append(_node("CustomControls"))
        root.append(_node("EntityDataProviders"))
        root.append(_node("Languages", _node("Language", str(self._language))))
        return root

    def _entity(self, one: Addition) -> etree._Element:
        table = one.table
        entity = _node("entity", Name=one.name)
        if one.new:
            entity.append(self._text("LocalizedNames", "LocalizedName", table.title))
            names = ("LocalizedCollectionNames", "LocalizedCollectionName")
            entity.append(self._text(*names, table.titles))
        else:
            entity.set("unmodified", "1")
        entity.append(
            _node("attributes", *(self._attribute(one, column) for column in one.columns))
        )
        if one.new:
            entity.append(_node("EntitySetName", table.set_name))
            entity.extend(_flags(TABLE_FLAGS))
        if one.tracked:
            entity.append(_node("ChangeTrackingEnabled", "1"))
        if one.key:
            entity.append(_node("EntityKeys", self._key(table)))
        titles = {"LocalizedName": table.title, "OriginalName": table.title}
        return _node("Entity", _node("Name", one.name, **titles), _node("EntityInfo", entity))

    def _attribute(self, one: Addition, column: WantedColumn) -> etree._Element:
        primary = one.new and column is one.table.primary
        mask = "ValidForAdvancedFind|ValidForForm|ValidForGrid"
        attribute = _node(
            "attribute",
            _node("Type", _TYPES[column.type]),
            _node("Name", column.name),
            _node("LogicalName", column.name),
            _node("RequiredLevel", "required" if column.required else "none"),
            _node("DisplayMask", f"PrimaryName|{mask}" if primary else mask),
            *_flags(COLUMN_FLAGS),
            PhysicalName=column.schema_name,
        )
        attribute.extend(self._facets(one, column))
        attribute.append(self._text("displaynames", "displayname", column.title))
        return attribute

    def _facets(self, one: Addition, column: WantedColumn) -> list[etree._Element]:
        match column.type:
            case ValueType.TEXT:
                length, doubled = str(column.length), str(2 * column.length)
                return [
                    _node("Format", "text"),
                    _node("MaxLength", length),
                    _node("Length", doubled),
                ]
            case ValueType.INTEGER:
                return [_node("Format", "none"), *_bounds(column, -INT32 - 1, INT32)]
            case ValueType.DECIMAL:
                bounds = _bounds(column, -LARGEST_DECIMAL, LARGEST_DECIMAL)
                return [*bounds, _node("Accuracy", str(column.scale))]
            case ValueType.DATE:
                return _dated("date", _DATE_ONLY)
            case ValueType.INSTANT:
                return _dated("datetime", _USER_LOCAL)
            case ValueType.BOOLEAN:
                options = {1: "Yes", 0: "No"}
                return [_node("AppDefaultValue", "0"), self._options(one, column, "bit", options)]
            case ValueType.CHOICE:
                return [
                    _node("AppDefaultValue", "-1"),
                    self._options(one, column, "picklist", column.options),
                ]
            case ValueType.REFERENCE:
                return [_node("LookupStyle", "single"), _node("LookupTypes")]

    def _options(
        self, one: Addition, column: WantedColumn, kind: str, options: Mapping[int, str]
    ) -> etree._Element:
        listed = [
            _node(
                "option",
                _node("labels", _node("label", description=text, languagecode=str(self._language))),
                value=str(value),
                ExternalValue="",
                IsHidden="0",
            )
            for value, text in options.items()
        ]
        return _node(
            "optionset",
            _node("IsGlobal", "0"),
            _node("OptionSetType", kind),
            _node("IntroducedVersion", VERSION),
            _node("IsCustomizable", "1"),
            self._text("displaynames", "displayname", column.title),
            _node("options", *listed),
            # The column's own name would meet that of a choice shared by several tables.
            Name=f"{one.logical_name}_{column.name}",
        )

    def _key(self, table: WantedTable) -> etree._Element:
        name = f"{table.schema_name}_Key"
        return _node(
            "EntityKey",
            _node("Name", name),
            _node("LogicalName", name.lower()),
            _node("IntroducedVersion", VERSION),
            _node("EntityKeyAttributes", *(_node("AttributeName", column) for column in table.key)),
            self._text("displaynames", "displayname", f"{table.title} key"),
        )

    def _relationship(self, one: Addition, column: WantedColumn) -> etree._Element:
        assert column.target is not None
        target = self._targets[column.target]
        prefix = column.schema_name.partition("_")[0]
        name = f"{prefix}_{target.lower()}_{one.logical_name}_{column.schema_name}"
        # Of the lookup's side; the other role is the collection at its target.
        lookup = _node(
            "EntityRelationshipRole",
            _node("NavPaneDisplayOption", "UseCollectionName"),
            _node("NavPaneArea", "Details"),
            _node("NavPaneOrder", "10000"),
            _node("NavigationPropertyName", column.schema_name),
            _node("RelationshipRoleType", "1"),
        )
        collection = _node(
            "EntityRelationshipRole",
            _node("NavigationPropertyName", name),
            _node("RelationshipRoleType", "0"),
        )
        return _node(
            "EntityRelationship",
            _node("EntityRelationshipType", "OneToMany"),
            _node("IsCustomizable", "1"),
            _node("IntroducedVersion", VERSION),
            _node("IsHierarchical", "0"),
            _node("ReferencingEntityName", one.name),
            _node("ReferencedEntityName", target),
            _node("CascadeAssign", "NoCascade"),
            _node("CascadeDelete", "Restrict"),
            _node("CascadeReparent", "NoCascade"),
            _node("CascadeShare", "NoCascade"),
            _node("CascadeUnshare", "NoCascade"),
            _node("ReferencingAttributeName", column.schema_name),
            _node("EntityRelationshipRoles", lookup, collection),
            Name=name,
        )

    def _text(self, several: str, one: str, text: str) -> etree._Element:
        return _named(several, one, text, self._language)


def _named(several: str, one: str, text: str, language: int) -> etree._Element:
    return _node(several, _node(one, description=text, languagecode=str(language)))


def _flags(flags: Mapping[str, str]) -> list[etree._Element]:
    return [_node(name, value) for name, value in flags.items()]


def _dated(form: str, behaviour: str) -> list[etree._Element]:
    change = _node("CanChangeDateTimeBehavior", "1")
    return [_node("Format", form), change, _node("Behavior", behaviour)]


def _bounds(column: WantedColumn, lowest: int, highest: int) -> list[etree._Element]:
    return [
        _node("MinValue", str(lowest if column.minimum is None else column.minimum)),
        _node("MaxValue", str(highest if column.maximum is None else column.maximum)),
    ]
