"""Solution files read into the bodies the metadata API takes.

Owns: the zip, its three files, which element becomes which member.
Never does: changing anything (`solutions.py`).
Tested in: tests/integration/sandbox/test_solutions.py.

Facts: the form of exported solutions as Microsoft publishes it ("Power Platform: solution file
reference", the schema CustomizationsSolution.xsd, "Channel integration: channel instance
entities" for relationships). Entities are named by schema name; role 1 of a relationship names
the navigation property of the referencing side, role 0 that of the referenced one.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO

from lxml import etree

from connector.sandbox.dataverse.definitions import metadata_errors as refusals
from connector.sandbox.dataverse.definitions.metadata_json import (
    LANGUAGE,
    ONE_TO_MANY,
    TYPE_PREFIX,
    Json,
)
from connector.sandbox.dataverse.writing.payloads import Values

FILES = ("[Content_Types].xml", "solution.xml", "customizations.xml")
MAX_BYTES = 64 * 2**20
"""Of one file, unpacked."""
_KINDS = {
    "nvarchar": "String",
    "ntext": "Memo",
    "int": "Integer",
    "bigint": "BigInt",
    "decimal": "Decimal",
    "money": "Money",
    "float": "Double",
    "bit": "Boolean",
    "picklist": "Picklist",
    "multiselectpicklist": "MultiSelectPicklist",
    "datetime": "DateTime",
}
_LEVELS = {
    "none": "None",
    "recommended": "Recommended",
    "required": "ApplicationRequired",
    "systemrequired": "SystemRequired",
}
_NUMBERS = {
    "MaxLength": "MaxLength",
    "Precision": "Accuracy",
    "MinValue": "MinValue",
    "MaxValue": "MaxValue",
}
_BEHAVIORS = {"1": "UserLocal", "2": "DateOnly", "3": "TimeZoneIndependent"}
_FORMATS = {"date": "DateOnly", "datetime": "DateAndTime"}


@dataclass(frozen=True, slots=True)
class SolutionFile:
    """The content of one solution file."""

    publisher: Values
    """Columns of the publisher's row."""
    solution: Values
    """Columns of the solution's row."""
    tables: tuple[TablePart, ...]
    relationships: tuple[Json, ...]
    option_sets: tuple[Json, ...]


@dataclass(frozen=True, slots=True)
class TablePart:
    """What a solution says of one table."""

    body: Json
    """EntityMetadata, without columns."""
    columns: tuple[Json, ...]
    keys: tuple[Json, ...]


def read_solution(content: bytes) -> SolutionFile:
    """Raises `WireError` for anything that is no solution file."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as file:
            if not set(FILES) <= set(file.namelist()):
                raise refusals.invalid(
                    "The solution file is invalid. The compressed file must contain the "
                    f"following files at its root: {', '.join(FILES)}."
                )
            if any(file.getinfo(name).file_size > MAX_BYTES for name in FILES):
                raise refusals.invalid(f"A file of the solution has more than {MAX_BYTES} bytes.")
            manifest, customizations = (_parse(file.read(name)) for name in FILES[1:])
    except (zipfile.BadZipFile, etree.XMLSyntaxError) as error:
        raise refusals.invalid(f"The solution file is invalid. {error}") from error
    owner, solution = _manifest(manifest)
    entities = [_inner(one) for one in customizations.iterfind("Entities/Entity")]
    lookups = {
        (inner.get("Name", "").lower(), column.get("PhysicalName", "").lower()): column
        for inner in entities
        for column in inner.iterfind("attributes/attribute")
    }
    return SolutionFile(
        owner,
        solution,
        tuple(map(_table, entities)),
        tuple(_relationships(customizations, lookups)),
        tuple(_option_set(one) for one in customizations.iterfind("optionsets/optionset")),
    )


def _parse(text: bytes) -> etree._Element:
    return etree.fromstring(text, etree.XMLParser(resolve_entities=False, no_network=True))


def _inner(entity: etree._Element) -> etree._Element:
    inner = entity.find("EntityInfo/entity")
    if inner is None or not inner.get("Name"):
        raise refusals.invalid("An Entity of the solution has no EntityInfo with a name.")
    return inner


def _text(node: etree._Element, path: str, default: str = "") -> str:
    return (node.findtext(path) or default).strip()


def _described(node: etree._Element, path: str) -> str:
    """A localized text in the organization's language, or in the first one it has."""
    found = {one.get("languagecode"): one.get("description", "") for one in node.iterfind(path)}
    return found.get(str(LANGUAGE)) or next(iter(found.values()), "")


def _label(text: str) -> Json:
    return {"LocalizedLabels": [{"Label": text, "LanguageCode": LANGUAGE}]}


# ---------------------------------------------------------------------------- solution.xml


def _manifest(root: etree._Element) -> tuple[Values, Values]:
    """Publisher and solution."""
    manifest, publisher = root.find("SolutionManifest"), root.find("SolutionManifest/Publisher")
    if manifest is None or publisher is None:
        raise refusals.invalid("The solution file is invalid. It has no SolutionManifest.")
    if _text(manifest, "Managed", "0") != "0":
        raise refusals.invalid("Managed solutions cannot be imported here.")
    prefix = _text(publisher, "CustomizationOptionValuePrefix", "10000")
    owner: Values = {
        "uniquename": _text(publisher, "UniqueName"),
        "friendlyname": _described(publisher, "LocalizedNames/LocalizedName"),
        "customizationprefix": _text(publisher, "CustomizationPrefix"),
        "customizationoptionvalueprefix": int(prefix) if prefix.isdecimal() else None,
    }
    solution: Values = {
        "uniquename": _text(manifest, "UniqueName"),
        "friendlyname": _described(manifest, "LocalizedNames/LocalizedName"),
        "version": _text(manifest, "Version"),
        "ismanaged": 0,
    }
    if not (owner["uniquename"] and owner["customizationprefix"] and solution["uniquename"]):
        raise refusals.invalid("The solution file is invalid. A unique name is missing.")
    return owner, solution


