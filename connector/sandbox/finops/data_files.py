"""Data files of packages: rows as CSV or XML, written and read.

Owns: the text form of each kind of value, encodings, headers.
Never does: zip and manifest (`packages.py`), choosing rows (`exports.py`).
Tested in: tests/integration/sandbox/finops/test_exports.py, test_imports.py.

Facts: public packages: names in capitals, a header line, one element per row named after the
entity. How dates look depends on the project's locale there; here they are ISO with a blank.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from connector.sandbox.finops.entities import Entity, Field, Kind
from connector.sandbox.finops.projects import Format

EXTENSIONS = {Format.CSV: ".csv", Format.CSV_UNICODE: ".csv", Format.XML: ".xml"}
_REAL_PLACES = 6


class UnreadableError(ValueError):
    """A data file that is not what the manifest says."""


def text_of(field: Field) -> Callable[[Any], str]:
    """What makes the text of a stored value."""
    if field.enum is not None:
        return field.enum.symbols.__getitem__
    if field.kind is Kind.DATE:
        return lambda stored: f"{stored} 00:00:00"
    if field.kind is Kind.MOMENT:
        return lambda stored: stored[:19].replace("T", " ")
    if field.kind is Kind.DECIMAL:
        return lambda stored: f"{stored / 10**field.places:.{_REAL_PLACES}f}"
    return str


def write(
    entity: Entity, fields: Sequence[Field], rows: Iterable[Sequence[Any]], kind: Format
) -> bytes:
    """A data file with these rows of stored values."""
    makers = [text_of(one) for one in fields]
    texts = ([make(value) for make, value in zip(makers, row, strict=True)] for row in rows)
    names = [one.name.upper() for one in fields]
    if kind is Format.XML:
        return _xml(entity.aot_name.upper(), names, texts)
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(names)
    writer.writerows(texts)
    if kind is Format.CSV:
        return codecs.BOM_UTF8 + file.getvalue().encode()
    return codecs.BOM_UTF16_LE + file.getvalue().encode("utf-16-le")


def _xml(element: str, names: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    parts = ['<?xml version="1.0" encoding="utf-8"?>\r\n<Document>']
    for row in rows:
        inside = "".join(
            f"<{name}>{escape(text)}</{name}>" for name, text in zip(names, row, strict=True)
        )
        parts.append(f"<{element}>{inside}</{element}>")
    return ("".join(parts) + "</Document>").encode()


def read(entity: Entity, content: bytes, kind: Format) -> Iterator[dict[str, Any]]:
    """The rows of a data file as the JSON of a body. Raises `UnreadableError`."""
    by_name = {name.upper(): field for name, field in entity.fields.items()}
    for row in _read_xml(content) if kind is Format.XML else _read_csv(content):
        values: dict[str, Any] = {}
        for name, text in row.items():
            field = by_name.get(name.upper())
            if field is None:
                raise UnreadableError(f"Column '{name}' is not part of {entity.label}.")
            values[field.name] = _json(field, text)
        yield values


def _read_csv(content: bytes) -> Iterator[Mapping[str, str]]:
    wide = content.startswith(codecs.BOM_UTF16_LE)
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError("The file is not in the encoding of its format.") from error
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            if None in row or None in row.values():
                raise UnreadableError(f"Line {reader.line_num} has not as many values as columns.")
            yield row
    except csv.Error as error:
        raise UnreadableError(f"Line {reader.line_num}: {error}.") from error


def _read_xml(content: bytes) -> Iterator[Mapping[str, str]]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise UnreadableError(f"Not an XML document: {error}.") from error
    for row in root:
        yield {str(one.tag): one.text or "" for one in row}


def _json(field: Field, text: str) -> Any:
    """A text of a file as a JSON value of a body."""
    if field.kind in (Kind.DATE, Kind.MOMENT):
        return f"{text[:10]}T{text[11:19] or '00:00:00'}Z"
    if field.kind in (Kind.INT32, Kind.INT64):
        return int(text) if text.lstrip("-").isdecimal() else text
    if field.kind is Kind.DECIMAL:
        try:
            return float(text)
        except ValueError:
            return text
    return text
