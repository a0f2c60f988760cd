"""Table definitions as the metadata API shows them.

Owns: the JSON of EntityMetadata, the typed AttributeMetadata, keys and relationships.
Never does: answering requests (`metadata.py`), `$metadata` (`schema.py`).
Tested in: tests/integration/sandbox/test_metadata.py.

Facts: "Dataverse Web API: webapi/query-metadata-web-api" and the EntityMetadata,
AttributeMetadata and EntityKeyMetadata entity type references. Property names are Pascal case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from connector.sandbox.dataverse.definitions.catalog import (
    Catalog,
    ManyToMany,
    OptionSet,
    column_id,
    intersect_columns,
    key_id,
    option_set_id,
    relationship_id,
    relationship_name,
    table_id,
)
from connector.sandbox.dataverse.definitions.tables import (
    CHOICES,
    INT64,
    REFERENCES,
    TEXTS,
    AlternateKey,
    Column,
    Kind,
    Table,
    metadata_id,
)

Json = dict[str, Any]

TYPE_PREFIX = "Microsoft.Dynamics.CRM."
LANGUAGE = 1033
ONE_TO_MANY, MANY_TO_MANY = "OneToManyRelationshipMetadata", "ManyToManyRelationshipMetadata"
_VIRTUAL = frozenset({Kind.MULTI_PICKLIST, Kind.FILE})
_ODD_TYPES = {Kind.OWNER: "Lookup", Kind.GUID: "UniqueIdentifier"}
_TYPES = {kind: f"{_ODD_TYPES.get(kind, kind.value)}AttributeMetadata" for kind in Kind}
ATTRIBUTE_TYPES = frozenset(_TYPES.values())
NAVIGATIONS = frozenset(
    {
        "Attributes",
        "Keys",
        "ManyToOneRelationships",
        "OneToManyRelationships",
        "ManyToManyRelationships",
        "OptionSet",
        "GlobalOptionSet",
    }
)
"""Members that are only sent when they are asked for by path or `$expand`."""


def definitions(catalog: Catalog) -> dict[str, Json]:
    """All EntityMetadata by logical name, with their navigations inside."""
    found = {
        table.name: _entity(catalog, table, 10_000 + place)
        for place, table in enumerate(catalog.by_name.values())
    }
    lookups = {table.name: list(_lookups(table)) for table in catalog.by_name.values()}
    for name, entity in found.items():
        entity["ManyToOneRelationships"] = lookups[name]
        entity["OneToManyRelationships"] = [
            one for many in lookups.values() for one in many if one["ReferencedEntity"] == name
        ]
    return found


@lru_cache(maxsize=4096)
def label(text: str) -> Json:
    """A Label in the one language of the organization."""
    one = {
        "Label": text,
        "LanguageCode": LANGUAGE,
        "IsManaged": True,
        "MetadataId": metadata_id("label", text),
        "HasChanged": None,
    }
    return {"LocalizedLabels": [one], "UserLocalizedLabel": one}


def _managed(value: object, name: str) -> Json:
    return {"Value": value, "CanBeChanged": False, "ManagedPropertyLogicalName": name}


def _entity(catalog: Catalog, table: Table, code: int) -> Json:
    return {
        "MetadataId": table_id(table),
        "LogicalName": table.name,
        "SchemaName": table.schema_name,
        "EntitySetName": table.set_name,
        "LogicalCollectionName": table.set_name,
        "CollectionSchemaName": table.set_name,
        "PrimaryIdAttribute": table.id_column,
        "PrimaryNameAttribute": table.primary_name,
        "ObjectTypeCode": code,
        "OwnershipType": "UserOwned" if table.user_owned else "OrganizationOwned",
        "TableType": "Standard",
        "IsCustomEntity": table.custom,
        "IsCustomizable": _managed(True, "iscustomizable"),
        "IsManaged": table.managed,
        "IsActivity": False,
        "IsPrivate": False,
        "IsIntersect": table.intersect,
        "IsLogicalEntity": False,
        "HasActivities": table.has_activities,
        "HasNotes": table.has_notes,
        "ChangeTrackingEnabled": table.change_tracking,
        "CanChangeTrackingBeEnabled": _managed(True, "canchangetrackingbeenabled"),
        "IsOptimisticConcurrencyEnabled": True,
        "DisplayName": label(table.title),
        "DisplayCollectionName": label(table.titles),
        "Description": label(table.description or table.title),
        "Attributes": [
            _attribute(table, column, place)
            for place, column in enumerate(table.columns.values(), start=1)
        ],
        "Keys": [_key(table, key) for key in table.keys],
        "ManyToManyRelationships": [
            _many_to_many(one)
            for one in catalog.contents.many_to_many.values()
            if table.name in (one.first, one.second)
        ],
    }


# ---------------------------------------------------------------------------- attributes


def _attribute(table: Table, column: Column, place: int) -> Json:
    return {
        "@odata.type": f"#{TYPE_PREFIX}{_TYPES[column.kind]}",
        "MetadataId": column_id(table, column),
        "LogicalName": column.name,
        "SchemaName": column.schema_name,
        "EntityLogicalName": table.name,
        "AttributeType": "Virtual" if column.kind in _VIRTUAL else column.kind.value,
        "AttributeTypeName": {"Value": f"{column.kind}Type"},
        "AttributeOf": None,
        "ColumnNumber": place,
        "DisplayName": label(column.label),
        "Description": label(column.description or column.label),
        "RequiredLevel": _managed(column.required, "canmodifyrequirementlevelsettings"),
        "IsValidForCreate": column.creatable,
        "IsValidForRead": column.readable,
        "IsValidForUpdate": column.updatable,
        "IsPrimaryId": column.name == table.id_column,
        "IsPrimaryName": column.name == table.primary_name,
        "IsCustomAttribute": column.custom,
        "IsCustomizable": _managed(True, "iscustomizable"),
        "IsManaged": column.managed,
        "IsLogical": False,
        "IsSecured": column.secured,
        "CanBeSecuredForCreate": column.custom,
        "CanBeSecuredForRead": column.custom,
        "CanBeSecuredForUpdate": column.custom,
        "SourceType": 0,
        **_facets(table, column),
    }


def _facets(table: Table, column: Column) -> Json:
    """What only the derived type has; `OptionSet` is a navigation of its own."""
    if column.kind in CHOICES or column.kind in (Kind.BOOLEAN, Kind.MULTI_PICKLIST):
        return _choice_facets(table, column)
    if column.kind in TEXTS:
        return _text_facets(column)
    if column.kind in REFERENCES:
        return {"Targets": [column.target], "Format": "None"}
    facets = _FACETS.get(column.kind)
    return {} if facets is None else facets(column)


def _text_facets(column: Column) -> Json:
    shown = column.format or ("Text" if column.kind is Kind.STRING else "TextArea")
    return {
        "MaxLength": column.max_length,
        "DatabaseLength": 2 * column.max_length,
        "Format": shown,
        "FormatName": {"Value": shown},
        "ImeMode": "Auto",
    }


def _range_facets(column: Column) -> Json:
    return {"MinValue": column.minimum, "MaxValue": column.maximum}


def _integer_facets(column: Column) -> Json:
    return {**_range_facets(column), "Format": column.format or "None"}


def _bigint_facets(_column: Column) -> Json:
    return {"MinValue": INT64[0], "MaxValue": INT64[1]}


def _decimal_facets(column: Column) -> Json:
    return {**_range_facets(column), "Precision": column.precision}


def _money_facets(column: Column) -> Json:
    return {
        **_decimal_facets(column),
        "PrecisionSource": 0,
        "IsBaseCurrency": not column.creatable,
    }


def _date_facets(column: Column) -> Json:
    behavior = "DateOnly" if column.date_only else column.behavior or "UserLocal"
    return {
        "Format": column.format or ("DateOnly" if column.date_only else "DateAndTime"),
        "DateTimeBehavior": {"Value": behavior},
        "CanChangeDateTimeBehavior": _managed(not column.managed, "canchangedatetimebehavior"),
        "ImeMode": "Inactive",
    }


def _file_facets(_column: Column) -> Json:
    return {"MaxSizeInKB": 32_768}


_FACETS: dict[Kind, Callable[[Column], Json]] = {
    Kind.INTEGER: _integer_facets,
    Kind.BIGINT: _bigint_facets,
    Kind.DECIMAL: _decimal_facets,
    Kind.DOUBLE: _decimal_facets,
    Kind.MONEY: _money_facets,
    Kind.DATETIME: _date_facets,
    Kind.FILE: _file_facets,
}


def _choice_facets(table: Table, column: Column) -> Json:
    if column.kind is Kind.BOOLEAN:
        return {
            "DefaultValue": column.default == 1,
            "OptionSet": _option_set(table, column),
            "GlobalOptionSet": None,
        }
    return {
        "DefaultFormValue": -1 if column.default is None else column.default,
        "OptionSet": _option_set(table, column),
        "GlobalOptionSet": _option_set(table, column) if column.option_set else None,
    }


def _option(value: int, text: str) -> Json:
    return {
        "Value": value,
        "Label": label(text),
        "Description": {"LocalizedLabels": [], "UserLocalizedLabel": None},
        "Color": None,
        "IsManaged": True,
        "ExternalValue": "",
        "MetadataId": None,
        "HasChanged": None,
    }


def _option_set(table: Table, column: Column) -> Json:
    """The choice of a column, whether it is its own or a global one."""
    listed = [_option(value, text) for value, text in column.options.items()]
    boolean = column.kind is Kind.BOOLEAN
    return {
        "@odata.type": f"#{TYPE_PREFIX}{'Boolean' if boolean else ''}OptionSetMetadata",
        "MetadataId": metadata_id(column.option_set or column_id(table, column), "options"),
        "Name": column.option_set or f"{table.name}_{column.name}",
        "IsGlobal": bool(column.option_set),
        "IsCustomOptionSet": column.custom,
        "OptionSetType": "Picklist" if column.kind is Kind.MULTI_PICKLIST else column.kind.value,
        "DisplayName": label(column.label),
        **(
            dict(zip(("FalseOption", "TrueOption"), listed, strict=True))
            if boolean
            else {"Options": listed}
        ),
    }


def global_option_set(option_set: OptionSet) -> Json:
    """One GlobalOptionSetDefinition."""
    return {
        "@odata.type": f"#{TYPE_PREFIX}OptionSetMetadata",
        "MetadataId": option_set_id(option_set.name),
        "Name": option_set.name,
        "IsGlobal": True,
        "IsCustomOptionSet": True,
        "IsManaged": False,
        "OptionSetType": "Picklist",
        "DisplayName": label(option_set.title),
        "Description": label(option_set.description or option_set.title),
        "Options": [_option(value, text) for value, text in option_set.options.items()],
    }


# ---------------------------------------------------------------------------- keys, lookups


def _key(table: Table, key: AlternateKey) -> Json:
    return {
        "MetadataId": key_id(table, key),
        "LogicalName": key.name,
        "SchemaName": key.schema_name,
        "EntityLogicalName": table.name,
        "KeyAttributes": list(key.columns),
        "EntityKeyIndexStatus": key.status.value,
        "DisplayName": label(key.label),
        "IsManaged": key.managed,
        "IsSynchronous": False,
        "AsyncJob": None,
    }


def relationships(catalog: Catalog) -> list[Json]:
    """All RelationshipDefinitions."""
    tables = catalog.by_name.values()
    found = [one for table in tables for one in _lookups(table)]
    return [*found, *(_many_to_many(one) for one in catalog.contents.many_to_many.values())]


def _lookups(table: Table) -> Iterable[Json]:
    for column in table.columns.values():
        if column.kind not in REFERENCES:
            continue
        name = relationship_name(table, column)
        yield {
            "@odata.type": f"#{TYPE_PREFIX}{ONE_TO_MANY}",
            "MetadataId": relationship_id(table, column),
            "SchemaName": name,
            "RelationshipType": "OneToManyRelationship",
            "IsCustomRelationship": column.custom,
            "IsManaged": column.managed,
            "ReferencedEntity": column.target,
            "ReferencedAttribute": f"{column.target}id",
            "ReferencedEntityNavigationPropertyName": name,
            "ReferencingEntity": table.name,
            "ReferencingAttribute": column.name,
            "ReferencingEntityNavigationPropertyName": column.navigation,
            "CascadeConfiguration": {
                **dict.fromkeys(("Assign", "Merge", "Reparent", "Share", "Unshare"), "NoCascade"),
                "Delete": column.on_delete if column.custom else "NoCascade",
            },
        }


def _many_to_many(one: ManyToMany) -> Json:
    first, second = intersect_columns(one)
    return {
        "@odata.type": f"#{TYPE_PREFIX}{MANY_TO_MANY}",
        "MetadataId": one.identity,
        "SchemaName": one.schema_name,
        "RelationshipType": "ManyToManyRelationship",
        "IsCustomRelationship": True,
        "IsManaged": False,
        "Entity1LogicalName": one.first,
        "Entity1IntersectAttribute": first,
        "Entity1NavigationPropertyName": one.schema_name,
        "Entity2LogicalName": one.second,
        "Entity2IntersectAttribute": second,
        "Entity2NavigationPropertyName": one.schema_name,
        "IntersectEntityName": one.intersect,
    }
