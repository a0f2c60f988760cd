"""The `$metadata` of a stand-in, read whole: also what the product itself has no use for."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree

from connector.odata.csdl import EntitySet, Property, stream_csdl
from connector.odata.csdl import EntityType as Streamed

_EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
_ALTERNATE_KEYS = "OData.Community.Keys.V1.AlternateKeys"


@dataclass(frozen=True)
class NavigationProperty:
    """One navigation property; `constraints` maps own properties to the target's."""

    type: str
    constraints: Mapping[str, str]


@dataclass(frozen=True)
class EntityType:
    """One entity type as it stands, without what it inherits."""

    name: str
    base: str | None
    key: tuple[str, ...]
    properties: Mapping[str, Property]
    navigation: Mapping[str, NavigationProperty]
    alternate_keys: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Model:
    """One service: types by qualified name, and the type name of each set."""

    types: Mapping[str, EntityType]
    sets: Mapping[str, str]

    def type_of(self, entity_set: str) -> EntityType:
        return self.types[self.sets[entity_set]]


def parse_csdl(document: bytes) -> Model:
    parts = dict(stream_csdl(io.BytesIO(document)))
    elements = {e.get("Name", ""): e for e in etree.fromstring(document).iter(f"{_EDM}EntityType")}
    types = {
        name: EntityType(
            part.name,
            part.base,
            part.key,
            part.properties,
            _navigation(elements[part.name]),
            _alternate_keys(elements[part.name]),
        )
        for name, part in parts.items()
        if isinstance(part, Streamed)
    }
    return Model(types, {n: part.type for n, part in parts.items() if isinstance(part, EntitySet)})


def _navigation(element: etree._Element) -> dict[str, NavigationProperty]:
    return {
        e.get("Name", ""): NavigationProperty(
            e.get("Type", ""),
            {
                c.get("Property", ""): c.get("ReferencedProperty", "")
                for c in e.findall(f"{_EDM}ReferentialConstraint")
            },
        )
        for e in element.findall(f"{_EDM}NavigationProperty")
    }


def _alternate_keys(element: etree._Element) -> tuple[tuple[str, ...], ...]:
    """The columns of each alternate key, from the annotation's nested records."""
    return tuple(
        tuple(
            path.get("PropertyPath", "")
            for path in record.iterfind(f".//{_EDM}PropertyValue[@Property='Name']")
        )
        for annotation in element.findall(f"{_EDM}Annotation[@Term='{_ALTERNATE_KEYS}']")
        for record in annotation.findall(f"{_EDM}Collection/{_EDM}Record")
    )
