"""What the service tells about itself: service document, `$metadata`, REST metadata.

Owns: CSDL, the filler that makes it as large as a real one.
Never does: the data.
Tested in: tests/integration/sandbox/finops/test_metadata.py.

Facts: "Finance and Operations: odata" and a reader of real documents: one namespace, annotations
with the application's own type on every property, no lengths of texts anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import quoteattr

from connector.sandbox.finops.actions import ACTIONS, DEFINITION_GROUPS
from connector.sandbox.finops.catalog import BY_SET, ENTITIES
from connector.sandbox.finops.entities import NAMESPACE, Entity, Field, Kind
from connector.sandbox.finops.enums import ENUMS
from connector.sandbox.finops.messages import Request, json_response
from connector.sandbox.messages import Response

XML_TYPE = "application/xml"
_ANNOTATION = "Microsoft.Dynamics.OData.Core.V1"
_AX_TYPES = {
    Kind.STRING: "String",
    Kind.INT32: "Integer",
    Kind.INT64: "Int64",
    Kind.DECIMAL: "Real",
    Kind.ENUM: "Enum",
    Kind.DATE: "Date",
    Kind.MOMENT: "UtcDateTime",
}
_FILLER_FIELDS = 25
_GROUP = "DataManagementDefinitionGroup"
_GROUP_TYPE = (
    f'<EntityType Name="{_GROUP}"><Key><PropertyRef Name="Name"/></Key>'
    '<Property Name="Name" Type="Edm.String" Nullable="false"/>'
    '<Property Name="Description" Type="Edm.String"/></EntityType>'
)
_HEAD = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">'
    f'<edmx:DataServices><Schema Namespace="{NAMESPACE}" '
    'xmlns="http://docs.oasis-open.org/odata/ns/edm">'
)


class Metadata:
    """The descriptions; `pad` is how many megabytes of other entities `$metadata` has."""

    def __init__(self) -> None:
        self.pad = 0.0

    def service_document(self, request: Request) -> Response:
        """`/data`: the sets."""
        value: list[dict[str, str]] = [
            {"name": name, "kind": "EntitySet", "url": name}
            for name in sorted([*BY_SET, DEFINITION_GROUPS])
        ]
        level = request.level(None)
        body: dict[str, Any] = {"@odata.context": f"{request.base}/$metadata", "value": value}
        return json_response(body, level=level)

    def csdl(self) -> Response:
        """`/data/$metadata`."""
        return Response(200, {"Content-Type": XML_TYPE, "OData-Version": "4.0"}, _csdl(self.pad))


def rest_metadata(path: str, base: str) -> Response | None:
    """`/metadata/…`, GET only; None for anything that is not there."""
    if path == "DataEntities":
        value = [_public(entity) for entity in ENTITIES]
        return json_response({"@odata.context": f"{base}/$metadata#DataEntities", "value": value})
    if path == "PublicEntities":
        return json_response(
            {
                "@odata.context": f"{base}/$metadata#PublicEntities",
                "value": [
                    {**_public(entity), "Properties": [_property(entity, f) for f in entity.listed]}
                    for entity in ENTITIES
                ],
            }
        )
    return None


def _public(entity: Entity) -> dict[str, Any]:
    return {
        "Name": entity.aot_name,
        "PublicEntityName": entity.type_name,
        "PublicCollectionName": entity.set_name,
        "LabelId": entity.label,
        "DataServiceEnabled": True,
        "DataManagementEnabled": True,
        "EntityCategory": "Master",
        "IsReadOnly": False,
    }


def _property(entity: Entity, field: Field) -> dict[str, Any]:
    return {
        "Name": field.name,
        "TypeName": field.edm,
        "LabelText": field.label,
        "IsKey": field.name in entity.key,
        "IsMandatory": field.mandatory,
        "AllowEdit": field.name not in entity.key,
        "AllowEditOnCreate": True,
    }


# ---------------------------------------------------------------------------- CSDL


@lru_cache(maxsize=2)
def _csdl(pad: float) -> bytes:
    filler = list(_filler(pad))
    parts = [
        _HEAD,
        *(_enum_type(one.name, one.members) for one in ENUMS),
        *(_entity_type(entity) for entity in ENTITIES),
        _GROUP_TYPE,
        *(text for _, text in filler),
        *(_action(name, one) for name, one in ACTIONS.items()),
        '<EntityContainer Name="Resources">',
        *(_entity_set(entity) for entity in ENTITIES),
        _empty_set(DEFINITION_GROUPS, _GROUP),
        *(_empty_set(f"{name}s", name) for name, _ in filler),
        "</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>",
    ]
    return "".join(parts).encode()


def _enum_type(name: str, members: Any) -> str:
    inside = "".join(f'<Member Name="{s}" Value="{n}"/>' for s, n in members.items())
    return f'<EnumType Name="{name}">{inside}</EnumType>'


def _key(names: tuple[str, ...]) -> str:
    inside = "".join(f'<PropertyRef Name="{name}"/>' for name in names)
    return f"<Key>{inside}</Key>"


def _entity_type(entity: Entity) -> str:
    properties = "".join(_csdl_property(f) for f in entity.listed)
    navigations = "".join(
        f'<NavigationProperty Name="{n.name}" Type='
        + quoteattr(
            f"Collection({BY_SET[n.target].full_type})"
            if n.collection
            else BY_SET[n.target].full_type
        )
        + "/>"
        for n in entity.navigations.values()
    )
    return (
        f'<EntityType Name="{entity.type_name}">{_key(entity.key)}{properties}{navigations}'
        "</EntityType>"
    )


def _csdl_property(field: Field) -> str:
    nullable = "" if field.nullable else ' Nullable="false"'
    places = ' Scale="Variable"' if field.kind is Kind.DECIMAL else ""
    annotation = (
        f'<Annotation Term="{_ANNOTATION}.AXType"><EnumMember>{_ANNOTATION}.AXType/'
        f"{_AX_TYPES[field.kind]}</EnumMember></Annotation>"
    )
    return (
        f'<Property Name="{field.name}" Type="{field.edm}"{nullable}{places}>{annotation}'
        "</Property>"
    )


def _entity_set(entity: Entity) -> str:
    bindings = "".join(
        f'<NavigationPropertyBinding Path="{n.name}" Target="{n.target}"/>'
        for n in entity.navigations.values()
    )
    return (
        f'<EntitySet Name="{entity.set_name}" EntityType="{entity.full_type}">{bindings}'
        "</EntitySet>"
    )


def _empty_set(name: str, type_name: str) -> str:
    return f'<EntitySet Name="{name}" EntityType="{NAMESPACE}.{type_name}"/>'


def _action(name: str, parameters: dict[str, str]) -> str:
    inside = "".join(f'<Parameter Name="{n}" Type="{t}"/>' for n, t in parameters.items())
    return (
        f'<Action Name="{name}" IsBound="true"><Parameter Name="bindingParameter" '
        f'Type="Collection({NAMESPACE}.{_GROUP})" Nullable="false"/>{inside}'
        '<ReturnType Type="Edm.String"/></Action>'
    )


def _filler(megabytes: float) -> Iterator[tuple[str, str]]:
    """Entity types of other modules, about so many megabytes of them."""
    kinds = (Kind.STRING, Kind.INT32, Kind.DECIMAL)
    text = "".join(
        _csdl_property(Field(f"Field{number:03d}", kinds[number % 3], "", nullable=False))
        for number in range(_FILLER_FIELDS)
    )
    left = megabytes * 1_000_000
    number = 0
    while left > 0:
        number += 1
        name = f"Filler{number:06d}"
        one = f'<EntityType Name="{name}">{_key(("Field000",))}{text}</EntityType>'
        left -= len(one)
        yield name, one
