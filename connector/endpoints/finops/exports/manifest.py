"""The manifest of a data package: which entities it holds, in which files.

Owns: reading `Manifest.xml`.
Never does: opening the package (`package.py`), reading a data file (`datafile.py`).
Tested in: tests/unit/endpoints/finops/exports/test_package.py.

Facts: manifests of packages in public repositories: UTF-16 with a byte order mark as the service
writes them, UTF-8 as people do; an entity goes by its label, with its name in the application tree
beside it where the package has one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree

from connector.endpoints.finops.exports.faults import broken

MANIFEST = "Manifest.xml"
LARGEST = 16 * 1024 * 1024
"""Bytes of a manifest."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One entity of a package."""

    label: str
    target: str | None
    """The name in the application tree, such as `RetailLoyaltyCardEntity`."""
    file: str
    format: str
    columns: Mapping[str, str]
    """Names in the data file by names of the entity, in capital letters as the service has them."""

    def called(self, name: str) -> bool:
        """Whether this is what OData calls by `name`, a set or a type; as far as names tell."""
        wanted = bare_name(name)
        return any(wanted == bare_name(own) for own in (self.label, self.target) if own)


def read_manifest(data: bytes) -> list[Listed]:
    """The entities of a manifest. Raises `UnreachableError` (`package-broken`)."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise broken("the manifest of the package is not XML", str(error)) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise broken("the manifest of the package has a document type, which none has")
    found = root.iterfind(".//{*}DataManagementPackageEntityData")
    return [_listed(one) for one in found if _text(one, "Disable").lower() not in ("true", "yes")]


def _listed(node: etree._Element) -> Listed:
    columns = {
        _text(one, "EntityField").upper(): _text(one, "XMLField") or _text(one, "EntityField")
        for one in node.iterfind(".//{*}EntityMap")
    }
    columns.pop("", None)
    label = _text(node, "EntityName")
    target = _text(node, "TargetEntityName") or _text(node, "TargetEntity")
    return Listed(
        label, target or None, _text(node, "InputFilePath"), _text(node, "SourceFormat"), columns
    )


def _text(node: etree._Element, name: str) -> str:
    return (node.findtext(f"{{*}}{name}") or "").strip()


def bare_name(name: str) -> str:
    """`Loyalty cards`, `LoyaltyCards` and `LoyaltyCardEntity` are one name."""
    bare = "".join(filter(str.isalnum, name)).casefold().removesuffix("entity")
    return bare.removesuffix("s")
