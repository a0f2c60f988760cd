"""`$metadata`: the organization as CSDL 4.

Owns: the XML document, with navigations, alternate keys and the change tracking annotation.
Never does: the metadata API (`metadata.py`, `metadata_json.py`).
Tested in: tests/integration/sandbox/test_metadata.py.

Facts: "Dataverse Web API: web-api-service-documents", "web-api-entitytypes".
"""

from __future__ import annotations

from lxml import etree

from connector.sandbox.dataverse.definitions.catalog import Catalog, relationship_name
from connector.sandbox.dataverse.definitions.tables import SCALED, TEXTS, Column, Kind, Table

_EDMX = "http://docs.oasis-open.org/odata/ns/edmx"
_EDM = "http://docs.oasis-open.org/odata/ns/edm"
_KEYS = "OData.Community.Keys.V1."
_TYPES = {
    Kind.STRING: "Edm.String",
    Kind.BIGINT: "Edm.Int64",
    Kind.MEMO: "Edm.String",
    Kind.MULTI_PICKLIST: "Edm.String",
    Kind.DECIMAL: "Edm.Decimal",
    Kind.MONEY: "Edm.Decimal",
    Kind.DOUBLE: "Edm.Double",
    Kind.FILE: "Edm.Guid",
    Kind.BOOLEAN: "Edm.Boolean",
    Kind.GUID: "Edm.Guid",
    Kind.LOOKUP: "Edm.Guid",
    Kind.OWNER: "Edm.Guid",
}


def document(catalog: Catalog, *, annotations: bool) -> bytes:
    """The CSDL document; `annotations` adds which sets support change tracking."""
    root = etree.Element(f"{{{_EDMX}}}Edmx", Version="4.0", nsmap={"edmx": _EDMX})
    services = etree.SubElement(root, f"{{{_EDMX}}}DataServices")
    schema = etree.SubElement(
        services,
        f"{{{_EDM}}}Schema",
        {"Namespace": "Microsoft.Dynamics.CRM", "Alias": "mscrm"},
        nsmap={None: _EDM},  # type: ignore[dict-item]  # the default namespace
    )
    _add(schema, "EntityType", Name="crmbaseentity", Abstract="true")
    collections = _collections(catalog)
    for table in catalog.by_name.values():
        _entity_type(schema, table, collections[table.name])
    container = _add(schema, "EntityContainer", Name="System")
    for table in catalog.by_name.values():
        _entity_set(container, catalog, table, annotations)
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def _add(parent: etree._Element, name: str, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{_EDM}}}{name}", attributes)


def _collections(catalog: Catalog) -> dict[str, list[tuple[str, str, str]]]:
    """Per table its collection-valued navigations: name, type of the rows, their way back."""
    found: dict[str, list[tuple[str, str, str]]] = {name: [] for name in catalog.by_name}
    for table in catalog.by_name.values():
        for column in table.by_navigation.values():
            way = (relationship_name(table, column), table.name, column.navigation)
            found[column.target].append(way)
    for many in catalog.contents.many_to_many.values():
        for here, there in {(many.first, many.second), (many.second, many.first)}:
            found[here].append((many.schema_name, there, many.schema_name))
    return found


def _entity_type(
    schema: etree._Element, table: Table, collections: list[tuple[str, str, str]]
) -> None:
    entity = _add(schema, "EntityType", Name=table.name, BaseType="mscrm.crmbaseentity")
    _add(_add(entity, "Key"), "PropertyRef", Name=table.id_column)
    for column in table.columns.values():
        attributes = {"Name": column.wire_name, "Type": _edm_type(column)}
        if column.kind in TEXTS:
            attributes["Unicode"] = "false"
        if column.kind in SCALED:
            attributes["Scale"] = "Variable"
        _add(entity, "Property", **attributes)
    for column in table.by_navigation.values():
        navigation = _navigation(
            entity, column.navigation, f"mscrm.{column.target}", relationship_name(table, column)
        )
        _add(
            navigation,
            "ReferentialConstraint",
            Property=column.wire_name,
            ReferencedProperty=f"{column.target}id",
        )
    for name, rows, back in collections:
        _navigation(entity, name, f"Collection(mscrm.{rows})", back)
    if table.active_keys:
        _alternate_keys(entity, table)


def _navigation(parent: etree._Element, name: str, kind: str, partner: str) -> etree._Element:
    return _add(parent, "NavigationProperty", Name=name, Type=kind, Partner=partner)


def _edm_type(column: Column) -> str:
    if column.kind is Kind.DATETIME:
        return "Edm.Date" if column.date_only else "Edm.DateTimeOffset"
    return _TYPES.get(column.kind, "Edm.Int32")


def _alternate_keys(entity: etree._Element, table: Table) -> None:
    annotation = _add(entity, "Annotation", Term=f"{_KEYS}AlternateKeys")
    keys = _add(annotation, "Collection")
    for key in table.active_keys:
        record = _add(keys, "Record", Type=f"{_KEYS}AlternateKey")
        parts = _add(_add(record, "PropertyValue", Property="Key"), "Collection")
        for name in key.columns:
            part = _add(parts, "Record", Type=f"{_KEYS}PropertyRef")
            wire_name = table.columns[name].wire_name
            _add(part, "PropertyValue", Property="Alias", String=wire_name)
            _add(part, "PropertyValue", Property="Name", PropertyPath=wire_name)


def _entity_set(
    container: etree._Element, catalog: Catalog, table: Table, annotations: bool
) -> None:
    entity_set = _add(
        container,
        "EntitySet",
        Name=table.set_name,
        EntityType=f"Microsoft.Dynamics.CRM.{table.name}",
    )
    for column in table.by_navigation.values():
        target = catalog.by_name[column.target].set_name
        _add(entity_set, "NavigationPropertyBinding", Path=column.navigation, Target=target)
    if annotations and table.change_tracking:
        term = "Org.OData.Capabilities.V1.ChangeTracking"
        record = _add(_add(entity_set, "Annotation", Term=term), "Record")
        _add(record, "PropertyValue", Property="Supported", Bool="true")
