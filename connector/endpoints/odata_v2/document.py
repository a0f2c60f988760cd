"""The metadata document of a V2 service, made fit for pyodata to read.

Owns: refusing what is no V2 metadata, inheritance, and facets that pyodata would stop at or
forget.
Never does: types and sets (`metadata.py`); fetching.
Tested in: tests/unit/endpoints/odata_v2/test_metadata.py, test_broken_metadata.py.

Facts: "Conceptual Schema Definition File Format" (BaseType, facets, ConcurrencyMode); pyodata
merges no BaseType, ends at a Scale above the Precision or spelled in letters, at a boolean in
capitals, and takes an absent Scale for 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeAlias

from lxml import etree

from connector.errors import MapError, Subject

Facets: TypeAlias = Mapping[str, str]
Node: TypeAlias = "etree._Element"

_V4 = "http://docs.oasis-open.org/odata/ns/edm"
_SAP = "{http://www.sap.com/Protocols/SAPData}"
_COMMERCE = "{http://schemas.sap.com/commerce}"
_BOOLEANS = {"true": "true", "1": "true", "false": "false", "0": "false"}
_BOOLEAN_FACETS = ("Nullable", "FixedLength", *(f"{_SAP}{name}" for name in (
    "unicode", "creatable", "updatable", "sortable", "filterable", "required-in-filter", "visible",
    "value-list", "addressable", "deletable", "searchable", "countable", "pageable", "topable",
    "requires-filter",
)))  # fmt: skip


class Document(NamedTuple):
    """A document pyodata can read, and what it would forget of it."""

    xml: bytes
    facets: Mapping[tuple[str, str], Facets]
    """Attributes by entity type (with its namespace) and property, as far as they tell."""


def read_document(body: bytes, side: str) -> Document:
    """The document in a body; raises `MapError` for one that is no V2 metadata."""
    # A document of ours holds no entities, and no other file is opened for it.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise unusable(side, "it is no XML", str(error)) from error
    if etree.QName(root).localname != "Edmx":
        raise unusable(side, f"it is no metadata but <{etree.QName(root).localname}>")
    if root.get("Version", "").startswith("4") or etree.QName(root).namespace == f"{_V4}x":
        raise MapError(
            "metadata-newer",
            "the service speaks OData V4, not V2",
            remedy='set kind = "odata-v4" for this side',
            subject=Subject(side=side),
        )
    facets: dict[tuple[str, str], Facets] = {}
    types = dict(_entity_types(root))
    done: set[str] = set()
    for name in types:
        _inherit(name, types, done)
    for node in root.iter("*"):
        _tidy(node)
    for name, node in types.items():
        for one in _children(node, "Property"):
            facets[name, one.get("Name", "")] = {str(k): str(v) for k, v in one.attrib.items()}
    return Document(etree.tostring(root), facets)


def unusable(side: str, why: str, cause: str | None = None) -> MapError:
    """The error for metadata nothing can be done with."""
    return MapError(
        "metadata-unusable",
        f"the service's $metadata cannot be used: {why}",
        remedy="open URL/$metadata in a browser: it has to be an OData V2 document; where single "
        'parts of it break the rules, policy = "ignore" goes on without them',
        subject=Subject(side=side),
        cause=cause,
    )


def allotted(facets: Facets) -> bool:
    """Whether the service itself makes up a key, so that a create must not bring it."""
    # SAP Commerce joins its integration key from other attributes, which the alias names.
    return f"{_COMMERCE}Alias" in facets or facets.get(f"{_SAP}creatable") == "false"


def _entity_types(root: Node) -> Iterator[tuple[str, Node]]:
    for node in root.iter("{*}EntityType"):
        schema = node.getparent()
        namespace = "" if schema is None else schema.get("Namespace", "")
        yield f"{namespace}.{node.get('Name', '')}", node


def _children(node: Node, name: str) -> list[Node]:
    return node.findall(f"{{*}}{name}")


def _inherit(name: str, types: Mapping[str, Node], done: set[str]) -> None:
    """Give a type what its base types have; the base first, and each one once."""
    if name in done:
        return
    done.add(name)
    node = types[name]
    base = types.get(node.get("BaseType", ""))
    if base is None:
        return
    _inherit(node.get("BaseType", ""), types, done)
    own = {one.get("Name") for one in node.iterchildren("*")}
    wanted = [
        one for one in base if (etree.QName(one).localname == "Key" or one.get("Name") not in own)
    ]
    for place, one in enumerate(wanted):
        node.insert(place, _copy(one))


def _copy(node: Node) -> Node:
    return etree.fromstring(etree.tostring(node))


def _tidy(node: Node) -> None:
    """Spell facets as pyodata reads them, and leave out those that say nothing it can take."""
    for name in _BOOLEAN_FACETS:
        told = node.get(name)
        if told is not None:
            spelled = _BOOLEANS.get(told.strip().lower())
            if spelled is None:
                del node.attrib[name]
            else:
                node.set(name, spelled)
    length = node.get("MaxLength")
    if length is not None and not length.isdigit() and length.upper() != "MAX":
        del node.attrib["MaxLength"]
    for name in ("Precision", "Scale"):
        if not node.get(name, "0").isdigit():
            del node.attrib[name]
    if int(node.get("Scale", "0")) > int(node.get("Precision", "0")):
        del node.attrib["Scale"]
