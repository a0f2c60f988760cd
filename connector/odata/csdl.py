"""CSDL 4 (`$metadata`) read into small values.

Owns: entity types with their keys and properties, sets, enumerations; a document of any size as a
stream of these.
Never does: navigation properties, functions, actions, complex types; fetching the document.
Tested in: tests/unit/odata/test_csdl.py.

Facts: "OData Version 4.01: Common Schema Definition Language (CSDL) XML Representation".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, TypeAlias

from lxml import etree

from connector.odata.malformed import MalformedError

_EDM = "{http://docs.oasis-open.org/odata/ns/edm}"


@dataclass(frozen=True, slots=True)
class Property:
    """One structural property; facets that are absent or not numeric (`MAX`) are None."""

    name: str
    type: str
    nullable: bool = True
    max_length: int | None = None
    precision: int | None = None
    scale: int | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)
    """Values of simple annotations within the property, by the whole name of their term."""


@dataclass(frozen=True, slots=True)
class EntityType:
    """One entity type as it stands, without what it inherits."""

    name: str
    base: str | None
    key: tuple[str, ...]
    properties: Mapping[str, Property]


@dataclass(frozen=True, slots=True)
class EnumType:
    """One enumeration: numbers by symbol, in their order. Flags combine several symbols."""

    members: Mapping[str, int]
    flags: bool = False


@dataclass(frozen=True, slots=True)
class EntitySet:
    """One set, with the terms it is annotated with."""

    type: str
    terms: frozenset[str] = frozenset()


Described: TypeAlias = tuple[str, EntityType | EnumType | EntitySet]
"""One part of a document under its name; types are qualified with their namespace."""


def stream_csdl(document: BinaryIO) -> Iterator[Described]:
    """The parts of a CSDL 4 document one by one, as they are read.

    What was read is thrown away, so that a document of tens of megabytes needs little memory.
    Raises `MalformedError`, also for a document that ends too early.
    """
    events = etree.iterparse(
        document,
        events=("start", "end"),
        tag=[f"{_EDM}{name}" for name in ("Schema", "EntityType", "EnumType", "EntitySet")],
        resolve_entities=False,
        no_network=True,
    )
    namespace, aliases, schemas = "", dict[str, str](), 0
    try:
        for event, element in events:
            kind = element.tag.removeprefix(_EDM)
            if event == "start":
                if kind == "Schema":
                    schemas += 1
                    namespace = element.get("Namespace", "")
                    aliases[element.get("Alias", namespace)] = namespace
                continue
            name = element.get("Name", "")
            if kind == "EntitySet":
                yield name, _entity_set(element, aliases)
            elif kind == "EntityType":
                yield f"{namespace}.{name}", _entity_type(element, aliases)
            elif kind == "EnumType":
                yield f"{namespace}.{name}", _enum_type(element)
            _forget(element)
    except etree.XMLSyntaxError as error:
        raise MalformedError(f"not an XML document: {error}") from error
    if not schemas:
        raise MalformedError("no OData 4 schema in the document")


def _forget(element: etree._Element) -> None:
    """Free an element that was read, and those before it."""
    element.clear()
    parent = element.getparent()
    while parent is not None and (before := element.getprevious()) is not None:
        parent.remove(before)


def _entity_set(element: etree._Element, aliases: Mapping[str, str]) -> EntitySet:
    terms = frozenset(e.get("Term", "") for e in element.findall(f"{_EDM}Annotation"))
    return EntitySet(_qualified(element.get("EntityType", ""), aliases), terms)


def _enum_type(element: etree._Element) -> EnumType:
    members: dict[str, int] = {}
    for number, one in enumerate(element.findall(f"{_EDM}Member")):
        members[one.get("Name", "")] = int(one.get("Value", number))
    return EnumType(members, element.get("IsFlags", "false") == "true")


def _entity_type(element: etree._Element, aliases: Mapping[str, str]) -> EntityType:
    base = element.get("BaseType")
    properties = [_property(e) for e in element.findall(f"{_EDM}Property")]
    return EntityType(
        name=element.get("Name", ""),
        base=None if base is None else _qualified(base, aliases),
        key=tuple(e.get("Name", "") for e in element.findall(f"{_EDM}Key/{_EDM}PropertyRef")),
        properties={p.name: p for p in properties},
    )


def _property(element: etree._Element) -> Property:
    def number(facet: str) -> int | None:
        text = element.get(facet, "")
        return int(text) if text.isdigit() else None

    return Property(
        name=element.get("Name", ""),
        type=element.get("Type", ""),
        nullable=element.get("Nullable", "true") == "true",
        max_length=number("MaxLength"),
        precision=number("Precision"),
        scale=number("Scale"),
        annotations=_annotations(element),
    )


def _annotations(element: etree._Element) -> dict[str, str]:
    """Simple annotations: a constant, or a member of an enumeration, without its type."""
    found: dict[str, str] = {}
    for one in element.findall(f"{_EDM}Annotation"):
        member = one.findtext(f"{_EDM}EnumMember") or one.get("EnumMember")
        text = member or one.get("Bool") or one.get("String") or one.get("Int") or ""
        found[one.get("Term", "")] = text.rpartition("/")[2]
    return found


def _qualified(name: str, aliases: Mapping[str, str]) -> str:
    prefix, dot, rest = name.rpartition(".")
    return f"{aliases.get(prefix, prefix)}{dot}{rest}"
