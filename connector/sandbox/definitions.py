"""Table definitions as the metadata API shows them.

Owns: the JSON of EntityMetadata, the typed AttributeMetadata, keys and relationships.
Never does: answering requests (`metadata`), `$metadata` (`schema`).
Tested in: tests/integration/sandbox/test_metadata.py.

Facts: "Dataverse Web API: webapi/query-metadata-web-api" and the EntityMetadata,
AttributeMetadata and EntityKeyMetadata entity type references. Property names are Pascal case.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from connector.sandbox.catalog import Catalog
from connector.sandbox.tables import CHOICES, REFERENCES, AlternateKey, Column, Kind, Table

Json = dict[str, Any]

TYPE_PREFIX = "Microsoft.Dynamics.CRM."
_NAMESPACE = uuid.UUID("8f1b5d5e-6d0c-4f0a-9a57-0d6c9b1f7c11")
_TYPES = {
    Kind.STRING: ("StringAttributeMetadata", "StringType"),
    Kind.INTEGER: ("IntegerAttributeMetadata", "IntegerType"),
    Kind.BIGINT: ("BigIntAttributeMetadata", "BigIntType"),
    Kind.DECIMAL: ("DecimalAttributeMetadata", "DecimalType"),
    Kind.BOOLEAN: ("BooleanAttributeMetadata", "BooleanType"),
    Kind.PICKLIST: ("PicklistAttributeMetadata", "PicklistType"),
    Kind.STATE: ("StateAttributeMetadata", "StateType"),
    Kind.STATUS: ("StatusAttributeMetadata", "StatusType"),
    Kind.DATETIME: ("DateTimeAttributeMetadata", "DateTimeType"),
    Kind.LOOKUP: ("LookupAttributeMetadata", "LookupType"),
    Kind.OWNER: ("LookupAttributeMetadata", "OwnerType"),
    Kind.GUID: ("UniqueIdentifierAttributeMetadata", "UniqueidentifierType"),
}
ATTRIBUTE_TYPES = frozenset(name for name, _ in _TYPES.values())
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
    return {table.name: _entity(catalog, table) for table in catalog.by_name.values()}


def metadata_id(*names: str) -> str:
    """The MetadataId of a table, column, key or relationship; the same in every folder."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(names)))


def label(text: str) -> Json:
    """A Label in the one language of the organization."""
    one = {
        "Label": text,
        "LanguageCode": 1033,
        "IsManaged": True,
        "MetadataId": metadata_id("label", text),
        "HasChanged": None,
    }
    return {"LocalizedLabels": [one], "UserLocalizedLabel": one}


def _managed(value: object, name: str) -> Json:
    return {"Value": value, "CanBeChanged": False, "ManagedPropertyLogicalName": name}


def _entity(catalog: Catalog, table: Table) -> Json:
    custom = table.name.startswith("msdyn_")
    code = 10_000 + list(catalog.by_name).index(table.name)
    own = _many_to_one(table)
    others = (_many_to_one(other) for other in catalog.by_name.values())
    return {
        "MetadataId": metadata_id(table.name),
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
        "IsCustomEntity": custom,
        "IsManaged": True,
        "IsActivity": False,
        "IsPrivate": False,
        "IsIntersect": False,
        "IsLogicalEntity": False,
        "HasActivities": False,
        "HasNotes": False,
        "ChangeTrackingEnabled": table.change_tracking,
        "CanChangeTrackingBeEnabled": _managed(True, "canchangetrackingbeenabled"),
        "IsOptimisticConcurrencyEnabled": True,
        "DisplayName": label(table.title),
        "DisplayCollectionName": label(table.titles),
        "Description": label(table.title),
        "Attributes": [
            _attribute(table, column, place)
            for place, column in enumerate(table.columns.values(), start=1)
        ],
        "Keys": [_key(table, key) for key in table.keys],
        "ManyToOneRelationships": own,
        "OneToManyRelationships": [
            one for many in others for one in many if one["ReferencedEntity"] == table.name
        ],
        "ManyToManyRelationships": [],
    }


# ---------------------------------------------------------------------------- attributes