# ---------------------------------------------------------------------------- entities


def _table(entity: etree._Element) -> TablePart:
    name = entity.get("Name", "")
    columns = tuple(
        body for one in entity.iterfind("attributes/attribute") if (body := _column(one))
    )
    owned = _text(entity, "OwnershipTypeMask", "UserOwned")
    table: Json = {
        "SchemaName": name,
        "EntitySetName": _text(entity, "EntitySetName") or None,
        "OwnershipType": "OrganizationOwned" if owned == "OrgOwned" else owned,
        "DisplayName": _label(_described(entity, "LocalizedNames/LocalizedName") or name),
    }
    titles = _described(entity, "LocalizedCollectionNames/LocalizedCollectionName")
    if titles:
        table["DisplayCollectionName"] = _label(titles)
    if _text(entity, "ChangeTrackingEnabled") == "1":
        table["ChangeTrackingEnabled"] = True
    return TablePart(table, columns, tuple(map(_key, entity.iterfind("EntityKeys/EntityKey"))))


def _key(key: etree._Element) -> Json:
    name = _text(key, "Name")
    names = [_text(one, ".") for one in key.iterfind("EntityKeyAttributes/AttributeName")]
    title = _described(key, "displaynames/displayname") or name
    return {"SchemaName": name, "KeyAttributes": names, "DisplayName": _label(title)}


def _column(attribute: etree._Element) -> Json | None:
    """AttributeMetadata, or None for what comes otherwise: lookups, ids, system columns."""
    kind = _KINDS.get(_text(attribute, "Type").lower())
    if kind is None:
        return None
    body = _common(attribute)
    body["@odata.type"] = f"{TYPE_PREFIX}{kind}AttributeMetadata"
    body["IsPrimaryName"] = "PrimaryName" in _text(attribute, "DisplayMask").split("|")
    for member, path in _NUMBERS.items():
        if value := _text(attribute, path):
            body[member] = _number(value)
    if kind == "DateTime":
        body["Format"] = _FORMATS.get(_text(attribute, "Format"), "DateAndTime")
        behavior = _BEHAVIORS.get(_text(attribute, "Behavior", "1"))
        body["DateTimeBehavior"] = {"Value": behavior}
    if shared := _text(attribute, "OptionSetName"):
        body["OptionSet"] = {"IsGlobal": True, "Name": shared}
    elif (options := attribute.find("optionset")) is not None:
        body["OptionSet"] = _options(options, boolean=kind == "Boolean")
    return body


def _common(attribute: etree._Element) -> Json:
    name = attribute.get("PhysicalName", "")
    title = _described(attribute, "displaynames/displayname") or name
    return {
        "SchemaName": name,
        "DisplayName": _label(title),
        "RequiredLevel": {"Value": _LEVELS.get(_text(attribute, "RequiredLevel"), "None")},
        "IsSecured": _text(attribute, "IsSecured") == "1",
    }


def _number(text: str) -> int | float:
    try:
        return int(text) if "." not in text else float(text)
    except ValueError as error:
        raise refusals.invalid(f"'{text}' is no number.") from error


def _options(options: etree._Element, *, boolean: bool) -> Json:
    listed = {
        _number(one.get("value", "")): _label(_described(one, "labels/label"))
        for one in options.iterfind("options/option")
    }
    if boolean:
        pair = {"TrueOption": 1, "FalseOption": 0}
        return {member: {"Label": listed.get(value)} for member, value in pair.items()}
    every = [{"Value": value, "Label": text} for value, text in listed.items()]
    return {"IsGlobal": False, "Options": every}


def _option_set(option_set: etree._Element) -> Json:
    name = option_set.get("Name", "")
    title = option_set.get("localizedName") or name
    options = _options(option_set, boolean=False)["Options"]
    return {"Name": name, "DisplayName": _label(title), "Options": options}


# ---------------------------------------------------------------------------- relationships


def _relationships(
    root: etree._Element, lookups: Mapping[tuple[str, str], etree._Element]
) -> Iterator[Json]:
    for one in root.iterfind("EntityRelationships/EntityRelationship"):
        if _text(one, "EntityRelationshipType") != "OneToMany":
            raise refusals.invalid("Only OneToMany relationships can be imported here.")
        owner = _text(one, "ReferencingEntityName").lower()
        name = _text(one, "ReferencingAttributeName")
        lookup = lookups.get((owner, name.lower()))
        if lookup is None:
            raise refusals.invalid(f"The relationship's attribute {owner}.{name} is not there.")
        roles = {
            _text(role, "RelationshipRoleType"): _text(role, "NavigationPropertyName")
            for role in one.iterfind("EntityRelationshipRoles/EntityRelationshipRole")
        }
        yield {
            "@odata.type": f"{TYPE_PREFIX}{ONE_TO_MANY}",
            "SchemaName": one.get("Name", ""),
            "ReferencedEntity": _text(one, "ReferencedEntityName").lower(),
            "ReferencingEntity": owner,
            "ReferencingEntityNavigationPropertyName": roles.get("1") or None,
            "CascadeConfiguration": {"Delete": _text(one, "CascadeDelete", "RemoveLink")},
            "Lookup": _common(lookup),
        }
