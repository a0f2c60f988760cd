"""The rows of a data file, some columns of each, as a stream.

Owns: CSV (any encoding with a byte order mark, or UTF-8) and XML (values as elements or as
attributes).
Never does: opening a file; bounding what it holds, which whoever opens it does (`package.py`);
knowing a value's type.
Tested in: tests/unit/endpoints/finops/exports/test_datafile.py.

Facts: "Data management: data entities data packages" (source formats CSV, CSV-Unicode, XML-Element,
XML-Attribute); columns are named in capital letters.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, TypeAlias

from lxml import etree

from connector.endpoints.finops.exports.faults import broken

DELIMITERS = ",;\t|"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

Texts: TypeAlias = tuple[str, ...]
Open: TypeAlias = Callable[[], IO[bytes]]


class ColumnsMissing(Exception):
    """The file lacks columns; the message names them."""


def csv_rows(file: IO[bytes], wanted: Sequence[str]) -> Iterator[Texts]:
    """The values of the wanted columns, row by row; nothing for an empty file.

    Column names match without case. Raises `ColumnsMissing` and `UnreachableError`
    (`package-broken`): a row with more or fewer values than the header means a torn file.
    """
    with io.TextIOWrapper(file, encoding=_encoding(file), newline="") as text:
        try:
            header = text.readline()
            if not header.strip():
                return
            delimiter = max(DELIMITERS, key=header.count)
            names = next(csv.reader([header], delimiter=delimiter, strict=True))
            places = _places(names, wanted)
            width = len(names)
            for row in csv.reader(text, delimiter=delimiter, strict=True):
                if len(row) != width:
                    if not row:
                        continue
                    raise broken(f"a row of the data file has {len(row)} values, not {width}")
                yield tuple([row[place] for place in places])
        except (csv.Error, UnicodeError) as error:
            raise broken("the data file of the package is no CSV", str(error)) from error


def _encoding(file: IO[bytes]) -> str:
    # Files of a package can be sought in; what was read is decompressed once more.
    head = file.read(4)
    file.seek(0)
    return next((name for mark, name in _MARKS if head.startswith(mark)), "utf-8")


def _places(names: Sequence[str], wanted: Sequence[str]) -> list[int]:
    at = {name.strip().upper(): place for place, name in enumerate(names)}
    missing = [name for name in wanted if name.upper() not in at]
    if missing:
        raise ColumnsMissing(", ".join(missing))
    return [at[name.upper()] for name in wanted]


def xml_rows(opened: Open, wanted: Sequence[str]) -> Iterator[Texts]:
    """The values of the wanted columns of each child of the root; the file is opened twice.

    Raises as `csv_rows` does. A value that is left out of a row is an empty text.
    """
    names = [name.upper() for name in wanted]
    try:
        with opened() as file:
            first = next(_elements(file, ("start",)), None)
        if first is None:
            return
        tag, attributes = first
        with opened() as file:
            yield from _rows(file, tag, names, as_attributes=attributes)
    except etree.XMLSyntaxError as error:
        raise broken("the data file of the package is not XML", str(error)) from error


def _elements(file: IO[bytes], events: tuple[str, ...]) -> Iterator[tuple[str, bool]]:
    """The name of the first row, and whether its values are attributes."""
    parsing = _parsing(file, events, None)
    root = next(parsing, None)
    assert root is not None, "without a root it is a syntax error"
    if root[1].getroottree().docinfo.internalDTD is not None:
        raise broken("the data file of the package has a document type, which none has")
    for _, row in parsing:
        yield str(row.tag), bool(row.attrib)


def _rows(
    file: IO[bytes], tag: str, names: Sequence[str], *, as_attributes: bool
) -> Iterator[Texts]:
    root: etree._Element | None = None
    for _, row in _parsing(file, ("end",), tag):
        parent = row.getparent()
        if parent is None or parent.getparent() is not None:
            continue  # a value that is called like a row
        root = parent
        if as_attributes:
            yield _of({str(name): str(value) for name, value in row.attrib.items()}, names)
        else:
            yield _of({str(child.tag): child.text for child in row}, names)
        row.clear()
        while (before := row.getprevious()) is not None:
            _same(before, tag)
            del root[0]
    for left in () if root is None else root:
        _same(left, tag)


def _same(row: etree._Element, tag: str) -> None:
    if not callable(row.tag) and row.tag != tag:  # a comment's tag is a function
        raise broken(f"the data file of the package holds <{row.tag}> among rows called <{tag}>")


def _of(values: Mapping[str, str | None], names: Sequence[str]) -> Texts:
    found = {name.upper(): value or "" for name, value in values.items()}
    if found.keys().isdisjoint(names):
        raise ColumnsMissing(", ".join(names))
    return tuple([found.get(name, "") for name in names])


def _parsing(
    file: IO[bytes], events: tuple[str, ...], tag: str | None
) -> Iterator[tuple[str, etree._Element]]:
    parsing: Iterator[tuple[str, etree._Element]] = etree.iterparse(
        file,
        events=events,
        tag=tag,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
    )
    return parsing
