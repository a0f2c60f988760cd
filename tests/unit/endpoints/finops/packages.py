"""Data packages as Data management makes them, for tests."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from connector.endpoints.finops.exports.package import Wanted
from connector.mapping.columns import Column
from connector.mapping.values import ValueType

NAMESPACE = "http://schemas.microsoft.com/dynamics/2015/01/DataManagement"
COLUMNS = ("CARDNUMBER", "CARDTENDERTYPE", "PARTYNUMBER")
LABEL, TARGET = "Loyalty card", "RetailLoyaltyCardEntity"
CARD_NUMBER = Column("CardNumber", ValueType.TEXT)
WANTED = Wanted("Cards out", "RetailLoyaltyCards", "RetailLoyaltyCard", (CARD_NUMBER,))

Rows = Sequence[Sequence[str]]


def entity(
    file: str,
    label: str = LABEL,
    target: str | None = TARGET,
    columns: Mapping[str, str] | None = None,
    disable: str = "false",
) -> str:
    """One entity of a manifest."""
    names = {name: name for name in COLUMNS} if columns is None else columns
    maps = "".join(
        f"<EntityMap><EntityField>{field}</EntityField><XMLField>{own}</XMLField></EntityMap>"
        for field, own in names.items()
    )
    named = "" if target is None else f"<TargetEntity>{target}</TargetEntity>"
    return (
        f"<DataManagementPackageEntityData><Disable>{disable}</Disable>"
        f"<EntityMapList>{maps}</EntityMapList><EntityName>{escape(label)}</EntityName>{named}"
        f"<InputFilePath>{escape(file)}</InputFilePath><SourceFormat>CSV</SourceFormat>"
        "</DataManagementPackageEntityData>"
    )


def manifest(*entities: str, encoding: str = "utf-16") -> bytes:
    """A manifest; the service writes UTF-16 with a byte order mark."""
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?><DataManagementPackageManifest '
        f'xmlns="{NAMESPACE}"><DefinitionGroupName>Cards out</DefinitionGroupName>'
        f"<PackageEntityList>{''.join(entities)}</PackageEntityList>"
        "</DataManagementPackageManifest>"
    )
    return text.encode(encoding)


def csv_text(rows: Rows, columns: Sequence[str] = COLUMNS, delimiter: str = ",") -> str:
    """A data file with quotes around every value."""
    lines = [columns, *rows]
    quoted = (delimiter.join('"' + v.replace('"', '""') + '"' for v in line) for line in lines)
    return "\r\n".join(quoted) + "\r\n"


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip with these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in files.items():
            package.writestr(name, data)
    return buffer.getvalue()


def package(
    rows: Rows, columns: Sequence[str] = COLUMNS, label: str = LABEL, target: str | None = TARGET
) -> bytes:
    """A whole package of one entity as CSV."""
    file = f"{label}.csv"
    return zipped(
        {
            "Manifest.xml": manifest(entity(file, label, target, {one: one for one in columns})),
            "PackageHeader.xml": b"<DataManagementPackageHeader/>",
            file: csv_text(rows, columns).encode("utf-8-sig"),
        }
    )


def cards(*numbers: str) -> list[tuple[str, str, str]]:
    """Rows of cards."""
    return [(number, "AsCardTender", "") for number in numbers]