def _attribute(table: Table, column: Column, place: int) -> Json:
    kind, type_name = _TYPES[column.kind]
    return {
        "@odata.type": f"#{TYPE_PREFIX}{kind}",
        "MetadataId": metadata_id(table.name, column.name),
        "LogicalName": column.name,
        "SchemaName": column.schema_name,
        "EntityLogicalName": table.name,
        "AttributeType": column.kind.value,
        "AttributeTypeName": {"Value": type_name},
        "AttributeOf": None,
        "ColumnNumber": place,
        "DisplayName": label(column.label),
        "Description": label(column.label),
        "RequiredLevel": _managed(column.required, "canmodifyrequirementlevelsettings"),
        "IsValidForCreate": column.creatable,
        "IsValidForRead": True,
        "IsValidForUpdate": column.updatable,
        "IsPrimaryId": column.name == table.id_column,
        "IsPrimaryName": column.name == table.primary_name,
        "IsCustomAttribute": column.custom,
        "IsManaged": True,
        "IsLogical": False,
        "IsSecured": False,
        "CanBeSecuredForRead": False,
        "SourceType": 0,
        **_facets(table, column),
    }


def _facets(table: Table, column: Column) -> Json:
    """What only the derived type has; `OptionSet` is a navigation of its own."""
    if column.kind is Kind.STRING:
        return {
            "MaxLength": column.max_length,
            "DatabaseLength": 2 * column.max_length,
            "Format": "Text",
            "FormatName": {"Value": "Text"},
            "ImeMode": "Auto",
        }
    if column.kind is Kind.INTEGER:
        return {"MinValue": column.minimum, "MaxValue": column.maximum, "Format": "None"}
    if column.kind is Kind.BIGINT:
        return {"MinValue": -(2**63), "MaxValue": 2**63 - 1}
    if column.kind is Kind.DECIMAL:
        return {
            "MinValue": column.minimum,
            "MaxValue": column.maximum,
            "Precision": column.precision,
        }
    if column.kind is Kind.DATETIME:
        return {
            "Format": "DateOnly" if column.date_only else "DateAndTime",
            "DateTimeBehavior": {"Value": "DateOnly" if column.date_only else "UserLocal"},
            "CanChangeDateTimeBehavior": _managed(False, "canchangedatetimebehavior"),
            "ImeMode": "Inactive",
        }
    if column.kind in REFERENCES:
        return {"Targets": [column.target], "Format": "None"}
    if column.kind in CHOICES or column.kind is Kind.BOOLEAN:
        return _choice_facets(table, column)
    return {}


def _choice_facets(table: Table, column: Column) -> Json:
    listed = [_option(value, text) for value, text in column.options.items()]
    if column.kind is Kind.BOOLEAN:
        pair = dict(zip(("FalseOption", "TrueOption"), listed, strict=True))
        return {"DefaultValue": False, "OptionSet": _option_set(table, column, pair)}
    return {
        "DefaultFormValue": -1,
        "OptionSet": _option_set(table, column, {"Options": listed}),
        "GlobalOptionSet": None,
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


def _option_set(table: Table, column: Column, options: Json) -> Json:
    return {
        "MetadataId": metadata_id(table.name, column.name, "options"),
        "Name": f"{table.name}_{column.name}",
        "IsGlobal": False,
        "IsCustomOptionSet": column.custom,
        "OptionSetType": column.kind.value,
        "DisplayName": label(column.label),
        **options,
    }


# ---------------------------------------------------------------------------- keys, lookups


def _key(table: Table, key: AlternateKey) -> Json:
    return {
        "MetadataId": metadata_id(table.name, key.schema_name),
        "LogicalName": key.schema_name.lower(),
        "SchemaName": key.schema_name,
        "EntityLogicalName": table.name,
        "KeyAttributes": list(key.columns),
        "EntityKeyIndexStatus": "Active",
        "DisplayName": label(key.label),
        "IsManaged": True,
        "IsSynchronous": False,
        "AsyncJob": None,
    }


def _many_to_one(table: Table) -> list[Json]:
    return list(_relationships(table))


def _relationships(table: Table) -> Iterable[Json]:
    for column in table.columns.values():
        if column.kind not in REFERENCES:
            continue
        name = f"{column.target}_{table.name}_{column.name}"
        yield {
            "MetadataId": metadata_id(name),
            "SchemaName": name,
            "RelationshipType": "OneToManyRelationship",
            "IsCustomRelationship": column.custom,
            "IsManaged": True,
            "ReferencedEntity": column.target,
            "ReferencedAttribute": f"{column.target}id",
            "ReferencedEntityNavigationPropertyName": name,
            "ReferencingEntity": table.name,
            "ReferencingAttribute": column.name,
            "ReferencingEntityNavigationPropertyName": column.navigation,
            "CascadeConfiguration": {"Delete": "Restrict" if column.custom else "NoCascade"},
        }
