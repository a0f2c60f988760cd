"""Tables and columns as the metadata API takes them.

Owns: the JSON of a new table, column, relationship and alternate key.
Never does: sending it (`administration.py`); reading definitions (`metadata.py`).
Tested in: tests/unit/endpoints/dataverse/test_declarations.py.

Facts: "Dataverse Web API: create-update-entity-definitions-using-web-api",
"create-update-column-definitions-using-web-api", "create-update-entity-relationships-using-web-
api", "define-alternate-keys-entity", "behavior-format-date-time-attribute".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.mapping.tables.wanted import INT32, WantedColumn, WantedTable
from connector.mapping.values import ValueType

Json = dict[str, Any]

PREFIX = "Microsoft.Dynamics.CRM."
LARGEST_DECIMAL = 100_000_000_000
"""Either way; the service takes no larger bound."""

_CASCADE = {
    "Assign": "NoCascade",
    # A row somebody points to stays: taking it away would empty the lookup everywhere.
    "Delete": "Restrict",
    "Merge": "NoCascade",
    "Reparent": "NoCascade",
    "Share": "NoCascade",
    "Unshare": "NoCascade",
}


class Declarations:
    """Definitions with labels in the organization's base language (LCID, such as 1033)."""

    def __init__(self, language: int) -> None:
        self._language = language

    def table(self, wanted: WantedTable) -> Json:
        """A user-owned table with its primary column, its changes tracked."""
        primary = {**self.column(wanted.primary), "IsPrimaryName": True}
        return {
            "@odata.type": f"{PREFIX}EntityMetadata",
            "SchemaName": wanted.schema_name,
            "EntitySetName": wanted.set_name,
            "DisplayName": self.label(wanted.title),
            "DisplayCollectionName": self.label(wanted.titles),
            "OwnershipType": "UserOwned",
            "IsActivity": False,
            "HasActivities": False,
            "HasNotes": False,
            "ChangeTrackingEnabled": True,
            "Attributes": [primary],
        }

    def column(self, wanted: WantedColumn) -> Json:
        """A column of any type but a lookup, which is made by its relationship."""
        kind, facets = self._facets(wanted)
        return {
            "@odata.type": f"{PREFIX}{kind}AttributeMetadata",
            "AttributeType": kind,
            "AttributeTypeName": {"Value": f"{kind}Type"},
            **self._named(wanted),
            **facets,
        }

    def lookup(self, wanted: WantedColumn, table: str, target: str, target_id: str) -> Json:
        """The relationship behind a lookup of `table` to `target`, both logical names."""
        prefix = wanted.schema_name.partition("_")[0]
        return {
            "@odata.type": f"{PREFIX}OneToManyRelationshipMetadata",
            "SchemaName": f"{prefix}_{target}_{table}_{wanted.schema_name}",
            "ReferencedEntity": target,
            "ReferencedAttribute": target_id,
            "ReferencingEntity": table,
            "CascadeConfiguration": dict(_CASCADE),
            "Lookup": {
                "@odata.type": f"{PREFIX}LookupAttributeMetadata",
                "AttributeType": "Lookup",
                "AttributeTypeName": {"Value": "LookupType"},
                **self._named(wanted),
            },
        }

    def key(self, wanted: WantedTable) -> Json:
        """The alternate key on the map's key columns."""
        return {
            "@odata.type": f"{PREFIX}EntityKeyMetadata",
            "SchemaName": f"{wanted.schema_name}_Key",
            "DisplayName": self.label(f"{wanted.title} key"),
            "KeyAttributes": list(wanted.key),
        }

    def label(self, text: str) -> Json:
        """A text for people."""
        localized = {
            "@odata.type": f"{PREFIX}LocalizedLabel",
            "Label": text,
            "LanguageCode": self._language,
        }
        return {"@odata.type": f"{PREFIX}Label", "LocalizedLabels": [localized]}

    def _named(self, wanted: WantedColumn) -> Json:
        level = "ApplicationRequired" if wanted.required else "None"
        return {
            "SchemaName": wanted.schema_name,
            "DisplayName": self.label(wanted.title),
            "RequiredLevel": {
                "Value": level,
                "CanBeChanged": True,
                "ManagedPropertyLogicalName": "canmodifyrequirementlevelsettings",
            },
        }

    def _facets(self, wanted: WantedColumn) -> tuple[str, Json]:
        match wanted.type:
            case ValueType.TEXT:
                return "String", {"MaxLength": wanted.length, "FormatName": {"Value": "Text"}}
            case ValueType.INTEGER:
                return "Integer", {"Format": "None", **_bounds(wanted, -INT32 - 1, INT32)}
            case ValueType.DECIMAL:
                bounds = _bounds(wanted, -LARGEST_DECIMAL, LARGEST_DECIMAL)
                return "Decimal", {"Precision": wanted.scale, **bounds}
            case ValueType.BOOLEAN:
                return "Boolean", {"DefaultValue": False, "OptionSet": self._yes_no()}
            case ValueType.DATE:
                return "DateTime", _dated("DateOnly", "DateOnly")
            case ValueType.INSTANT:
                return "DateTime", _dated("DateAndTime", "UserLocal")
            case ValueType.CHOICE:
                return "Picklist", {"OptionSet": self._options(wanted.options)}
            case ValueType.REFERENCE:
                raise AssertionError("a lookup is made by its relationship")

    def _options(self, options: Mapping[int, str]) -> Json:
        return {
            "@odata.type": f"{PREFIX}OptionSetMetadata",
            "IsGlobal": False,
            "OptionSetType": "Picklist",
            "Options": [self._option(value, text) for value, text in options.items()],
        }

    def _yes_no(self) -> Json:
        return {
            "@odata.type": f"{PREFIX}BooleanOptionSetMetadata",
            "IsGlobal": False,
            "OptionSetType": "Boolean",
            "TrueOption": self._option(1, "Yes"),
            "FalseOption": self._option(0, "No"),
        }

    def _option(self, value: int, text: str) -> Json:
        return {"Value": value, "Label": self.label(text)}


def _bounds(wanted: WantedColumn, lowest: int, highest: int) -> Json:
    return {
        "MinValue": lowest if wanted.minimum is None else wanted.minimum,
        "MaxValue": highest if wanted.maximum is None else wanted.maximum,
    }


def _dated(form: str, behaviour: str) -> Json:
    return {"Format": form, "DateTimeBehavior": {"Value": behaviour}}


OPTION_PREFIX = 10_000
"""With what options begin that a publisher of ours adds without a value; ours all have one."""


def publisher(prefix: str) -> dict[str, Any]:
    """A publisher whose names bear this prefix; a solution file brings the same one."""
    return {
        "uniquename": f"dualwrite{prefix}",
        "friendlyname": f"dualwrite ({prefix})",
        "customizationprefix": prefix,
        "customizationoptionvalueprefix": OPTION_PREFIX,
    }
